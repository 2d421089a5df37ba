//! What tells that nothing has changed, and which database it is.
//!
//! Guards that these cost one statement, whatever the number of tables.

use larder_model::TableName;
use serde_json::json;

use crate::{Cell, Param, Session, SessionError};

/// Numbers and versions of all rows of the catalog that are about a table. A comment is in none
/// of them; neither is a statistic, which is written in place.
const TOKENS: &str = "\
    WITH chosen AS (\
      SELECT w.at, c.oid, c.xmin FROM pg_catalog.json_to_recordset($1::pg_catalog.json) \
        AS w(at int8, schema text, name text) \
      JOIN pg_catalog.pg_namespace n ON n.nspname = coalesce(w.schema, current_schema()) \
      JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name), \
    columns AS (\
      SELECT c.at, a.attnum, a.xmin, a.atttypid FROM chosen c \
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0), \
    types AS (\
      SELECT DISTINCT c.at, t.oid, t.xmin FROM columns c \
      JOIN pg_catalog.pg_type u ON u.oid = c.atttypid \
      JOIN pg_catalog.pg_type t ON t.oid IN (u.oid, u.typelem) AND t.oid >= 16384), \
    parts AS (\
      SELECT at, 'c' AS kind, oid, xmin FROM chosen \
      UNION ALL SELECT at, 'a', attnum::int8::oid, xmin FROM columns \
      UNION ALL SELECT at, 't', oid, xmin FROM types \
      UNION ALL SELECT t.at, 'e', e.oid, e.xmin FROM types t \
        JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid \
      UNION ALL SELECT c.at, 'd', d.oid, d.xmin FROM chosen c \
        JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid \
      UNION ALL SELECT c.at, 'k', k.oid, k.xmin FROM chosen c \
        JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid \
      UNION ALL SELECT c.at, 'i', i.indexrelid, i.xmin FROM chosen c \
        JOIN pg_catalog.pg_index i ON i.indrelid = c.oid \
      UNION ALL SELECT c.at, 'x', x.oid, x.xmin FROM chosen c \
        JOIN pg_catalog.pg_index i ON i.indrelid = c.oid \
        JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid) \
    SELECT at, pg_catalog.md5(pg_catalog.string_agg(kind || oid || ':' || xmin, ',' \
      ORDER BY kind, oid)) FROM parts GROUP BY at";

pub(in crate::introspect) async fn tokens(
    session: &mut dyn Session,
    tables: &[TableName],
) -> Result<Vec<Option<String>>, SessionError> {
    let name =
        |(at, of): (usize, &TableName)| json!({ "at": at, "schema": of.schema, "name": of.name });
    let names = serde_json::Value::from_iter(tables.iter().enumerate().map(name)).to_string();
    let mut tokens = vec![None; tables.len()];
    for row in session.fetch(TOKENS, &[Param::Text(&names)]).await? {
        let [Cell::Integer(at), Cell::Text(token)] = row.as_slice() else { continue };
        if let Some(place) = usize::try_from(*at).ok().and_then(|at| tokens.get_mut(at)) {
            *place = Some(token.clone());
        }
    }
    Ok(tokens)
}

/// How many rows of the catalog were written since the server's statistics began, which the start
/// of the server dates. A session's own count is published when it is idle for a moment. A standby
/// counts nothing; there every write to the database is an alarm.
const SIGNAL: &str = "\
    SELECT CASE WHEN pg_catalog.pg_is_in_recovery() \
      THEN 'lsn:' || pg_catalog.pg_last_wal_replay_lsn()::text \
      ELSE (SELECT pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())::text \
        || ':' || pg_catalog.sum(pg_catalog.pg_stat_get_tuples_inserted(c) \
          + pg_catalog.pg_stat_get_tuples_updated(c) \
          + pg_catalog.pg_stat_get_tuples_deleted(c))::text \
        FROM pg_catalog.unnest('{pg_catalog.pg_class, pg_catalog.pg_attribute, \
          pg_catalog.pg_attrdef, pg_catalog.pg_constraint, pg_catalog.pg_index, \
          pg_catalog.pg_enum, pg_catalog.pg_trigger}'::pg_catalog.regclass[]) AS c) END";

pub(in crate::introspect) async fn signal(
    session: &mut dyn Session,
) -> Result<String, SessionError> {
    Ok(one_text(session, SIGNAL).await?.unwrap_or_default())
}

/// Whether the server tells who it is is asked first, because a refusal would break a transaction.
const MAY_ASK: &str = "\
    SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')";
const IDENTITY: &str = "\
    SELECT pg_catalog.concat('postgres:', \
      (SELECT system_identifier FROM pg_catalog.pg_control_system()), ':', \
      (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))";

/// The number that a cluster is given when it is made, which a physical replica shares, and the
/// database's number within it. Where the server does not tell, nothing else tells one cluster
/// from every other, and the identity is shared by nobody.
pub(in crate::introspect) async fn identity(
    session: &mut dyn Session,
) -> Result<String, SessionError> {
    let may_ask = session.fetch(MAY_ASK, &[]).await?;
    if may_ask.first().and_then(|row| row.first()).is_some_and(Cell::is_true)
        && let Some(identity) = one_text(session, IDENTITY).await?
    {
        return Ok(identity);
    }
    Ok(format!("postgres:unknown:{:032x}", rand::random::<u128>()))
}

async fn one_text(session: &mut dyn Session, sql: &str) -> Result<Option<String>, SessionError> {
    let rows = session.fetch(sql, &[]).await?;
    Ok(rows.first().and_then(|row| row.first()).and_then(Cell::as_text).map(str::to_owned))
}
