//! What servers print, read.
