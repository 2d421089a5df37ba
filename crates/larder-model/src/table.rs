//! One table of a model.
//!
//! Invariant: a [`TableModel`] hangs together: its columns have names of their own, and whatever
//! names a column names one of them.

use serde::{Deserialize, Serialize};

use crate::{
    CheckModel, Checksum, ColumnModel, DataType, DefaultModel, ForeignKeyModel, Identifier,
    IndexModel, IndexTermModel, UniqueModel,
};

/// A table as a model declares it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TableModel {
    pub(crate) name: Identifier,
    pub(crate) schema: Option<Identifier>,
    pub(crate) columns: Vec<ColumnModel>,
    pub(crate) key: Vec<Identifier>,
    pub(crate) uniques: Vec<UniqueModel>,
    pub(crate) indexes: Vec<IndexModel>,
    pub(crate) foreign_keys: Vec<ForeignKeyModel>,
    pub(crate) checks: Vec<CheckModel>,
    pub(crate) comment: Option<String>,
    pub(crate) renamed_from: Option<Identifier>,
}

/// Puts a [`TableModel`] together.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct TableModelBuilder(TableModel);

/// Why something does not make a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The database numbers only an integer that is the whole key.
    #[error("column {column:?} can not be numbered: it is not an integer that is the whole key")]
    AutoIncrement {
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
    /// An empty expression, or one with a NUL.
    #[error("an expression of {of} is empty or contains a NUL")]
    Expression {
        /// What it belongs to, for people.
        of: String,
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
    /// No column at all.
    #[error("a table without columns")]
    NoColumns,
    /// A primary key that may be NULL.
    #[error("key column {column:?} may be NULL")]
    NullableKey {
        /// The column.
        column: Identifier,
    },
    /// A name that the database keeps to itself.
    #[error("the database keeps tables named {name:?} to itself")]
    ReservedName {
        /// The name.
        name: Identifier,
    },
    /// Something names a column that the table has not.
    #[error("there is no column {column:?}")]
    UnknownColumn {
        /// The name.
        column: Identifier,
    },
    /// A feature that the database has not, such as a partial index on MySQL.
    #[error("{dialect} has no {feature}")]
    Unsupported {
        /// The database.
        dialect: crate::Dialect,
        /// What it has not, for people.
        feature: &'static str,
    },
}

impl TableModel {
    /// Begins a table.
    pub fn builder(name: Identifier) -> TableModelBuilder {
        TableModelBuilder(Self {
            name,
            schema: None,
            columns: Vec::new(),
            key: Vec::new(),
            uniques: Vec::new(),
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            comment: None,
            renamed_from: None,
        })
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Identifier {
        &self.name
    }

    /// The schema of PostgreSQL that it lives in; `None`: the one that the database is used with.
    #[must_use]
    pub const fn schema(&self) -> Option<&Identifier> {
        self.schema.as_ref()
    }

    /// Its columns, in the order of their declaration; at least one.
    #[must_use]
    pub fn columns(&self) -> &[ColumnModel] {
        &self.columns
    }

    /// The column of this name, in whatever case.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnModel> {
        self.columns.iter().find(|column| column.name.is_alike(name))
    }

    /// The columns of the primary key, in its order; maybe none.
    pub fn key(&self) -> impl Iterator<Item = &ColumnModel> {
        self.key.iter().filter_map(|name| self.column(name.as_str()))
    }

    /// Its unique constraints, those of single columns included.
    #[must_use]
    pub fn uniques(&self) -> &[UniqueModel] {
        &self.uniques
    }

    /// Its indexes.
    #[must_use]
    pub fn indexes(&self) -> &[IndexModel] {
        &self.indexes
    }

    /// Its references to other tables.
    #[must_use]
    pub fn foreign_keys(&self) -> &[ForeignKeyModel] {
        &self.foreign_keys
    }

    /// Its checks.
    #[must_use]
    pub fn checks(&self) -> &[CheckModel] {
        &self.checks
    }

    /// Its comment.
    #[must_use]
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// The name that it had before.
    #[must_use]
    pub const fn renamed_from(&self) -> Option<&Identifier> {
        self.renamed_from.as_ref()
    }

    /// The digest of what it declares, see [`Checksum`].
    #[must_use]
    pub fn checksum(&self) -> Checksum {
        Checksum::of(self)
    }
}

impl TableModelBuilder {
    /// The schema of PostgreSQL that it lives in; the other databases ignore it. Default: the one
    /// that the database is used with.
    pub fn schema(mut self, schema: Identifier) -> Self {
        self.0.schema = Some(schema);
        self
    }

    /// Adds a column.
    pub fn column(mut self, column: ColumnModel) -> Self {
        self.0.columns.push(column);
        self
    }

    /// The columns of the primary key in their order. Default: those that say of themselves that
    /// they belong to it, in the order of their declaration.
    pub fn key(mut self, columns: Vec<Identifier>) -> Self {
        self.0.key = columns;
        self
    }

    /// Adds a unique constraint over several columns.
    pub fn unique(mut self, columns: Vec<Identifier>) -> Self {
        self.0.uniques.push(UniqueModel { columns });
        self
    }

    /// Adds an index.
    pub fn index(mut self, index: IndexModel) -> Self {
        self.0.indexes.push(index);
        self
    }

    /// Adds a reference to another table.
    pub fn foreign_key(mut self, key: ForeignKeyModel) -> Self {
        self.0.foreign_keys.push(key);
        self
    }

    /// Adds a check.
    pub fn check(mut self, check: CheckModel) -> Self {
        self.0.checks.push(check);
        self
    }

    /// Its comment.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.0.comment = Some(comment.into());
        self
    }

    /// The name that it had before, so that the next migration renames it.
    pub fn renamed_from(mut self, name: Identifier) -> Self {
        self.0.renamed_from = Some(name);
        self
    }

    /// Checks that everything hangs together.
    ///
    /// # Errors
    /// One kind for each rule.
    pub fn build(self) -> Result<TableModel, ModelError> {
        let mut table = self.0;
        table.complete();
        table.check_columns()?;
        table.check_key()?;
        table.check_constraints()?;
        Ok(table)
    }
}

