//! What is in a database: the sample that is wanted, another one, or none.

use larder::{Database, Params, QueryError, query::RowLimit};

use super::{dialect::Dialect, spec::Spec, tables};

/// What is at the sample's place.
#[derive(Debug)]
pub(super) enum Found {
    /// The sample that is wanted; its checksum.
    Same(String),
    /// A sample made from something else, or an incomplete one.
    Other,
    Nothing,
}

/// The checksum, if the sample was made from this and is complete.
pub(super) async fn compare(
    database: &Database,
    dialect: Dialect,
    spec: Spec,
) -> Result<Option<String>, QueryError> {
    let none = Params::new();
    let origin =
        format!("SELECT version, seed, bookings, checksum FROM {}", tables::origin(dialect));
    let origin = database.fetch(&origin, &none, RowLimit::All).await?;
    let origin: Vec<(i64, String, i64, String)> = origin.to()?;
    let [(version, seed, bookings, checksum)] = &*origin else { return Ok(None) };
    if *version != Spec::VERSION
        || *seed != spec.seed.to_string()
        || *bookings != i64::from(spec.bookings)
    {
        return Ok(None);
    }
    for (table, key, rows) in spec.sizes() {
        let table = dialect.table(table);
        let count = format!("SELECT count(*) FROM {table} WHERE {key} <= {rows}");
        let count: Vec<u64> = database.fetch(&count, &none, RowLimit::All).await?.to()?;
        if *count != [rows] {
            return Ok(None);
        }
    }
    Ok(Some(checksum.clone()))
}

/// Takes out what a demo that was interrupted has added.
pub(super) async fn take_out_surplus(
    database: &Database,
    dialect: Dialect,
    spec: Spec,
) -> Result<(), QueryError> {
    for (table, key, rows) in spec.sizes() {
        let table = dialect.table(table);
        let surplus = format!("DELETE FROM {table} WHERE {key} > {rows}");
        database.execute(&surplus, &Params::new()).await?;
    }
    Ok(())
}
