//! The functions that count as deterministic, checked against servers that know it better.
//!
//! A stored generated column may call nothing whose value changes without its arguments. So the
//! server is asked to make one for each function on the list, with arguments of every kind until
//! some fit.

use std::{collections::BTreeSet, error::Error as _, path::Path};

use larder_query::{Engine, Params, QueryError, larder_sql};

use crate::Fixture;

/// Groups of rows are no business of a generated column.
const AGGREGATES: [&str; 39] = [
    "any_value",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "count",
    "cume_dist",
    "dense_rank",
    "first_value",
    "group_concat",
    "grouping",
    "json_arrayagg",
    "json_objectagg",
    "json_table",
    "lag",
    "last_value",
    "lead",
    "max",
    "median",
    "min",
    "nth_value",
    "ntile",
    "percent_rank",
    "percentile_cont",
    "percentile_disc",
    "rank",
    "row_number",
    "std",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "values",
    "var_pop",
    "var_samp",
    "variance",
    "weight_string",
    "st_collect",
    "load_file",
];

/// Columns of every kind, and literals where a function wants some.
const ARGUMENTS: [&str; 34] = [
    "",
    "s",
    "s, s",
    "s, s, s",
    "i",
    "i, i",
    "i, i, i",
    "s, i",
    "s, i, s",
    "s, i, i, s",
    "d",
    "d, d",
    "d, i",
    "d, s",
    "t",
    "t, t",
    "dt, t",
    "j",
    "j, '$'",
    "j, '$', 1",
    "j, 'one', '$'",
    "j, 'one', 'a'",
    "j, j",
    "'a', s",
    "g",
    "g, g",
    "g, i",
    "s, s, s, i",
    "s, s, i, s",
    "'schema', j",
    "INTERVAL 1 DAY",
    "'DATE', 'ISO'",
    "i, s, s",
    "b",
];
/// What a server refuses for a reason that does not count here: the settings that the value
/// depends on are the same for all sessions and part of every key; or it is a component's.
const EXCEPTIONS: [&str; 8] =
    ["dayname", "from_unixtime", "md5", "monthname", "sha", "sha1", "to_char", "unix_timestamp"];

/// Calls that have a syntax of their own.
const SPECIAL: [(&str, &str); 21] = [
    ("adddate", "ADDDATE(d, 1)"),
    ("char", "CHAR(i)"),
    ("column_check", "COLUMN_CHECK(b)"),
    ("column_exists", "COLUMN_EXISTS(b, 'a')"),
    ("convert", "CONVERT(s USING utf8mb4)"),
    ("date_add", "DATE_ADD(d, INTERVAL 1 DAY)"),
    ("date_sub", "DATE_SUB(d, INTERVAL 1 DAY)"),
    ("extract", "EXTRACT(YEAR FROM d)"),
    ("get_format", "GET_FORMAT(DATE, 'ISO')"),
    ("interval", "INTERVAL(i, 1, 2)"),
    ("geomcollection", "GEOMCOLLECTION(g)"),
    ("json_value", "JSON_VALUE(j, '$')"),
    ("linestring", "LINESTRING(POINT(1, 1), POINT(2, 2))"),
    ("multipoint", "MULTIPOINT(POINT(1, 1), POINT(2, 2))"),
    ("polygon", "POLYGON(LINESTRING(POINT(0, 0), POINT(0, 1), POINT(1, 1), POINT(0, 0)))"),
    ("position", "POSITION('a' IN s)"),
    ("timestampadd", "TIMESTAMPADD(DAY, 1, d)"),
    ("timestampdiff", "TIMESTAMPDIFF(DAY, d, d)"),
    ("timestamp", "TIMESTAMP(dt)"),
    ("time", "TIME(dt)"),
    ("trim", "TRIM(s)"),
];

/// The names on the reviewed lists, read from where they are written.
fn listed() -> BTreeSet<String> {
    let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("../larder-sql/src/functions");
    let mut names = BTreeSet::new();
    for file in ["common.rs", "mysql.rs"] {
        let text = std::fs::read_to_string(lists.join(file)).unwrap();
        let quoted = text
            .lines()
            .filter(|line| line.starts_with("    \""))
            .flat_map(|line| line.split('"').skip(1).step_by(2).map(str::to_owned));
        names.extend(quoted);
    }
    assert!(names.len() > 250, "{}", names.len());
    names
}

fn dialect(engine: Engine) -> larder_sql::Dialect {
    match engine {
        Engine::MariaDb => larder_sql::Dialect::MariaDb,
        _ => larder_sql::Dialect::MySql,
    }
}

/// What the server's error says, if it says so.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    /// There is no such function, so that the name would be a stored one's.
    Absent,
    Deterministic,
    /// It may not be called in a stored generated column.
    Refused,
    /// No arguments of these fit.
    Undecided,
}

async fn ask(f: &Fixture, name: &str) -> Verdict {
    let special = SPECIAL.iter().find(|(special, _)| *special == name).map(|(_, call)| *call);
    let calls = ARGUMENTS.map(|arguments| format!("{name}({arguments})"));
    let calls = special.map(str::to_owned).into_iter().chain(calls);
    let mut verdict = Verdict::Undecided;
    for call in calls {
        let sql = format!(
            "CREATE TABLE made (s VARCHAR(20), i INT, d DATE, t TIME, dt DATETIME, j JSON, \
             g GEOMETRY, b BLOB, r LONGBLOB GENERATED ALWAYS AS ({call}) STORED)"
        );
        match f.database.execute(&sql, &Params::new()).await {
            Ok(_) => {
                f.run("DROP TABLE made").await;
                return Verdict::Deterministic;
            }
            // MariaDB; MySQL.
            Err(error) if matches!(number(&error), 1901 | 3102 | 3763) => {
                verdict = Verdict::Refused;
            }
            Err(_) => {}
        }
    }
    let called = f.database.execute(&format!("SELECT {name}(s) FROM one"), &Params::new()).await;
    if called.is_err_and(|error| number(&error) == 1305) {
        return Verdict::Absent;
    }
    verdict
}

fn number(error: &QueryError) -> u16 {
    let text = error.source().map(ToString::to_string).unwrap_or_default();
    // "error returned from database: 1305 (42000): …"
    text.split(": ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or(0)
}

pub(crate) async fn what_may_be_cached_is_deterministic_to_the_server(f: Fixture) {
    let dialect = dialect(f.engine());
    f.run(
        "CREATE TABLE one (s VARCHAR(20), i INT, d DATE, t TIME, dt DATETIME, j JSON, \
         g GEOMETRY, b BLOB)",
    )
    .await;
    let (mut wrong, mut decided) = (Vec::new(), 0);
    for name in listed() {
        let sql = format!("SELECT {name}(1)");
        let cacheable = larder_sql::analyze(&sql, dialect).is_ok_and(|a| a.cacheability.is_ok());
        if !cacheable || EXCEPTIONS.contains(&name.as_str()) || AGGREGATES.contains(&name.as_str())
        {
            continue;
        }
        match ask(&f, &name).await {
            Verdict::Deterministic => decided += 1,
            verdict => wrong.push(format!("{name}: {verdict:?}")),
        }
    }
    assert!(wrong.is_empty(), "{decided} are deterministic, but not:\n{}", wrong.join("\n"));
}
