//! Why something does not make a table.
//!
//! Guards that each rule has a kind of its own, so that a caller can tell what to mend.

use crate::{Dialect, Identifier};

/// Why something does not make a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A reference that would change a column which can not be changed so: to NULL where it may
    /// not be NULL, or at all where it is computed.
    #[error("the action of a reference can not change column {column:?}")]
    Action {
        /// The column.
        column: Identifier,
    },
    /// The database numbers only an integer that is the whole key.
    #[error("column {column:?} can not be numbered: it is not an integer that is the whole key")]
    AutoIncrement {
        /// The column.
        column: Identifier,
    },
    /// A collation of a column that is not text, or one without a name.
    #[error("column {column:?} can not have this collation")]
    Collation {
        /// The column.
        column: Identifier,
    },
    /// A comment with a NUL, or with more than 1,024 characters.
    #[error("the comment of {of} is too long or contains a NUL")]
    Comment {
        /// What it belongs to, for people.
        of: String,
    },
    /// A column that is computed and that belongs to the key, or that the database numbers.
    #[error("column {column:?} is computed: it can neither be part of the key nor be numbered")]
    Computed {
        /// The column.
        column: Identifier,
    },
    /// A default that the column can not hold, or that a column which is computed or numbered has.
    #[error("the default of column {column:?} does not fit it")]
    DefaultMismatch {
        /// The column.
        column: Identifier,
    },
    /// Two columns whose names differ in the case of their letters at most.
    #[error("two columns are named {column:?}")]
    DuplicateColumn {
        /// The second one.
        column: Identifier,
    },
    /// Two constraints that say the same, or a unique constraint that says what the key says.
    #[error("{of} is there twice")]
    DuplicateConstraint {
        /// Which, for people.
        of: String,
    },
    /// Two indexes or two checks of one name, an enumerated type of one name with two lists of
    /// labels, or one of them with the name of the table. Case does not count.
    #[error("the name {name:?} is used twice")]
    DuplicateName {
        /// The name.
        name: Identifier,
    },
    /// An empty expression, or one with a NUL.
    #[error("an expression of {of} is empty or contains a NUL")]
    Expression {
        /// What it belongs to, for people.
        of: String,
    },
    /// A column that says that it belongs to the key, and a list of key columns without it.
    #[error("column {column:?} belongs to the key, and the list of the key's columns lacks it")]
    KeyMismatch {
        /// The column.
        column: Identifier,
    },
    /// A way to keep an index that is not one word.
    #[error("{method:?} is not the name of an index method")]
    Method {
        /// What was given.
        method: String,
    },
    /// A length, a number of digits or labels that no database has.
    #[error("the type of column {column:?} is out of range")]
    Modifier {
        /// The column.
        column: Identifier,
    },
    /// A key, a constraint or an index over no column, or a reference whose sides differ in
    /// length.
    #[error(
        "a constraint or an index without columns, or a reference with sides of unequal length"
    )]
    NoColumnsNamed,
    /// No column at all, or none that is not computed.
    #[error("a table without columns that a row could fill")]
    NoColumns,
    /// A primary key that may be NULL.
    #[error("key column {column:?} may be NULL")]
    NullableKey {
        /// The column.
        column: Identifier,
    },
    /// A table or a column that was renamed from itself, from what is there still, or from what
    /// another one was renamed from.
    #[error("nothing can have been renamed from {name:?}")]
    RenamedFrom {
        /// The name that it is said to have had.
        name: Identifier,
    },
    /// One column twice in a key, a constraint or an index.
    #[error("column {column:?} is named twice in one key, constraint or index")]
    RepeatedColumn {
        /// The column.
        column: Identifier,
    },
    /// A name that the database keeps to itself.
    #[error("the database keeps tables named {name:?} to itself")]
    ReservedName {
        /// The name.
        name: Identifier,
    },
    /// A reference to the table itself whose target is neither its key nor unique, or is of
    /// another kind.
    #[error("column {column:?} refers to its own table, but not to a key of the same kind there")]
    SelfReference {
        /// The first column of the reference.
        column: Identifier,
    },
    /// More than the narrowest of the databases has.
    #[error("{count} {what} are more than {max}")]
    TooMany {
        /// Of what, for people.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// Something names a column that the table has not; here case counts.
    #[error("there is no column {column:?}")]
    UnknownColumn {
        /// The name.
        column: Identifier,
    },
    /// A feature that the database has not, such as a partial index on MySQL.
    #[error("{dialect} has no {feature}")]
    Unsupported {
        /// The database.
        dialect: Dialect,
        /// What it has not, for people.
        feature: &'static str,
    },
    /// A name that this database can not have where it stands, or keeps to itself.
    #[error("{dialect} can not have the name {name:?} here")]
    UnusableName {
        /// The database.
        dialect: Dialect,
        /// The name.
        name: Identifier,
    },
}
