//! SQLite: one file, no server.

use larder_migrate::{DownTarget, FileProblem, FileRepair, registering_statements};
use larder_model::Dialect;

use crate::{
    adoption::adoptions,
    place::{Place, files, told, version},
    scenarios::scenarios,
};

async fn place() -> Place {
    Place::sqlite()
}

scenarios!(place(),);
adoptions!(place(),);

#[tokio::test]
async fn triggers_are_created_whole() {
    let place = Place::sqlite();
    let text = "CREATE TABLE a (x INTEGER, end INTEGER);\n\
                CREATE TRIGGER t AFTER INSERT ON a WHEN NEW.end IS NULL BEGIN\n\
                  UPDATE a SET end = CASE WHEN NEW.x > 1 THEN 2 ELSE 1 END WHERE x = NEW.x;\n\
                  DELETE FROM a WHERE x = 0;\n\
                END;\nINSERT INTO a (x) VALUES (0), (5);";
    place.up_all(&files(&[("1_a.sql", text)])).await;
    assert_eq!(place.integer("SELECT SUM(end) FROM a").await, Some(2));
}

/// Children survive that their parent is built anew, which drops it once.
#[tokio::test]
async fn a_rebuilt_table_keeps_its_children() {
    let place = Place::sqlite();
    let create = (
        "1_a.sql",
        "CREATE TABLE p (id INTEGER PRIMARY KEY, n TEXT);\
         CREATE TABLE c (p INTEGER REFERENCES p (id) ON DELETE CASCADE);\
         INSERT INTO p VALUES (1, 'x'); INSERT INTO c VALUES (1);",
    );
    let rebuild = "CREATE TABLE q (id INTEGER PRIMARY KEY, n TEXT NOT NULL);\
                   INSERT INTO q SELECT * FROM p; DROP TABLE p; ALTER TABLE q RENAME TO p;";
    place.up_all(&files(&[create, ("2_b.sql", rebuild)])).await;
    assert_eq!((place.count("p").await, place.count("c").await), (Some(1), Some(1)));
}

#[tokio::test]
async fn rows_that_refer_to_nothing_are_refused() {
    let place = Place::sqlite();
    // What was so before is not this file's doing.
    place
        .run(
            "PRAGMA foreign_keys = OFF; CREATE TABLE p (id INTEGER PRIMARY KEY);\
             CREATE TABLE c (p INTEGER REFERENCES p (id)); INSERT INTO c VALUES (7)",
        )
        .await;
    let bad = files(&[("1_a.sql", "INSERT INTO c VALUES (8), (9)")]);
    let error = place.up(&bad).await.unwrap_err();
    assert!(matches!(error.problem(), FileProblem::ForeignKeys { rows: 2, .. }), "{error}");
    assert_eq!(place.count("c").await, Some(1));
    let good = files(&[("1_a.sql", "INSERT INTO p VALUES (8); INSERT INTO c VALUES (8)")]);
    assert_eq!(place.up_all(&good).await, ["1"]);
}

#[tokio::test]
async fn a_file_without_a_transaction_is_resumed_where_it_failed() {
    let place = Place::sqlite();
    let text = |third: &str| {
        format!("-- larder: no-transaction\nCREATE TABLE a (x);\nVACUUM;\n{third};\nANALYZE;")
    };
    let bad = files(&[("1_a.sql", &text("CREATE TABLE a (y)")), ("2_b.sql", "SELECT 1")]);
    let error = place.up(&bad).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "1_a.sql, line 4, column 1: statement 3 of 4 failed; the 2 before it stay done",
    );
    let blocked = place.up(&bad).await.unwrap_err();
    assert!(blocked.to_string().contains("repair it: retry"), "{}", told(&blocked));
    assert!(blocked.to_string().contains("statement 3 of 4"), "{}", told(&blocked));

    let mended = files(&[("1_a.sql", &text("CREATE TABLE b (y)")), ("2_b.sql", "SELECT 1")]);
    place.migrator().repair_file(&mended, &version("1"), FileRepair::Retry).await.unwrap();
    let report = place.up(&mended).await.unwrap();
    assert_eq!((report.files[0].statements, report.files.len()), (2, 2));
    assert_eq!(place.standings(&mended).await[0].1, "applied");
    assert_eq!(place.count("b").await, Some(0));
}

#[tokio::test]
async fn settings_of_a_file_end_with_it() {
    let place = Place::sqlite();
    let migrator = place.migrator();
    let on = ("1_a.sql", "-- larder: no-transaction\nPRAGMA foreign_keys = ON");
    let later = (
        "2_b.sql",
        "CREATE TABLE p (id INTEGER PRIMARY KEY);\
         CREATE TABLE c (p INTEGER REFERENCES p (id) ON DELETE CASCADE);\
         INSERT INTO p VALUES (1); INSERT INTO c VALUES (1);\
         DROP TABLE p; CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1);",
    );
    let files = files(&[on, later]);
    migrator.up(&files, &larder_migrate::UpOptions::new()).await.unwrap();
    assert_eq!(place.count("c").await, Some(1));
}

#[tokio::test]
async fn a_down_file_that_fails_changes_nothing() {
    let place = Place::sqlite();
    let with = |down| files(&[("1_a.up.sql", "CREATE TABLE a (x)"), ("1_a.down.sql", down)]);
    place.up_all(&with("")).await;
    let bad = with("DROP TABLE a; DROP TABLE missing");
    let error = place.migrator().down(&bad, &DownTarget::Steps(1)).await.unwrap_err();
    assert!(
        matches!(error.problem(), FileProblem::Statement { number: 2, kept: 0, .. }),
        "{error}"
    );
    assert_eq!(place.standings(&bad).await[0].1, "applied");
    let good = with("DROP TABLE a");
    place.migrator().down(&good, &DownTarget::Steps(1)).await.unwrap();
    assert_eq!(place.count("a").await, None);
}

/// A program that makes its schema by itself leaves what a run would have left.
#[tokio::test]
async fn a_file_that_was_registered_by_hand_is_known() {
    let text = "CREATE TABLE a (x TEXT DEFAULT 'it''s ?1');\nCREATE INDEX i ON a (x);";
    let files = files(&[("1_make_a.sql", text)]);
    let (by_hand, by_run) = (Place::sqlite(), Place::sqlite());
    by_run.up_all(&files).await;
    let options = by_hand.migrator().options().clone();
    let statements = registering_statements(Dialect::Sqlite, &options, &files.files()[0]).unwrap();
    by_hand.run(&format!("BEGIN; {text}; {}; COMMIT", statements.join("; "))).await;

    let history = async |place: &Place| {
        let mut row = place.migrator().status().await.unwrap().migrations.remove(0);
        (row.executor, row.lock_token, row.started_us) = (None, None, None);
        (row.finished_us, row.applied_us, row.applied_at) = (None, None, None);
        row
    };
    assert_eq!(history(&by_hand).await, history(&by_run).await);
    let report = by_hand.up(&files).await.unwrap();
    assert!(report.files.is_empty(), "{report:?}");
    assert_eq!(by_hand.migrator().status().await.unwrap().ddl_epoch, 1);
}
