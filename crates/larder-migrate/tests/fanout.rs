//! Many databases at once, each a file.
#![cfg(feature = "sqlite")]

use std::{
    num::NonZeroUsize,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use futures_core::Stream;
use larder_migrate::{
    Connector as _, FanOut, FanOutEvent, FanOutOptions, FanOutStop, FanOutSummary, Migrator,
    ModelRef, Tenant, TenantOutcome, UrlConnector,
};
use larder_model::{ColumnModel, Identifier, Policy, TableModel};

/// A stream of what is there already.
struct Listed(std::vec::IntoIter<Tenant>);

impl Stream for Listed {
    type Item = Tenant;

    fn poll_next(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Option<Tenant>> {
        Poll::Ready(self.0.next())
    }
}

fn table(columns: &[&str]) -> TableModel {
    let id = ColumnModel::of::<i64>(Identifier::from_static("id")).with_key();
    let mut table = TableModel::builder(Identifier::from_static("airline")).column(id);
    for column in columns {
        let name = Identifier::new(*column).unwrap();
        table = table.column(ColumnModel::of::<Option<String>>(name));
    }
    table.build().unwrap()
}

fn connector(folder: &Path, name: &str) -> Arc<UrlConnector> {
    let file = folder.join(format!("{name}.db"));
    Arc::new(UrlConnector::new(format!("sqlite://{}?mode=rwc", file.display())))
}

/// Runs statements on a tenant, as somebody else would.
async fn run_on(folder: &Path, name: &str, sql: &str) {
    let mut session = connector(folder, name).connect().await.unwrap();
    session.run(sql).await.unwrap();
    session.close().await;
}

async fn fan_out(
    folder: &Path,
    names: &[String],
    model: &TableModel,
    options: FanOutOptions,
) -> (FanOutSummary, Vec<FanOutEvent>) {
    let tenant = |name: &String| Tenant::new(name.clone(), connector(folder, name));
    let tenants: Vec<_> = names.iter().map(tenant).collect();
    let events = Mutex::new(Vec::new());
    let summary = FanOut::new(options)
        .run(&[ModelRef::new("Airline", model)], Listed(tenants.into_iter()), |event| {
            events.lock().unwrap().push(event);
        })
        .await
        .unwrap();
    (summary, events.into_inner().unwrap())
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}

#[tokio::test]
async fn tenants_that_start_alike_share_a_plan() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (table(&["name"]), table(&["name", "country"]));
    let (fresh, earlier, current) = (names("fresh", 6), names("earlier", 5), names("current", 4));
    for (names, model) in [(&earlier, &old), (&current, &new)] {
        for name in names {
            let migrator = Migrator::new(connector(folder.path(), name), Default::default());
            let model = ModelRef::new("Airline", model);
            migrator.ensure(&[model], Policy::Additive).await.unwrap();
        }
    }
    let mut all = fresh.clone();
    all.extend(earlier.clone());
    all.extend(current);
    let (summary, events) = fan_out(folder.path(), &all, &new, FanOutOptions::default()).await;
    assert_eq!((summary.migrated, summary.unchanged), (11, 4), "{summary:?}");
    let groups: Vec<_> = summary.groups.iter().map(|group| group.tenants).collect();
    assert_eq!(groups, [6, 5], "{:?}", summary.groups);
    let passed = events.iter().position(|of| matches!(of, FanOutEvent::CanariesPassed)).unwrap();
    let finished = |of: &&FanOutEvent| matches!(of, FanOutEvent::Finished(_));
    assert_eq!(events[..passed].iter().filter(finished).count(), 1, "one canary by default");
    for name in fresh.iter().chain(&earlier) {
        run_on(folder.path(), name, "INSERT INTO airline (id, country) VALUES (1, 'DE')").await;
    }

    let (again, _) = fan_out(folder.path(), &all, &new, FanOutOptions::default()).await;
    assert_eq!((again.unchanged, again.groups.len()), (15, 0));
    assert_eq!(again.to_string(), "0 migrated, 15 unchanged");
}

#[tokio::test]
async fn a_tenant_that_is_refused_or_away_is_reported_and_stands_in_nobody_s_way() {
    let folder = tempfile::tempdir().unwrap();
    let model = table(&["name"]);
    run_on(folder.path(), "odd", "CREATE TABLE airline (id INTEGER PRIMARY KEY, name INTEGER)")
        .await;
    std::fs::create_dir(folder.path().join("away.db")).unwrap();
    let all: Vec<_> = ["good", "odd", "away", "fine"].map(str::to_owned).into();
    let (summary, _) = fan_out(folder.path(), &all, &model, FanOutOptions::default()).await;
    let counts = (summary.migrated, summary.refused, summary.failed);
    assert_eq!(counts, (2, 1, 1), "{summary:?}");
    for report in &summary.errors {
        match (&report.outcome, report.tenant.as_str()) {
            (TenantOutcome::Refused { steps }, "odd") => {
                assert!(steps[0].contains("name"), "{steps:?}");
                assert!(report.plan.is_some());
            }
            (TenantOutcome::Failed { error }, "away") => {
                assert!(!error.contains("away.db"), "no part of the URL: {error}");
            }
            other => panic!("{other:?}"),
        }
    }
    let json = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<FanOutSummary>(&json).unwrap(), summary);
}

#[tokio::test]
async fn a_canary_that_is_refused_saves_the_others() {
    let folder = tempfile::tempdir().unwrap();
    run_on(folder.path(), "t0", "CREATE VIEW airline AS SELECT 1 AS id").await;
    let all = names("t", 5);
    let (summary, _) =
        fan_out(folder.path(), &all, &table(&["name"]), FanOutOptions::default()).await;
    assert_eq!(summary.stopped, Some(FanOutStop::Canary));
    assert_eq!((summary.migrated, summary.refused), (0, 1));
    assert!(!folder.path().join("t1.db").exists(), "nobody else was even looked at");
}

#[tokio::test]
async fn an_interrupted_run_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let all = names("t", 6);
    run_on(folder.path(), "t2", "CREATE VIEW airline AS SELECT 1 AS id").await;
    let options = || {
        FanOutOptions::default()
            .with_parallelism(NonZeroUsize::MIN)
            .with_errors_max(NonZeroUsize::MIN)
            .with_resume(folder.path(), "release-7")
    };
    let model = table(&["name"]);
    let (first, _) = fan_out(folder.path(), &all, &model, options()).await;
    assert_eq!(first.stopped, Some(FanOutStop::Errors));
    let done = first.migrated;
    run_on(folder.path(), "t2", "DROP VIEW airline").await;

    let (second, _) = fan_out(folder.path(), &all, &model, options()).await;
    assert_eq!((second.resumed, second.migrated), (done, 6 - done), "{second:?}");
    assert!(second.is_ok());
    let state = std::fs::read_to_string(folder.path().join("release-7.fanout.json")).unwrap();
    assert!(all.iter().all(|name| state.contains(name.as_str())), "{state}");
}
