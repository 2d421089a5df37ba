//! Entity-first: what is there is brought into the shape of the models.

use larder_migrate::{MigrationStatus, ModelRef, Standing};
use larder_model::{Class, Policy, TableModel};

use crate::support::{Scratch, demanding, ensure, ensure_one, indexed, table};

pub(crate) async fn a_fresh_database_gets_the_table_once(scratch: &Scratch) {
    let airline = indexed("airline", &["seats"], "seats");
    let migrator = scratch.migrator();
    let Standing::Migrated { plan } = ensure_one(&migrator, "Airline", &airline).await else {
        panic!("nothing was done");
    };
    assert!(plan.steps.iter().all(|step| step.class == Class::Additive), "{plan:#?}");
    scratch.run("INSERT INTO airline (id, name, seats) VALUES (1, 'one', 2)").await;
    for migrator in [migrator, scratch.migrator()] {
        assert_eq!(ensure_one(&migrator, "Airline", &airline).await, Standing::Verified);
    }
    let status = scratch.migrator().status().await.unwrap();
    assert_eq!(status.migrations.len(), 1);
    let row = &status.migrations[0];
    assert_eq!((row.version.as_str(), row.status), ("m:Airline:1", MigrationStatus::Applied));
    assert_eq!(row.checksum, airline.checksum().to_string());
    assert_eq!((row.steps_done, row.seq), (row.steps_total, Some(1)));
    assert!(row.applied_us.unwrap() >= row.started_us.unwrap());
    assert!(row.applied_at.is_some() && row.to_fingerprint.is_some());
    assert_eq!(status.models.len(), 1);
    assert_eq!(status.models[0].schema_fingerprint, row.to_fingerprint);
    assert_eq!(status.models[0].definition().as_ref(), Some(&airline));
    assert_eq!(status.lock, None);
    assert_eq!(status.database_uid.map(|uid| uid.len()), Some(32));
}

pub(crate) async fn a_table_that_is_there_is_a_baseline(scratch: &Scratch) {
    let airline = table("airline", &[]);
    scratch.run("CREATE TABLE airline (id BIGINT NOT NULL PRIMARY KEY, name TEXT)").await;
    let migrator = scratch.migrator();
    assert_eq!(ensure_one(&migrator, "Airline", &airline).await, Standing::Verified);
    let status = migrator.status().await.unwrap();
    assert_eq!(status.migrations[0].status, MigrationStatus::Baseline);
    assert_eq!(status.migrations[0].steps_total, 0);
    assert_eq!(ensure_one(&migrator, "Airline", &airline).await, Standing::Verified);
    assert_eq!(migrator.status().await.unwrap().migrations.len(), 1);
}

pub(crate) async fn what_nobody_asked_for_stays(scratch: &Scratch) {
    let airline = table("airline", &["seats"]);
    let migrator = scratch.migrator();
    ensure_one(&migrator, "Airline", &airline).await;
    scratch.run("CREATE TABLE somebody_elses (id BIGINT NOT NULL PRIMARY KEY)").await;
    scratch.run("ALTER TABLE airline ADD COLUMN extra BIGINT").await;
    scratch.run("CREATE UNIQUE INDEX by_hand ON airline (extra)").await;
    // One over a column of the model, which the model does not call unique.
    scratch.run("CREATE UNIQUE INDEX by_hand_too ON airline (seats)").await;
    let before = migrator.status().await.unwrap().migrations.len();
    for policy in [Policy::Additive, Policy::Safe, Policy::Full] {
        let models = [ModelRef::new("Airline", &airline)];
        assert_eq!(migrator.ensure(&models, policy).await.unwrap(), [Standing::Verified]);
    }
    assert!(scratch.tables().await.contains(&"somebody_elses".to_owned()));
    assert!(scratch.has_column("airline", "extra").await);
    scratch.run("INSERT INTO airline (id, extra, seats) VALUES (1, 7, 7)").await;
    let mut session = scratch.session().await;
    for twice in ["(2, 7, 8)", "(2, 8, 7)"] {
        let sql = format!("INSERT INTO airline (id, extra, seats) VALUES {twice}");
        assert!(session.execute(&sql, &[]).await.is_err(), "an index is gone: {twice}");
    }
    session.close().await;
    let told = migrator.plan(&[ModelRef::new("Airline", &airline)]).await.unwrap().plan.unmanaged;
    // An index over plain columns is a constraint on MySQL and MariaDB.
    for (index, column) in [("by_hand", "extra"), ("by_hand_too", "seats")] {
        let names = [format!("has an index {index:?}"), format!("is unique in ({column})")];
        assert!(told.iter().any(|of| names.contains(&of.text)), "{index}: {told:#?}");
    }
    assert!(told.iter().any(|of| of.text == "has a column \"extra\""), "{told:#?}");
    assert_eq!(migrator.status().await.unwrap().migrations.len(), before);
}

