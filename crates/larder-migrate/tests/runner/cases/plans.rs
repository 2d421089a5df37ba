//! Plans that people look at, adoption, dumps, repairs.

use larder_migrate::{MigrateError, MigrationStatus, ModelRef, Planned, RepairAction, Standing};
use larder_model::{
    CheckModel, ColumnKind, ColumnModel, DefaultModel, DefaultValue, Identifier, Policy, TableModel,
};

use crate::support::{Scratch, demanding, ensure_one, indexed, table};

pub(crate) async fn a_plan_survives_its_json_and_is_applied(scratch: &Scratch) {
    let (airline, airport) = (indexed("airline", &["seats"], "seats"), table("airport", &[]));
    let models = [ModelRef::new("Airline", &airline), ModelRef::new("Airport", &airport)];
    let migrator = scratch.migrator();
    let planned = migrator.plan(&models).await.unwrap();
    assert!(scratch.tables().await.is_empty(), "planning writes nothing");
    assert_eq!(planned.rows.len(), planned.plan.steps.len());
    let json = serde_json::to_string(&planned).unwrap();
    let read: Planned = serde_json::from_str(&json).unwrap();
    assert_eq!(read, planned);
    assert_eq!(scratch.migrator().plan(&models).await.unwrap().id, planned.id);
    let applied = scratch.migrator().apply(&read, Policy::Additive).await.unwrap();
    assert_eq!(applied.id, planned.id);
    assert_eq!(applied.versions, ["m:Airline:1", "m:Airport:1"]);
    assert!(applied.standings.iter().all(|of| matches!(of, Standing::Migrated { .. })));
    assert!(migrator.plan(&models).await.unwrap().plan.is_empty());
}

pub(crate) async fn a_plan_for_another_schema_is_refused(scratch: &Scratch) {
    let migrator = scratch.migrator();
    ensure_one(&migrator, "Airline", &table("airline", &[])).await;
    let wider = table("airline", &["seats"]);
    let models = [ModelRef::new("Airline", &wider)];
    let planned = migrator.plan(&models).await.unwrap();
    scratch.run("ALTER TABLE airline ADD COLUMN meanwhile BIGINT").await;
    let outdated = migrator.apply(&planned, Policy::Full).await;
    assert!(matches!(outdated, Err(MigrateError::PlanOutdated { .. })), "{outdated:?}");
    assert!(!scratch.has_column("airline", "seats").await);
    let fresh = migrator.plan(&models).await.unwrap();
    migrator.apply(&fresh, Policy::Additive).await.unwrap();
    assert!(scratch.has_column("airline", "seats").await);
    let twice = migrator.apply(&fresh, Policy::Additive).await;
    assert!(matches!(twice, Err(MigrateError::PlanOutdated { .. })), "{twice:?}");
}

pub(crate) async fn a_plan_is_applied_as_far_as_the_policy_goes(scratch: &Scratch) {
    let migrator = scratch.migrator();
    ensure_one(&migrator, "Airline", &table("airline", &[])).await;
    scratch.run("INSERT INTO airline (id) VALUES (1), (2)").await;
    let (demanding, airport) = (demanding("airline"), table("airport", &[]));
    let models = [ModelRef::new("Airline", &demanding), ModelRef::new("Airport", &airport)];
    let planned = migrator.plan(&models).await.unwrap();
    assert!(planned.rows.contains(&Some(2)), "{planned:#?}");
    let refused = migrator.apply(&planned, Policy::Safe).await;
    let Err(MigrateError::Refused { refused, .. }) = refused else { panic!("{refused:?}") };
    assert!(refused.iter().any(|of| of.rows == Some(2)));
    assert!(!scratch.tables().await.contains(&"airport".to_owned()), "all of it or nothing");
}

pub(crate) async fn adoption_changes_nothing(scratch: &Scratch) {
    let airline = table("airline", &[]);
    scratch.run("CREATE TABLE airline (id BIGINT NOT NULL PRIMARY KEY, name TEXT)").await;
    let migrator = scratch.migrator();
    let models = [ModelRef::new("Airline", &airline)];
    assert_eq!(migrator.adopt(&models).await.unwrap(), [Standing::Verified]);
    let status = migrator.status().await.unwrap();
    assert_eq!(status.migrations[0].status, MigrationStatus::Baseline);
    assert_eq!(status.migrations[0].kind, Some(larder_migrate::MigrationKind::Baseline));
    assert_eq!(status.ddl_epoch, 0);
    assert_eq!(migrator.adopt(&models).await.unwrap(), [Standing::Verified]);
    assert_eq!(migrator.status().await.unwrap().migrations.len(), 1);
}

pub(crate) async fn adoption_of_another_table_is_refused(scratch: &Scratch) {
    let (airline, airport) = (table("airline", &["seats"]), table("airport", &[]));
    scratch.run("CREATE TABLE airline (id BIGINT NOT NULL PRIMARY KEY, name TEXT)").await;
    scratch.run("CREATE TABLE airport (id BIGINT NOT NULL PRIMARY KEY, name TEXT)").await;
    let models = [ModelRef::new("Airline", &airline), ModelRef::new("Airport", &airport)];
    let migrator = scratch.migrator();
    let Err(MigrateError::Incompatible { differing }) = migrator.adopt(&models).await else {
        panic!("adopted");
    };
    assert_eq!(differing.len(), 1);
    assert_eq!(differing[0].0, "Airline");
    assert!(!scratch.has_column("airline", "seats").await);
    let status = migrator.status().await.unwrap();
    assert!(status.migrations.is_empty() && status.models.is_empty());
}

