//! Rows, and everything that hangs on a table, survive a plan.

use larder_model::{Class, Undo};

use super::{check_rows, plan, scratch};
use crate::harness::{Pair, Rows};

async fn check(
    current: &'static str,
    desired: &'static str,
    insert: &'static str,
    ask: &'static str,
) {
    let pair = Pair { name: desired, current, desired };
    check_rows(&pair, &Rows { insert, ask }).await;
}

#[tokio::test]
async fn rows_keep_their_values_and_their_numbers() {
    check(
        "CREATE TABLE t (a TEXT, b INTEGER)",
        "CREATE TABLE t (a TEXT NOT NULL, b INTEGER, CHECK (b > 0))",
        "INSERT INTO t (rowid, a, b) VALUES (7, 'x', 1), (3, 'it''s', 2)",
        "SELECT rowid, a, b FROM t ORDER BY rowid",
    )
    .await;
    check(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB UNIQUE)",
        "INSERT INTO t VALUES (9, x'00'), (-5, NULL), (2, NULL)",
        "SELECT id, rowid, typeof(a), hex(a) FROM t ORDER BY id",
    )
    .await;
    check(
        "CREATE TABLE t (a TEXT PRIMARY KEY NOT NULL, b) WITHOUT ROWID",
        "CREATE TABLE t (a TEXT PRIMARY KEY NOT NULL, b DEFAULT 5) WITHOUT ROWID",
        "INSERT INTO t VALUES ('x', 1), ('y', NULL)",
        "SELECT a, b FROM t ORDER BY a",
    )
    .await;
}

#[tokio::test]
async fn the_number_of_a_row_is_kept_also_where_names_of_it_are_taken() {
    check(
        "CREATE TABLE t (rowid TEXT, oid TEXT)",
        "CREATE TABLE t (rowid TEXT DEFAULT 'x', oid TEXT)",
        "INSERT INTO t (_rowid_, rowid, oid) VALUES (40, 'a', 'b')",
        "SELECT _rowid_, rowid, oid FROM t",
    )
    .await;
}

#[tokio::test]
async fn a_new_key_is_the_number_that_rows_have() {
    let (mut current, plan) =
        plan("CREATE TABLE t (a)", "CREATE TABLE t (a, id INTEGER PRIMARY KEY)").await;
    current.load("INSERT INTO t (rowid, a) VALUES (5, 'x'), (9, 'y')").await;
    current.apply(&plan).await;
    let rows = current.session.fetch("SELECT group_concat(id || a) FROM t", &[]).await.unwrap();
    assert_eq!(rows[0][0].as_text(), Some("5x,9y"));
}

#[tokio::test]
async fn the_counter_goes_on_where_it_was() {
    for insert in [
        "INSERT INTO t VALUES (100, 'x'), (3, 'y'); DELETE FROM t WHERE id = 100",
        "INSERT INTO t VALUES (100, 'x'); DELETE FROM t",
    ] {
        check(
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT)",
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT DEFAULT 'z')",
            insert,
            "SELECT name, seq FROM sqlite_sequence",
        )
        .await;
    }
}

/// With foreign keys enforced, dropping the old table would delete these rows.
#[tokio::test]
async fn rows_that_refer_to_a_table_survive_its_rebuild() {
    let mut current = scratch(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT); \
         CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER NOT NULL REFERENCES p ON DELETE CASCADE); \
         CREATE TABLE n (p INTEGER REFERENCES p (id) ON DELETE SET NULL); \
         INSERT INTO p VALUES (1, 'a'), (2, 'b'); INSERT INTO c VALUES (10, 1), (11, 2); \
         INSERT INTO n VALUES (2)",
    )
    .await;
    let enforced = current.session.fetch("PRAGMA foreign_keys", &[]).await.unwrap();
    assert!(enforced[0][0].is_true());
    let before = current.look().await;
    let wanted = scratch(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT NOT NULL); \
         CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER NOT NULL REFERENCES p ON DELETE CASCADE); \
         CREATE TABLE n (p INTEGER REFERENCES p (id) ON DELETE SET NULL)",
    )
    .await
    .look()
    .await;
    let dialect = current.session.dialect();
    let plan = larder_model::Plan::between(dialect, &larder_model::Scope::Exact, &before, &wanted);
    assert_eq!(plan.steps.len(), 1);
    assert_eq!(plan.steps[0].class, Class::DataDependent);
    current.apply(&plan).await;
    let ask = "SELECT (SELECT group_concat(id || '-' || p) FROM c), (SELECT p FROM n)";
    let rows = current.session.fetch(ask, &[]).await.unwrap();
    assert_eq!((rows[0][0].as_text(), rows[0][1].as_integer()), (Some("10-1,11-2"), Some(2)));
    // The references still work.
    current.load("DELETE FROM p WHERE id = 2").await;
    let rows = current.session.fetch(ask, &[]).await.unwrap();
    assert_eq!((rows[0][0].as_text(), rows[0][1].as_integer()), (Some("10-1"), None));
}

