//! Which functions, keywords, operators and literals give the same answer every time.
//!
//! Invariant: default deny. What is not on a reviewed list is unknown, and what is unknown makes
//! a statement uncacheable; the lists of volatile and session functions only name the reason.

mod common;
mod judge;
mod mysql;
mod postgresql;
mod sqlite;

pub(crate) use judge::{
    judge, judge_call, judge_literal, judge_operator, judge_regexp, judge_word,
};
