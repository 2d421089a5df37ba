//! Steps keep rows whole: their questions count what is in the way, their statements lose nothing,
//! and one that was broken off can run again.

use larder_migrate::{Cell, Session, Target, introspect};
use larder_model::{Catalog, Class, Dialect, Plan, Scope, Step, Undo};

use crate::databases::{with_databases, with_session};

async fn look(session: &mut dyn Session) -> Catalog {
    introspect(session, &Target::Schema(None)).await.unwrap()
}

/// What a schema looks like; nothing of it stays.
async fn described(session: &mut dyn Session, sql: &str) -> Catalog {
    session.run("BEGIN; DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
    session.run(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    let catalog = look(session).await;
    session.rollback().await.unwrap();
    catalog
}

async fn plan(session: &mut dyn Session, desired: &str) -> Plan {
    let desired = described(session, desired).await;
    let current = look(session).await;
    Plan::between(Dialect::Postgres, &Scope::Exact, &current, &desired)
}

async fn count(session: &mut dyn Session, sql: &str) -> i64 {
    let rows = session.fetch(sql, &[]).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    rows[0][0].as_integer().unwrap()
}

async fn run(session: &mut dyn Session, statements: &[String]) {
    for sql in statements {
        session.run(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }
}

fn the_step(plan: &Plan) -> &Step {
    assert_eq!(plan.steps.len(), 1, "{plan:#?}");
    &plan.steps[0]
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_question_counts_the_rows_that_are_in_the_way() {
    let cases: &[(&str, &str, Class, i64)] = &[
        (
            "CREATE TABLE t (a text); INSERT INTO t VALUES ('abcd'), ('abc'), (NULL)",
            "CREATE TABLE t (a varchar(3))",
            Class::DataDependent,
            1,
        ),
        (
            "CREATE TABLE t (a bigint); INSERT INTO t VALUES (3000000000), (-3000000000), (1)",
            "CREATE TABLE t (a int)",
            Class::DataDependent,
            2,
        ),
        (
            "CREATE TABLE t (a numeric); INSERT INTO t VALUES (1.005), (1.5), (100), (NULL)",
            "CREATE TABLE t (a numeric(4,2))",
            Class::DataDependent,
            2,
        ),
        (
            "CREATE TABLE t (a numeric); INSERT INTO t VALUES (1.5), (2), (40000)",
            "CREATE TABLE t (a smallint)",
            Class::DataDependent,
            2,
        ),
        (
            "CREATE TABLE t (a timestamp); INSERT INTO t VALUES ('2020-01-01 00:00:00.5'), ('2020-01-01')",
            "CREATE TABLE t (a timestamp(0))",
            Class::DataDependent,
            1,
        ),
        (
            "CREATE TABLE t (a timestamp); INSERT INTO t VALUES ('2020-01-01'), (NULL)",
            "CREATE TABLE t (a timestamptz)",
            Class::DataDependent,
            1,
        ),
        (
            "CREATE TABLE t (a int); INSERT INTO t VALUES (NULL), (1)",
            "CREATE TABLE t (a int NOT NULL)",
            Class::DataDependent,
            1,
        ),
        (
            "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)",
            "CREATE TABLE t (a int, b int NOT NULL)",
            Class::DataDependent,
            2,
        ),
        (
            "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 1), (1, 1), (NULL, 1), (NULL, 1)",
            "CREATE TABLE t (a int, b int, UNIQUE (a, b))",
            Class::DataDependent,
            1,
        ),
        (
            "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 1), (1, 1), (NULL, 1), (NULL, 1)",
            "CREATE TABLE t (a int, b int, UNIQUE NULLS NOT DISTINCT (a, b))",
            Class::DataDependent,
            2,
        ),
        (
            "CREATE TABLE t (a text); INSERT INTO t VALUES ('x'), ('X'), ('y')",
            "CREATE TABLE t (a text); CREATE UNIQUE INDEX i ON t (lower(a)) WHERE a <> 'y'",
            Class::DataDependent,
            1,
        ),
        (
            "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (-1), (NULL)",
            "CREATE TABLE t (a int CHECK (a > 0))",
            Class::DataDependent,
            1,
        ),
        (
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int);
             INSERT INTO p VALUES (1); INSERT INTO t VALUES (1), (2), (NULL)",
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int REFERENCES p)",
            Class::DataDependent,
            1,
        ),
        (
            "CREATE TYPE m AS ENUM ('a', 'b'); CREATE TABLE t (m m, ms m[]);
             INSERT INTO t VALUES ('b', '{a}'), ('a', '{a,b}'), ('a', NULL)",
            "CREATE TYPE m AS ENUM ('a'); CREATE TABLE t (m m, ms m[])",
            Class::DataDependent,
            2,
        ),
        (
            "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 1), (1, NULL)",
            "CREATE TABLE t (a int)",
            Class::Destructive,
            1,
        ),
        ("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)", "", Class::Destructive, 2),
        (
            "CREATE TABLE t (a double precision); INSERT INTO t VALUES (1), (NULL)",
            "CREATE TABLE t (a real)",
            Class::Destructive,
            1,
        ),
    ];
    with_session(move |mut session, _| async move {
        for (current, desired, class, rows) in cases {
            session.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
            session.run(current).await.unwrap();
            let plan = plan(&mut *session, desired).await;
            let step = the_step(&plan);
            assert_eq!(step.class, *class, "{step:#?}");
            let probe = step.probe.as_ref().unwrap();
            assert_eq!(count(&mut *session, &probe.sql).await, *rows, "{step:#?}");
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn what_can_be_undone_is_undone_by_the_statements_that_say_so() {
    let pairs = [
        (
            "CREATE TABLE t (a varchar(5) DEFAULT 'x', b int, c serial, d int DEFAULT 1)",
            "CREATE TABLE t (a text DEFAULT 'y', b bigint NOT NULL, c int GENERATED ALWAYS AS IDENTITY,
               d int, e text); COMMENT ON COLUMN t.b IS 'b'; COMMENT ON TABLE t IS 't'",
        ),
        (
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int NOT NULL, b int CHECK (b > 0) REFERENCES p);
             CREATE INDEX i ON t (a); CREATE TYPE m AS ENUM ('a', 'b'); CREATE TABLE u (m m DEFAULT 'a')",
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE CHECK (b > 1));
             CREATE INDEX j ON t (a); CREATE TYPE m AS ENUM ('b', 'a'); CREATE TABLE u (m m DEFAULT 'a');
             CREATE TABLE v (id int REFERENCES p)",
        ),
        (
            "CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a + 1) STORED)",
            "CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a + 2) STORED)",
        ),
    ];
    with_session(move |mut session, _| async move {
        for (current, desired) in pairs {
            session.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
            session.run(current).await.unwrap();
            let before = look(&mut *session).await;
            let plan = plan(&mut *session, desired).await;
            for step in &plan.steps {
                run(&mut *session, &step.statements).await;
            }
            assert_ne!(look(&mut *session).await.fingerprint(), before.fingerprint());
            for step in plan.steps.iter().rev() {
                let Undo::Statements(statements) = &step.undo else { panic!("{step:#?}") };
                run(&mut *session, statements).await;
            }
            let after = look(&mut *session).await;
            assert_eq!(after.fingerprint(), before.fingerprint(), "{plan:#?}");
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn an_index_that_was_broken_off_is_made_again() {
    with_session(|mut session, _| async move {
        session.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)").await.unwrap();
        let desired = "CREATE TABLE t (a int UNIQUE)";
        let before = plan(&mut *session, desired).await;
        let [recover, build, adopt] = the_step(&before).statements.as_slice() else { panic!() };
        session.run(recover).await.unwrap();
        session.run(build).await.unwrap_err();
        let left_over = look(&mut *session).await;
        assert!(!left_over.tables[0].indexes[0].valid);
        session.run("DELETE FROM t").await.unwrap();
        // The same plan goes on where it was, from its first statement or from any other one.
        run(&mut *session, &[recover.clone(), build.clone(), recover.clone(), build.clone()]).await;
        session.run(adopt).await.unwrap();
        assert!(plan(&mut *session, desired).await.is_empty());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn only_the_tables_own_left_over_is_dropped() {
    with_session(|mut session, _| async move {
        let sql = "CREATE TABLE t (a int); CREATE TABLE other (a int); \
            INSERT INTO other VALUES (1), (1)";
        session.run(sql).await.unwrap();
        let plan = plan(
            &mut *session,
            "CREATE TABLE t (a int); CREATE TABLE other (a int);
            CREATE UNIQUE INDEX i ON t (a)",
        )
        .await;
        session.run("CREATE UNIQUE INDEX CONCURRENTLY i ON other (a)").await.unwrap_err();
        session.run(&the_step(&plan).statements[0]).await.unwrap();
        let rows = session.fetch("SELECT to_regclass('i')::text", &[]).await.unwrap();
        assert_eq!(rows[0][0], Cell::Text("i".into()));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_column_that_was_being_filled_goes_on_where_it_was() {
    with_session(|mut session, _| async move {
        let desired = "CREATE TABLE t (a int NOT NULL)";
        session.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)").await.unwrap();
        let mut statements = 4;
        for done in 0..=4 {
            // The plan is made anew after each statement.
            let current = look(&mut *session).await;
            let wanted = described(&mut *session, desired).await;
            let plan = Plan::between(Dialect::Postgres, &Scope::managed(), &current, &wanted);
            if plan.is_empty() {
                assert_eq!(done, 4);
                break;
            }
            let step = the_step(&plan);
            assert!(step.statements.len() <= statements, "{done}: {step:#?}");
            assert_eq!(step.class == Class::Additive, done == 3, "{done}: {step:#?}");
            statements = step.statements.len();
            session.run(&step.statements[0]).await.unwrap();
        }
        let current = look(&mut *session).await;
        assert!(!current.tables[0].columns[0].nullable);
        assert!(current.tables[0].checks.is_empty(), "{current:#?}");
        // Where the column is to have NULL again after all, the check would be in the way.
        let (table, check) = ("t", "a IS NOT NULL");
        let sql = format!(
            "ALTER TABLE {table} ALTER a DROP NOT NULL, \
            ADD CONSTRAINT t_a_is_filled CHECK ({check}) NOT VALID, ADD CHECK ({check})"
        );
        session.run(&sql).await.unwrap();
        let current = look(&mut *session).await;
        let wanted = described(&mut *session, "CREATE TABLE t (a int)").await;
        let plan = Plan::between(Dialect::Postgres, &Scope::managed(), &current, &wanted);
        let step = the_step(&plan);
        assert!(step.statements[0].contains("t_a_is_filled"), "{step:#?}");
        assert_eq!((step.class, plan.unmanaged.len()), (Class::Metadata, 1), "{plan:#?}");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_number_is_never_given_out_twice_when_a_column_is_numbered_otherwise() {
    with_session(|mut session, _| async move {
        let serial = "CREATE TABLE t (id serial PRIMARY KEY, a int)";
        let identity =
            "CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a int)";
        session.run(serial).await.unwrap();
        session.run("INSERT INTO t (a) VALUES (1), (2), (3); DELETE FROM t").await.unwrap();
        for (round, desired) in [identity, serial, identity].into_iter().enumerate() {
            let plan = plan(&mut *session, desired).await;
            run(&mut *session, &the_step(&plan).statements).await;
            let next = count(&mut *session, "INSERT INTO t (a) VALUES (1) RETURNING id").await;
            assert!(next > 3 + i64::try_from(round).unwrap(), "{next}");
            session.run("DELETE FROM t").await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn an_index_is_made_while_a_reader_holds_its_table() {
    with_databases(|[url]: [String; 1]| async move {
        use larder_migrate::{Connector as _, UrlConnector};
        let mut session = UrlConnector::new(&url).connect().await.unwrap();
        session.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)").await.unwrap();
        let plan = plan(&mut *session, "CREATE TABLE t (a int NOT NULL CHECK (a > 0))").await;
        let mut other = UrlConnector::new(&url).connect().await.unwrap();
        // Whoever waits does not wait longer than this.
        session.run("SET lock_timeout = '5s'").await.unwrap();
        for step in &plan.steps {
            for sql in step.statements.iter().filter(|sql| sql.contains("VALIDATE")) {
                let add = step.statements.iter().take_while(|other| *other != sql);
                run(&mut *session, &add.cloned().collect::<Vec<_>>()).await;
                other.run("BEGIN; INSERT INTO t VALUES (2)").await.unwrap();
                // Rows are read while somebody else is writing some.
                session.run(sql).await.unwrap();
                other.run("COMMIT").await.unwrap();
            }
        }
    })
    .await;
}

/// Checks, unique constraints and references over columns that the same plan adds, renames or
/// converts: what rows will have there is asked, and not that the question can not be put.
#[tokio::test]
#[ignore = "needs a live service"]
async fn a_question_is_about_the_values_that_rows_will_have() {
    let cases: &[(&str, &str, &[i64])] = &[
        ("t (a int, b int DEFAULT 1 CHECK (b > a))", "CHECK", &[3]),
        ("t (a int, b int DEFAULT 9, CHECK (b > a))", "CHECK", &[0]),
        ("t (a int, b text COLLATE \"C\" CHECK (b <> ''))", "CHECK", &[0]),
        ("t (a int, g int GENERATED ALWAYS AS (a * 2) STORED CHECK (g > 4))", "CHECK", &[2]),
        (
            "t (a int, b int DEFAULT 3, g int GENERATED ALWAYS AS (a * b) STORED, CHECK (g > b))",
            "CHECK",
            &[1],
        ),
        ("t (a bigint CHECK (a > 2))", "CHECK", &[2]),
        ("t (a text CHECK (length(a) > 1))", "CHECK", &[3]),
        ("t (a int, b int DEFAULT 7 UNIQUE)", "UNIQUE", &[1]),
        ("t (a bigint, b int DEFAULT 7, UNIQUE (a, b))", "UNIQUE", &[0]),
        ("t (a int, b int REFERENCES p DEFAULT 1)", "FOREIGN", &[0]),
        ("t (a int, b int REFERENCES p DEFAULT 2)", "FOREIGN", &[3]),
    ];
    with_session(move |mut session, _| async move {
        for (desired, kind, rows) in cases {
            session.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
            let parent = "CREATE TABLE p (id int PRIMARY KEY)";
            let setup = "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2), (3);";
            session.run(&format!("{parent}; INSERT INTO p VALUES (1); {setup}")).await.unwrap();
            let plan = plan(&mut *session, &format!("{parent}; CREATE TABLE {desired}")).await;
            let mut counts = Vec::new();
            for step in &plan.steps {
                if step.statements.iter().any(|sql| sql.contains(kind)) {
                    let probe = step.probe.as_ref().unwrap_or_else(|| panic!("{step:#?}"));
                    counts.push(count(&mut *session, &probe.sql).await);
                }
            }
            assert_eq!(counts, *rows, "{desired}: {plan:#?}");
        }
    })
    .await;
}

/// A value that a converted column does not take is counted by the conversion, and is no error of
/// another question; a label that is added by the plan can not be asked about before.
#[tokio::test]
#[ignore = "needs a live service"]
async fn a_question_that_can_not_be_put_is_no_error() {
    with_session(move |mut session, _| async move {
        let setup = "CREATE TYPE m AS ENUM ('a'); CREATE TABLE t (a bigint, m m);
            INSERT INTO t VALUES (5000000000, 'a'), (1, 'a')";
        session.run(setup).await.unwrap();
        let desired = "CREATE TYPE m AS ENUM ('a', 'b'); CREATE TYPE n AS ENUM ('x');
            CREATE TABLE t (a int CHECK (a > 1), m m CHECK (m <> 'b'), n n CHECK (n <> 'x'))";
        let plan = plan(&mut *session, desired).await;
        let mut counts = Vec::new();
        for step in &plan.steps {
            if let Some(probe) = &step.probe {
                counts.push(count(&mut *session, &probe.sql).await);
            }
        }
        assert_eq!(counts, [1, 1], "{plan:#?}");
        let unasked = plan.steps.iter().filter(|step| {
            step.class == Class::DataDependent && step.probe.is_none() && step.reason.is_some()
        });
        assert_eq!(unasked.count(), 2, "{plan:#?}");
    })
    .await;
}
