//! What has to be done to a table, and why some of it is not done.
//!
//! Invariant: a step that carries a statement can neither lose nor change a value that is stored.

use std::fmt;

use crate::{ColumnKind, Identifier};

/// The steps from a table as it is to the table that a model declares. Empty: nothing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(crate) table: Identifier,
    pub(crate) steps: Vec<Step>,
}

/// One difference between a table and its model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// It only adds.
    Additive {
        /// What it adds.
        change: Change,
        /// The statement that does so.
        sql: String,
    },
    /// It would have to lose or change something, or nobody but a person knows what is meant.
    Refused {
        /// The column that it is about; `None` if it is about the table.
        column: Option<Identifier>,
        /// Why.
        reason: Refusal,
    },
}

/// What an additive step adds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A column.
    AddColumn {
        /// Its name.
        column: Identifier,
    },
    /// The table, with all of its columns.
    CreateTable,
}

/// Why a difference is left to people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The model and the table have different primary keys.
    KeyDiffers {
        /// The columns of the model's key.
        model: Vec<Identifier>,
        /// The columns of the table's key.
        table: Vec<String>,
    },
    /// What has the table's name is no table.
    NotATable,
    /// The database admits the same value twice in a column that the model says is unique.
    NotUnique,
    /// The column would have to be added without a value for the rows that are there.
    NoValueForRows,
    /// The database admits NULL, for which the model's type has no value.
    Nullable,
    /// The database keeps tables of this name to itself.
    ReservedName,
    /// The column has a type that does not hold the model's values unchanged.
    TypeDiffers {
        /// What the column was declared as.
        declared: String,
        /// What the model's values are.
        kind: ColumnKind,
        /// How a column for them would be declared.
        expected: &'static str,
    },
    /// A unique column can not be added to a table.
    UniqueColumnMissing,
}

impl Plan {
    /// The table.
    #[must_use]
    pub const fn table(&self) -> &Identifier {
        &self.table
    }

    /// The steps, in the order in which they are to be done.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether the table is as the model wants it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether every step only adds.
    #[must_use]
    pub fn is_additive(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Additive { .. }))
    }

    /// The statements of the additive steps.
    pub fn statements(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Additive { sql, .. } => Some(sql.as_str()),
            Step::Refused { .. } => None,
        })
    }

    /// The steps that are refused.
    pub fn refused(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| matches!(step, Step::Refused { .. }))
    }
}

/// All steps in one line.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Additive { change: Change::AddColumn { column }, .. } => {
                write!(f, "column {column:?} is missing")
            }
            Self::Additive { change: Change::CreateTable, .. } => f.write_str("it is missing"),
            Self::Refused { column: Some(column), reason } => {
                write!(f, "column {column:?} {reason}")
            }
            Self::Refused { column: None, reason } => write!(f, "it {reason}"),
        }
    }
}

/// A predicate whose subject is the column or the table.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyDiffers { model, table } => {
                write!(f, "has the primary key {table:?} instead of {model:?}")
            }
            Self::NotATable => f.write_str("is not an ordinary table"),
            Self::NoValueForRows => {
                f.write_str("is missing, and has no default for the rows that are there")
            }
            Self::NotUnique => f.write_str("admits the same value twice"),
            Self::Nullable => f.write_str("admits NULL, which the model's type does not"),
            Self::ReservedName => f.write_str("has a name that the database keeps to itself"),
            Self::TypeDiffers { declared, kind, expected } => {
                write!(
                    f,
                    "is declared {declared:?}, which does not hold {kind} ({expected:?} does)"
                )
            }
            Self::UniqueColumnMissing => {
                f.write_str("is missing, and a unique column can not be added")
            }
        }
    }
}
