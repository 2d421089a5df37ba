//! Rows that stand in the way of a step, and what becomes of them.

use larder_migrate::{Session, Target, introspect};
use larder_model::{Catalog, Class, Plan, Policy, Scope, Step};

use crate::{
    databases::{open, with_databases},
    on_both,
};

on_both!(
    a_new_column_asks_the_rows_that_are_there,
    columns_and_keys_grow_with_their_rows,
    labels_keep_their_rows,
    rows_in_the_way_are_counted_and_never_changed,
    what_says_that_nobody_waits_is_refused_otherwise,
);

async fn look(session: &mut dyn Session) -> Catalog {
    introspect(session, &Target::Schema(None)).await.unwrap()
}

/// The plan from what `session` has to what another database has after `desired`.
async fn plan(session: &mut dyn Session, elsewhere: &str, desired: &str) -> Plan {
    let mut other = open(elsewhere).await;
    let tables = look(&mut *other).await.tables;
    other.run("SET foreign_key_checks = 0").await.unwrap();
    for table in tables {
        other.run(&format!("DROP TABLE `{}`", table.name)).await.unwrap();
    }
    other.run(desired).await.unwrap();
    let desired = look(&mut *other).await;
    Plan::between(session.dialect(), &Scope::Exact, &look(session).await, &desired)
}

async fn count(session: &mut dyn Session, step: &Step) -> i64 {
    let probe = step.probe.as_ref().unwrap_or_else(|| panic!("{step:#?}"));
    let rows = session.fetch(&probe.sql, &[]).await;
    let rows = rows.unwrap_or_else(|error| panic!("{error:?} {step:#?}"));
    assert_eq!((rows.len(), rows[0].len()), (1, 1));
    match &rows[0][0] {
        larder_migrate::Cell::Text(text) => text.parse().unwrap(),
        cell => cell.as_integer().unwrap(),
    }
}

/// Every change that depends on rows: `rows` of them stand in the way, the statement fails and
/// changes none, and after `repair` it runs.
async fn rows_in_the_way_are_counted_and_never_changed(variable: &str) {
    const CASES: [(&str, &str, &str, i64, &str); 18] = [
        ("(a INT)", "(1), (NULL), (NULL)", "(a INT NOT NULL)", 2, "a = 7 WHERE a IS NULL"),
        (
            "(a VARCHAR(9))",
            "('x'), (NULL)",
            "(a VARCHAR(9) NOT NULL DEFAULT 'y')",
            1,
            "a = 'z' WHERE a IS NULL",
        ),
        ("(a BIGINT)", "(1), (3000000000)", "(a INT)", 1, "a = 2 WHERE a > 1"),
        ("(a INT)", "(1), (-5)", "(a INT UNSIGNED)", 1, "a = 5 WHERE a < 0"),
        ("(a VARCHAR(20))", "('short'), ('quite long')", "(a VARCHAR(5))", 1, "a = LEFT(a, 5)"),
        ("(a LONGTEXT)", "('größe'), ('länger')", "(a VARCHAR(5))", 1, "a = LEFT(a, 5)"),
        ("(a DECIMAL(10,2))", "(1.25), (1.50)", "(a DECIMAL(10,1))", 1, "a = 2"),
        ("(a DATETIME(6))", "('2020-01-01 00:00:00.5')", "(a DATETIME)", 1, "a = '2020-01-01'"),
        ("(a ENUM('a','b'))", "('a'), ('b')", "(a ENUM('a','c'))", 1, "a = 'a'"),
        ("(a SET('a','b'))", "('a'), ('a,b')", "(a SET('a'))", 1, "a = 'a'"),
        ("(a VARCHAR(9))", "('a'), ('q')", "(a ENUM('a','b'))", 1, "a = 'b' WHERE a = 'q'"),
        ("(a TEXT)", "('{}'), ('{')", "(a JSON)", 1, "a = '[]' WHERE a = '{'"),
        ("(a VARCHAR(9))", "('a'), ('ä€')", "(a VARCHAR(9) CHARACTER SET ascii)", 1, "a = 'b'"),
        (
            "(a INT NOT NULL, b INT)",
            "(1, 1), (1, 2), (2, 3)",
            "(a INT NOT NULL, b INT, UNIQUE KEY a (a))",
            1,
            "a = b",
        ),
        (
            "(a INT NOT NULL, b INT)",
            "(1, 1), (1, 2)",
            "(a INT NOT NULL, b INT, PRIMARY KEY (a))",
            1,
            "a = b",
        ),
        (
            "(a VARCHAR(9) COLLATE utf8mb4_bin, b INT, UNIQUE KEY a (a))",
            "('x', 1), ('X', 2)",
            "(a VARCHAR(9) COLLATE utf8mb4_unicode_ci, b INT, UNIQUE KEY a (a))",
            1,
            "a = b",
        ),
        ("(a INT)", "(1), (NULL), (0), (-1)", "(a INT, CONSTRAINT c CHECK (a > 0))", 2, "a = 1"),
        (
            "(a INT PRIMARY KEY)",
            "(0), (5)",
            "(a INT PRIMARY KEY AUTO_INCREMENT)",
            1,
            "a = 3 WHERE a = 0",
        ),
    ];
    with_databases(variable, async |[url, elsewhere]: [String; 2]| {
        let mut session = open(&url).await;
        for (current, rows, desired, expected, repair) in CASES {
            let setup = format!("CREATE TABLE t {current}; INSERT INTO t VALUES {rows}");
            session.run(&setup).await.unwrap();
            let desired = format!("CREATE TABLE t {desired}");
            let plan = plan(&mut *session, &elsewhere, &desired).await;
            let [step] = plan.steps.as_slice() else { panic!("{plan:#?}") };
            assert_eq!(step.class, Class::DataDependent, "{step:#?}");
            assert_eq!(count(&mut *session, step).await, expected, "{step:#?}");
            let rows = [u64::try_from(expected).ok()];
            assert_eq!(plan.refused(Policy::Full, &rows).len(), 1);
            let all = "SELECT CAST(a AS CHAR) FROM t ORDER BY 1";
            let before = session.fetch(all, &[]).await.unwrap();
            // What the server would number or round is not an error to it.
            let is_error = !["AUTO_INCREMENT", "decimal", "datetime"]
                .iter()
                .any(|word| step.statements[0].contains(word));
            if is_error {
                let ran = session.run(&step.statements[0]).await;
                assert!(ran.is_err(), "{step:#?}");
            }
            assert_eq!(session.fetch(all, &[]).await.unwrap(), before, "{step:#?}");
            session.run(&format!("UPDATE t SET {repair}")).await.unwrap();
            assert_eq!(count(&mut *session, step).await, 0, "{step:#?}");
            assert!(plan.refused(Policy::Safe, &[Some(0)]).is_empty());
            let before = session.fetch(all, &[]).await.unwrap();
            session.run(&step.statements[0]).await.unwrap();
            // A number and a moment show how many digits they could have.
            if is_error || step.statements[0].contains("AUTO_INCREMENT") {
                assert_eq!(session.fetch(all, &[]).await.unwrap(), before, "{step:#?}");
            }
            session.run("DROP TABLE t").await.unwrap();
        }
    })
    .await;
}