/// Whoever runs the statements by hand and forgets the switch loses nothing either.
#[tokio::test]
async fn a_rebuild_does_not_begin_while_references_are_enforced() {
    let child = "CREATE TABLE c (p INTEGER REFERENCES p (id) ON DELETE CASCADE)";
    let (mut current, plan) = plan(
        &format!("CREATE TABLE p (id INTEGER PRIMARY KEY, a TEXT); {child}"),
        &format!("CREATE TABLE p (id INTEGER PRIMARY KEY, a TEXT NOT NULL); {child}"),
    )
    .await;
    current.load("INSERT INTO p VALUES (1, 'x'); INSERT INTO c VALUES (1)").await;
    let mut statements = plan.statements();
    assert!(current.session.run(statements.next().unwrap()).await.is_err());
    current.apply(&plan).await;
    let rows = current.session.fetch("SELECT count(*) FROM c", &[]).await.unwrap();
    assert_eq!(rows[0][0].as_integer(), Some(1));
}

#[tokio::test]
async fn triggers_views_and_indexes_survive_a_rebuild() {
    let around = "CREATE TABLE log (x TEXT); \
        CREATE INDEX i ON t (a) WHERE a > 0; \
        CREATE TRIGGER own AFTER INSERT ON t BEGIN INSERT INTO log VALUES ('own' || new.a); END; \
        CREATE TRIGGER other AFTER INSERT ON log WHEN new.x = 'go' BEGIN INSERT INTO t VALUES (8); \
        END; \
        CREATE VIEW v AS SELECT a FROM \"T\"; CREATE VIEW w AS SELECT a + 1 AS b FROM v; \
        CREATE TRIGGER onto INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.a); END";
    let mut current = scratch(&format!("CREATE TABLE t (a INTEGER); {around}")).await;
    let texts = "SELECT group_concat(sql, char(10)) FROM \
        (SELECT sql FROM sqlite_schema WHERE name NOT IN ('t') ORDER BY name)";
    let text_before = current.session.fetch(texts, &[]).await.unwrap();
    let before = current.look().await;
    let desired = format!("CREATE TABLE t (a INTEGER NOT NULL UNIQUE); {around}");
    let wanted = scratch(&desired).await.look().await;
    let dialect = current.session.dialect();
    let plan = larder_model::Plan::between(dialect, &larder_model::Scope::Exact, &before, &wanted);
    current.load("INSERT INTO t VALUES (1)").await;
    current.apply(&plan).await;
    assert_eq!(text_before.len(), 1);
    let quiet = |rows: &[Vec<larder_migrate::Cell>]| rows[0][0].as_text().unwrap().to_lowercase();
    let text_after = current.session.fetch(texts, &[]).await.unwrap();
    assert_eq!(quiet(&text_before).replace(['"', ' '], ""), {
        quiet(&text_after).replace(['"', ' '], "").replace("main.", "")
    });
    current.load("INSERT INTO v VALUES (3); INSERT INTO log VALUES ('go')").await;
    let rows = current
        .session
        .fetch("SELECT (SELECT group_concat(b) FROM w), (SELECT group_concat(x) FROM log)", &[])
        .await
        .unwrap();
    assert_eq!(rows[0][0].as_text(), Some("2,4,9"));
    assert_eq!(rows[0][1].as_text(), Some("own1,own3,go,own8"));
    let after = current.look().await;
    assert_eq!(after.fingerprint(), wanted.fingerprint());
    // And on the way back.
    if plan.steps.iter().all(|step| step.undo != Undo::Irreversible) {
        current.undo(&plan).await;
        assert_eq!(current.look().await.fingerprint(), before.fingerprint());
        current.load("INSERT INTO v VALUES (4)").await;
    }
}

