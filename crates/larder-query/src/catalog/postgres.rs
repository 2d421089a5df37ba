//! PostgreSQL's catalog: what views and policies read, what triggers, rules, keys and partitions
//! write, and a version that changes with any of them.
//!
//! Guards that a change of the schema by anybody is noticed by the first miss or write that begins
//! after it was committed.
//!
//! # The version
//! It is a hash over the rows of the catalog that matter, each with the transaction that wrote it.
//! What a query sees is decided by its snapshot: as long as the snapshot is the same, down to the
//! last number, so is the catalog. So the hash is taken only if some transaction of the cluster
//! has ended since it was taken last; otherwise the snapshot is all that is asked for. The counters
//! of changed rows would always be that fast, but they lag behind by up to ten seconds.

mod body;

use std::{collections::BTreeSet, sync::PoisonError};

use larder_sql::{Analysis, Dialect, TableName, Uncacheable, Writes, analyze};

use super::{Catalog, Memo, View};
use crate::{Database, DatabaseErrorKind, Params, QueryError, Reason, RowLimit, RowSet};

/// The state of the schema now.
pub(super) async fn version(database: &Database, memo: &Memo) -> Result<i64, QueryError> {
    let known = memo.lock().unwrap_or_else(PoisonError::into_inner).clone();
    // Where transactions end all the time, the snapshot alone is not worth asking for.
    if let Some((snapshot, version, false)) = &known {
        let rows = read(database, SNAPSHOT, &Params::new()).await?;
        if rows.to::<String>()?.first() == Some(snapshot) {
            return Ok(*version);
        }
    }
    let rows = read(database, VERSION, &Params::new()).await?;
    let row = rows.rows().first().ok_or(QueryError::RowNotFound)?;
    let (snapshot, version): (String, i64) = row.to()?;
    let moves = known.is_some_and(|(known, ..)| known != snapshot);
    *memo.lock().unwrap_or_else(PoisonError::into_inner) = Some((snapshot, version, moves));
    Ok(version)
}

/// The version comes first: a change in between makes the catalog look older than it is.
pub(super) async fn load(database: &Database, memo: &Memo) -> Result<Catalog, QueryError> {
    let mut catalog = Catalog { version: version(database, memo).await?, ..Catalog::default() };
    for row in read(database, FUNCTIONS, &Params::new()).await?.rows() {
        let (function, may_write): (String, bool) = row.to()?;
        catalog.add_function(&function, may_write);
    }
    let facts = read(database, FACTS, &Params::new()).await?;
    for row in facts.rows() {
        let (kind, subject, object): (String, String, Option<String>) = row.to()?;
        let subject = name(&subject);
        match (kind.as_str(), object) {
            ("view", definition) => catalog.add_definition(subject, definition.as_deref()),
            ("policy", condition) => catalog.add_policy(subject, condition.as_deref()),
            ("source", Some(table)) => catalog.add_source(subject, name(&table)),
            ("child", Some(child)) => catalog.add_child(subject, name(&child)),
            ("key", Some(child)) => {
                catalog.add_effect(subject, Writes::Tables([name(&child)].into()));
            }
            ("trigger", Some(source)) if body::only_assigns(&source) => {}
            ("foreign table", _) => catalog.add_changing(subject, "a foreign table"),
            ("sequence", _) => catalog.add_changing(subject, "a sequence"),
            // A rule, or a trigger whose function may do anything.
            _ => catalog.add_effect(subject, Writes::Everything),
        }
    }
    Ok(catalog)
}

/// Reads from the catalog. If the connection breaks, once more: reading changes nothing, which the
/// driver can not tell from these texts.
async fn read(database: &Database, sql: &str, params: &Params) -> Result<RowSet, QueryError> {
    let outcome = database.fetch(sql, params, RowLimit::All).await;
    match outcome.as_ref().err().and_then(QueryError::database_kind) {
        Some(DatabaseErrorKind::Connection) => database.fetch(sql, params, RowLimit::All).await,
        _ => outcome,
    }
}

fn name(text: &str) -> TableName {
    TableName::from_catalog(text, Dialect::PostgreSql)
}

impl Catalog {
    /// Two relations of one name in two schemas are one here, with what lies behind both.
    fn view(&mut self, name: TableName) -> &mut View {
        self.views.entry(name).or_insert_with(|| View { reads: BTreeSet::new(), uncacheable: None })
    }

    fn add_definition(&mut self, view: TableName, definition: Option<&str>) {
        // Dropped while it was looked at.
        let Some(definition) = definition else { return };
        let analysis = analyze(definition, Dialect::PostgreSql);
        self.add_analysis(view, analysis);
    }