/// Also where the table is written anew, and deleting the old one would delete them.
pub(crate) async fn rows_that_refer_to_a_changed_table_stay(scratch: &Scratch) {
    let id = larder_model::Identifier::from_static;
    let mut reference = larder_model::ForeignKeyModel::new(id("airline"), id("airline"), id("id"));
    reference.on_delete = larder_model::ReferentialAction::Cascade;
    let flight = table("flight", &["airline"]).columns().to_vec().into_iter().fold(
        TableModel::builder(id("flight")).foreign_key(reference),
        larder_model::TableModelBuilder::column,
    );
    let flight = flight.build().unwrap();
    let models = |airline| [ModelRef::new("Airline", airline), ModelRef::new("Flight", &flight)];
    let migrator = scratch.migrator();
    let airline = table("airline", &["seats"]);
    ensure(&migrator, &models(&airline)).await;
    scratch.run("INSERT INTO airline (id, name) VALUES (1, 'a'), (2, 'b')").await;
    scratch.run("INSERT INTO flight (id, airline) VALUES (10, 1), (11, 2), (12, NULL)").await;
    let changed = crate::support::named("airline", &["seats"]);
    let standings = migrator.ensure(&models(&changed), Policy::Full).await.unwrap();
    assert!(matches!(standings[0], Standing::Migrated { .. }), "{standings:#?}");
    let refer = "SELECT COUNT(*) FROM flight WHERE airline IN (1, 2)";
    assert_eq!(scratch.number(refer).await, 2);
    scratch.run("DELETE FROM airline WHERE id = 2").await;
    assert_eq!(scratch.number(refer).await, 1);
}

pub(crate) async fn drift_is_noticed_and_mended(scratch: &Scratch) {
    let airline = table("airline", &["seats"]);
    let migrator = scratch.migrator();
    ensure_one(&migrator, "Airline", &airline).await;
    scratch.run("ALTER TABLE airline DROP COLUMN seats").await;
    let models = [ModelRef::new("Airline", &airline)];
    let Standing::Pending { plan } = migrator.verify(&models).await.unwrap().remove(0) else {
        panic!("the drift was not noticed");
    };
    assert_eq!(plan.steps.len(), 1);
    let mended = ensure_one(&migrator, "Airline", &airline).await;
    assert!(matches!(mended, Standing::Migrated { .. }), "{mended:?}");
    assert!(scratch.has_column("airline", "seats").await);
    let versions: Vec<_> =
        migrator.status().await.unwrap().migrations.into_iter().map(|row| row.version).collect();
    assert_eq!(versions, ["m:Airline:1", "m:Airline:2"]);
}

pub(crate) async fn nothing_is_changed_by_the_second_start(scratch: &Scratch) {
    let models = [
        ("Airline", indexed("airline", &["seats", "planes"], "planes")),
        ("Airport", table("airport", &["runways"])),
        ("Order", table("order", &["select"])),
    ];
    let refs: Vec<_> = models.iter().map(|(name, table)| ModelRef::new(name, table)).collect();
    let migrator = scratch.migrator();
    assert!(ensure(&migrator, &refs).await.iter().all(Standing::is_ensured));
    let before = migrator.signal().await.unwrap().ddl_epoch;
    // As if nothing had been remembered: everything is compared again.
    scratch
        .run("UPDATE dataflow_model_registry SET catalog_token = 'x', schema_fingerprint = 'x'")
        .await;
    assert!(ensure(&scratch.migrator(), &refs).await.iter().all(|of| *of == Standing::Verified));
    let planned = scratch.migrator().plan(&refs).await.unwrap();
    assert!(planned.plan.is_empty(), "{:#?}", planned.plan);
    assert_eq!(migrator.signal().await.unwrap().ddl_epoch, before);
    assert_eq!(migrator.status().await.unwrap().migrations.len(), 3);
}