/// Neither server refuses to write zeros by itself, in a strict mode as well.
async fn a_new_column_asks_the_rows_that_are_there(variable: &str) {
    with_databases(variable, async |[url, elsewhere]: [String; 2]| {
        let mut session = open(&url).await;
        session
            .run(
                "CREATE TABLE p (id INT PRIMARY KEY); INSERT INTO p VALUES (1); \
                     CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2)",
            )
            .await
            .unwrap();
        let desired = "CREATE TABLE p (id INT PRIMARY KEY); \
                       CREATE TABLE t (a INT, n INT NOT NULL)";
        let needs = plan(&mut *session, &elsewhere, desired).await;
        assert_eq!(needs.steps[0].class, Class::DataDependent);
        assert_eq!(count(&mut *session, &needs.steps[0]).await, 2);
        assert!(needs.steps[0].reason.as_deref().unwrap().contains("nobody chose"));
        // Checks and references over columns that are new are asked with what rows get there.
        let desired = "CREATE TABLE p (id INT PRIMARY KEY); \
                       CREATE TABLE t (a INT, b INT DEFAULT 1, c INT DEFAULT 7, d INT, \
                       CONSTRAINT ok CHECK (b <= a), CONSTRAINT bad CHECK (c < a + 6), \
                       CONSTRAINT f FOREIGN KEY (b) REFERENCES p (id), \
                       CONSTRAINT g FOREIGN KEY (c) REFERENCES p (id), \
                       CONSTRAINT h FOREIGN KEY (d) REFERENCES p (id))";
        let plan = plan(&mut *session, &elsewhere, desired).await;
        let mut counts = Vec::new();
        for step in plan.steps.iter().filter(|step| step.probe.is_some()) {
            counts.push((step.description.clone(), count(&mut *session, step).await));
        }
        counts.sort();
        let found: Vec<_> = counts.iter().map(|(_, count)| *count).collect();
        assert_eq!(found, [0, 1, 0, 2, 0], "{counts:?}");
    })
    .await;
}

