//! Values that go to a database and come from it.

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "statements of ours return nothing else")]
pub enum Cell {
    /// An integer; booleans too, as 0 and 1.
    Integer(i64),
    /// NULL.
    Null,
    /// A text.
    Text(String),
}

/// A parameter of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "statements of ours take nothing else")]
pub enum Param<'a> {
    /// An integer.
    Integer(i64),
    /// NULL, of the type of a text.
    Null,
    /// A text.
    Text(&'a str),
}

impl Cell {
    /// The text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(_) | Self::Null => None,
        }
    }

    /// The integer.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            Self::Null | Self::Text(_) => None,
        }
    }

    /// Whether it is an integer other than 0.
    #[must_use]
    pub const fn is_true(&self) -> bool {
        matches!(self, Self::Integer(value) if *value != 0)
    }
}
