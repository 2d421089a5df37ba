//! What can not be connected is a typed error, within the time limit, without a secret.

use std::{
    error::Error as _,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use larder_query::{DatabaseErrorKind, DatabaseOptions, QueryError, UrlError};
use tokio::net::TcpListener;

use crate::{Fixture, number, open, random_name, run, url, with};

fn options() -> DatabaseOptions {
    // Nobody waits for it: a refusal comes by itself.
    DatabaseOptions::default().with_acquire_timeout(Duration::from_secs(60))
}

/// Fails to connect, and says so without the secret.
async fn refusal(url: &str) -> QueryError {
    let error = open(url, &options()).await.unwrap_err();
    let mut shown = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(inner) = source {
        shown += &inner.to_string();
        source = inner.source();
    }
    assert!(!shown.contains("hunter2"), "{shown}");
    error
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_wrong_role_or_database_is_a_permanent_error() {
    let server = url("LARDER_POSTGRES_URL");
    let error = refusal(&with(&server, "user=nobody_at_all&password=hunter2")).await;
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Authentication));
    assert!(!error.is_retryable());
    let error = refusal(&with(&server, "dbname=nothing_at_all")).await;
    let QueryError::Database(error) = error else { panic!("{error:?}") };
    assert_eq!(error.code(), Some("3D000"));
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_port_where_nothing_or_something_else_listens_is_a_connection_error() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = refusal(&format!("postgres://u:hunter2@{closed}/d")).await;
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection));

    let options = options().with_acquire_timeout(Duration::from_millis(300));
    let url = format!("postgres://u:hunter2@{}/d", silent.local_addr().unwrap());
    let error = open(&url, &options).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection));

    // What Redis and HTTP servers say to a client that they do not understand.
    for greeting in ["-ERR unknown command\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", ""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 1_024]).await;
            let _ = socket.write_all(greeting.as_bytes()).await;
        });
        let error = refusal(&format!("postgres://u:hunter2@{address}/d")).await;
        assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection), "{greeting:?}");
        server.await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn encryption_that_is_not_there_is_not_done_without() {
    let server = url("LARDER_POSTGRES_URL");
    for mode in ["prefer", "allow"] {
        let error = refusal(&with(&server, &format!("sslmode={mode}"))).await;
        assert!(matches!(error, QueryError::Url(UrlError::Encryption { .. })), "{error:?}");
    }
    let goes_on = Arc::new(AtomicBool::new(false));
    let server = server_without_encryption(Arc::clone(&goes_on)).await;
    for mode in ["require", "verify-ca", "verify-full"] {
        let error = refusal(&format!("postgres://u:hunter2@{server}/d?sslmode={mode}")).await;
        if cfg!(feature = "tls-rustls") {
            assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection), "{mode}");
        } else {
            assert!(matches!(error, QueryError::Url(UrlError::Encryption { .. })), "{error:?}");
        }
    }
    assert!(!goes_on.load(Ordering::SeqCst), "in plain text");
}

/// A server that declines every request for encryption, and notes whether anybody goes on.
async fn server_without_encryption(goes_on: Arc<AtomicBool>) -> SocketAddr {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            // Eight bytes: a length and the code of the request.
            let mut request = [0; 8];
            if socket.read_exact(&mut request).await.is_ok() {
                let _ = socket.write_all(b"N").await;
                if socket.read(&mut request).await.is_ok_and(|read| read > 0) {
                    goes_on.store(true, Ordering::SeqCst);
                }
            }
        }
    });
    address
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_password_with_signs_in_it_is_sent_as_it_is() {
    // The server trusts everybody, so that only the URL can go wrong here; the driver's own tests
    // check the decoded text.
    let fixture = Fixture::new().await;
    let role = random_name();
    run(&fixture.database, &format!("CREATE ROLE {role} LOGIN PASSWORD 'p@/#%:w'")).await;
    let (scheme, rest) = fixture.server.split_once("://").unwrap();
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let url = format!("{scheme}://{role}:p%40%2F%23%25%3Aw@{place}");
    let database = open(&with(&url, &format!("dbname={}", fixture.name)), &options()).await;
    let database = database.unwrap();
    assert_eq!(number(&database, &format!("SELECT (current_user = '{role}')::int4")).await, 1);
    assert_eq!(database.identity(), fixture.database.identity(), "readable by everybody");
    database.close().await;
    run(&fixture.database, &format!("DROP ROLE {role}")).await;
}
