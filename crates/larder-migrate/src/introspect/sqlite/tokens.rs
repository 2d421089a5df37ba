//! What tells that a table is as it was.
//!
//! Guards that a trigger is no change of its table.

use std::{collections::BTreeMap, fmt::Write as _};

use larder_model::TableName;
use sha2::{Digest as _, Sha256};

use crate::{Cell, Param, Session, SessionError};

const TEXTS: &str = "\
    SELECT lower(s.tbl_name), s.type, s.name, s.sql FROM main.sqlite_schema AS s \
    WHERE s.type IN ('index', 'table', 'view') \
    AND lower(s.tbl_name) IN (SELECT lower(j.value) FROM json_each(?1) AS j) \
    ORDER BY s.type, s.name";

/// A digest of the texts of each table and its indexes.
pub(in crate::introspect) async fn tokens(
    session: &mut dyn Session,
    tables: &[TableName],
) -> Result<Vec<Option<String>>, SessionError> {
    let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
    let names = serde_json::Value::from(names).to_string();
    let rows = session.fetch(TEXTS, &[Param::Text(&names)]).await?;
    let mut digests: BTreeMap<&str, Sha256> = BTreeMap::new();
    for row in &rows {
        let [table, parts @ ..] = row.as_slice() else { continue };
        let digest = digests.entry(table.as_text().unwrap_or_default()).or_default();
        for part in parts {
            let text = part.as_text().unwrap_or_default();
            // The length goes first, so that texts never run into each other.
            digest.update((text.len() as u64).to_be_bytes());
            digest.update([u8::from(*part == Cell::Null)]);
            digest.update(text);
        }
    }
    let texts: BTreeMap<_, _> =
        digests.into_iter().map(|(table, digest)| (table, shown(digest))).collect();
    let token = |table: &TableName| texts.get(table.name.to_ascii_lowercase().as_str()).cloned();
    Ok(tables.iter().map(token).collect())
}

fn shown(digest: Sha256) -> String {
    let mut text = String::new();
    for byte in digest.finalize() {
        // Writing into a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