async fn columns_and_keys_grow_with_their_rows(variable: &str) {
    with_databases(variable, async |[url, elsewhere]: [String; 2]| {
        let mut session = open(&url).await;
        session
            .run(
                "CREATE TABLE p (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(10)); \
                     CREATE TABLE c (id INT PRIMARY KEY, p INT NOT NULL, \
                     CONSTRAINT f FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE); \
                     INSERT INTO p VALUES (1, 'it''s'), (2, 'ä'); \
                     INSERT INTO c VALUES (10, 1), (11, 2)",
            )
            .await
            .unwrap();
        let desired = "CREATE TABLE p (id BIGINT AUTO_INCREMENT PRIMARY KEY, name TEXT); \
                       CREATE TABLE c (id BIGINT PRIMARY KEY, p BIGINT NOT NULL, \
                       CONSTRAINT f FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)";
        let plan = plan(&mut *session, &elsewhere, desired).await;
        assert!(plan.steps[0].statements[0].contains("DROP FOREIGN KEY `f`"), "{plan:#?}");
        assert!(plan.steps.last().unwrap().statements[0].contains("ADD CONSTRAINT `f`"));
        assert!(plan.steps.iter().all(|step| !step.transactional && step.statements.len() == 1));
        for step in &plan.steps {
            session.run(&step.statements[0]).await.unwrap();
        }
        let sql = "SELECT c.id, p.id, p.name FROM c JOIN p ON c.p = p.id ORDER BY 1";
        let rows = session.fetch(sql, &[]).await.unwrap();
        let shown: Vec<_> = rows.iter().map(|row| row[2].as_text().unwrap()).collect();
        assert_eq!(shown, ["it's", "ä"]);
        session
            .run("DELETE FROM p WHERE id = 1; INSERT INTO p (name) VALUES ('new')")
            .await
            .unwrap();
        let sql = "SELECT COUNT(*), (SELECT MAX(id) FROM p) FROM c";
        let row = session.fetch(sql, &[]).await.unwrap().remove(0);
        assert_eq!((row[0].as_integer(), row[1].as_integer()), (Some(1), Some(3)));
    })
    .await;
}

/// Rows keep their labels, and not the numbers of them.
async fn labels_keep_their_rows(variable: &str) {
    with_databases(variable, async |[url, elsewhere]: [String; 2]| {
        let mut session = open(&url).await;
        let setup = "CREATE TABLE t (a ENUM('a','b','it''s')); \
                     INSERT INTO t VALUES ('a'), ('b'), ('it''s')";
        session.run(setup).await.unwrap();
        for labels in ["'a','z','b','it''s'", "'it''s','b','a'", "'b','a','it''s','q'"] {
            let desired = format!("CREATE TABLE t (a ENUM({labels}))");
            let plan = plan(&mut *session, &elsewhere, &desired).await;
            assert!(!plan.is_empty());
            for step in &plan.steps {
                if let Some(probe) = &step.probe {
                    let rows = session.fetch(&probe.sql, &[]).await.unwrap();
                    assert_eq!(rows[0][0].as_integer(), Some(0), "{step:#?}");
                }
                session.run(&step.statements[0]).await.unwrap();
            }
            let sql = "SELECT CAST(a AS CHAR) FROM t ORDER BY 1";
            let rows = session.fetch(sql, &[]).await.unwrap();
            let shown: Vec<_> = rows.iter().map(|row| row[0].as_text().unwrap()).collect();
            assert_eq!(shown, ["a", "b", "it's"]);
        }
    })
    .await;
}

/// A clause that promises more than the server does is an error and no wait.
async fn what_says_that_nobody_waits_is_refused_otherwise(variable: &str) {
    with_databases(variable, async |[url, elsewhere]: [String; 2]| {
        let mut session = open(&url).await;
        session.run("CREATE TABLE t (a INT, b VARCHAR(10), c ENUM('x'))").await.unwrap();
        let desired = "CREATE TABLE t (a INT DEFAULT 5, b VARCHAR(20), c ENUM('x','y'), \
                       d INT, e INT NOT NULL DEFAULT 1, KEY a (a))";
        let plan = plan(&mut *session, &elsewhere, desired).await;
        assert_eq!(plan.steps.len(), 6, "{plan:#?}");
        for step in &plan.steps {
            assert!(matches!(step.class, Class::Additive | Class::Metadata | Class::Online));
            let sql = &step.statements[0];
            let promise = [", ALGORITHM=INSTANT", ", ALGORITHM=INPLACE, LOCK=NONE"];
            assert!(promise.iter().any(|promise| sql.ends_with(promise)), "{sql}");
        }
        assert!(plan.refused(Policy::Safe, &[None; 6]).is_empty());
        // The same words around another change are refused.
        let error = session.run("ALTER TABLE t MODIFY COLUMN a BIGINT, ALGORITHM=INPLACE");
        assert!(matches!(error.await.unwrap_err().code(), Some("1845" | "1846")));
    })
    .await;
}
