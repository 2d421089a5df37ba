//! The registry: its tables, and those that others began.

use larder_migrate::{MigrateError, MigrationStatus, Standing};
use larder_model::Dialect;

use crate::support::{Scratch, ensure_one, options, table};

pub(crate) async fn a_registry_of_the_four_columns_is_completed(scratch: &Scratch) {
    scratch
        .run(
            "CREATE TABLE dataflow_migrations (version VARCHAR(255) PRIMARY KEY, \
             checksum VARCHAR(32) NOT NULL, status VARCHAR(50), applied_at TIMESTAMP NULL)",
        )
        .await;
    scratch
        .run(
            "CREATE TABLE dataflow_model_registry (model_name VARCHAR(255), \
             model_checksum VARCHAR(255), status VARCHAR(50), version INTEGER)",
        )
        .await;
    scratch
        .run(
            "INSERT INTO dataflow_migrations VALUES \
             ('20251026_120000', 'abc', 'applied', '2025-10-26 12:00:00')",
        )
        .await;
    scratch.run("INSERT INTO dataflow_model_registry VALUES ('Airline', 'def', 'active', 7)").await;
    let status = scratch.migrator().status().await.unwrap();
    assert_eq!(status.migrations[0].version, "20251026_120000");
    assert_eq!(status.models[0].version, 7);
    foreign_rows_survive(scratch, "20251026_120000").await;
}

/// Tables as an older program makes them, with a check on the words and an index that wants
/// checksums to be different.
pub(crate) async fn a_registry_of_an_older_program_is_completed(scratch: &Scratch) {
    let (json, when) = match scratch.dialect {
        Dialect::Postgres => ("JSONB", "TIMESTAMP WITH TIME ZONE"),
        Dialect::Sqlite => ("TEXT", "TEXT"),
        _ => ("JSON", "DATETIME"),
    };
    scratch
        .run(&format!(
            "CREATE TABLE dataflow_migrations (version VARCHAR(255) PRIMARY KEY, \
             name VARCHAR(255) NOT NULL, checksum VARCHAR(32) NOT NULL, applied_at {when}, \
             status VARCHAR(50) NOT NULL DEFAULT 'pending', operations {json}, \
             created_at {when} DEFAULT CURRENT_TIMESTAMP, CONSTRAINT valid_status \
             CHECK (status IN ('pending', 'applied', 'failed', 'rolled_back')))"
        ))
        .await;
    let partial = matches!(scratch.dialect, Dialect::Postgres | Dialect::Sqlite);
    scratch
        .run(&format!(
            "CREATE UNIQUE INDEX idx_checksum ON dataflow_migrations (checksum){}",
            if partial { " WHERE status = 'applied'" } else { "" }
        ))
        .await;
    let id = match scratch.dialect {
        Dialect::Postgres => "id SERIAL PRIMARY KEY",
        Dialect::Sqlite => "id INTEGER PRIMARY KEY AUTOINCREMENT",
        _ => "id INT AUTO_INCREMENT PRIMARY KEY",
    };
    scratch
        .run(&format!(
            "CREATE TABLE dataflow_model_registry ({id}, model_name VARCHAR(255) NOT NULL, \
             model_checksum VARCHAR(64) NOT NULL, model_definitions {json} NOT NULL, \
             application_id VARCHAR(255), registered_at {when} DEFAULT CURRENT_TIMESTAMP, \
             updated_at {when} DEFAULT CURRENT_TIMESTAMP, status VARCHAR(50) DEFAULT 'active', \
             version INTEGER DEFAULT 1, metadata {json}, UNIQUE (model_name, application_id))"
        ))
        .await;
    scratch
        .run(
            "INSERT INTO dataflow_migrations (version, name, checksum, status) VALUES \
             ('20251026_120000', 'by hand', 'abc', 'applied')",
        )
        .await;
    scratch
        .run(
            "INSERT INTO dataflow_model_registry (model_name, model_checksum, \
             model_definitions, application_id, version) \
             VALUES ('Airline', 'def', '{}', 'dataflow_123', 7)",
        )
        .await;
    foreign_rows_survive(scratch, "20251026_120000").await;
}