impl TableModel {
    /// Carries over what columns say of themselves.
    fn complete(&mut self) {
        if self.key.is_empty() {
            let keys = self.columns.iter().filter(|column| column.key);
            self.key = keys.map(|column| column.name.clone()).collect();
        }
        for column in &mut self.columns {
            column.key = self.key.iter().any(|key| key.is_alike(column.name.as_str()));
        }
        for column in self.columns.iter().filter(|column| column.unique) {
            let single = UniqueModel { columns: vec![column.name.clone()] };
            if !self.uniques.contains(&single) {
                self.uniques.push(single);
            }
        }
    }

    fn check_columns(&self) -> Result<(), ModelError> {
        if self.columns.is_empty() {
            return Err(ModelError::NoColumns);
        }
        for (at, column) in self.columns.iter().enumerate() {
            let name = || column.name.clone();
            let is_alike = |other: &ColumnModel| column.name.is_alike(other.name.as_str());
            if self.columns[..at].iter().any(is_alike) {
                return Err(ModelError::DuplicateColumn { column: name() });
            }
            if !is_in_range(&column.data_type) {
                return Err(ModelError::Modifier { column: name() });
            }
            if !has_fitting_default(column) {
                return Err(ModelError::DefaultMismatch { column: name() });
            }
            if let Some(expression) = &column.generated {
                check_expression(expression, || format!("column {:?}", column.name))?;
            }
        }
        Ok(())
    }

    fn check_key(&self) -> Result<(), ModelError> {
        for name in &self.key {
            if self.known(name)?.nullable {
                return Err(ModelError::NullableKey { column: name.clone() });
            }
        }
        for column in self.columns.iter().filter(|column| column.auto_increment) {
            use crate::ColumnKind::{Int16, Int32, Int64};
            let is_integer = matches!(column.data_type, DataType::Kind(Int16 | Int32 | Int64));
            if !is_integer || !column.key || self.key.len() != 1 {
                return Err(ModelError::AutoIncrement { column: column.name.clone() });
            }
        }
        Ok(())
    }

    fn check_constraints(&self) -> Result<(), ModelError> {
        for unique in &self.uniques {
            self.all_known(&unique.columns)?;
        }
        for index in &self.indexes {
            if index.parts.is_empty() {
                return Err(ModelError::NoColumnsNamed);
            }
            for part in &index.parts {
                match &part.of {
                    IndexTermModel::Column(name) => {
                        self.known(name)?;
                    }
                    IndexTermModel::Expression(sql) => {
                        check_expression(sql, || "an index".to_owned())?;
                    }
                }
            }
            if let Some(predicate) = &index.predicate {
                check_expression(predicate, || "an index".to_owned())?;
            }
        }
        for key in &self.foreign_keys {
            self.all_known(&key.columns)?;
            if key.columns.len() != key.target_columns.len() {
                return Err(ModelError::NoColumnsNamed);
            }
        }
        for check in &self.checks {
            check_expression(&check.expression, || "a check".to_owned())?;
        }
        Ok(())
    }

    fn known(&self, name: &Identifier) -> Result<&ColumnModel, ModelError> {
        let unknown = || ModelError::UnknownColumn { column: name.clone() };
        self.column(name.as_str()).ok_or_else(unknown)
    }

    fn all_known(&self, names: &[Identifier]) -> Result<(), ModelError> {
        if names.is_empty() {
            return Err(ModelError::NoColumnsNamed);
        }
        names.iter().try_for_each(|name| self.known(name).map(|_| ()))
    }
}