    fn add_policy(&mut self, table: TableName, condition: Option<&str>) {
        let Some(condition) = condition else { return };
        let query = format!("SELECT 1 WHERE ({condition})");
        self.add_analysis(table, analyze(&query, Dialect::PostgreSql));
    }

    fn add_analysis(
        &mut self,
        name: TableName,
        analysis: Result<Analysis, larder_sql::AnalyzeError>,
    ) {
        let (mut reads, uncacheable) = match analysis {
            Ok(Analysis { reads, instability, .. }) => (reads, instability.map(Reason::from)),
            Err(error) => (BTreeSet::new(), Some(error.into())),
        };
        reads.remove(&name);
        let view = self.view(name);
        view.reads.extend(reads);
        view.uncacheable = view.uncacheable.take().or(uncacheable);
    }

    /// A view reads a table; and what is written to the view ends up there.
    fn add_source(&mut self, view: TableName, table: TableName) {
        self.add_effect(view.clone(), Writes::Tables([table.clone()].into()));
        self.view(view).reads.insert(table);
    }

    /// A parent shows the rows of its children, and what is written to it ends up there. The other
    /// way round too: whoever read the parent before the child was attached knows nothing of it.
    fn add_child(&mut self, parent: TableName, child: TableName) {
        self.add_effect(parent.clone(), Writes::Tables([child.clone()].into()));
        self.add_effect(child.clone(), Writes::Tables([parent.clone()].into()));
        self.view(parent).reads.insert(child);
    }

    /// Its rows change without any write.
    fn add_changing(&mut self, name: TableName, construct: &'static str) {
        let reason = Uncacheable::Unsupported { construct };
        self.view(name).uncacheable = Some(reason.into());
    }
}

/// Objects that come with the server have lower numbers.
macro_rules! user_objects {
    () => {
        ">= 16384"
    };
}

/// The snapshot, and since when the server runs: after a failover to a server that had not
/// received everything, a number may come a second time.
macro_rules! snapshot {
    () => {
        "SELECT concat(pg_catalog.pg_current_snapshot(), ' ', pg_catalog.pg_postmaster_start_time())"
    };
}

const SNAPSHOT: &str = snapshot!();

const VERSION: &str = concat!(
    snapshot!(),
    ", pg_catalog.hash_array_extended(ARRAY[",
    "(SELECT pg_catalog.hash_array_extended(array_agg(oid::int8), 1) ",
    "# pg_catalog.hash_array_extended(array_agg(xmin), 2) FROM pg_catalog.pg_class ",
    "WHERE relkind IN ('f', 'p', 'r', 'S', 'v') AND oid ",
    user_objects!(),
    "), ",
    "(SELECT pg_catalog.hash_array_extended(array_agg(xmin), 3) FROM pg_catalog.pg_rewrite ",
    "WHERE oid ",
    user_objects!(),
    "), ",
    "(SELECT pg_catalog.hash_array_extended(array_agg(xmin), 4) FROM pg_catalog.pg_trigger ",
    "WHERE NOT tgisinternal), ",
    "(SELECT pg_catalog.hash_array_extended(array_agg(xmin), 5) FROM pg_catalog.pg_constraint ",
    "WHERE contype = 'f'), ",
    "(SELECT pg_catalog.hash_array_extended(array_agg(xmin), 6) FROM pg_catalog.pg_inherits), ",
    "(SELECT pg_catalog.hash_array_extended(array_agg(xmin), 7) FROM pg_catalog.pg_policy), ",
    "(SELECT pg_catalog.hash_array_extended(array_agg(p.xmin), 8) FROM pg_catalog.pg_proc AS p ",
    "WHERE p.oid ",
    user_objects!(),
    ")], 0)"
);

/// The functions and procedures of users. The server lets only those write that are volatile.
const FUNCTIONS: &str = concat!(
    "SELECT proname::text, pg_catalog.bool_or(provolatile = 'v') FROM pg_catalog.pg_proc ",
    "WHERE oid ",
    user_objects!(),
    " GROUP BY proname"
);

