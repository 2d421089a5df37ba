//! How the tables of models are, and what would have to be done to them.
//!
//! Invariant: what the models want is printed by the server itself before anything is compared.

use std::collections::BTreeSet;

use larder_model::{Catalog, Dialect, MissingReference, Plan, Scope, TableName};

use crate::{
    Cell, MigrateError, ModelRow, Param, Session, Target, introspect,
    migrator::{missing::missing_references, want::Want},
    normalise,
    registry::Names,
    tokens,
};

/// Both sides of a comparison.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) dialect: Dialect,
    pub(crate) current: Catalog,
    pub(crate) desired: Catalog,
    scope: Scope,
    /// What runs that ended too early took off, and that was not there.
    missing: Vec<MissingReference>,
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
        let found = current(session, wants, &[]).await?;
        lowered.iter_mut().for_each(|model| model.admit_types(Dialect::Postgres, &found));
    }
    normalise(session, lowered).await.map_err(MigrateError::session("read the models"))
}

pub(crate) async fn current(
    session: &mut dyn Session,
    wants: &[&Want<'_>],
    missing: &[MissingReference],
) -> Result<Catalog, MigrateError> {
    let mut tables: Vec<_> = wants.iter().map(|want| want.table().clone()).collect();
    tables.extend(missing.iter().flat_map(|of| [of.table.clone(), of.key.target.clone()]));
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
    /// declarations, and `registry` where it is.
    pub(crate) async fn at(
        session: &mut dyn Session,
        wants: &[&Want<'_>],
        desired: Catalog,
        rows: &[ModelRow],
        registry: &Names,
    ) -> Result<Self, MigrateError> {
        let dialect = session.dialect();
        let mut missing = match dialect {
            // There a run ends as a whole or not at all.
            Dialect::Sqlite => Vec::new(),
            _ => missing_references(session, registry, wants, rows).await?,
        };
        let current = current(session, wants, &missing).await?;
        missing.retain(|of| of.is_missing(dialect, &current));
        let schema = &registry.schema;
        let missing_schemas = match dialect {
            Dialect::Postgres => missing_schemas(session, wants, &current, schema).await?,
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
        Ok(Self { dialect, current, desired, scope, missing, missing_schemas })
    }

    /// The same after everything was done: what the tables are like now.
    pub(crate) async fn again(
        &self,
        session: &mut dyn Session,
        wants: &[&Want<'_>],
    ) -> Result<Self, MigrateError> {
        let current = current(session, wants, &self.missing).await?;
        Ok(Self { current, missing_schemas: BTreeSet::new(), ..self.clone() })
    }

    /// The steps for these models together.
    pub(crate) fn plan(&self, wants: &[&Want<'_>]) -> Plan {
        let its = self.missing.iter().filter(|of| wants.iter().any(|want| self.has(want, of)));
        self.plan_with(wants, &its.cloned().collect::<Vec<_>>())
    }

    /// The same, with what can be put back as it was on the tables of other models, for which
    /// nothing else is done.
    pub(crate) fn plan_and_restore(&self, wants: &[&Want<'_>]) -> Plan {
        let can_be = self.missing.iter().filter(|of| {
            let is_its = wants.iter().any(|want| self.has(want, of));
            is_its || of.fits(self.dialect, &self.current)
        });
        self.plan_with(wants, &can_be.cloned().collect::<Vec<_>>())
    }

    fn plan_with(&self, wants: &[&Want<'_>], missing: &[MissingReference]) -> Plan {
        let desired = self.desired_of(wants);
        Plan::restoring(self.dialect, &self.scope, &self.current, &desired, missing)
            .with_missing_schemas(&self.missing_schemas)
    }

    /// No steps.
    pub(crate) fn nothing(&self) -> Plan {
        Plan {
            dialect: self.dialect,
            from: self.current.fingerprint(),
            steps: Vec::new(),
            unmanaged: Vec::new(),
        }
    }

    /// Whether a reference is one of a model's table.
    fn has(&self, want: &Want<'_>, missing: &MissingReference) -> bool {
        let is_it = |name: &TableName| self.dialect.is_same_table(name, &missing.table);
        is_it(want.table()) || want.former().is_some_and(|former| is_it(&former))
    }

    /// Whether a model's table is as it was when it was last ensured, although its token is not:
    /// then nothing follows from whatever else differs.
    pub(crate) fn is_as_recorded(&self, want: &Want<'_>, rows: &[ModelRow]) -> bool {
        let Some(row) = want.row(rows).filter(|row| row.is_of(&want.checksum)) else {
            return false;
        };
        if self.missing.iter().any(|of| self.has(want, of)) {
            return false;
        }
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
