//! Roles that may not do everything.

use larder_migrate::{MigrateError, ModelRef, Standing};
use larder_model::Policy;

use crate::support::{Scratch, ensure_one, table};

pub(crate) async fn a_role_that_only_reads_verifies(scratch: &Scratch) {
    let (airline, wide) = (table("airline", &[]), table("airline", &["seats"]));
    scratch.run("CREATE TABLE airline (id BIGINT NOT NULL PRIMARY KEY, name TEXT)").await;
    let role = scratch.reader().await;
    let models = [ModelRef::new("Airline", &airline)];
    let wider = [ModelRef::new("Airline", &wide)];
    // Without a registry, and with one.
    for _ in 0..2 {
        let reader = role.migrator();
        assert_eq!(reader.verify(&models).await.unwrap(), [Standing::Verified]);
        assert_eq!(reader.ensure(&models, Policy::Additive).await.unwrap(), [Standing::Verified]);
        let pending = reader.verify(&wider).await.unwrap();
        assert!(matches!(pending[0], Standing::Pending { .. }), "{pending:?}");
        reader.signal().await.unwrap();
        reader.status().await.unwrap();
        ensure_one(&scratch.migrator(), "Airline", &airline).await;
        role.grant().await;
    }
    assert_eq!(scratch.migrator().status().await.unwrap().migrations.len(), 1);
    role.drop().await;
}

pub(crate) async fn what_a_role_may_not_do_is_told(scratch: &Scratch) {
    let (airline, wide) = (table("airline", &[]), table("airline", &["seats"]));
    ensure_one(&scratch.migrator(), "Airline", &airline).await;
    let role = scratch.reader().await;
    let models = [ModelRef::new("Airline", &wide)];
    let error = role.migrator().ensure(&models, Policy::Additive).await;
    let Err(MigrateError::Permission { plan, .. }) = error else { panic!("{error:#?}") };
    assert_eq!(plan.steps.len(), 1);
    assert!(!scratch.has_column("airline", "seats").await);
    role.drop().await;
}
