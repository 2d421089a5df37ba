//! Encrypted connections.

use std::error::Error as _;

use larder_query::{DatabaseErrorKind, DatabaseOptions};

use crate::{number, open, rows, url, with};

/// The URL without what it says about encryption.
fn bare() -> String {
    let url = url("LARDER_POSTGRES_TLS_URL");
    let (place, parameters) = url.split_once('?').unwrap_or((&url, ""));
    let others = parameters.split('&').filter(|text| !text.starts_with("ssl") && !text.is_empty());
    let others: Vec<_> = others.collect();
    if others.is_empty() { place.to_owned() } else { format!("{place}?{}", others.join("&")) }
}

fn trusted() -> String {
    with(&bare(), &format!("sslrootcert={}", url("LARDER_TLS_CA")))
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_certificate_is_verified_in_full() {
    for mode in ["verify-full", "verify-ca", "require"] {
        let url = with(&trusted(), &format!("sslmode={mode}"));
        let database = open(&url, &DatabaseOptions::default()).await.unwrap();
        let sql = "SELECT count(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
        assert_eq!(number(&database, sql).await, 1, "{mode}");
        let health = database.health().await.unwrap();
        let encryption = health.facts.iter().find(|fact| fact.name == "encryption").unwrap();
        assert!(encryption.value.starts_with("TLS"), "{encryption:?}");
        let is_advised = health.advice.iter().any(|advice| advice.contains("verify-full"));
        assert_eq!(is_advised, mode == "require");
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    for mode in ["verify-full", "verify-ca"] {
        let url = with(&bare(), &format!("sslmode={mode}"));
        let error = open(&url, &DatabaseOptions::default()).await.unwrap_err();
        assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection), "{mode}");
        let source = error.source().unwrap().to_string();
        assert!(source.contains("certificate"), "{source}");
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_root_certificate_that_is_missing_is_an_error() {
    let url = with(&trusted(), "sslmode=verify-full&sslrootcert=/nothing/at/all.pem");
    assert!(open(&url, &DatabaseOptions::default()).await.is_err());
    let url = with(&trusted(), "sslmode=verify-full");
    let database = open(&url, &DatabaseOptions::default()).await.unwrap();
    assert_eq!(rows(&database, "SELECT 1").await.len(), 1);
}