pub(crate) async fn a_dump_recreates_the_schema(scratch: &Scratch) {
    let airline = indexed("airline", &["seats"], "seats");
    let migrator = scratch.migrator();
    ensure_one(&migrator, "Airline", &airline).await;
    let dump = migrator.dump().await.unwrap();
    assert_eq!(dump.catalog.tables.len(), 1);
    let json = serde_json::to_string(&dump).unwrap();
    assert_eq!(serde_json::from_str::<larder_migrate::Dump>(&json).unwrap(), dump);
    scratch.run("DROP TABLE airline").await;
    for statement in &dump.statements {
        scratch.run(statement).await;
    }
    assert_eq!(migrator.dump().await.unwrap().fingerprint, dump.fingerprint);
}

pub(crate) async fn a_migration_is_repaired_by_hand(scratch: &Scratch) {
    let migrator = scratch.migrator();
    let (airline, wider) = (table("airline", &[]), table("airline", &["seats"]));
    ensure_one(&migrator, "Airline", &airline).await;
    ensure_one(&migrator, "Airline", &wider).await;
    let repair = async |version: &str, action| migrator.repair(version, action).await;
    let unknown = repair("m:Airport:1", RepairAction::Retry).await;
    assert!(matches!(unknown, Err(MigrateError::UnknownMigration { .. })), "{unknown:?}");
    let fine = repair("m:Airline:2", RepairAction::Retry).await;
    assert!(matches!(fine, Err(MigrateError::NotRepairable { .. })), "{fine:?}");
    // As a process leaves it that is killed, with the column taken away again.
    scratch
        .run("UPDATE dataflow_migrations SET status = 'running' WHERE version = 'm:Airline:2'")
        .await;
    scratch.run("ALTER TABLE airline DROP COLUMN seats").await;
    let early = repair("m:Airline:2", RepairAction::MarkApplied).await;
    assert!(matches!(early, Err(MigrateError::Incompatible { .. })), "{early:?}");
    scratch.run("ALTER TABLE airline ADD COLUMN seats BIGINT").await;
    repair("m:Airline:2", RepairAction::MarkApplied).await.unwrap();
    let rows = migrator.status().await.unwrap().migrations;
    assert_eq!(rows[1].status, MigrationStatus::Applied);
    assert_eq!(ensure_one(&migrator, "Airline", &wider).await, Standing::Verified);
}

/// A table with a check over a column that is there, one over a column that comes with it, and one
/// over both.
fn checked(least: &str, most: &str) -> TableModel {
    let id = |name: &str| Identifier::new(name).unwrap();
    let mut planes = ColumnModel::new(id("planes"), ColumnKind::Int64);
    planes.default = Some(DefaultModel::Value(DefaultValue::Number("5".into())));
    let check = |expression: String| CheckModel { name: None, expression };
    let builder = TableModel::builder(id("airline"));
    let columns = table("airline", &["seats"]).columns().to_vec();
    let builder = columns.into_iter().fold(builder, larder_model::TableModelBuilder::column);
    builder
        .column(planes)
        .check(check(format!("seats >= {least}")))
        .check(check(format!("planes <= {most}")))
        .check(check("planes <= seats".to_owned()))
        .build()
        .unwrap()
}

pub(crate) async fn a_check_is_asked_of_the_rows_before_it_is_added(scratch: &Scratch) {
    let migrator = scratch.migrator();
    ensure_one(&migrator, "Airline", &table("airline", &["seats"])).await;
    scratch.run("INSERT INTO airline (id, seats) VALUES (1, 7), (2, 9), (3, NULL)").await;
    for (least, most, in_the_way) in [("8", "5", 1), ("7", "4", 3), ("9", "4", 4)] {
        let model = checked(least, most);
        let models = [ModelRef::new("Airline", &model)];
        let planned = migrator.plan(&models).await.unwrap();
        let rows: u64 = planned.rows.iter().flatten().sum();
        assert_eq!(rows, in_the_way, "{planned:#?}");
        for policy in [Policy::Safe, Policy::Full] {
            let standing = migrator.ensure(&models, policy).await.unwrap().remove(0);
            let Standing::Refused { refused, .. } = standing else { panic!("{standing:#?}") };
            assert!(refused.iter().all(|of| of.rows.is_some_and(|rows| rows > 0)), "{refused:?}");
        }
        assert!(!scratch.has_column("airline", "planes").await);
    }
    let fine = checked("7", "5");
    let standing = migrator.ensure(&[ModelRef::new("Airline", &fine)], Policy::Safe).await;
    let standing = standing.unwrap_or_else(|error| panic!("{error:#?}")).remove(0);
    assert!(matches!(standing, Standing::Migrated { .. }), "{standing:#?}");
    let mut session = scratch.session().await;
    for broken in ["(4, 6, 1)", "(4, 9, 6)"] {
        let sql = format!("INSERT INTO airline (id, seats, planes) VALUES {broken}");
        session.run(&sql).await.unwrap_err();
    }
    session.close().await;
}