/// Migrates there and back, and looks whether the rows that were there are as they were.
async fn foreign_rows_survive(scratch: &Scratch, version: &str) {
    let foreign = format!(
        "SELECT checksum, status, CAST(applied_at AS CHAR(40)) FROM dataflow_migrations \
         WHERE version = '{version}'"
    );
    let before = scratch.fetch(&foreign).await;
    let migrator = scratch.migrator();
    let (a, b) = (table("airline", &[]), table("airline", &["seats"]));
    assert!(matches!(ensure_one(&migrator, "Airline", &a).await, Standing::Migrated { .. }));
    assert!(matches!(ensure_one(&migrator, "Airline", &b).await, Standing::Migrated { .. }));
    assert_eq!(ensure_one(&migrator, "Airline", &a).await, Standing::Verified);
    assert_eq!(ensure_one(&scratch.migrator(), "Airline", &a).await, Standing::Verified);
    assert_eq!(scratch.fetch(&foreign).await, before);
    let status = migrator.status().await.unwrap();
    let rows: Vec<_> =
        status.migrations.iter().map(|row| (row.version.as_str(), row.status)).collect();
    let ours = [
        ("m:Airline:1", MigrationStatus::Applied),
        ("m:Airline:2", MigrationStatus::Applied),
        ("m:Airline:3", MigrationStatus::Skipped),
    ];
    assert_eq!(rows[0], (version, MigrationStatus::Applied));
    assert_eq!(rows[1..], ours);
    assert!(status.migrations[0].is_foreign() && !status.migrations[1].is_foreign());
    assert_eq!(status.migrations[1].checksum, a.checksum().to_string());
    assert_eq!(status.models.iter().filter(|row| row.model == "Airline").count(), 2);
    let theirs = status.models.iter().find(|row| row.table.is_empty()).unwrap();
    assert_eq!((theirs.model_checksum.as_str(), theirs.version), ("def", 7));
}

pub(crate) async fn a_way_back_is_a_migration_of_its_own(scratch: &Scratch) {
    let migrator = scratch.migrator();
    let (a, b) = (table("airline", &[]), table("airline", &["seats"]));
    for model in [&a, &b, &a, &b] {
        assert!(ensure_one(&migrator, "Airline", model).await.is_ensured());
    }
    let rows = migrator.status().await.unwrap().migrations;
    let checksums: Vec<_> = rows.iter().map(|row| row.checksum.clone()).collect();
    let (a, b) = (a.checksum().to_string(), b.checksum().to_string());
    assert_eq!(checksums, [a.clone(), b.clone(), a, b]);
    let seqs: Vec<_> = rows.iter().map(|row| row.seq).collect();
    assert_eq!(seqs, [Some(1), Some(2), Some(3), Some(4)]);
}

pub(crate) async fn a_table_of_somebody_else_is_left_alone(scratch: &Scratch) {
    scratch.run("CREATE TABLE dataflow_meta (id BIGINT NOT NULL PRIMARY KEY, note TEXT)").await;
    let airline = table("airline", &[]);
    let models = [larder_migrate::ModelRef::new("Airline", &airline)];
    let error = scratch.migrator().ensure(&models, larder_model::Policy::Additive).await;
    assert!(matches!(error, Err(MigrateError::Registry { .. })), "{error:?}");
    assert_eq!(scratch.tables().await, ["dataflow_meta"]);
    let migrator = scratch.migrator_with(options().with_prefix("larder_"));
    assert!(ensure_one(&migrator, "Airline", &airline).await.is_ensured());
}

pub(crate) async fn a_later_format_is_not_touched(scratch: &Scratch) {
    let airline = table("airline", &[]);
    ensure_one(&scratch.migrator(), "Airline", &airline).await;
    let key = scratch.dialect.quoted("key");
    let value = scratch.dialect.quoted("value");
    scratch
        .run(&format!("UPDATE dataflow_meta SET {value} = '2' WHERE {key} = 'registry_format'"))
        .await;
    let wider = table("airline", &["seats"]);
    let models = [larder_migrate::ModelRef::new("Airline", &wider)];
    let error = scratch.migrator().ensure(&models, larder_model::Policy::Additive).await;
    assert!(matches!(error, Err(MigrateError::Registry { .. })), "{error:?}");
    assert!(!scratch.has_column("airline", "seats").await);
}

