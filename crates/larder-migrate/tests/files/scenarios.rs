//! What holds on every database.

use std::sync::Arc;

use larder_migrate::{
    DownTarget, FileProblem, FileRepair, MigrationFiles, MigrationStatus, OutOfOrder, UpOptions,
};
use tokio::{sync::Barrier, task::JoinSet};

use crate::place::{Place, files, texts, told, version};

/// Declares a test for each scenario; `$place` makes the database.
macro_rules! scenarios {
    ($place:expr, $(#[$attribute:meta])*) => {
        $crate::scenarios::scenarios!(@each_of scenarios, $place, [$(#[$attribute])*],
            files_go_up_in_order_and_come_down_again,
            nothing_to_do_writes_nothing,
            an_edited_file_is_refused_until_the_edit_is_accepted,
            a_checkout_with_other_line_ends_is_the_same,
            a_file_that_comes_late_runs_only_if_it_may,
            a_missing_file_is_told_and_a_later_one_is_not,
            migrators_at_once_run_each_file_once,
            a_text_that_can_not_run_stops_all_of_them_before_the_first,
            a_failed_file_keeps_no_lock,
            a_dropped_run_stops_nobody,
            applications_share_a_registry,
            changed_rows_alone_are_rolled_back_together,
            a_file_for_another_database_is_passed_over,
            the_history_says_what_happened,
        );
    };
    (@each_of $module:ident, $place:expr, $attributes:tt, $($name:ident,)*) => {
        $($crate::scenarios::scenarios!(@one $module, $place, $attributes, $name);)*
    };
    (@one $module:ident, $place:expr, [$($attribute:tt)*], $name:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $($attribute)*
        async fn $name() {
            let place = $place.await;
            $crate::$module::$name(&place).await;
            place.close().await;
        }
    };
}
pub(crate) use scenarios;

const CREATE_A: (&str, &str) = ("1_a.sql", "CREATE TABLE a (x INTEGER NOT NULL PRIMARY KEY);");
const CREATE_B: (&str, &str) = ("2_b.sql", "CREATE TABLE b (x INTEGER NOT NULL PRIMARY KEY);");

fn three() -> MigrationFiles {
    files(&[
        CREATE_A,
        ("2_fill.up.sql", "INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2); -- two\n"),
        ("2_fill.down.sql", "DELETE FROM a WHERE x < 3"),
        ("10_b.up.sql", "CREATE TABLE b (x INTEGER); INSERT INTO b VALUES (1)"),
        ("10_b.down.sql", "DROP TABLE b"),
    ])
}

pub(crate) async fn files_go_up_in_order_and_come_down_again(place: &Place) {
    let files = three();
    let to_two = UpOptions::new().with_to(version("2"));
    let report = place.migrator().up(&files, &to_two).await.unwrap();
    assert_eq!(texts(&report), ["1", "2"]);
    assert_eq!(report.files[1].statements, 2);
    assert_eq!((place.count("a").await, place.count("b").await), (Some(2), None));
    assert_eq!(place.up_all(&files).await, ["10"]);
    assert_eq!(place.count("b").await, Some(1));

    let down = place.migrator().down(&files, &DownTarget::Steps(1)).await.unwrap();
    assert_eq!(texts(&down), ["10"]);
    assert_eq!(place.count("b").await, None);
    let standings = place.standings(&files).await;
    assert_eq!(standings[2], ("10".to_owned(), "pending"));
    assert_eq!(place.up_all(&files).await, ["10"]);

    // Version 1 has no file that takes it back, and nothing was taken back on the way to it.
    let all = place.migrator().down(&files, &DownTarget::Steps(3)).await.unwrap_err();
    assert!(matches!(all.problem(), FileProblem::Irreversible { .. }), "{all}");
    assert_eq!(place.count("b").await, Some(1));
    let down = place.migrator().down(&files, &DownTarget::To(version("1"))).await.unwrap();
    assert_eq!(texts(&down), ["10", "2"]);
    assert_eq!(place.count("a").await, Some(0));
}

pub(crate) async fn nothing_to_do_writes_nothing(place: &Place) {
    let none = files(&[]);
    assert_eq!(place.up_all(&none).await, [""; 0]);
    assert!(place.migrator().status().await.unwrap().database_uid.is_none(), "no registry is made");
    let files = three();
    place.up_all(&files).await;
    let before = place.migrator().status().await.unwrap();
    assert_eq!(place.up_all(&files).await, [""; 0]);
    assert_eq!(place.migrator().status().await.unwrap(), before);
}

pub(crate) async fn an_edited_file_is_refused_until_the_edit_is_accepted(place: &Place) {
    place.up_all(&files(&[CREATE_A])).await;
    let edited = files(&[("1_a.sql", "CREATE TABLE a (x INTEGER PRIMARY KEY);"), CREATE_B]);
    let error = place.up(&edited).await.unwrap_err();
    assert!(
        matches!(error.problem(), FileProblem::Divergent { versions } if *versions == [version("1")]),
        "{error}"
    );
    assert_eq!(place.count("b").await, None);
    assert_eq!(place.standings(&edited).await[0].1, "divergent");

    let migrator = place.migrator();
    let one = version("1");
    let wrong = migrator.repair_file(&edited, &one, FileRepair::Retry).await.unwrap_err();
    assert!(matches!(wrong, FileProblem::NotRepairable { .. }), "{wrong}");
    migrator.repair_file(&edited, &one, FileRepair::AcceptEdit).await.unwrap();
    assert_eq!(place.up_all(&edited).await, ["2"]);
}

pub(crate) async fn a_checkout_with_other_line_ends_is_the_same(place: &Place) {
    let text = "-- A table.\nCREATE TABLE a (\n  x INTEGER\n);\n";
    place.up_all(&files(&[("1_a.sql", text)])).await;
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let files = files(&[("1_a.sql", &windows)]);
    assert_eq!(place.up_all(&files).await, [""; 0]);
    assert_eq!(place.standings(&files).await, [("1".to_owned(), "applied")]);
}

pub(crate) async fn a_file_that_comes_late_runs_only_if_it_may(place: &Place) {
    place.up_all(&files(&[CREATE_B])).await;
    let both = files(&[CREATE_A, CREATE_B]);
    let error = place.up(&both).await.unwrap_err();
    assert_eq!(error.to_string(), "not applied, though 2, which comes after, is: 1");
    assert_eq!(place.count("a").await, None);
    let allow = UpOptions::new().with_out_of_order(OutOfOrder::Allow);
    let report = place.migrator().up(&both, &allow).await.unwrap();
    assert!(report.files[0].out_of_order);
    let row = place.migrator().status().await.unwrap().migrations;
    let note = row.iter().find(|row| row.version == "1").unwrap().plan_json.clone().unwrap();
    assert!(note.contains("\"out_of_order\":true"), "{note}");
}

pub(crate) async fn a_missing_file_is_told_and_a_later_one_is_not(place: &Place) {
    let third = ("3_c.sql", "CREATE TABLE c (x INTEGER)");
    place.up_all(&files(&[CREATE_A, CREATE_B])).await;
    // An older program starts once more while a newer one is rolled out.
    assert_eq!(place.up_all(&files(&[CREATE_A])).await, [""; 0]);
    assert_eq!(place.standings(&files(&[CREATE_A])).await[1].1, "future");

    let missing = files(&[CREATE_B, third]);
    let error = place.up(&missing).await.unwrap_err();
    assert_eq!(error.to_string(), "applied, and not among the files: 1");
    let ignore = UpOptions::new().with_ignore_missing(true);
    assert_eq!(texts(&place.migrator().up(&missing, &ignore).await.unwrap()), ["3"]);
}

pub(crate) async fn migrators_at_once_run_each_file_once(place: &Place) {
    const MIGRATORS: usize = 6;
    let files = Arc::new(three());
    for round in 0..2 {
        let barrier = Arc::new(Barrier::new(MIGRATORS));
        let mut tasks = JoinSet::new();
        for _ in 0..MIGRATORS {
            let (migrator, files) = (place.migrator(), Arc::clone(&files));
            let barrier = Arc::clone(&barrier);
            tasks.spawn(async move {
                barrier.wait().await;
                migrator.up(&files, &UpOptions::new()).await.map(|report| texts(&report))
            });
        }
        let mut ran = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            ran.extend(ended.unwrap().unwrap_or_else(|error| panic!("{}", told(&error))));
        }
        ran.sort();
        let expected: &[&str] = if round == 0 { &["1", "10", "2"] } else { &[] };
        assert_eq!(ran, expected);
    }
    assert_eq!((place.count("a").await, place.count("b").await), (Some(2), Some(1)));
    let rows = place.migrator().status().await.unwrap().migrations;
    assert_eq!(rows.len(), 3);
}

pub(crate) async fn a_text_that_can_not_run_stops_all_of_them_before_the_first(place: &Place) {
    for bad in ["SELECT 'x", "ROLLBACK", "SELECT 1;\n-- larder: no-transaction\nSELECT 2"] {
        let files = files(&[CREATE_A, ("2_b.sql", bad)]);
        let error = place.up(&files).await.unwrap_err();
        assert!(matches!(error.problem(), FileProblem::File { .. }), "{bad}: {}", told(&error));
        assert!(told(&error).contains("2_b.sql, line "), "{}", told(&error));
    }
    assert_eq!(place.count("a").await, None);
}

pub(crate) async fn a_failed_file_keeps_no_lock(place: &Place) {
    let bad = files(&[CREATE_A, ("2_b.sql", "INSERT INTO missing VALUES (1)")]);
    // The migrator and its connection live on.
    let failed = place.migrator();
    let error = failed.up(&bad, &UpOptions::new()).await.unwrap_err();
    assert!(
        matches!(error.problem(), FileProblem::Statement { number: 1, kept: 0, .. }),
        "{error}"
    );
    assert_eq!(texts(error.report()), ["1"], "what ran before is told");
    let standings = place.standings(&bad).await;
    assert_eq!(standings[1], ("2".to_owned(), "pending"), "nothing of it is there");
    let rows = place.migrator().status().await.unwrap().migrations;
    assert_eq!(rows[1].status, MigrationStatus::Failed);
    let reason = rows[1].error.clone().unwrap();
    assert!(reason.starts_with("2_b.sql, line 1, column 1: statement 1 of 1 failed"), "{reason}");

    // Another one goes on at once, with the mended file and without a repair.
    let mended = files(&[CREATE_A, CREATE_B]);
    assert_eq!(place.up_all(&mended).await, ["2"]);
    drop(failed);
}

pub(crate) async fn a_dropped_run_stops_nobody(place: &Place) {
    let files = Arc::new(three());
    for delay in 0..6 {
        let (migrator, files) = (place.migrator(), Arc::clone(&files));
        let run = tokio::spawn(async move { migrator.up(&files, &UpOptions::new()).await });
        // Wherever this lands in the run, the outcome below is the same.
        for _ in 0..delay * 40 {
            tokio::task::yield_now().await;
        }
        run.abort();
        let _ = run.await;
    }
    let report = loop {
        match place.up(&files).await {
            Ok(report) => break report,
            // Of a statement that commits by itself nobody knows whether it was done.
            Err(error) => mend(place, &files, error.problem()).await,
        }
    };
    assert!(report.files.len() <= 3);
    assert_eq!((place.count("a").await, place.count("b").await), (Some(2), Some(1)));
}

/// What a person does: look whether the statement was done.
async fn mend(place: &Place, files: &MigrationFiles, problem: &FileProblem) {
    let FileProblem::Interrupted { version, number: 1, .. } = problem else {
        panic!("{}", told(problem));
    };
    let table = if version.to_string() == "1" { "a" } else { "b" };
    let repair = match place.count(table).await {
        Some(_) => FileRepair::SkipStatement,
        None => FileRepair::Retry,
    };
    place.migrator().repair_file(files, version, repair).await.unwrap();
}

pub(crate) async fn applications_share_a_registry(place: &Place) {
    let of = |name: &str| {
        let options = Place::options().with_application(name);
        place.migrator_with(options)
    };
    let (one, other) = (files(&[CREATE_A]), files(&[("1_b.sql", CREATE_B.1)]));
    let up = UpOptions::new();
    assert_eq!(texts(&of("one").up(&one, &up).await.unwrap()), ["1"]);
    assert_eq!(texts(&of("other").up(&other, &up).await.unwrap()), ["1"]);
    assert_eq!(texts(&of("one").up(&one, &up).await.unwrap()), [""; 0]);
    assert_eq!((place.count("a").await, place.count("b").await), (Some(0), Some(0)));
}

pub(crate) async fn changed_rows_alone_are_rolled_back_together(place: &Place) {
    place.up_all(&files(&[CREATE_A])).await;
    let bad = "BEGIN; INSERT INTO a VALUES (1); INSERT INTO a VALUES (1); COMMIT;";
    let error = place.up(&files(&[CREATE_A, ("2_f.sql", bad)])).await.unwrap_err();
    assert!(
        matches!(error.problem(), FileProblem::Statement { number: 3, kept: 0, .. }),
        "{error}"
    );
    assert_eq!(place.count("a").await, Some(0));
    let good = bad.replace("(1); C", "(2); C");
    assert_eq!(place.up_all(&files(&[CREATE_A, ("2_f.sql", &good)])).await, ["2"]);
    assert_eq!(place.count("a").await, Some(2));
}

pub(crate) async fn a_file_for_another_database_is_passed_over(place: &Place) {
    let dialect = place.session().await.dialect();
    let (own, other) = match dialect {
        larder_model::Dialect::Postgres => ("postgres", "mysql|mariadb|sqlite"),
        larder_model::Dialect::Sqlite => ("sqlite", "mysql|mariadb|postgres"),
        larder_model::Dialect::MySql => ("mysql", "mariadb|postgres|sqlite"),
        _ => ("mariadb", "mysql|postgres|sqlite"),
    };
    let files = files(&[
        ("1_a.sql", &format!("-- larder: requires={own}\n{}", CREATE_A.1)),
        ("2_b.sql", &format!("-- larder: requires={other}\nnonsense 'of another database")),
        ("3_c.sql", "CREATE TABLE c (x INTEGER)"),
    ]);
    assert_eq!(place.up_all(&files).await, ["1", "3"]);
    assert_eq!(place.standings(&files).await[1], ("2".to_owned(), "skipped"));
}

pub(crate) async fn the_history_says_what_happened(place: &Place) {
    place.up_all(&three()).await;
    let rows = place.migrator().status().await.unwrap().migrations;
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.version.as_str(), row.name.as_str(), row.status, row.steps_done))
        .collect();
    let applied = MigrationStatus::Applied;
    assert_eq!(seen, [("1", "a", applied, 1), ("2", "fill", applied, 2), ("10", "b", applied, 2)]);
    let row = &rows[2];
    assert_eq!(row.kind, Some(larder_migrate::MigrationKind::File));
    assert!(row.checksum.starts_with("sha256:") && row.applied_us.is_some());
    assert!(row.executor.is_some() && row.lock_token.is_some() && row.error.is_none());
}
