//! Scenarios across crates. Everything is in the test binary `it`; this library is empty.
