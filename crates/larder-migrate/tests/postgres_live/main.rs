//! PostgreSQL's sessions, descriptions and steps, on a live server.

#![cfg(feature = "postgres")]

mod databases;

mod postgres {
    mod describing;
    mod ensuring;
    mod normalising;
    mod sessions;
    mod stepping;
    mod watching;
}
