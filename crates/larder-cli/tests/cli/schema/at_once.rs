//! Several `larder schema apply` at once: one does the work, and all of them end well.

use std::process::{Child, Stdio};

use serde_json::Value;

use super::{CREATED, Release, json, release, schema, told};
use crate::support::{Place, Ran};

/// Several at once on a database that is empty. Twice, because one may be through before the next
/// has begun.
fn at_once(place: &Place, url: &str) {
    for to in [Release::First, Release::Founded] {
        release(place, to);
        let start = |_| {
            let mut command = place.command();
            command.args(["schema", "apply", "--json", "--database", url]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let children: Vec<_> = (0..8).map(start).collect();
        let end = |child: Child| json(Ran::from(child.wait_with_output().unwrap()), 0);
        let documents: Vec<_> = children.into_iter().map(end).collect();
        let wrote = |document: &&Value| document["versions"] != Value::Array(Vec::new());
        assert_eq!(documents.iter().filter(wrote).count(), 1, "{documents:?}");
        told(schema(place, url, &["verify"]), 0);
    }
}

#[test]
fn several_that_apply_at_once_all_end_well() {
    at_once(&Place::new(), CREATED);
}

/// The same on a server, in a database of its own.
#[cfg(all(feature = "memcached", feature = "mysql", feature = "postgres", feature = "redis"))]
macro_rules! database {
    ($module:ident, $setup:literal) => {
        mod $module {
            #[test]
            #[ignore = "needs a live service"]
            fn several_that_apply_at_once_all_end_well() {
                let own = crate::servers::Own::new($setup);
                super::at_once(own.place(), &own.url());
            }
        }
    };
}

#[cfg(all(feature = "memcached", feature = "mysql", feature = "postgres", feature = "redis"))]
database!(postgres, "POSTGRES");
#[cfg(all(feature = "memcached", feature = "mysql", feature = "postgres", feature = "redis"))]
database!(mysql, "MYSQL");
#[cfg(all(feature = "memcached", feature = "mysql", feature = "postgres", feature = "redis"))]
database!(mariadb, "MARIADB");
