//! What a database says of its schema, in three to five statements whatever the number of tables.
//!
//! Invariant: what is described is one state of the schema, or the description fails; what the
//! description can not express makes its table opaque.

mod mysql;
mod postgres;
mod sqlite;

use larder_model::{Catalog, Dialect, Lowered, TableName};

use crate::{Session, SessionError};

/// Which tables are described.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "all or some")]
pub enum Target {
    /// Every table of a schema; on PostgreSQL of this one (`None`: the current one), on the
    /// others of the current database.
    Schema(Option<String>),
    /// These tables, and the enumerated types that they use or that have one of these names; those
    /// that are not there are left out.
    Tables(Vec<TableName>),
}

/// Describes a database.
///
/// # Errors
/// The database's own.
///
/// # Cancel safety
/// The session must be dropped afterwards.
pub async fn introspect(
    session: &mut dyn Session,
    target: &Target,
) -> Result<Catalog, SessionError> {
    let mut catalog = match session.dialect() {
        Dialect::MariaDb | Dialect::MySql => mysql::introspect(session, target).await?,
        Dialect::Sqlite => sqlite::introspect(session, target).await?,
        // A dialect that is not known here would be PostgreSQL's.
        _ => postgres::introspect(session, target).await?,
    };
    catalog.sort();
    Ok(catalog)
}

/// Writes models as the database itself would print them: expressions, defaults and types come
/// back as they do from [`introspect`]. Leaves nothing behind.
///
/// Where the role may not make temporary tables, the models come back as they are.
///
/// # Errors
/// The database's own, for instance because an expression is none.
///
/// # Cancel safety
/// The session must be dropped afterwards.
pub async fn normalise(
    session: &mut dyn Session,
    models: Vec<Lowered>,
) -> Result<Catalog, SessionError> {
    let mut catalog = match session.dialect() {
        Dialect::MariaDb | Dialect::MySql => mysql::normalise(session, models).await?,
        Dialect::Sqlite => sqlite::normalise(session, models).await?,
        _ => postgres::normalise(session, models).await?,
    };
    catalog.sort();
    Ok(catalog)
}

/// What tells that a table is as it was: equal tokens mean an equal table, other tokens mean that
/// somebody should look. One statement for all tables, cheaper than [`introspect`]; in the order
/// of `tables`, `None` for one that is not there.
///
/// # Errors
/// The database's own.
///
/// # Cancel safety
/// The session must be dropped afterwards.
pub async fn tokens(
    session: &mut dyn Session,
    tables: &[TableName],
) -> Result<Vec<Option<String>>, SessionError> {
    match session.dialect() {
        Dialect::MariaDb | Dialect::MySql => mysql::tokens(session, tables).await,
        Dialect::Sqlite => sqlite::tokens(session, tables).await,
        _ => postgres::tokens(session, tables).await,
    }
}

/// What tells that no schema was changed since: equal signals mean that none was, as far as the
/// database counts; other signals may be a false alarm. The cheapest statement that there is.
///
/// # Errors
/// The database's own.
///
/// # Cancel safety
/// The session must be dropped afterwards.
pub async fn signal(session: &mut dyn Session) -> Result<String, SessionError> {
    match session.dialect() {
        Dialect::MariaDb | Dialect::MySql => mysql::signal(session).await,
        Dialect::Sqlite => sqlite::signal(session).await,
        _ => postgres::signal(session).await,
    }
}

/// Which database it is, whatever way led to it, without secrets.
///
/// # Errors
/// The database's own.
///
/// # Cancel safety
/// The session must be dropped afterwards.
pub async fn identity(session: &mut dyn Session) -> Result<String, SessionError> {
    match session.dialect() {
        Dialect::MariaDb | Dialect::MySql => mysql::identity(session).await,
        Dialect::Sqlite => sqlite::identity(session).await,
        _ => postgres::identity(session).await,
    }
}