/// What there is, one fact a row.
///
/// A policy counts if it holds for this role, or for the owner of a view through which somebody
/// may read the table. The functions of the server's own triggers that are listed change the row
/// that is being written and nothing else.
const FACTS: &str = "\
    WITH relation AS ( \
      SELECT c.oid, c.relname::text AS name, c.relkind, c.relowner \
      FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
      WHERE c.oid >= 16384 \
        OR n.nspname = 'information_schema' AND n.nspname = ANY (current_schemas(false))) \
    SELECT 'view', name, pg_catalog.pg_get_viewdef(oid) FROM relation WHERE relkind = 'v' \
    UNION ALL \
    SELECT DISTINCT 'source', v.name, t.relname::text \
    FROM relation AS v JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = v.oid \
      JOIN pg_catalog.pg_depend AS d \
        ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid \
          AND d.refclassid = 'pg_catalog.pg_class'::regclass \
      JOIN pg_catalog.pg_class AS t ON t.oid = d.refobjid \
    WHERE v.relkind = 'v' AND t.oid <> v.oid \
    UNION ALL \
    SELECT 'rule', t.name, NULL \
    FROM relation AS t JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = t.oid \
    WHERE r.ev_type <> '1' \
    UNION ALL \
    SELECT 'trigger', c.relname::text, CASE \
      WHEN p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN \
        ('suppress_redundant_updates_trigger', 'tsvector_update_trigger', \
          'tsvector_update_trigger_column') THEN '' \
      WHEN l.lanname = 'plpgsql' THEN p.prosrc END \
    FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid \
      JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid \
      JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang \
    WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' \
    UNION ALL \
    SELECT 'key', parent.relname::text, child.relname::text \
    FROM pg_catalog.pg_constraint AS k \
      JOIN pg_catalog.pg_class AS parent ON parent.oid = k.confrelid \
      JOIN pg_catalog.pg_class AS child ON child.oid = k.conrelid \
    WHERE k.contype = 'f' AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd')) \
    UNION ALL \
    SELECT 'child', parent.relname::text, child.relname::text \
    FROM pg_catalog.pg_inherits AS i \
      JOIN pg_catalog.pg_class AS parent ON parent.oid = i.inhparent \
      JOIN pg_catalog.pg_class AS child ON child.oid = i.inhrelid \
    WHERE child.relkind IN ('f', 'p', 'r') \
    UNION ALL \
    SELECT 'policy', t.name, pg_catalog.pg_get_expr(p.polqual, p.polrelid) \
    FROM relation AS t JOIN pg_catalog.pg_policy AS p ON p.polrelid = t.oid \
    WHERE p.polqual IS NOT NULL AND p.polcmd IN ('*', 'r') AND ( \
      pg_catalog.row_security_active(t.oid) AND (0 = ANY (p.polroles) OR EXISTS ( \
        SELECT 1 FROM unnest(p.polroles) AS role WHERE pg_catalog.pg_has_role(role, 'MEMBER'))) \
      OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d \
        JOIN pg_catalog.pg_rewrite AS r ON r.oid = d.objid \
        JOIN pg_catalog.pg_class AS v ON v.oid = r.ev_class \
        WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refobjid = t.oid \
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND v.relowner <> t.relowner)) \
    UNION ALL \
    SELECT 'foreign table', name, NULL FROM relation WHERE relkind = 'f' \
    UNION ALL \
    SELECT 'sequence', name, NULL FROM relation WHERE relkind = 'S'";

#[cfg(test)]
mod tests {
    use super::*;

    fn tables<const N: usize>(names: [&str; N]) -> BTreeSet<TableName> {
        names.map(name).into()
    }

    #[test]
    fn two_views_of_one_name_are_one_with_the_tables_of_both() {
        let mut catalog = Catalog::default();
        catalog.add_definition(name("v"), Some("SELECT * FROM a"));
        catalog.add_definition(name("v"), Some("SELECT * FROM b"));
        assert_eq!(catalog.behind(&tables(["v"]), &BTreeSet::new()).reads, tables(["a", "b", "v"]));
    }

    #[test]
    fn a_parent_and_its_children_are_written_together() {
        let mut catalog = Catalog::default();
        catalog.add_child(name("p"), name("one"));
        catalog.add_child(name("p"), name("two"));
        assert_eq!(
            catalog.behind(&tables(["p"]), &BTreeSet::new()).reads,
            tables(["one", "p", "two"])
        );
        assert_eq!(catalog.behind(&tables(["one"]), &BTreeSet::new()).reads, tables(["one"]));
        for table in ["p", "one"] {
            let wake = catalog.wake(&Writes::Tables(tables([table])));
            assert_eq!(wake, Writes::Tables(tables(["one", "p", "two"])));
        }
    }

    #[test]
    fn a_policy_reads_and_may_depend_on_the_session() {
        let mut catalog = Catalog::default();
        catalog.add_policy(name("t"), Some("(owner IN ( SELECT member.id FROM member))"));
        let behind = catalog.behind(&tables(["t"]), &BTreeSet::new());
        assert_eq!((behind.reads, behind.uncacheable), (tables(["member", "t"]), None));
        catalog.add_policy(name("t"), Some("(tenant = current_setting('app.tenant'::text))"));
        let uncacheable = catalog.behind(&tables(["t"]), &BTreeSet::new()).uncacheable;
        let Some(Reason::Statement(Uncacheable::SessionState { .. })) = uncacheable else {
            panic!("{uncacheable:?}");
        };
    }
}
