//! Tokens and signals tell what has changed, the identity which database it is.

use std::time::Duration;

use larder_migrate::{Connector as _, Session, UrlConnector, identity, signal, tokens};
use larder_model::TableName;

use crate::databases::{as_superuser, with_databases, with_session};

async fn token(session: &mut dyn Session) -> Option<String> {
    let names = [TableName::in_schema("public", "t"), TableName::new("missing")];
    let mut tokens = tokens(session, &names).await.unwrap();
    assert_eq!(tokens.pop(), Some(None));
    tokens.pop().unwrap()
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_token_changes_with_everything_but_comments_and_rows() {
    with_session(|mut session, _| async move {
        assert_eq!(token(&mut *session).await, None);
        let set_up = "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE p (id int PRIMARY KEY);
            CREATE TABLE t (id int PRIMARY KEY, a text, m mood, ms mood[])";
        session.run(set_up).await.unwrap();
        let mut last = token(&mut *session).await.unwrap();
        for sql in [
            "ALTER TABLE t ADD b int",
            "ALTER TABLE t ALTER a SET DEFAULT 'x'",
            "ALTER TABLE t ALTER a SET DEFAULT 'y'",
            "ALTER TABLE t ALTER a SET NOT NULL",
            "ALTER TABLE t ALTER a TYPE varchar(9)",
            "ALTER TABLE t RENAME b TO c",
            "CREATE INDEX i ON t (a)",
            "ALTER INDEX i RENAME TO j",
            "DROP INDEX j",
            "ALTER TABLE t ADD CHECK (id > 0)",
            "ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES p NOT VALID",
            "ALTER TABLE t VALIDATE CONSTRAINT t_id_fkey",
            "ALTER TYPE mood ADD VALUE 'b'",
            "ALTER TYPE mood RENAME VALUE 'b' TO 'c'",
            "ALTER TYPE mood RENAME TO other",
            "ALTER TABLE t DROP c",
            "DROP TABLE t; CREATE TABLE t (id int)",
        ] {
            session.run(sql).await.unwrap();
            let next = token(&mut *session).await.unwrap();
            assert_ne!(next, last, "{sql}");
            last = next;
        }
        for sql in [
            "COMMENT ON TABLE t IS 'x'; COMMENT ON COLUMN t.id IS 'y'",
            "INSERT INTO t SELECT generate_series(1, 1000)",
            "ANALYZE t",
            "VACUUM t",
            "CREATE TABLE other_table (id int)",
        ] {
            session.run(sql).await.unwrap();
            assert_eq!(token(&mut *session).await.unwrap(), last, "{sql}");
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_signal_changes_soon_after_somebody_else_changed_a_schema() {
    with_session(|mut session, url| async move {
        session.run("CREATE TABLE t (id int, a text)").await.unwrap();
        // What this session did itself is published when it is idle.
        let mut before = signal(&mut *session).await.unwrap();
        loop {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            let next = signal(&mut *session).await.unwrap();
            if next == before {
                break;
            }
            before = next;
        }
        session.run("INSERT INTO t SELECT generate_series(1, 100)").await.unwrap();
        assert_eq!(signal(&mut *session).await.unwrap(), before);
        for sql in ["ALTER TABLE t ALTER id SET NOT NULL", "CREATE TYPE e AS ENUM ('a')"] {
            let mut other = UrlConnector::new(&url).connect().await.unwrap();
            other.run(sql).await.unwrap();
            other.close().await;
            let alarm = async {
                while signal(&mut *session).await.unwrap() == before {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(20), alarm).await.unwrap();
            before = signal(&mut *session).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn one_database_has_one_identity_by_every_way_and_two_have_two() {
    with_databases(|[one, other]: [String; 2]| async move {
        let of = async |url: &str| {
            let mut session = UrlConnector::new(url).connect().await.unwrap();
            identity(&mut *session).await.unwrap()
        };
        let first = of(&one).await;
        assert!(first.starts_with("postgres:") && !first.contains("unknown"), "{first}");
        assert_eq!(of(&one.replace("127.0.0.1", "localhost")).await, first);
        assert_ne!(of(&other).await, first);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_server_that_does_not_tell_has_an_identity_that_nobody_shares() {
    with_session(|_, url| async move {
        let mut session = UrlConnector::new(as_superuser(&url)).connect().await.unwrap();
        let role = format!("larder_test_{:016x}", rand::random::<u64>());
        let sql = "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC";
        session.run(&format!("{sql}; CREATE ROLE {role}; SET ROLE {role}; BEGIN")).await.unwrap();
        let identities = [identity(&mut *session).await, identity(&mut *session).await];
        session.run(&format!("COMMIT; RESET ROLE; DROP ROLE {role}")).await.unwrap();
        // Nobody else could end a superuser's connection to drop the database.
        session.close().await;
        let [one, other] = identities.map(Result::unwrap);
        assert!(one.starts_with("postgres:unknown:") && one != other);
    })
    .await;
}