#[tokio::test]
async fn a_column_that_a_view_or_a_trigger_uses_is_not_dropped() {
    for user in [
        "CREATE VIEW v AS SELECT b FROM t",
        "CREATE TRIGGER r AFTER UPDATE OF b ON t BEGIN SELECT 1; END",
        "CREATE TRIGGER r AFTER INSERT ON u BEGIN UPDATE t SET b = 1; END",
    ] {
        let keep = "CREATE TABLE u (x)";
        let (mut current, plan) = plan(
            &format!("{keep}; CREATE TABLE t (a, b); {user}"),
            &format!("{keep}; CREATE TABLE t (a); CREATE VIEW v AS SELECT 1"),
        )
        .await;
        let step = plan.steps.iter().find(|step| step.table.name == "t").unwrap();
        assert_eq!(step.class, Class::Unsupported, "{step:#?}");
        assert!(step.statements.is_empty());
        let other = plan.statements().count();
        assert_eq!(other, 0, "{plan:#?}");
        assert_eq!(current.probe(&plan).await.len(), plan.steps.len());
    }
}

#[tokio::test]
async fn not_null_with_a_default_replaces_null() {
    let (mut current, plan) = plan(
        "CREATE TABLE t (a TEXT, b TEXT)",
        "CREATE TABLE t (a TEXT NOT NULL DEFAULT 'none', b TEXT)",
    )
    .await;
    current.load("INSERT INTO t VALUES (NULL, 'x'), ('y', NULL)").await;
    assert_eq!(current.probe(&plan).await, [Some(1)]);
    assert_eq!(plan.steps[0].undo, Undo::Irreversible);
    current.apply(&plan).await;
    let rows = current.session.fetch("SELECT group_concat(a) FROM t", &[]).await.unwrap();
    assert_eq!(rows[0][0].as_text(), Some("none,y"));
}

#[tokio::test]
async fn probes_count_the_rows_in_the_way() {
    let check = async |current: &str, desired: &str, insert: &str, class: Class, rows: u64| {
        let (mut scratch, plan) = plan(current, desired).await;
        scratch.load(insert).await;
        let answers = scratch.probe(&plan).await;
        assert_eq!(answers, [Some(rows)], "{desired}: {plan:#?}");
        assert_eq!(plan.steps[0].class, class, "{desired}: {plan:#?}");
    };
    let depends = Class::DataDependent;
    let t = "CREATE TABLE t (a TEXT, b INTEGER)";
    let two = "INSERT INTO t VALUES ('x', 1), ('x', NULL), (NULL, 3), (NULL, 3)";
    check(t, "CREATE TABLE t (a TEXT NOT NULL, b INTEGER)", two, depends, 2).await;
    check(t, "CREATE TABLE t (a TEXT UNIQUE, b INTEGER)", two, depends, 1).await;
    check(t, "CREATE TABLE t (a TEXT, b INTEGER, UNIQUE (a, b))", two, depends, 0).await;
    check(t, "CREATE TABLE t (a TEXT, b INTEGER UNIQUE)", two, depends, 1).await;
    check(t, "CREATE TABLE t (a TEXT, b INTEGER CHECK (b < 2))", two, depends, 2).await;
    check(t, "CREATE TABLE t (a INTEGER, b INTEGER)", two, depends, 2).await;
    check(t, "CREATE TABLE t (a TEXT, b INTEGER, c NOT NULL)", two, depends, 4).await;
    check(t, "CREATE TABLE t (a TEXT)", two, Class::Destructive, 3).await;
    check(t, "CREATE TABLE t (a TEXT, b INTEGER PRIMARY KEY)", two, depends, 2).await;
    let index = "CREATE TABLE t (a TEXT, b INTEGER); \
        CREATE UNIQUE INDEX i ON t (a COLLATE NOCASE, ifnull(b, 1)) WHERE a <> 'y'";
    let cases = "INSERT INTO t VALUES ('x', 1), ('X', NULL), ('y', 1), ('y', 1)";
    check(t, index, cases, depends, 1).await;
    let nocase = "CREATE TABLE t (a TEXT COLLATE NOCASE UNIQUE)";
    let cases = "INSERT INTO t VALUES ('x'), ('X'), ('y')";
    check("CREATE TABLE t (a TEXT UNIQUE)", nocase, cases, depends, 1).await;
    let strict = "CREATE TABLE t (a TEXT, b INTEGER) STRICT";
    check(t, strict, "INSERT INTO t VALUES (x'00', 1), ('a', 'b'), ('a', 2)", depends, 2).await;
    let labels = "CREATE TABLE t (a TEXT, b INTEGER, c INTEGER DEFAULT 2 CHECK (c <> b))";
    check(t, labels, "INSERT INTO t VALUES ('x', 1), ('y', 2)", depends, 1).await;
    let without = "CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID";
    let plain = "CREATE TABLE t (a TEXT PRIMARY KEY)";
    let (mut scratch, plan) = plan(plain, without).await;
    scratch.load("INSERT INTO t VALUES (NULL), ('x')").await;
    assert!(scratch.probe(&plan).await.iter().flatten().all(|rows| *rows >= 1));
}

