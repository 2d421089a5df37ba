//! Whether something changed.

use larder_migrate::{identity, signal, tokens};
use larder_model::TableName;

use crate::{
    databases::{open, with_databases},
    on_both,
};

on_both!(
    every_change_of_a_schema_is_counted_for_everybody,
    tokens_change_with_their_table_and_nothing_else,
    identity_is_the_databases_and_not_the_ways,
);

/// Whatever way a statement takes. Other tests change schemas at the same time, so that what is
/// no change can not be told here.
async fn every_change_of_a_schema_is_counted_for_everybody(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let (mut session, mut other) = (open(&url).await, open(&url).await);
        let setup = "CREATE PROCEDURE p() BEGIN ALTER TABLE t ADD COLUMN e INT; END";
        other.run(setup).await.unwrap();
        for sql in [
            "CREATE TABLE t (a INT PRIMARY KEY, b INT)",
            "ALTER TABLE t ADD COLUMN c INT, ALGORITHM=INSTANT",
            "ALTER TABLE t ALTER COLUMN c SET DEFAULT 5",
            "CREATE INDEX i ON t (b)",
            "DROP INDEX i ON t",
            "RENAME TABLE t TO u; RENAME TABLE u TO t",
            "CREATE TABLE l LIKE t",
            "CREATE TABLE s SELECT 1 AS a",
            "CALL p()",
            "PREPARE d FROM 'ALTER TABLE t ADD COLUMN d INT'; EXECUTE d",
            "CREATE VIEW v AS SELECT a FROM t",
            "DROP VIEW v",
            "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.b = 1",
            "DROP TRIGGER r",
            "DROP TABLE s, l",
        ] {
            let before = signal(&mut *session).await.unwrap();
            other.run(sql).await.unwrap();
            assert_ne!(signal(&mut *session).await.unwrap(), before, "{sql}");
            // A server that began to count anew has another start.
            let since = before.rsplit_once("since=").unwrap().1.parse::<i64>().unwrap();
            assert!(since > 1_500_000_000, "{before}");
        }
    })
    .await;
}

async fn tokens_change_with_their_table_and_nothing_else(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        let setup = "CREATE TABLE t (a INT AUTO_INCREMENT PRIMARY KEY, b VARCHAR(20)); \
                     CREATE TABLE u (a INT); CREATE VIEW v AS SELECT a FROM t";
        session.run(setup).await.unwrap();
        let names = ["u", "missing", "t", "v"].map(TableName::new);
        let mut last = tokens(&mut *session, &names).await.unwrap();
        assert!(last[0].is_some() && last[1].is_none() && last[2].is_some() && last[3].is_some());
        assert_ne!(last[0], last[2]);
        session.run("INSERT INTO t (b) VALUES ('x'), ('y'); DELETE FROM t").await.unwrap();
        assert_eq!(tokens(&mut *session, &names).await.unwrap(), last);
        for sql in [
            "ALTER TABLE t ADD COLUMN c INT, ALGORITHM=INSTANT",
            "ALTER TABLE t ALTER COLUMN c SET DEFAULT 5",
            "ALTER TABLE t MODIFY COLUMN b VARCHAR(30)",
            "ALTER TABLE t MODIFY COLUMN b VARCHAR(30) NOT NULL",
            "ALTER TABLE t RENAME COLUMN c TO d",
            "CREATE INDEX i ON t (b)",
            "CREATE UNIQUE INDEX j ON t (d)",
            "ALTER TABLE t ADD CONSTRAINT k CHECK (d > 0)",
            "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (d) REFERENCES t (a)",
            "ALTER TABLE t DROP FOREIGN KEY f",
            "ALTER TABLE t MODIFY COLUMN d INT COMMENT 'x'",
            "ALTER TABLE t COLLATE utf8mb4_bin",
        ] {
            session.run(sql).await.unwrap();
            let now = tokens(&mut *session, &names).await.unwrap();
            assert_ne!(now[2], last[2], "{sql}");
            assert_eq!(now[0], last[0], "{sql}");
            last = now;
        }
        assert_eq!(tokens(&mut *session, &[]).await.unwrap(), []);
    })
    .await;
}

async fn identity_is_the_databases_and_not_the_ways(variable: &str) {
    with_databases(variable, async |[one, other]: [String; 2]| {
        let mut identities = Vec::new();
        for url in [&one, &one.replace("127.0.0.1", "localhost"), &other] {
            let mut session = open(url).await;
            identities.push(identity(&mut *session).await.unwrap());
        }
        assert_eq!(identities[0], identities[1]);
        assert_ne!(identities[0], identities[2]);
        let database = one.rsplit('/').next().unwrap().trim_end_matches('?');
        let server = identities[0].strip_suffix(&format!("/{database}")).unwrap();
        assert!(identities[2].starts_with(server), "{identities:?}");
        // Something that another server does not have.
        assert!(server.starts_with("mysql:") && server.len() > 20, "{server}");
    })
    .await;
}