pub(crate) async fn a_false_alarm_leads_to_no_comparison(scratch: &Scratch) {
    let airline = table("airline", &["seats"]);
    let migrator = scratch.migrator();
    ensure_one(&migrator, "Airline", &airline).await;
    let token = "SELECT catalog_token FROM dataflow_model_registry";
    let before = scratch.fetch(token).await;
    scratch.run("UPDATE dataflow_model_registry SET catalog_token = 'x'").await;
    let models = [ModelRef::new("Airline", &airline)];
    assert_eq!(migrator.verify(&models).await.unwrap(), [Standing::Verified]);
    assert_eq!(
        scratch.fetch(token).await[0][0].as_text(),
        Some("x"),
        "who verifies writes nothing"
    );
    assert_eq!(ensure_one(&migrator, "Airline", &airline).await, Standing::Verified);
    assert_eq!(scratch.fetch(token).await, before);
    assert_eq!(migrator.status().await.unwrap().migrations.len(), 1);
}

pub(crate) async fn a_refused_model_stands_in_nobodys_way(scratch: &Scratch) {
    let (first, second) = (table("first", &[]), table("second", &[]));
    let migrator = scratch.migrator();
    ensure_one(&migrator, "First", &first).await;
    scratch.run("INSERT INTO first (id) VALUES (1), (2), (3)").await;
    let demanding = demanding("first");
    let models = [ModelRef::new("First", &demanding), ModelRef::new("Second", &second)];
    let standings = migrator.ensure(&models, Policy::Safe).await.unwrap();
    let Standing::Refused { plan, refused } = &standings[0] else {
        panic!("{standings:#?}");
    };
    assert!(!refused.is_empty() && refused.iter().all(|of| of.step < plan.steps.len()));
    assert!(refused.iter().any(|of| of.rows == Some(3)), "{refused:?} of {plan:#?}");
    assert!(matches!(standings[1], Standing::Migrated { .. }), "{:?}", standings[1]);
    assert!(!scratch.has_column("first", "must").await);
    assert!(scratch.has_column("second", "id").await);
    let status = migrator.status().await.unwrap();
    let versions: Vec<_> = status.migrations.iter().map(|row| row.version.as_str()).collect();
    assert_eq!(versions, ["m:First:1", "m:Second:1"]);
    // What was refused is refused again, and never counts as done.
    let again = migrator.ensure(&models, Policy::Additive).await.unwrap();
    assert!(matches!(again[0], Standing::Refused { .. }));
    assert_eq!(again[1], Standing::Verified);
}

pub(crate) async fn two_models_may_describe_one_table(scratch: &Scratch) {
    let (narrow, wide) = (table("airline", &[]), table("airline", &["seats"]));
    let models = [ModelRef::new("Name", &narrow), ModelRef::new("Airline", &wide)];
    let migrator = scratch.migrator();
    let standings = ensure(&migrator, &models).await;
    assert!(standings.iter().all(|of| matches!(of, Standing::Migrated { .. })), "{standings:#?}");
    assert!(scratch.has_column("airline", "seats").await);
    // The second one changed the table under the first one, which is as it wants it all the same.
    for _ in 0..2 {
        assert_eq!(ensure(&migrator, &models).await, [Standing::Verified, Standing::Verified]);
    }
    assert_eq!(migrator.status().await.unwrap().migrations.len(), 2);
}