fn check_expression(sql: &str, of: impl FnOnce() -> String) -> Result<(), ModelError> {
    if sql.trim().is_empty() || sql.contains('\0') {
        return Err(ModelError::Expression { of: of() });
    }
    Ok(())
}

fn is_in_range(data_type: &DataType) -> bool {
    match data_type {
        DataType::Char { length } => (1..=255).contains(length),
        DataType::Varchar { length } => (1..=16_383).contains(length),
        DataType::Decimal { precision, scale } => {
            (1..=65).contains(precision) && scale <= precision && *scale <= 30
        }
        DataType::Enum { labels, .. } => {
            let is_fine = |at: usize, label: &String| {
                let length = label.chars().count();
                (1..=63).contains(&length)
                    && label.len() <= 63
                    && !label.contains(['\0', ','])
                    && !labels[..at].contains(label)
            };
            !labels.is_empty() && labels.iter().enumerate().all(|(at, label)| is_fine(at, label))
        }
        DataType::Temporal { kind, digits } => {
            use crate::ColumnKind::{Time, Timestamp, TimestampUtc};
            matches!(kind, Time | Timestamp | TimestampUtc) && *digits <= 6
        }
        DataType::Native { .. } | DataType::Kind(_) => true,
    }
}

fn has_fitting_default(column: &ColumnModel) -> bool {
    use crate::ColumnKind::{Date, Time, Timestamp, TimestampUtc};
    let Some(default) = &column.default else { return true };
    if column.generated.is_some() || column.auto_increment {
        return false;
    }
    let kind = column.data_type.kind();
    match (default, &column.data_type) {
        (DefaultModel::Value(crate::DefaultValue::Text(text)), DataType::Enum { labels, .. }) => {
            labels.iter().any(|label| label == text)
        }
        (DefaultModel::Value(value), _) => value.fits(kind),
        (DefaultModel::Now, _) => matches!(kind, Date | Time | Timestamp | TimestampUtc),
        (DefaultModel::Sql(sql), _) => !sql.trim().is_empty() && !sql.contains('\0'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnKind, DefaultValue};

    fn id(name: &'static str) -> Identifier {
        Identifier::from_static(name)
    }

    fn text(name: &'static str) -> ColumnModel {
        ColumnModel::new(id(name), ColumnKind::Text)
    }

    fn build(columns: Vec<ColumnModel>) -> Result<TableModel, ModelError> {
        let builder = TableModel::builder(id("t"));
        columns.into_iter().fold(builder, TableModelBuilder::column).build()
    }

    #[test]
    fn each_rule_has_its_error() {
        let error = |columns| build(columns).unwrap_err();
        assert_eq!(error(vec![]), ModelError::NoColumns);
        assert_eq!(
            error(vec![text("a"), text("b"), text("A")]),
            ModelError::DuplicateColumn { column: id("A") }
        );
        let key = ColumnModel { key: true, nullable: true, ..text("a") };
        assert_eq!(error(vec![key]), ModelError::NullableKey { column: id("a") });
        let default = Some(DefaultValue::Boolean(true).into());
        assert_eq!(
            error(vec![ColumnModel { default, ..text("a") }]),
            ModelError::DefaultMismatch { column: id("a") }
        );
        let now = ColumnModel { default: Some(DefaultModel::Now), ..text("a") };
        assert_eq!(error(vec![now]), ModelError::DefaultMismatch { column: id("a") });
        let long = ColumnModel::new(id("a"), DataType::Char { length: 0 });
        assert_eq!(error(vec![long]), ModelError::Modifier { column: id("a") });
        let numbered = ColumnModel { auto_increment: true, key: true, ..text("a") };
        assert_eq!(error(vec![numbered]), ModelError::AutoIncrement { column: id("a") });
        let generated = ColumnModel { generated: Some(" ".into()), ..text("a") };
        assert!(matches!(error(vec![generated]), ModelError::Expression { .. }));
        let unknown = |builder: TableModelBuilder| builder.column(text("a")).build().unwrap_err();
        let table = || TableModel::builder(id("t"));
        let missing = ModelError::UnknownColumn { column: id("b") };
        assert_eq!(unknown(table().key(vec![id("b")])), missing);
        assert_eq!(unknown(table().unique(vec![id("b")])), missing);
        assert_eq!(unknown(table().index(IndexModel::over([id("b")]))), missing);
        let reference = ForeignKeyModel::new(id("b"), id("u"), id("id"));
        assert_eq!(unknown(table().foreign_key(reference)), missing);
        assert_eq!(unknown(table().index(IndexModel::over([]))), ModelError::NoColumnsNamed);
    }

    #[test]
    fn columns_speak_for_themselves() {
        let key = ColumnModel { key: true, ..text("a") };
        let unique = ColumnModel { unique: true, ..text("b") };
        let table = build(vec![key, unique]).unwrap();
        assert_eq!(table.key().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["a"]);
        assert_eq!(table.uniques(), [UniqueModel { columns: vec![id("b")] }]);
    }
}