/// What a process leaves that is killed while it begins a registry, on a database whose statements
/// commit by themselves; older versions wrote these rows one by one.
pub(crate) async fn a_registry_that_was_begun_halfway_is_completed(scratch: &Scratch) {
    ensure_one(&scratch.migrator(), "Airline", &table("airline", &[])).await;
    let uid = scratch.migrator().status().await.unwrap().database_uid;
    let key = scratch.dialect.quoted("key");
    for missing in ["registry_format", "ddl_epoch"] {
        scratch.run(&format!("DELETE FROM dataflow_meta WHERE {key} = 'registry_format'")).await;
        scratch.run(&format!("DELETE FROM dataflow_meta WHERE {key} = '{missing}'")).await;
        let port = table(&format!("port_{missing}"), &[]);
        ensure_one(&scratch.migrator(), missing, &port).await;
        let rows = scratch.number("SELECT COUNT(*) FROM dataflow_meta").await;
        assert_eq!(rows, 3, "{missing}");
    }
    assert_eq!(scratch.migrator().status().await.unwrap().database_uid, uid);
}

pub(crate) async fn names_that_are_too_long_are_refused_before_anything_runs(scratch: &Scratch) {
    let airline = table("airline", &[]);
    let models = [larder_migrate::ModelRef::new("Airline", &airline)];
    let mut refused = vec![options().with_application("a".repeat(256))];
    if scratch.dialect != Dialect::Sqlite {
        refused.push(options().with_prefix("p".repeat(51)));
    }
    for options in refused {
        let migrator = scratch.migrator_with(options);
        let error = migrator.ensure(&models, larder_model::Policy::Additive).await;
        assert!(matches!(error, Err(MigrateError::Registry { .. })), "{error:?}");
        let error = migrator.status().await;
        assert!(matches!(error, Err(MigrateError::Registry { .. })), "{error:?}");
    }
    assert_eq!(scratch.tables().await, [""; 0]);
    let longest = if scratch.dialect == Dialect::Postgres { 49 } else { 50 };
    let options = options().with_prefix("p".repeat(longest)).with_application("a".repeat(255));
    let migrator = scratch.migrator_with(options);
    assert!(ensure_one(&migrator, "Airline", &airline).await.is_ensured());
    assert_eq!(ensure_one(&migrator, "Airline", &airline).await, Standing::Verified);
    assert_eq!(migrator.status().await.unwrap().models.len(), 1);
}

pub(crate) async fn applications_share_a_registry(scratch: &Scratch) {
    let (narrow, wide) = (table("airline", &[]), table("airline", &["seats"]));
    let one = scratch.migrator_with(options().with_application("one"));
    let other = scratch.migrator_with(options().with_application("other"));
    ensure_one(&one, "Airline", &narrow).await;
    ensure_one(&other, "Airline", &wide).await;
    assert_eq!(ensure_one(&one, "Airline", &narrow).await, Standing::Verified);
    assert_eq!(ensure_one(&other, "Airline", &wide).await, Standing::Verified);
    let status = one.status().await.unwrap();
    let versions: Vec<_> = status.migrations.into_iter().map(|row| row.version).collect();
    assert_eq!(versions, ["m:one/Airline:1", "m:other/Airline:1"]);
    assert_eq!(status.models.len(), 2);
}

pub(crate) async fn prefixes_keep_registries_apart(scratch: &Scratch) {
    let airline = table("airline", &[]);
    ensure_one(&scratch.migrator_with(options().with_prefix("a_")), "Airline", &airline).await;
    let other = scratch.migrator_with(options().with_prefix("b_"));
    ensure_one(&other, "Airline", &airline).await;
    let rows = other.status().await.unwrap().migrations;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].status, MigrationStatus::Baseline);
    let tables = scratch.tables().await;
    let dumped: Vec<_> =
        other.dump().await.unwrap().catalog.tables.into_iter().map(|of| of.name.name).collect();
    assert_eq!(tables.len(), 9);
    assert!(!dumped.iter().any(|name| name.starts_with("b_")), "{dumped:?}");
}

pub(crate) async fn a_declaration_without_consequences_is_skipped(scratch: &Scratch) {
    let migrator = scratch.migrator();
    ensure_one(&migrator, "Airline", &table("airline", &["seats"])).await;
    let epoch = migrator.signal().await.unwrap().ddl_epoch;
    assert_eq!(ensure_one(&migrator, "Airline", &table("airline", &[])).await, Standing::Verified);
    let status = migrator.status().await.unwrap();
    assert_eq!(status.migrations[1].status, MigrationStatus::Skipped);
    assert_eq!(status.models[0].version, 2);
    assert_eq!(migrator.signal().await.unwrap().ddl_epoch, epoch);
    assert!(scratch.has_column("airline", "seats").await);
}
