//! Models as one migration wants them, in the database's own terms.

use larder_model::{Catalog, Dialect, Fingerprint, Lowered, Step, TableModel, TableName};

use crate::{MigrateError, ModelRef, ModelRow};

/// A model in the database's own terms.
#[derive(Clone, Debug)]
pub(crate) struct Want<'a> {
    /// Its place among the models that were asked for.
    pub(crate) place: usize,
    pub(crate) name: &'a str,
    pub(crate) model: &'a TableModel,
    pub(crate) checksum: String,
    pub(crate) lowered: Lowered,
}

impl<'a> Want<'a> {
    /// Lowers models; `schema` is for those that name none.
    pub(crate) fn all(
        dialect: Dialect,
        schema: &str,
        models: &[ModelRef<'a>],
    ) -> Result<Vec<Self>, MigrateError> {
        let lower = |(place, of): (usize, &ModelRef<'a>)| {
            let lowered = dialect.lower(of.table, Some(schema));
            let lowered = lowered
                .map_err(|source| MigrateError::Model { model: of.name.to_owned(), source })?;
            let checksum = of.table.checksum().to_string();
            Ok(Self { place, name: of.name, model: of.table, checksum, lowered })
        };
        models.iter().enumerate().map(lower).collect()
    }

    pub(crate) const fn table(&self) -> &TableName {
        &self.lowered.table.name
    }

    /// The name that the table had before, as the model says.
    pub(crate) fn former(&self) -> Option<TableName> {
        let name = self.lowered.table.renamed_from.clone()?;
        Some(TableName { schema: self.table().schema.clone(), name })
    }

    pub(crate) fn schema(&self) -> &str {
        self.table().schema.as_deref().unwrap_or_default()
    }

    /// What the registry knows of it.
    pub(crate) fn row<'r>(&self, rows: &'r [ModelRow]) -> Option<&'r ModelRow> {
        self.row_of(rows, &self.table().name)
    }

    /// What the registry knows of it under the name that its table had before.
    pub(crate) fn former_row<'r>(&self, rows: &'r [ModelRow]) -> Option<&'r ModelRow> {
        self.row_of(rows, &self.former()?.name)
    }

    fn row_of<'r>(&self, rows: &'r [ModelRow], table: &str) -> Option<&'r ModelRow> {
        rows.iter()
            .find(|row| row.model == self.name && row.schema == self.schema() && row.table == table)
    }

    /// Whether a step is about it.
    pub(crate) fn concerns(&self, dialect: Dialect, step: &Step) -> bool {
        dialect.is_same_table(self.table(), &step.table)
            || self.former().is_some_and(|former| dialect.is_same_table(&former, &step.table))
            || self.lowered.enums.iter().any(|of| of.name == step.table)
    }

    /// The digest of its table and of the types that only the table's columns name; `None`: there
    /// is no such table.
    pub(crate) fn fingerprint(&self, dialect: Dialect, found: &Catalog) -> Option<Fingerprint> {
        let is_it = |name: &TableName| dialect.is_same_table(name, self.table());
        let table = found.tables.iter().find(|table| is_it(&table.name))?.clone();
        let is_its = |name: &TableName| self.lowered.enums.iter().any(|of| of.name == *name);
        let enums = found.enums.iter().filter(|of| is_its(&of.name)).cloned().collect();
        Some(Catalog { enums, tables: vec![table] }.fingerprint())
    }
}

/// Models in groups in which every table stands once; two models may describe one table.
pub(crate) fn groups<'w, 'a>(dialect: Dialect, wants: Vec<&'w Want<'a>>) -> Vec<Vec<&'w Want<'a>>> {
    let mut groups: Vec<Vec<&'w Want<'a>>> = Vec::new();
    for want in wants {
        let is_free = |group: &&mut Vec<&'w Want<'a>>| {
            !group.iter().any(|other| dialect.is_same_table(other.table(), want.table()))
        };
        match groups.iter_mut().find(is_free) {
            Some(group) => group.push(want),
            None => groups.push(vec![want]),
        }
    }
    groups
}
