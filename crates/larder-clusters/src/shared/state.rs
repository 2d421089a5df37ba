//! The states of a shared thing, and the number that tells its owners apart.

use std::{fmt, str::FromStr};

use larder_sqlite_file::rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};

/// What state a shared thing is in. One that the file does not know is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Somebody makes it.
    Creating,
    /// The last user left and may be deleting it; nobody can join.
    Draining,
    /// It was not made, or it broke. The next one who wants it makes it anew.
    Failed,
    /// It was deleted. The next one who wants it makes it anew.
    Gone,
    /// It can be used.
    Ready,
}

impl State {
    pub(crate) const ALL: [Self; 5] =
        [Self::Creating, Self::Draining, Self::Failed, Self::Gone, Self::Ready];

    /// Its name, as the file has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Draining => "draining",
            Self::Failed => "failed",
            Self::Gone => "gone",
            Self::Ready => "ready",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is the name of no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no state of a shared thing has this name")]
#[non_exhaustive]
pub struct StateError;

impl FromStr for State {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(StateError)
    }
}

impl ToSql for State {
    fn to_sql(&self) -> larder_sqlite_file::rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(FromSqlError::other)
    }
}

/// A number that tells the owners of a thing apart: whoever creates it, takes a creation over or
/// drains it gets one that is higher than all before it in the file.
///
/// What an owner says counts only while its fence is the thing's, so one that was given up for
/// dead changes nothing when it comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(i64);

impl Fence {
    /// The fence of this number, for one that was passed on as text.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(if number > i64::MAX.cast_unsigned() { i64::MAX } else { number.cast_signed() })
    }

    /// Its number. Zero is the fence of a thing that only the former tool has touched.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0.unsigned_abs()
    }

    pub(crate) const fn as_i64(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ToSql for Fence {
    fn to_sql(&self) -> larder_sqlite_file::rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Fence {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|number| Self(number.max(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_name_of_its_own() {
        for state in State::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert_eq!("RUNNING".parse::<State>(), Err(StateError));
    }

    #[test]
    fn a_fence_beyond_what_the_file_holds_is_one_that_nobody_has() {
        assert_eq!(Fence::new(7).number(), 7);
        assert_eq!(Fence::new(u64::MAX).number(), i64::MAX.unsigned_abs());
    }
}
