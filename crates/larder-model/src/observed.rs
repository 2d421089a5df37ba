//! A table as a database describes it.
//!
//! Guards that the differ sees what the database said and no more: types stay the text that they
//! are, because what that text means is the dialect's knowledge.

/// A table, or what else has its name, as a database describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObservedTable {
    /// What it is.
    pub relation: Relation,
    /// Whether the database refuses values of other types than the declared one (`STRICT`).
    pub strict: bool,
    /// Whether it has any row. Where nobody looked: `true`, the careful answer.
    pub has_rows: bool,
    /// Its columns.
    pub columns: Vec<ObservedColumn>,
}

impl ObservedTable {
    /// An ordinary table that has rows and is not strict.
    #[must_use]
    pub const fn new(columns: Vec<ObservedColumn>) -> Self {
        Self { relation: Relation::Table, strict: false, has_rows: true, columns }
    }
}

/// What a name stands for in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Relation {
    /// A table.
    Table,
    /// A view.
    View,
    /// A table whose rows an extension keeps, or one that belongs to such a table.
    Virtual,
}

/// A column as a database describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObservedColumn {
    /// Its name.
    pub name: String,
    /// Its type as it was declared; maybe empty.
    pub declared: String,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Whether it belongs to the primary key.
    pub key: bool,
    /// Whether the database sees to it that no two rows have the same value here.
    pub unique: bool,
}

impl ObservedColumn {
    /// A column that may be NULL and is neither key nor unique.
    #[must_use]
    pub fn new(name: impl Into<String>, declared: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            declared: declared.into(),
            nullable: true,
            key: false,
            unique: false,
        }
    }
}
