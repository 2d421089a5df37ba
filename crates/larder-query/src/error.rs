//! What can go wrong between a statement and a typed row.
//!
//! Guards that the database's own error passes through untouched, and that no message holds a
//! password, a parameter or a value of a row that was not asked for as a document.

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use larder_cache::LoadError;
use larder_core::TtlError;
use larder_sql::AnalyzeError;
use serde::de::{self, Expected, Unexpected};

use crate::{ColumnIndex, Engine, UrlError};

/// Why a statement did not give what was asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The runtime is shutting down.
    #[error("the query was cancelled with its runtime")]
    Cancelled,
    /// A key or a filter compares a column with a value that the column does not hold.
    #[error("column {column:?} of table {table:?} is not compared with such a value: {reason}")]
    ColumnValue {
        /// The table.
        table: Box<str>,
        /// The column.
        column: Box<str>,
        /// Why.
        reason: Box<str>,
    },
    /// The database, or the way to it, failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The URL names an engine whose feature is not enabled.
    #[error("the engine {engine} is not compiled in: enable the feature \"{}\"", engine.feature())]
    EngineNotCompiled {
        /// The engine.
        engine: Engine,
    },
    /// A filter nests deeper than a statement may.
    #[error("the filter on table {table:?} nests deeper than {limit} levels")]
    FilterTooDeep {
        /// The table.
        table: Box<str>,
        /// How deep it may nest.
        limit: usize,
    },
    /// The statement would commit the transaction that it is part of, as on MySQL and MariaDB every
    /// statement does that changes the schema.
    #[error("the statement would commit the transaction that it is part of")]
    ImplicitCommit,
    /// A key with another number of parts than the model's.
    #[error("the key of table {table:?} has {expected} columns, and {given} values are given")]
    KeyLength {
        /// The table.
        table: Box<str>,
        /// How many columns the model's key has.
        expected: usize,
        /// How many values there are.
        given: usize,
    },
    /// The load did not end within the cache's time limit for loads.
    #[error("the query did not end within {limit:?}")]
    LoadTimedOut {
        /// The limit.
        limit: Duration,
    },
    /// The load panicked, which is a defect of ours or of a row type's `Deserialize`.
    #[error("the load panicked: {message}")]
    LoadPanicked {
        /// What it said.
        message: Arc<str>,
    },
    /// The table of a model is not as the model wants it, and could not be made so.
    #[error("the table of model {model} is not as the model wants it")]
    Model {
        /// The name of the model's struct.
        model: &'static str,
        /// Why.
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// The model has no key, by which its rows could be told apart.
    #[error("the model of table {table:?} has no key")]
    NoKey {
        /// The table.
        table: Box<str>,
    },
    /// The statement and its parameters do not fit together.
    #[error("the statement's parameters do not match: {expected} expected, {given} bound")]
    ParameterCount {
        /// How many the statement takes.
        expected: usize,
        /// How many are bound.
        given: usize,
    },
    /// A parameter has no equivalent in the database.
    #[error("parameter {position} can not be bound: {reason}")]
    ParameterValue {
        /// Which one, counted from 1.
        position: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The statement's placeholders are not supported.
    #[error("the statement's parameters are not supported: {reason}")]
    ParameterSyntax {
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A row does not convert to the requested type.
    #[error(transparent)]
    Row(#[from] RowError),
    /// There is no row where one was asked for.
    #[error("there is no row")]
    RowNotFound,
    /// A field of a row has no value that its column takes.
    #[error("column {column:?} of table {table:?} has no value: {reason}")]
    RowValue {
        /// The table.
        table: Box<str>,
        /// The column; empty if it is about the whole row.
        column: Box<str>,
        /// Why.
        reason: Box<str>,
    },
    /// Several statements in one call returned rows.
    #[error("several statements in one call returned rows")]
    SeveralResults,
    /// The statement begins or ends a transaction, which has functions of its own: on a pool of
    /// connections it would go on for somebody else.
    #[error("transactions are begun and ended by functions, not by statements")]
    TransactionControl,
    /// A table name is not valid.
    #[error("not the name of a table")]
    TableName(#[from] AnalyzeError),
    /// More tags than an answer may carry.
    #[error("{tags} tags are more than an answer may carry")]
    TooManyTags {
        /// How many there were, those of the tables included.
        tags: usize,
    },
    /// A lifetime is not valid.
    #[error(transparent)]
    Ttl(#[from] TtlError),
    /// A filter or an order names a column that the model has not.
    #[error("the model of table {table:?} has no column {column:?}")]
    UnknownColumn {
        /// The table.
        table: Box<str>,
        /// The column.
        column: Box<str>,
    },
    /// The database URL is not valid.
    #[error(transparent)]
    Url(#[from] UrlError),
}

impl QueryError {
    /// What went wrong in the database, if that is where it went wrong.
    #[must_use]
    pub const fn database_kind(&self) -> Option<DatabaseErrorKind> {
        match self {
            Self::Database(error) => Some(error.kind()),
            _ => None,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.database_kind().is_some_and(DatabaseErrorKind::is_retryable)
            || matches!(self, Self::LoadTimedOut { .. })
    }

    /// Whether the database surely did not take the write that failed with this error.
    pub(crate) fn is_surely_undone(&self) -> bool {
        match self {
            Self::Database(error) => error.kind().is_surely_undone(),
            // A row that does not convert was written nevertheless.
            Self::Cancelled | Self::LoadPanicked { .. } | Self::LoadTimedOut { .. } => false,
            Self::Row(_) | Self::RowNotFound | Self::SeveralResults => false,
            _ => true,
        }
    }
}

impl From<LoadError<Self>> for QueryError {
    /// The database's own error passes through untouched.
    fn from(error: LoadError<Self>) -> Self {
        match error {
            LoadError::Loader(error) => (*error).clone(),
            LoadError::Panicked { message } => Self::LoadPanicked { message },
            LoadError::TimedOut { limit } => Self::LoadTimedOut { limit },
            LoadError::TooManyTags { tags } => Self::TooManyTags { tags },
            // A loader of ours asks for no entry, so it is never re-entrant.
            _ => Self::Cancelled,
        }
    }
}

/// An error of the database or of the connection to it.
///
/// The message says what kind of error it is; the database's own words are the
/// [`source`](StdError::source), unchanged. They may quote the statement and, for a constraint,
/// a value.
#[derive(Clone, Debug)]
pub struct DatabaseError {
    kind: DatabaseErrorKind,
    code: Option<Cow<'static, str>>,
    /// Shared, so that one failed load can be reported to everybody who waited for it.
    source: Arc<dyn StdError + Send + Sync>,
}

/// What a caller can do about a [`DatabaseError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DatabaseErrorKind {
    /// The credentials or the permissions do not suffice. Permanent.
    Authentication,
    /// Somebody else holds a lock for longer than the time limit, or a deadlock or a
    /// serialization failure was resolved against this one. Retryable.
    Busy,
    /// A check constraint is violated. Permanent.
    CheckViolation,
    /// The database can not be reached or the connection broke. Retryable.
    Connection,
    /// The database file is damaged or no database. Permanent.
    Corrupt,
    /// Another constraint is violated. Permanent.
    ConstraintViolation,
    /// A foreign key points nowhere, or something still points here. Permanent.
    ForeignKeyViolation,
    /// A named column does not exist. Permanent until the schema changes.
    MissingColumn,
    /// The named database does not exist. Permanent until somebody makes it.
    MissingDatabase,
    /// A named table does not exist. Permanent until the schema changes.
    MissingTable,
    /// There is no room left.
    NoSpace,
    /// A column that may not be NULL is. Permanent.
    NotNullViolation,
    /// Anything else; the source says what.
    Other,
    /// No connection became free within the time limit. Retryable.
    PoolTimeout,
    /// The database accepts no writes.
    ReadOnly,
    /// The statement is not valid SQL. Permanent.
    Syntax,
    /// The statement was interrupted or took longer than the time limit. Retryable.
    Timeout,
    /// A key that must be unique exists. Permanent.
    UniqueViolation,
}

impl DatabaseErrorKind {
    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Busy | Self::Connection | Self::PoolTimeout | Self::Timeout)
    }

    /// Whether any constraint is violated.
    #[must_use]
    pub const fn is_constraint_violation(self) -> bool {
        matches!(
            self,
            Self::CheckViolation
                | Self::ConstraintViolation
                | Self::ForeignKeyViolation
                | Self::NotNullViolation
                | Self::UniqueViolation
        )
    }

    /// Whether a statement that failed so changed nothing. Of several statements in one text,
    /// those before the failing one may have.
    const fn is_surely_undone(self) -> bool {
        matches!(self, Self::Authentication | Self::PoolTimeout | Self::ReadOnly | Self::Syntax)
    }

    const fn describe(self) -> &'static str {
        match self {
            Self::Authentication => "access was refused",
            Self::Busy => "the database is busy",
            Self::CheckViolation => "a check constraint is violated",
            Self::Connection => "the database can not be reached",
            Self::Corrupt => "the database is damaged",
            Self::ConstraintViolation => "a constraint is violated",
            Self::ForeignKeyViolation => "a foreign key is violated",
            Self::MissingColumn => "a column does not exist",
            Self::MissingDatabase => "the database does not exist",
            Self::MissingTable => "a table does not exist",
            Self::NoSpace => "no space is left",
            Self::NotNullViolation => "a column may not be null",
            Self::Other => "the database reported an error",
            Self::PoolTimeout => "no connection became free in time",
            Self::ReadOnly => "the database is read-only",
            Self::Syntax => "the statement is not valid",
            Self::Timeout => "the statement did not end in time",
            Self::UniqueViolation => "a unique key exists already",
        }
    }
}

impl DatabaseError {
    /// An error of a kind, with the database's code and its own error.
    #[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite", test))]
    pub(crate) fn new(
        kind: DatabaseErrorKind,
        code: Option<Cow<'static, str>>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, code, source: source.into().into() }
    }

    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> DatabaseErrorKind {
        self.kind
    }

    /// The database's own code: an SQLSTATE, or SQLite's extended result code in digits.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.describe())
    }
}

impl StdError for DatabaseError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

/// Why a row does not convert to the requested type.
///
/// Messages name the column and both types, and no value; only what a JSON document in a column
/// gets wrong is told in the words of `serde_json`, which may quote a scalar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// A value is of another type, or does not fit.
    #[error("{}{detail}", column_prefix(column.as_deref()))]
    Mismatch {
        /// The column, unless the row as a whole is meant.
        column: Option<String>,
        /// What was found and what was expected.
        detail: String,
    },
    /// A column was asked for that the result does not have.
    #[error("there is no column {column}")]
    NoColumn {
        /// The name, quoted, or the position, counted from 0.
        column: String,
    },
}

fn column_prefix(column: Option<&str>) -> String {
    column.map_or_else(String::new, |name| format!("column {name:?}: "))
}

impl RowError {
    pub(crate) fn no_column(column: &impl ColumnIndex) -> Self {
        Self::NoColumn { column: format!("{column:?}") }
    }

    pub(crate) fn mismatch(found: fmt::Arguments<'_>, expected: &dyn Expected) -> Self {
        Self::Mismatch { column: None, detail: format!("found {found}, expected {expected}") }
    }

    pub(crate) fn json(error: &serde_json::Error) -> Self {
        Self::Mismatch { column: None, detail: format!("the JSON document does not fit: {error}") }
    }

    /// Adds the column's name, unless a name is there already.
    pub(crate) fn in_column(mut self, name: Option<&str>) -> Self {
        if let Self::Mismatch { column, .. } = &mut self
            && column.is_none()
        {
            *column = name.map(str::to_owned);
        }
        self
    }
}

/// The default messages of these methods quote values of the row; these do not.
impl de::Error for RowError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Mismatch { column: None, detail: message.to_string() }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::mismatch(format_args!("{}", kind_of(found)), expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::mismatch(format_args!("{} out of range", kind_of(found)), expected)
    }

    fn unknown_variant(_variant: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format_args!("found another text, expected one of {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::no_column(&field)
    }
}

const fn kind_of(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "boolean",
        Unexpected::Bytes(_) => "bytes",
        Unexpected::Char(_) | Unexpected::Str(_) => "text",
        Unexpected::Float(_) => "float",
        Unexpected::Map => "map",
        Unexpected::Option | Unexpected::Unit => "NULL",
        Unexpected::Seq => "list",
        Unexpected::Signed(_) | Unexpected::Unsigned(_) => "integer",
        _ => "another type",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_databases_own_words_are_the_source() {
        let error = QueryError::from(DatabaseError::new(
            DatabaseErrorKind::MissingTable,
            Some("1".into()),
            "no such table: airline",
        ));
        assert_eq!(error.to_string(), "a table does not exist");
        let source = error.source().map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("no such table: airline"));
        assert_eq!(error.database_kind(), Some(DatabaseErrorKind::MissingTable));
        assert!(!error.is_retryable());
    }

    #[test]
    fn only_what_may_pass_by_itself_is_retryable() {
        use DatabaseErrorKind::*;
        for kind in [Busy, Connection, PoolTimeout, Timeout] {
            assert!(kind.is_retryable(), "{kind:?}");
        }
        for kind in [Authentication, MissingTable, Other, Syntax, UniqueViolation] {
            assert!(!kind.is_retryable(), "{kind:?}");
        }
    }

    #[test]
    fn a_column_is_named_once() {
        let error = <RowError as de::Error>::custom("inner");
        let error = error.in_column(Some("a")).in_column(Some("b"));
        assert_eq!(error.to_string(), "column \"a\": inner");
    }

    #[test]
    fn values_are_not_quoted() {
        let expected: &dyn Expected = &"a number";
        let found = Unexpected::Str("hunter2");
        for error in [
            <RowError as de::Error>::invalid_type(found, expected),
            <RowError as de::Error>::invalid_value(found, expected),
            <RowError as de::Error>::unknown_variant("hunter2", &["a", "b"]),
        ] {
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
