//! What SQLite says of its schema.
//!
//! Invariant: everything comes from one statement, and so from one state of the schema, whatever
//! the number of tables.

mod canonical;
mod describe;
mod file;
mod index_text;
mod rows;
mod table_text;
mod tokens;
mod words;

#[cfg(all(test, feature = "sqlite"))]
mod tests;

use larder_model::{Catalog, Lowered};

use crate::{Param, Session, SessionError, Target};

pub(super) use file::{identity, signal};
pub(super) use tokens::tokens;

/// One row for each thing; what it is stands first, whose it is second.
///
/// Names of tables and views come whatever was asked for, because references name them in any
/// case. Triggers and views come too, because they may mention a table.
const DESCRIBE: &str = "\
    WITH wanted (name, kind, sql, is_stored) AS MATERIALIZED ( \
        SELECT s.name, s.type, s.sql, s.rootpage > 0 FROM main.sqlite_schema AS s \
        WHERE s.type IN ('table', 'view') AND lower(substr(s.name, 1, 7)) <> 'sqlite_' \
        AND (?1 IS NULL OR lower(s.name) IN (SELECT lower(j.value) FROM json_each(?1) AS j)) \
    ), stored (name) AS MATERIALIZED ( \
        SELECT name FROM wanted WHERE kind = 'table' AND is_stored \
    ), reference (name, id, seq, parent, own, other, on_update, on_delete) AS MATERIALIZED ( \
        SELECT w.name, f.id, f.seq, f.\"table\", f.\"from\", f.\"to\", f.on_update, f.on_delete \
        FROM stored AS w JOIN pragma_foreign_key_list(w.name, 'main') AS f \
    ) \
    SELECT 'name', l.name, l.type, l.wr, l.strict, NULL, NULL, NULL, NULL \
    FROM pragma_table_list AS l WHERE l.schema = 'main' \
    UNION ALL SELECT 'table', w.name, w.sql, NULL, NULL, NULL, NULL, NULL, NULL FROM wanted AS w \
    UNION ALL SELECT 'dependent', s.tbl_name, s.name, s.type, s.sql, NULL, NULL, NULL, NULL \
    FROM main.sqlite_schema AS s WHERE s.type IN ('trigger', 'view') \
    UNION ALL SELECT 'column', w.name, c.cid, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk, \
        c.hidden \
    FROM stored AS w JOIN pragma_table_xinfo(w.name, 'main') AS c \
    UNION ALL SELECT 'index', w.name, i.name, i.\"unique\", i.origin, s.sql, NULL, NULL, NULL \
    FROM stored AS w JOIN pragma_index_list(w.name, 'main') AS i \
    LEFT JOIN main.sqlite_schema AS s ON s.type = 'index' AND s.name = i.name \
    UNION ALL SELECT 'part', w.name, i.name, x.seqno, x.cid, x.name, x.\"desc\", x.coll, NULL \
    FROM stored AS w JOIN pragma_index_list(w.name, 'main') AS i \
    JOIN pragma_index_xinfo(i.name, 'main') AS x WHERE x.key \
    UNION ALL SELECT 'reference', r.name, r.id, r.seq, r.parent, r.own, r.other, r.on_update, \
        r.on_delete \
    FROM reference AS r \
    UNION ALL SELECT 'parent', p.name, c.cid, c.name, c.pk, NULL, NULL, NULL, NULL \
    FROM main.sqlite_schema AS p JOIN pragma_table_xinfo(p.name, 'main') AS c \
    WHERE p.type = 'table' AND p.rootpage > 0 \
    AND lower(p.name) IN (SELECT lower(r.parent) FROM reference AS r)";

pub(super) async fn introspect(
    session: &mut dyn Session,
    target: &Target,
) -> Result<Catalog, SessionError> {
    let names = match target {
        Target::Schema(_) => None,
        Target::Tables(tables) => {
            let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
            Some(serde_json::Value::from(names).to_string())
        }
    };
    let param = names.as_deref().map_or(Param::Null, Param::Text);
    let rows = session.fetch(DESCRIBE, &[param]).await?;
    let tables = describe::describe(rows::Answer::sort(rows)?);
    Ok(Catalog { enums: Vec::new(), tables })
}

/// Has an empty database in memory read the models and print them.
#[cfg(feature = "sqlite")]
pub(super) async fn normalise(
    _session: &mut dyn Session,
    models: Vec<Lowered>,
) -> Result<Catalog, SessionError> {
    use crate::{Connector as _, UrlConnector};
    use larder_model::Dialect;

    let mut scratch = UrlConnector::new("sqlite::memory:").connect().await?;
    for model in &models {
        for statement in Dialect::Sqlite.create_table(&model.table) {
            scratch.run(&statement).await?;
        }
    }
    let mut printed = introspect(&mut *scratch, &Target::Schema(None)).await?;
    scratch.close().await;
    for model in models {
        let name = &model.table.name;
        let same = |table: &&mut larder_model::Table| table.name == *name;
        if let Some(table) = printed.tables.iter_mut().find(same) {
            keep(table, model.table);
        }
    }
    Ok(printed)
}

/// Without a driver there is nobody to ask.
#[cfg(not(feature = "sqlite"))]
pub(super) async fn normalise(
    _session: &mut dyn Session,
    models: Vec<Lowered>,
) -> Result<Catalog, SessionError> {
    let tables = models.into_iter().map(|model| model.table).collect();
    Ok(Catalog { enums: Vec::new(), tables })
}

/// Keeps what a model knows and no database prints.
#[cfg(feature = "sqlite")]
fn keep(printed: &mut larder_model::Table, model: larder_model::Table) {
    printed.renamed_from = model.renamed_from;
    for (printed, model) in printed.columns.iter_mut().zip(model.columns) {
        printed.kind = model.kind;
        printed.renamed_from = model.renamed_from;
    }
}
