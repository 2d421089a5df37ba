//! Pairs of schemas.
