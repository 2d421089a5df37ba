//! Scenarios across crates. They are in the test binary `it`; this library only has the programs
//! of the root README, as documentation tests.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
