//! How the tables of models are, and what would have to be done to them.
//!
//! Invariant: what the models want is printed by the server itself before anything is compared.

use std::collections::BTreeSet;

use larder_model::{Catalog, Dialect, Plan, Scope, TableName};

use crate::{
    Cell, MigrateError, ModelRow, Param, Session, Target, introspect, migrator::want::Want,
    normalise, tokens,
};

/// Both sides of a comparison.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) dialect: Dialect,
    pub(crate) current: Catalog,
    pub(crate) desired: Catalog,
    scope: Scope,
    /// Schemas of PostgreSQL in which models want tables, and that are not there.
    missing_schemas: BTreeSet<String>,
}

/// Which of the models are as they were when they were last ensured: nothing else has to be asked
/// about them. Two statements, whatever the number of models.
pub(crate) async fn unchanged(
    session: &mut dyn Session,
    wants: &[&Want<'_>],
    rows: &[ModelRow],
) -> Result<Vec<bool>, MigrateError> {
    let mut is_unchanged = vec![false; wants.len()];
    let known: Vec<_> = wants
        .iter()
        .enumerate()
        .filter_map(|(at, want)| {
            let row = want.row(rows).filter(|row| row.is_of(&want.checksum))?;
            Some((at, want.table().clone(), row.catalog_token.clone()?))
        })
        .collect();
    if known.is_empty() {
        return Ok(is_unchanged);
    }
    let tables: Vec<_> = known.iter().map(|(_, table, _)| table.clone()).collect();
    for ((at, _, token), found) in known.iter().zip(look_at_tokens(session, &tables).await?) {
        is_unchanged[*at] = found.as_ref() == Some(token);
    }
    Ok(is_unchanged)
}

pub(crate) async fn look_at_tokens(
    session: &mut dyn Session,
    tables: &[TableName],
) -> Result<Vec<Option<String>>, MigrateError> {
    tokens(session, tables).await.map_err(MigrateError::session("ask whether tables changed"))
}

/// What models want, as the server prints it. Not to be called within a transaction.
pub(crate) async fn desired(
    session: &mut dyn Session,
    wants: &[&Want<'_>],
) -> Result<Catalog, MigrateError> {
    let mut lowered: Vec<_> = wants.iter().map(|want| want.lowered.clone()).collect();
    if session.dialect() == Dialect::Postgres {
        let found = current(session, wants).await?;
        lowered.iter_mut().for_each(|model| model.admit_types(Dialect::Postgres, &found));
    }
    normalise(session, lowered).await.map_err(MigrateError::session("read the models"))
}

pub(crate) async fn current(
    session: &mut dyn Session,
    wants: &[&Want<'_>],
) -> Result<Catalog, MigrateError> {
    let mut tables: Vec<_> = wants.iter().map(|want| want.table().clone()).collect();
    tables.extend(wants.iter().filter_map(|want| want.former()));
    // A type may be there though no table has it yet.
    let types = wants.iter().flat_map(|want| &want.lowered.enums);
    tables.extend(types.map(|of| of.name.clone()));
    tables.sort();
    tables.dedup();
    let found = introspect(session, &Target::Tables(tables)).await;
    found.map_err(MigrateError::session("look at the tables"))
}

/// The schemas in which nothing was found and that are not there. The registry makes its own, so
/// that one does not count.
async fn missing_schemas(
    session: &mut dyn Session,
    wants: &[&Want<'_>],
    current: &Catalog,
    registry: &str,
) -> Result<BTreeSet<String>, MigrateError> {
    let is_found = |schema: &str| {
        let tables = current.tables.iter().map(|table| &table.name);
        let mut names = tables.chain(current.enums.iter().map(|of| &of.name));
        names.any(|name| name.schema.as_deref() == Some(schema))
    };
    let wanted = wants.iter().filter_map(|want| want.table().schema.as_deref());
    let wanted: BTreeSet<_> =
        wanted.filter(|schema| *schema != registry && !is_found(schema)).collect();
    let mut missing = BTreeSet::new();
    for schema in wanted {
        let sql = "SELECT COUNT(*) FROM pg_catalog.pg_namespace WHERE nspname = $1";
        let found = session.fetch(sql, &[Param::Text(schema)]).await;
        let found = found.map_err(MigrateError::session("look at the schemas"))?;
        if !found.first().and_then(|row| row.first()).is_some_and(Cell::is_true) {
            missing.insert(schema.to_owned());
        }
    }
    Ok(missing)
}

impl Look {
    /// Looks at the tables of models that want `desired`; `rows` is what the registry knows, with
    /// declarations, and `registry` the schema in which it is.
    pub(crate) async fn at(
        session: &mut dyn Session,
        wants: &[&Want<'_>],
        desired: Catalog,
        rows: &[ModelRow],
        registry: &str,
    ) -> Result<Self, MigrateError> {
        let dialect = session.dialect();
        let current = current(session, wants).await?;
        let missing_schemas = match dialect {
            Dialect::Postgres => missing_schemas(session, wants, &current, registry).await?,
            _ => BTreeSet::new(),
        };
        let previously = wants.iter().filter_map(|want| {
            let row = want.row(rows).or_else(|| want.former_row(rows))?;
            let definition = row.definition()?;
            let columns = definition.columns().iter();
            let columns: BTreeSet<_> =
                columns.map(|column| column.name.as_str().to_owned()).collect();
            Some((want.table().clone(), columns))
        });
        let scope = Scope::Managed { previously: previously.collect() };
        Ok(Self { dialect, current, desired, scope, missing_schemas })
    }

    /// The same after everything was done: what the tables are like now.
    pub(crate) fn again(&self, current: Catalog) -> Self {
        Self { current, missing_schemas: BTreeSet::new(), ..self.clone() }
    }

    /// The steps for these models together.
    pub(crate) fn plan(&self, wants: &[&Want<'_>]) -> Plan {
        Plan::between(self.dialect, &self.scope, &self.current, &self.desired_of(wants))
            .with_missing_schemas(&self.missing_schemas)
    }

    /// Whether a model's table is as it was when it was last ensured, although its token is not:
    /// then nothing follows from whatever else differs.
    pub(crate) fn is_as_recorded(&self, want: &Want<'_>, rows: &[ModelRow]) -> bool {
        let Some(row) = want.row(rows).filter(|row| row.is_of(&want.checksum)) else {
            return false;
        };
        let now = want.fingerprint(self.dialect, &self.current);
        now.is_some_and(|now| row.schema_fingerprint.as_deref() == Some(now.as_str()))
    }

    fn desired_of(&self, wants: &[&Want<'_>]) -> Catalog {
        let is_its_table = |name: &TableName| {
            wants.iter().any(|want| self.dialect.is_same_table(want.table(), name))
        };
        let is_its_enum = |name: &TableName| {
            wants.iter().any(|want| want.lowered.enums.iter().any(|of| of.name == *name))
        };
        let tables = self.desired.tables.iter().filter(|table| is_its_table(&table.name));
        let enums = self.desired.enums.iter().filter(|of| is_its_enum(&of.name));
        Catalog { enums: enums.cloned().collect(), tables: tables.cloned().collect() }
    }
}
