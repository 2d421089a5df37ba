//! Connections over TLS and over a Unix socket.

use std::error::Error as _;

use larder_query::{Database, DatabaseErrorKind, DatabaseOptions, QueryError, UrlError};

use crate::fixture::{number, open, rows, variable};

/// The URL of a setup without its parameters.
fn bare(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

async fn connect(url: &str) -> Result<Database, QueryError> {
    open(url, &DatabaseOptions::default().with_connections_max(2)).await
}

async fn cipher(database: &Database) -> String {
    rows(database, "SHOW SESSION STATUS LIKE 'Ssl_cipher'").await.rows()[0].get(1).unwrap()
}

pub(crate) async fn a_certificate_that_is_trusted_is_taken(setup: &str) {
    let url = variable(setup);
    let ca = variable("LARDER_TLS_CA");
    for mode in ["VERIFY_CA", "VERIFY_IDENTITY"] {
        let database =
            connect(&format!("{}?ssl-mode={mode}&ssl-ca={ca}", bare(&url))).await.unwrap();
        assert!(!cipher(&database).await.is_empty(), "{mode}");
        assert_eq!(number(&database, "SELECT 7").await, 7);
        let health = database.health().await.unwrap();
        let found = health.facts.iter().find(|fact| fact.name == "encryption").unwrap();
        assert_ne!(found.value, "none");
        assert!(health.advice.is_empty(), "{:?}", health.advice);
        database.close().await;
    }
    // The parameters of the setup itself.
    connect(&url).await.unwrap().close().await;
}

pub(crate) async fn a_certificate_of_somebody_else_is_refused(setup: &str) {
    let url = variable(setup);
    for parameters in ["ssl-mode=VERIFY_CA", "ssl-mode=VERIFY_IDENTITY"] {
        // Signed by nobody whom the system trusts.
        let error = connect(&format!("{}?{parameters}", bare(&url))).await.unwrap_err();
        assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection), "{parameters}");
        let source = error.source().map(ToString::to_string).unwrap_or_default();
        assert!(!source.contains("larder_tls:"), "{source}");
    }
}

pub(crate) async fn without_verification_it_is_encrypted_and_health_says_so(setup: &str) {
    let url = variable(setup);
    let database = connect(&format!("{}?ssl-mode=REQUIRED", bare(&url))).await.unwrap();
    assert!(!cipher(&database).await.is_empty());
    let health = database.health().await.unwrap();
    assert!(health.advice.iter().any(|advice| advice.contains("VERIFY_IDENTITY")), "{health:?}");
}

pub(crate) async fn plain_text_is_never_fallen_back_to(setup: &str) {
    let url = variable(setup);
    // The account may not do without encryption.
    let error = connect(&format!("{}?ssl-mode=DISABLED", bare(&url))).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Authentication), "{error:?}");
    let error = connect(&format!("{}?ssl-mode=PREFERRED", bare(&url))).await.unwrap_err();
    assert!(matches!(error, QueryError::Url(UrlError::Encryption { .. })), "{error:?}");
}

pub(crate) async fn a_socket_is_a_way_to_the_same_database(setup: &str) {
    let url = variable(setup);
    let database = connect(&url).await.unwrap();
    assert_eq!(number(&database, "SELECT 7").await, 7);
    let over_tcp = connect(bare(&url)).await.unwrap();
    assert_eq!(over_tcp.identity(), database.identity());
    let mut transaction = database.begin().await.unwrap();
    transaction.execute("DO 0", &larder_query::Params::new()).await.unwrap();
    transaction.commit().await.unwrap();
}