pub(crate) async fn two_models_may_have_one_name(scratch: &Scratch) {
    let (one, other) = (table("blog_user", &[]), table("shop_user", &["orders"]));
    let models = [ModelRef::new("User", &one), ModelRef::new("User", &other)];
    let migrator = scratch.migrator();
    ensure(&migrator, &models).await;
    for _ in 0..2 {
        assert_eq!(ensure(&migrator, &models).await, [Standing::Verified, Standing::Verified]);
    }
    let status = migrator.status().await.unwrap();
    assert_eq!(status.models.len(), 2);
    let mut versions: Vec<_> = status.migrations.into_iter().map(|row| row.version).collect();
    versions.sort();
    assert_eq!(versions, ["m:User:1", "m:User:2"]);
}

fn renamed(table: &TableModel, from: &str, to: &str, says_so: bool) -> TableModel {
    let identifier = |name: &str| larder_model::Identifier::new(name).unwrap();
    let builder = TableModel::builder(table.name().clone());
    let columns = table.columns().iter().cloned().map(|mut column| {
        if column.name.as_str() == from {
            column.name = identifier(to);
            column.renamed_from = says_so.then(|| identifier(from));
        }
        column
    });
    columns.fold(builder, larder_model::TableModelBuilder::column).build().unwrap()
}

pub(crate) async fn a_suspected_rename_is_refused(scratch: &Scratch) {
    let before = table("airline", &["seats"]);
    let after = renamed(&before, "seats", "places", false);
    let migrator = scratch.migrator();
    ensure_one(&migrator, "Airline", &before).await;
    let models = [ModelRef::new("Airline", &after)];
    for policy in [Policy::Additive, Policy::Full] {
        let standing = migrator.ensure(&models, policy).await.unwrap().remove(0);
        let Standing::Refused { plan, refused } = standing else { panic!("{standing:#?}") };
        assert_eq!(plan.steps[refused[0].step].class, Class::Ambiguous);
    }
    assert!(!scratch.has_column("airline", "places").await);
}

pub(crate) async fn a_suspected_rename_is_settled_by_the_model(scratch: &Scratch) {
    let before = table("airline", &["seats"]);
    let after = renamed(&before, "seats", "places", true);
    let migrator = scratch.migrator();
    ensure_one(&migrator, "Airline", &before).await;
    scratch.run("INSERT INTO airline (id, seats) VALUES (1, 42)").await;
    let models = [ModelRef::new("Airline", &after)];
    // The statement is quick, but older programs still use the old name.
    let standing = migrator.ensure(&models, Policy::Full).await.unwrap().remove(0);
    assert!(matches!(standing, Standing::Migrated { .. }), "{standing:#?}");
    assert_eq!(scratch.number("SELECT places FROM airline").await, 42);
    assert!(!scratch.has_column("airline", "seats").await);
}

pub(crate) async fn the_epoch_tells_others_of_a_change(scratch: &Scratch) {
    let (one, other) = (scratch.migrator(), scratch.migrator());
    assert_eq!(other.signal().await.unwrap().ddl_epoch, 0);
    ensure_one(&one, "Airline", &table("airline", &[])).await;
    let first = other.signal().await.unwrap();
    assert!(first.ddl_epoch > 0);
    assert_eq!(ensure_one(&one, "Airline", &table("airline", &[])).await, Standing::Verified);
    assert_eq!(other.signal().await.unwrap().ddl_epoch, first.ddl_epoch);
    ensure_one(&one, "Airline", &table("airline", &["seats"])).await;
    assert!(other.signal().await.unwrap().ddl_epoch > first.ddl_epoch);
}

pub(crate) async fn the_identity_does_not_depend_on_the_way(scratch: &Scratch) {
    let one = scratch.migrator();
    ensure_one(&one, "Airline", &table("airline", &[])).await;
    let identity = one.identity().await.unwrap();
    assert_eq!(scratch.migrator().identity().await.unwrap(), identity);
    let password = url::Url::parse(&scratch.url).ok();
    let password = password.as_ref().and_then(url::Url::password).filter(|of| *of != "larder");
    assert!(password.is_none_or(|password| !identity.contains(password)), "{identity}");
    assert!(!format!("{one:?}").contains("://"), "{one:?}");
}
