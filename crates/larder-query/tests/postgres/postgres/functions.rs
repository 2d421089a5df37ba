//! What the analysis of statements says about functions, compared with what the server says.

use larder_query::larder_sql::{Dialect, analyze};

use crate::{Fixture, rows};

/// Functions that look at settings of the session, which are part of every key, or at nothing
/// that changes.
const STABLE: &str = "\
    age array_to_json array_to_string concat concat_ws convert convert_from convert_to date \
    date_part date_trunc enum_first enum_last enum_range extract format generate_series json_agg \
    json_build_array json_build_object json_object_agg json_populate_record \
    json_populate_recordset json_to_record json_to_recordset json_to_tsvector jsonb_agg \
    jsonb_build_array jsonb_build_object jsonb_object_agg jsonb_populate_record \
    jsonb_populate_recordset jsonb_to_record jsonb_to_recordset jsonb_to_tsvector length \
    make_timestamptz numeric phraseto_tsquery plainto_tsquery quote_literal quote_nullable \
    row_to_json timezone to_char to_date to_json to_jsonb to_number to_timestamp to_tsquery \
    to_tsvector ts_headline websearch_to_tsquery";

#[tokio::test]
#[ignore = "needs a live service"]
async fn no_function_that_may_be_cached_is_volatile_on_the_server() {
    let fixture = Fixture::new().await;
    let sql = "SELECT proname::text, array_agg(DISTINCT provolatile::text), max(pronargs)::int8 \
               FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace GROUP BY 1";
    let mut cacheable = 0;
    for row in rows(&fixture.database, sql).await.rows() {
        let (name, kinds, arguments): (String, Vec<String>, i64) = row.to().unwrap();
        let arguments: Vec<_> = (0..arguments).map(|n| format!("a{n}")).collect();
        let call = format!("SELECT pg_catalog.\"{name}\"({}) FROM t", arguments.join(", "));
        if analyze(&call, Dialect::PostgreSql).is_ok_and(|found| found.cacheability.is_ok()) {
            cacheable += 1;
            assert!(!kinds.contains(&"v".to_owned()), "{name} is volatile");
            let is_stable = kinds.contains(&"s".to_owned());
            let is_reviewed = STABLE.split(' ').any(|reviewed| reviewed == name);
            assert!(!is_stable || is_reviewed, "{name} is stable and was not reviewed");
        }
    }
    assert!(cacheable > 200, "{cacheable} functions were compared");
}
