//! One table of a model.
//!
//! Invariant: a [`TableModel`] is one that every supported database can create. It is checked when
//! it is made, by the compiler for those that stand in the program.

use std::borrow::Cow;

use crate::{Checksum, ColumnModel, Identifier};

/// A table as a model declares it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableModel {
    name: Identifier,
    columns: Cow<'static, [ColumnModel]>,
}

/// Why columns do not make a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A default that the column can not hold.
    #[error("the default of column {column:?} does not fit its kind")]
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
    /// No column at all.
    #[error("a table without columns")]
    NoColumns,
    /// A primary key that may be NULL.
    #[error("key column {column:?} may be NULL")]
    NullableKey {
        /// The column.
        column: Identifier,
    },
}

/// [`ModelError`] as a constant expression can carry it: the number in place of the name.
#[derive(Clone, Copy)]
enum Fault {
    DefaultMismatch(usize),
    DuplicateColumn(usize),
    NoColumns,
    NullableKey(usize),
}

impl TableModel {
    /// Checks a table that was put together at run time.
    ///
    /// # Errors
    /// One kind for each rule.
    pub fn new(name: Identifier, columns: Vec<ColumnModel>) -> Result<Self, ModelError> {
        let column = |at: usize| columns[at].name().clone();
        match check(&columns) {
            None => Ok(Self { name, columns: Cow::Owned(columns) }),
            Some(Fault::DefaultMismatch(at)) => {
                Err(ModelError::DefaultMismatch { column: column(at) })
            }
            Some(Fault::DuplicateColumn(at)) => {
                Err(ModelError::DuplicateColumn { column: column(at) })
            }
            Some(Fault::NoColumns) => Err(ModelError::NoColumns),
            Some(Fault::NullableKey(at)) => Err(ModelError::NullableKey { column: column(at) }),
        }
    }

    /// A table that stands in the program.
    ///
    /// # Panics
    /// If it breaks a rule; in a `const` or `static` that is an error of the compiler.
    #[must_use]
    pub const fn from_static(name: Identifier, columns: &'static [ColumnModel]) -> Self {
        match check(columns) {
            None => Self { name, columns: Cow::Borrowed(columns) },
            Some(Fault::DefaultMismatch(_)) => panic!("a default does not fit its column's type"),
            Some(Fault::DuplicateColumn(_)) => panic!("two columns have the same name"),
            Some(Fault::NoColumns) => panic!("a table without columns"),
            Some(Fault::NullableKey(_)) => panic!("a key column can not be optional"),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Identifier {
        &self.name
    }

    /// Its columns, in the order of their declaration; at least one.
    #[must_use]
    pub fn columns(&self) -> &[ColumnModel] {
        &self.columns
    }

    /// The columns of the primary key, in the order of their declaration; maybe none.
    pub fn key(&self) -> impl Iterator<Item = &ColumnModel> {
        self.columns.iter().filter(|column| column.is_key())
    }

    /// The digest of what it declares, see [`Checksum`].
    #[must_use]
    pub fn checksum(&self) -> Checksum {
        Checksum::of(self)
    }
}

const fn check(columns: &[ColumnModel]) -> Option<Fault> {
    if columns.is_empty() {
        return Some(Fault::NoColumns);
    }
    let mut at = 0;
    while at < columns.len() {
        let column = &columns[at];
        if column.is_key() && column.is_nullable() {
            return Some(Fault::NullableKey(at));
        }
        if let Some(default) = column.default_value()
            && !default.fits(column.kind())
        {
            return Some(Fault::DefaultMismatch(at));
        }
        let mut earlier = 0;
        while earlier < at {
            if column.name().is_alike(columns[earlier].name().as_str()) {
                return Some(Fault::DuplicateColumn(at));
            }
            earlier += 1;
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnKind, DefaultValue};

    fn column(name: &'static str, nullable: bool) -> ColumnModel {
        ColumnModel::new(Identifier::from_static(name), ColumnKind::Text, nullable, None)
    }

    fn error(columns: Vec<ColumnModel>) -> ModelError {
        TableModel::new(Identifier::from_static("t"), columns).unwrap_err()
    }

    #[test]
    fn each_rule_has_its_error() {
        let id = |name| Identifier::from_static(name);
        assert_eq!(error(vec![]), ModelError::NoColumns);
        assert_eq!(
            error(vec![column("a", false), column("b", true), column("A", false)]),
            ModelError::DuplicateColumn { column: id("A") }
        );
        assert_eq!(
            error(vec![column("a", true).with_key()]),
            ModelError::NullableKey { column: id("a") }
        );
        let default = Some(DefaultValue::Boolean(true));
        assert_eq!(
            error(vec![ColumnModel::new(id("a"), ColumnKind::Text, false, default)]),
            ModelError::DefaultMismatch { column: id("a") }
        );
    }
}
