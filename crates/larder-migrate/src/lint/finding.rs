//! What a rule found.

use std::fmt;

use crate::{Position, Rule};

/// A rule that a statement breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The file's path within its folder.
    pub path: String,
    /// Where the statement begins.
    pub at: Position,
    /// What happens, and the mend.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, path, at, message } = self;
        let severity = rule.severity().as_str();
        write!(f, "{path}:{}:{}: {severity}: {message} [{rule}]", at.line, at.column)
    }
}
