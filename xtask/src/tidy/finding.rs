//! One breach of a rule, at a place that an editor can jump to.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    /// A finding at a line, counted from 1.
    pub(crate) fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// The findings of a rule on a few files, as the tests of the rules compare them.
#[cfg(test)]
pub(crate) fn check(
    rule: impl Fn(&super::tree::Tree) -> Vec<Finding>,
    files: &[(&str, &str)],
    expected: &[&str],
) {
    let tree = super::tree::Tree::from_files(files);
    let found: Vec<String> = rule(&tree).iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}
