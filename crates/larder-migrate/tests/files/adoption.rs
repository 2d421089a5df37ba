//! Histories as other tools leave them behind, taken over on every database.

use larder_migrate::{
    DownTarget, HistorySource, ImportError, MigrationFiles, MigrationKind, MigrationStatus,
};
use larder_model::Dialect;
use sha2::{Digest as _, Sha384};

use crate::place::{Place, files, told};

/// Declares a test for each tool; `$place` makes the database.
macro_rules! adoptions {
    ($place:expr, $(#[$attribute:meta])*) => {
        $crate::scenarios::scenarios!(@each_of adoption, $place, [$(#[$attribute])*],
            sqlx,
            refinery,
            flyway,
            golang_migrate,
            diesel,
            what_did_not_end_well_is_refused,
            an_edited_file_is_refused,
            a_tool_that_was_never_here_is_told,
        );
    };
}
pub(crate) use adoptions;

const A: &str = "CREATE TABLE a (x INTEGER);\n";
const B: &str = "CREATE TABLE b (x INTEGER);\n";
const C: &str = "CREATE TABLE c (x INTEGER);\n";

/// Takes a history over that says that versions 1 and 2 are applied, and 3 is not.
async fn adopt(place: &Place, tool: HistorySource, files: &MigrationFiles) {
    place.run(A).await;
    place.run(B).await;
    let before = table(place, tool).await;
    let migrator = place.migrator();

    let plan = migrator.plan_import(files, tool, None).await;
    let plan = plan.unwrap_or_else(|error| panic!("{}", told(&error)));
    assert_eq!((plan.baseline.len(), plan.pending.len()), (2, 1));
    assert!(
        place.migrator().status().await.unwrap().migrations.is_empty(),
        "a plan writes nothing"
    );

    let import = migrator.import(files, tool, None).await;
    let import = import.unwrap_or_else(|error| panic!("{}", told(&error)));
    assert_eq!(import, plan);
    let rows = place.migrator().status().await.unwrap().migrations;
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!(row.status, MigrationStatus::Baseline);
        assert_eq!(row.kind, Some(MigrationKind::Baseline));
        let note = row.plan_json.clone().unwrap();
        assert!(note.contains(&format!("\"tool\":\"{tool}\"")), "{note}");
    }

    // The rest goes on from there, and a second time changes nothing.
    assert_eq!(place.up_all(files).await.len(), 1);
    let again = migrator.import(files, tool, None).await.unwrap();
    assert_eq!((again.baseline.len(), again.known.len()), (0, 3));
    assert_eq!(table(place, tool).await, before, "the tool's table stays as it is");
    let states: Vec<_> = place.standings(files).await.into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["baseline", "baseline", "applied"]);
}

/// The versions in the tool's table, as one text.
async fn table(place: &Place, tool: HistorySource) -> String {
    let mut session = place.session().await;
    let dialect = session.dialect();
    let text = if matches!(dialect, Dialect::MariaDb | Dialect::MySql) { "CHAR" } else { "text" };
    let table = dialect.quoted_table(&tool.table(dialect));
    let sql = format!("SELECT CAST(version AS {text}) FROM {table} ORDER BY 1");
    let rows = session.fetch(&sql, &[]).await.unwrap();
    session.close().await;
    format!("{rows:?}")
}

async fn dialect(place: &Place) -> Dialect {
    place.session().await.dialect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What sqlx's command line writes.
async fn sqlx_table(place: &Place, rows: &[(&str, &str, bool)]) {
    let dialect = dialect(place).await;
    place
        .run(match dialect {
            Dialect::Postgres => {
                "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT \
                 NULL, installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, \
                 checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)"
            }
            Dialect::Sqlite => {
                "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT \
                 NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN \
                 NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)"
            }
            _ => {
                "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT \
                 NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN \
                 NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)"
            }
        })
        .await;
    for (version, text, success) in rows {
        let digest = hex(&Sha384::digest(text));
        let bytes = match dialect {
            Dialect::Postgres => format!("'\\x{digest}'"),
            _ => format!("X'{digest}'"),
        };
        place
            .run(&format!(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
                 execution_time) VALUES ({version}, 'x', {success}, {bytes}, 7)"
            ))
            .await;
    }
}

pub(crate) async fn sqlx(place: &Place) {
    // The first one was applied from a checkout with other ends of lines.
    let windows = A.replace('\n', "\r\n");
    sqlx_table(place, &[("20240501120000", &windows, true), ("20240502120000", B, true)]).await;
    let files = files(&[
        ("20240501120000_a.up.sql", A),
        ("20240501120000_a.down.sql", "DROP TABLE a"),
        ("20240502120000_b.sql", B),
        ("20240503120000_c.sql", C),
    ]);
    let plan = place.migrator().plan_import(&files, HistorySource::Sqlx, None).await.unwrap();
    assert!(plan.baseline.iter().all(|file| file.verified == Some(true)), "{plan:?}");
    adopt(place, HistorySource::Sqlx, &files).await;
    // What was taken over can be taken back, if there is a file for it.
    let down = place.migrator().down(&files, &DownTarget::Steps(2)).await.unwrap_err();
    assert!(down.to_string().contains("can not be taken back"), "{down}");
}

pub(crate) async fn refinery(place: &Place) {
    place
        .run(
            "CREATE TABLE refinery_schema_history (version INT4 PRIMARY KEY, name VARCHAR(255), \
             applied_on VARCHAR(255), checksum VARCHAR(255))"
                .replace(
                    "INT4",
                    if dialect(place).await == Dialect::Postgres { "INT4" } else { "INT" },
                )
                .as_str(),
        )
        .await;
    place
        .run(
            "INSERT INTO refinery_schema_history VALUES \
             (1, 'a', '2024-05-01T12:00:00Z', '1234567890'), (2, 'b', '2024-05-01T12:00:00Z', '42')",
        )
        .await;
    let files = files(&[("V1__a.sql", A), ("V2__b.sql", B), ("V3__c.sql", C)]);
    adopt(place, HistorySource::Refinery, &files).await;
}

pub(crate) async fn flyway(place: &Place) {
    place
        .run(
            "CREATE TABLE flyway_schema_history (installed_rank INT NOT NULL PRIMARY KEY, version \
             VARCHAR(50), description VARCHAR(200) NOT NULL, type VARCHAR(20) NOT NULL, script \
             VARCHAR(1000) NOT NULL, checksum INT, installed_by VARCHAR(100) NOT NULL, \
             installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, execution_time INT NOT \
             NULL, success BOOLEAN NOT NULL)",
        )
        .await;
    let insert = |rank: i32, version: &str, kind: &str, checksum: &str| {
        format!(
            "INSERT INTO flyway_schema_history (installed_rank, version, description, type, \
             script, checksum, installed_by, execution_time, success) VALUES \
             ({rank}, {version}, 'x', '{kind}', 'x', {checksum}, 'me', 1, true)"
        )
    };
    place.run(&insert(1, "'1'", "BASELINE", "NULL")).await;
    place.run(&insert(2, "'1.1'", "SQL", &flyway_checksum(B).to_string())).await;
    place.run(&insert(3, "'2'", "SQL", "NULL")).await;
    place.run(&insert(4, "'2'", "UNDO_SQL", "NULL")).await;
    place.run(&insert(5, "NULL", "SQL", "5")).await;
    let files = files(&[("V1__a.sql", A), ("V1_1__b.sql", B), ("V2__c.sql", C)]);
    let plan = place.migrator().plan_import(&files, HistorySource::Flyway, None).await.unwrap();
    let verified: Vec<_> = plan.baseline.iter().map(|file| file.verified).collect();
    assert_eq!(verified, [None, Some(true)]);
    adopt(place, HistorySource::Flyway, &files).await;
}

/// CRC-32 of the lines, computed with a table as others do it.
fn flyway_checksum(text: &str) -> i32 {
    let table: Vec<u32> = (0..256_u32)
        .map(|byte| (0..8).fold(byte, |c, _| (c >> 1) ^ (0xEDB8_8320 * (c & 1))))
        .collect();
    let bytes = text.lines().flat_map(str::bytes);
    let crc = bytes
        .fold(u32::MAX, |crc, byte| table[usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8));
    (!crc).cast_signed()
}

async fn golang_table(place: &Place, version: i64, dirty: bool) {
    place
        .run("CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL)")
        .await;
    place.run(&format!("INSERT INTO schema_migrations VALUES ({version}, {dirty})")).await;
}

fn golang_files() -> MigrationFiles {
    files(&[("000001_a.up.sql", A), ("000002_b.up.sql", B), ("000003_c.up.sql", C)])
}

pub(crate) async fn golang_migrate(place: &Place) {
    golang_table(place, 2, false).await;
    adopt(place, HistorySource::GolangMigrate, &golang_files()).await;
}

pub(crate) async fn diesel(place: &Place) {
    place
        .run(
            "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
             run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
        )
        .await;
    place
        .run(
            "INSERT INTO __diesel_schema_migrations (version) VALUES \
             ('00000000000000'), ('20240501120000')",
        )
        .await;
    let files = files(&[
        ("00000000000000_diesel_initial_setup/up.sql", A),
        ("2024-05-01-120000_b/up.sql", B),
        ("2024-05-02-120000_c/up.sql", C),
    ]);
    adopt(place, HistorySource::Diesel, &files).await;
}

pub(crate) async fn what_did_not_end_well_is_refused(place: &Place) {
    golang_table(place, 2, true).await;
    let import = place.migrator().import(&golang_files(), HistorySource::GolangMigrate, None).await;
    assert!(
        matches!(import, Err(ImportError::Dirty { ref version, .. }) if version == "2"),
        "{import:?}"
    );
    sqlx_table(place, &[("1", A, true), ("2", B, false)]).await;
    let import = place.migrator().import(&golang_files(), HistorySource::Sqlx, None).await;
    assert!(matches!(import, Err(ImportError::Dirty { .. })), "{import:?}");
    assert!(place.migrator().status().await.unwrap().migrations.is_empty());
}

pub(crate) async fn an_edited_file_is_refused(place: &Place) {
    sqlx_table(place, &[("1", A, true), ("2", "CREATE TABLE other (x INT)", true)]).await;
    let import = place.migrator().import(&golang_files(), HistorySource::Sqlx, None).await;
    let error = import.unwrap_err();
    assert_eq!(error.to_string(), "1 files are not what sqlx applied: 2");
    assert!(place.migrator().status().await.unwrap().migrations.is_empty());
}

pub(crate) async fn a_tool_that_was_never_here_is_told(place: &Place) {
    for tool in HistorySource::ALL {
        let import = place.migrator().import(&golang_files(), tool, None).await;
        assert!(matches!(import, Err(ImportError::NoHistory { .. })), "{import:?}");
    }
}
