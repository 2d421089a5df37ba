//! What is done and asked on every new connection, and what the database is.
//!
//! Guards that two sessions that may give different answers have different fingerprints, and two
//! databases different identities.

use sqlx::{Executor as _, Row as _, postgres::PgConnection};

use super::error;
use crate::{DatabaseIdentity, QueryError};

/// The scanner takes a backslash in a plain quote for a letter, and a server that notices that
/// its client is gone ends what was asked for. The second setting is not known to every server.
const SETTINGS: [&str; 2] = [
    "SET standard_conforming_strings = on",
    "SELECT set_config(name, '2s', false) FROM pg_settings \
     WHERE name = 'client_connection_check_interval' AND setting = '0'",
];

/// Role and settings that decide about answers, those included that were given to the role or the
/// database, whatever their names are.
const FINGERPRINT: &str = "\
    SELECT concat_ws(chr(10), session_user, current_user, \
      (SELECT string_agg(concat(name, '=', current_setting(name, true)), chr(10) ORDER BY name) \
       FROM unnest(ARRAY['search_path', 'TimeZone', 'DateStyle', 'IntervalStyle', \
         'bytea_output', 'extra_float_digits', 'xmlbinary', 'xmloption', 'array_nulls', \
         'default_text_search_config', 'lc_monetary', 'lc_numeric', 'lc_time', 'row_security', \
         'timezone_abbreviations', 'transform_null_equals', 'quote_all_identifiers']) AS name), \
      (SELECT string_agg(concat_ws(chr(9), setdatabase, setrole, setconfig), chr(10) \
         ORDER BY setdatabase, setrole) \
       FROM pg_catalog.pg_db_role_setting \
       WHERE setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database \
           WHERE datname = current_database())) \
         AND setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles \
           WHERE rolname = session_user))))";

/// Prepares a new connection. What decides about answers in its session.
pub(super) async fn prepare(
    connection: &mut PgConnection,
    options: Option<&str>,
) -> Result<String, QueryError> {
    let [necessary, optional] = SETTINGS;
    connection.execute(necessary).await.map_err(error::map)?;
    if let Err(refused) = connection.execute(optional).await {
        let refused = QueryError::from(error::map(refused));
        if error::is_broken(&refused) {
            return Err(refused);
        }
    }
    let row = connection.fetch_one(FINGERPRINT).await.map_err(error::map)?;
    let fingerprint: String = row.try_get(0).map_err(error::map)?;
    // What was asked for in the URL may have names that nobody lists.
    Ok(format!("{fingerprint}\n{}", options.unwrap_or_default()))
}

const IDENTITY: &str = "\
    SELECT concat((SELECT system_identifier FROM pg_catalog.pg_control_system()), ':', \
      (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))";

/// Which database this is: the number that a cluster is given when it is made, which a physical
/// replica shares, and the database's number within it.
pub(super) async fn identity(
    connection: &mut PgConnection,
) -> Result<DatabaseIdentity, QueryError> {
    let row = match connection.fetch_one(IDENTITY).await {
        Ok(row) => row,
        Err(refused) => {
            let refused = QueryError::from(error::map(refused));
            if error::is_broken(&refused) {
                return Err(refused);
            }
            // Nothing else tells one cluster from every other, so this one is shared by nobody.
            let epoch = larder_core::Epoch::random();
            return Ok(DatabaseIdentity::new(&format!("postgres:unknown:{epoch:?}")));
        }
    };
    let number: String = row.try_get(0).map_err(error::map)?;
    Ok(DatabaseIdentity::new(&format!("postgres:{number}")))
}
