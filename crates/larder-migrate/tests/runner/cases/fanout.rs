//! One fan-out over databases of several kinds.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;
use larder_migrate::{FanOut, FanOutOptions, ModelRef, Tenant, UrlConnector};

use crate::support::{Scratch, table};

/// A stream of what is there already.
struct Listed(std::vec::IntoIter<Tenant>);

impl Stream for Listed {
    type Item = Tenant;

    fn poll_next(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Option<Tenant>> {
        Poll::Ready(self.0.next())
    }
}

/// Empty databases look alike, and what is done to them differs.
pub(crate) async fn databases_of_two_kinds_have_plans_of_their_own(scratch: &Scratch) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let url = format!("sqlite://{}/{name}.db?mode=rwc", folder.path().display());
        Tenant::new(name.to_owned(), Arc::new(UrlConnector::new(url)))
    };
    let server = Tenant::new("server".to_owned(), scratch.connector());
    let tenants = vec![file("first"), server, file("second")];
    let airline = table("airline", &["seats"]);
    let models = [ModelRef::new("Airline", &airline)];
    let fan_out = FanOut::new(FanOutOptions::default());
    let summary = fan_out.run(&models, Listed(tenants.into_iter()), |_| {}).await.unwrap();
    assert_eq!((summary.migrated, summary.groups.len()), (3, 2), "{summary:?}");
    assert!(scratch.has_column("airline", "seats").await);
}
