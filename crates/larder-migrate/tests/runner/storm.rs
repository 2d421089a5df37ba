//! Many processes with many tasks start at once on an empty database.

use std::{sync::Arc, time::Duration};

use larder_migrate::{Connector, MigrateOptions, MigrationStatus, Migrator, ModelRef, Standing};
use larder_model::{Policy, TableModel};
use tokio::sync::Barrier;

use crate::{
    child::{Child, say, told_to_go_on},
    support::{Scratch, indexed, table},
};

const PROCESSES: usize = 8;
const TASKS: usize = 16;
/// Several tasks share one, because a server has no room for a connection of each task.
const MIGRATORS: usize = 4;

fn models() -> [(&'static str, TableModel); 3] {
    [
        ("Airline", indexed("airline", &["seats", "planes"], "seats")),
        ("Airport", table("airport", &["runways"])),
        ("Flight", table("flight", &["number"])),
    ]
}

/// How often; 20 rounds are the full measure.
fn rounds() -> usize {
    std::env::var("LARDER_STORM_ROUNDS").map_or(3, |rounds| rounds.parse().unwrap())
}

pub(crate) async fn many_processes_start_at_once(scratch: &Scratch) {
    for round in 0..rounds() {
        let lease = Duration::from_secs(60);
        let mut children: Vec<_> =
            (0..PROCESSES).map(|_| Child::start(scratch, "storm", lease)).collect();
        for child in &mut children {
            child.says("ready").await;
        }
        for child in &mut children {
            child.go_on().await;
        }
        let mut migrated = 0;
        for child in &mut children {
            let said = child.ended().await;
            assert!(child.succeeded().await, "round {round}: {said}");
            let count = said.lines().find_map(|line| line.strip_prefix("migrated="));
            migrated += count.unwrap_or_else(|| panic!("{said}")).parse::<usize>().unwrap();
        }
        let status = scratch.migrator().status().await.unwrap();
        assert_eq!(status.migrations.len(), 3, "round {round}: {:#?}", status.migrations);
        let done = |row: &larder_migrate::MigrationRow| row.status == MigrationStatus::Applied;
        assert!(status.migrations.iter().all(done), "{:#?}", status.migrations);
        assert_eq!(migrated, 3, "round {round}: one set of changes, by one task");
        assert_eq!(status.lock, None);
        for table in scratch.tables().await {
            let quoted = scratch.dialect.quoted(&table);
            scratch.run(&format!("DROP TABLE {quoted}")).await;
        }
    }
}

/// One of the processes.
pub(crate) async fn take_part(connector: Arc<dyn Connector>, options: MigrateOptions) {
    let migrators: Vec<_> =
        (0..MIGRATORS).map(|_| Migrator::new(Arc::clone(&connector), options.clone())).collect();
    say("ready");
    told_to_go_on().await;
    let barrier = Arc::new(Barrier::new(TASKS));
    let tasks: Vec<_> = (0..TASKS)
        .map(|at| {
            let (migrator, barrier) = (migrators[at % MIGRATORS].clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                let models = models();
                let models: Vec<_> =
                    models.iter().map(|(name, table)| ModelRef::new(name, table)).collect();
                migrator.ensure(&models, Policy::Additive).await
            })
        })
        .collect();
    let mut migrated = 0;
    for task in tasks {
        let standings = task.await.unwrap().unwrap_or_else(|error| panic!("{error}: {error:#?}"));
        assert!(standings.iter().all(Standing::is_ensured), "{standings:#?}");
        migrated += standings.iter().filter(|of| matches!(of, Standing::Migrated { .. })).count();
    }
    say(&format!("migrated={migrated}"));
}
