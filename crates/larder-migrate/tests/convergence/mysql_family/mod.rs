//! Pairs of schemas on MySQL and MariaDB.
