//! What is never altered, and what waits for the rows.