#[tokio::test]
async fn references_are_probed_also_before_their_target_is_there() {
    let t = "CREATE TABLE t (p INTEGER)";
    let rows = "INSERT INTO t VALUES (1), (2), (NULL)";
    let with = "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (p INTEGER REFERENCES p)";
    let (mut scratch, first) = plan(t, with).await;
    scratch.load(rows).await;
    assert_eq!(scratch.probe(&first).await.iter().flatten().copied().sum::<u64>(), 2);
    let there = format!("{t}; CREATE TABLE p (id INTEGER PRIMARY KEY)");
    let (mut scratch, second) = plan(&there, with).await;
    scratch.load(rows).await;
    scratch.load("INSERT INTO p VALUES (2)").await;
    assert_eq!(scratch.probe(&second).await, [Some(1)]);
}

#[tokio::test]
async fn a_rename_and_a_rebuild_take_everything_along() {
    let mut current = scratch(
        "CREATE TABLE airline (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT, \
           \"group\" TEXT, CHECK (code <> '' AND \"group\" <> 'code')); \
         CREATE UNIQUE INDEX i ON airline (lower(code)) WHERE code > ''; \
         CREATE TABLE flight (a TEXT REFERENCES airline ON DELETE CASCADE); \
         CREATE TABLE log (x); CREATE VIEW v AS SELECT code AS c FROM airline; \
         CREATE TRIGGER r AFTER UPDATE OF code ON airline BEGIN \
           INSERT INTO log SELECT old.code || new.code FROM airline; END; \
         INSERT INTO airline VALUES (50, 'x', 'g'); DELETE FROM airline; \
         INSERT INTO airline VALUES (7, 'lh', 'g'); INSERT INTO flight VALUES (7)",
    )
    .await;
    let before = current.look().await;
    let mut wanted = scratch(
        "CREATE TABLE carrier (id INTEGER PRIMARY KEY AUTOINCREMENT, iata TEXT NOT NULL, \
           \"order\" TEXT DEFAULT CURRENT_DATE, note TEXT, \
           CHECK (iata <> '' AND \"order\" <> 'code')); \
         CREATE UNIQUE INDEX i ON carrier (lower(iata)) WHERE iata > ''; \
         CREATE TABLE flight (a TEXT REFERENCES carrier ON DELETE CASCADE); CREATE TABLE log (x)",
    )
    .await
    .look()
    .await;
    let carrier = wanted.tables.iter_mut().find(|table| table.name.name == "carrier").unwrap();
    carrier.renamed_from = Some("airline".into());
    carrier.columns[1].renamed_from = Some("code".into());
    carrier.columns[2].renamed_from = Some("group".into());
    let dialect = current.session.dialect();
    let scope = larder_model::Scope::managed();
    let plan = larder_model::Plan::between(dialect, &scope, &before, &wanted);
    assert!(current.probe(&plan).await.iter().all(|rows| rows.unwrap_or(0) == 0), "{plan:#?}");
    current.apply(&plan).await;
    let after = current.look().await;
    let left = larder_model::Plan::between(dialect, &scope, &after, &wanted);
    assert!(left.is_empty(), "{left:#?}\n{plan:#?}");
    current.load("UPDATE carrier SET iata = 'xq'; INSERT INTO carrier (iata) VALUES ('af')").await;
    let sql = "SELECT (SELECT group_concat(c) FROM v), (SELECT x FROM log), (SELECT max(id) FROM \
        carrier), (SELECT count(*) FROM flight), (SELECT \"order\" FROM carrier WHERE id = 7)";
    let rows = current.session.fetch(sql, &[]).await.unwrap();
    assert_eq!(rows[0][0].as_text(), Some("xq,af"));
    assert_eq!(rows[0][1].as_text(), Some("lhxq"));
    assert_eq!((rows[0][2].as_integer(), rows[0][3].as_integer()), (Some(51), Some(1)));
    assert_eq!(rows[0][4].as_text(), Some("g"));
    current.load("DELETE FROM carrier WHERE id = 7").await;
    let rows = current.session.fetch("SELECT count(*) FROM flight", &[]).await.unwrap();
    assert_eq!(rows[0][0].as_integer(), Some(0));
}
