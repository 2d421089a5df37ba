//! PostgreSQL's sessions and descriptions, on a live server.

#![cfg(feature = "postgres")]

mod databases;

mod postgres {
    mod describing;
}
