//! One table of a model.
//!
//! Invariant: a [`TableModel`] hangs together, wherever it comes from: it is built, and what is
//! read from elsewhere goes through the builder as well.

use serde::{Deserialize, Serialize};

use crate::{
    CheckModel, Checksum, ColumnModel, ForeignKeyModel, Identifier, IndexModel, ModelError,
    UniqueModel, rules,
};

/// A table as a model declares it.
///
/// Read from elsewhere, it goes through the same checks as a table that is built:
///
/// ```
/// use larder_model::{ColumnKind, ColumnModel, Identifier, TableModel};
///
/// let iata = ColumnModel::new(Identifier::new("iata")?, ColumnKind::Text).with_key();
/// let airline = TableModel::builder(Identifier::new("airline")?).column(iata).build()?;
///
/// let json = serde_json::to_string(&airline)?;
/// assert_eq!(serde_json::from_str::<TableModel>(&json)?, airline);
///
/// let json = json.replace(r#""key":["iata"]"#, r#""key":["icao"]"#);
/// assert!(serde_json::from_str::<TableModel>(&json).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "TableModelBuilder")]
pub struct TableModel {
    pub(crate) name: Identifier,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<Identifier>,
    pub(crate) columns: Vec<ColumnModel>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) key: Vec<Identifier>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) uniques: Vec<UniqueModel>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) indexes: Vec<IndexModel>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) foreign_keys: Vec<ForeignKeyModel>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) checks: Vec<CheckModel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) renamed_from: Option<Identifier>,
}

/// Puts a [`TableModel`] together.
#[derive(Clone, Debug, Deserialize)]
#[must_use = "a builder does nothing until it is built"]
pub struct TableModelBuilder {
    name: Identifier,
    #[serde(default)]
    schema: Option<Identifier>,
    columns: Vec<ColumnModel>,
    #[serde(default)]
    key: Vec<Identifier>,
    #[serde(default)]
    uniques: Vec<UniqueModel>,
    #[serde(default)]
    indexes: Vec<IndexModel>,
    #[serde(default)]
    foreign_keys: Vec<ForeignKeyModel>,
    #[serde(default)]
    checks: Vec<CheckModel>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    renamed_from: Option<Identifier>,
}

impl TableModel {
    /// Begins a table.
    pub fn builder(name: Identifier) -> TableModelBuilder {
        TableModelBuilder {
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
        }
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
        self.schema = Some(schema);
        self
    }

    /// Adds a column.
    pub fn column(mut self, column: ColumnModel) -> Self {
        self.columns.push(column);
        self
    }

    /// The columns of the primary key in their order. Default: those that say of themselves that
    /// they belong to it, in the order of their declaration.
    pub fn key(mut self, columns: Vec<Identifier>) -> Self {
        self.key = columns;
        self
    }

    /// Adds a unique constraint over several columns.
    pub fn unique(mut self, columns: Vec<Identifier>) -> Self {
        self.uniques.push(UniqueModel { columns });
        self
    }

    /// Adds an index.
    pub fn index(mut self, index: IndexModel) -> Self {
        self.indexes.push(index);
        self
    }

    /// Adds a reference to another table.
    pub fn foreign_key(mut self, key: ForeignKeyModel) -> Self {
        self.foreign_keys.push(key);
        self
    }

    /// Adds a check.
    pub fn check(mut self, check: CheckModel) -> Self {
        self.checks.push(check);
        self
    }

    /// Its comment.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// The name that it had before, so that the next migration renames it.
    pub fn renamed_from(mut self, name: Identifier) -> Self {
        self.renamed_from = Some(name);
        self
    }

    /// Checks that everything hangs together.
    ///
    /// # Errors
    /// One kind for each rule.
    pub fn build(self) -> Result<TableModel, ModelError> {
        let mut table = TableModel {
            name: self.name,
            schema: self.schema,
            columns: self.columns,
            key: self.key,
            uniques: self.uniques,
            indexes: self.indexes,
            foreign_keys: self.foreign_keys,
            checks: self.checks,
            comment: self.comment,
            renamed_from: self.renamed_from,
        };
        rules::complete(&mut table);
        rules::check(&table)?;
        Ok(table)
    }
}

impl TryFrom<TableModelBuilder> for TableModel {
    type Error = ModelError;

    fn try_from(builder: TableModelBuilder) -> Result<Self, ModelError> {
        builder.build()
    }
}
