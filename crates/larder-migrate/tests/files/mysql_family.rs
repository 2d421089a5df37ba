//! What holds on MySQL and MariaDB, whose statements on tables commit by themselves.

use std::{sync::Arc, time::Duration};

use larder_migrate::{FileProblem, FileRepair, UpOptions};

use crate::place::{Place, files, told, version};

/// Declares a test for each case; `$place` makes the database.
macro_rules! mysql_family {
    ($place:expr) => {
        $crate::scenarios::scenarios!(@each_of mysql_family, $place,
            [#[ignore = "needs a live service"]],
            triggers_and_routines_are_created_whole,
            a_dump_runs_as_it_is,
            what_failed_blocks_and_is_resumed_at_its_statement,
            a_statement_that_was_done_by_hand_is_skipped,
            what_was_done_can_not_be_edited,
            a_file_that_was_undone_by_hand_runs_again,
            a_run_that_ends_in_the_middle_is_told_and_gone_on_with,
            a_down_file_that_fails_goes_on_going_down,
        );
    };
}
pub(crate) use mysql_family;

pub(crate) async fn triggers_and_routines_are_created_whole(place: &Place) {
    let text = "CREATE TABLE a (x INT, y INT);\n\
                DELIMITER //\n\
                CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW\n\
                BEGIN\n  IF NEW.x > 1 THEN SET NEW.y = 1; ELSE SET NEW.y = 2; END IF;\nEND//\n\
                DELIMITER ;\n\
                CREATE PROCEDURE fill(IN n INT)\n\
                BEGIN\n  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; END;\n\
                  WHILE n > 0 DO INSERT INTO a (x) VALUES (n); SET n = n - 1; END WHILE;\nEND;\n\
                CREATE FUNCTION half(n INT) RETURNS INT DETERMINISTIC\n\
                  RETURN IF(n > 1, CASE WHEN n > 2 THEN n DIV 2 ELSE 1 END, 0);\n\
                CALL fill(3); -- three rows\n\
                # and a text that looks like an end\n\
                INSERT INTO a (x) VALUES (LENGTH('it\\'s; \"'));";
    place.up_all(&files(&[("1_a.sql", text)])).await;
    assert_eq!(place.count("a").await, Some(4));
    assert_eq!(place.count("a WHERE y = 1").await, Some(3));
    let halves = "SELECT CAST(half(9) + half(1) AS SIGNED)";
    assert_eq!(place.integer(halves).await, Some(4));
}

/// Comments that the server executes, as its dump tool writes them; its settings end with the file.
pub(crate) async fn a_dump_runs_as_it_is(place: &Place) {
    let text = "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n\
                /*!40014 SET FOREIGN_KEY_CHECKS=0 */;\n\
                DROP TABLE IF EXISTS `a`;\n\
                /*!50503 SET character_set_client = utf8mb4 */;\n\
                CREATE TABLE `a` (`x` int DEFAULT NULL /* ; */) ENGINE=InnoDB;\n\
                INSERT INTO `a` VALUES (1),(2);\n\
                DELIMITER ;;\n\
                /*!50003 CREATE*/ /*!50003 TRIGGER `t` BEFORE INSERT ON `a` FOR EACH ROW BEGIN\n\
                SET NEW.x = NEW.x + 1; END */;;\n\
                DELIMITER ;\n\
                /*!40101 SET SQL_MODE=@OLD_SQL_MODE */;\n";
    let keys = "CREATE TABLE p (x INT PRIMARY KEY);\
                CREATE TABLE c (x INT, FOREIGN KEY (x) REFERENCES p (x));";
    let all = [("1_dump.sql", text), ("2_keys.sql", keys), ("3_c.sql", "INSERT INTO c VALUES (7)")];
    let error = place.up(&files(&all)).await.unwrap_err();
    assert!(
        matches!(error.problem(), FileProblem::Statement { version: of, .. } if *of == version("3")),
        "keys are checked again: {}",
        told(&error)
    );
    place.run("INSERT INTO a VALUES (5)").await;
    assert_eq!(place.count("a WHERE x = 6").await, Some(1));
}

const FAILING: &str = "CREATE TABLE a (x INT);\nINSERT INTO a VALUES (1);\n\
                       CREATE TABLE b (x NONSENSE);\nCREATE TABLE c (x INT);";
const LATER: (&str, &str) = ("2_d.sql", "CREATE TABLE d (x INT)");

async fn fail(place: &Place) {
    let error = place.up(&files(&[("1_a.sql", FAILING), LATER])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "1_a.sql, line 3, column 1: statement 3 of 4 failed; the 2 before it stay done",
    );
}

pub(crate) async fn what_failed_blocks_and_is_resumed_at_its_statement(place: &Place) {
    fail(place).await;
    let mended = FAILING.replace("NONSENSE", "INT");
    let files = files(&[("1_a.sql", &mended), LATER]);
    let blocked = place.up(&files).await.unwrap_err().to_string();
    for part in ["version 1 failed", "statement 3 of 4", "line 3", "repair it: retry"] {
        assert!(blocked.contains(part), "{blocked}");
    }
    assert_eq!(place.count("d").await, None);
    place.migrator().repair_file(&files, &version("1"), FileRepair::Retry).await.unwrap();
    let report = place.up(&files).await.unwrap_or_else(|error| panic!("{}", told(&error)));
    let ran: Vec<_> = report.files.iter().map(|file| file.statements).collect();
    assert_eq!(ran, [2, 1]);
    assert_eq!((place.count("a").await, place.count("c").await), (Some(1), Some(0)));
    assert_eq!(place.standings(&files).await[0].1, "applied");
}

pub(crate) async fn a_statement_that_was_done_by_hand_is_skipped(place: &Place) {
    fail(place).await;
    place.run("CREATE TABLE b (x BIGINT)").await;
    let files = files(&[("1_a.sql", FAILING), LATER]);
    place.migrator().repair_file(&files, &version("1"), FileRepair::SkipStatement).await.unwrap();
    assert_eq!(place.up_all(&files).await, ["1", "2"]);
    assert_eq!(place.count("c").await, Some(0));
}

pub(crate) async fn what_was_done_can_not_be_edited(place: &Place) {
    fail(place).await;
    let edited = FAILING.replace("NONSENSE", "INT").replace("VALUES (1)", "VALUES (2)");
    let files = files(&[("1_a.sql", &edited)]);
    place.migrator().repair_file(&files, &version("1"), FileRepair::Retry).await.unwrap();
    let error = place.up(&files).await.unwrap_err();
    assert!(matches!(error.problem(), FileProblem::Changed { done: 2, .. }), "{error}");
    assert_eq!(place.count("b").await, None);
}

pub(crate) async fn a_file_that_was_undone_by_hand_runs_again(place: &Place) {
    fail(place).await;
    place.run("DROP TABLE a").await;
    let edited = FAILING.replace("NONSENSE", "INT").replace("VALUES (1)", "VALUES (2)");
    let files = files(&[("1_a.sql", &edited), LATER]);
    place.migrator().repair_file(&files, &version("1"), FileRepair::RolledBack).await.unwrap();
    assert_eq!(place.up_all(&files).await, ["1", "2"]);
}

pub(crate) async fn a_run_that_ends_in_the_middle_is_told_and_gone_on_with(place: &Place) {
    let text = "CREATE TABLE a (x INT);\nDO SLEEP(600);\nCREATE TABLE b (x INT);";
    let files = Arc::new(files(&[("1_a.sql", text)]));
    let (migrator, running) = (place.migrator(), Arc::clone(&files));
    let run = tokio::spawn(async move { migrator.up(&running, &UpOptions::new()).await });
    let sleeps = "SELECT COUNT(*) FROM information_schema.processlist \
                  WHERE info = 'DO SLEEP(600)' AND db = DATABASE()";
    let reached = async {
        while place.integer(sleeps).await != Some(1) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reached).await.expect("it was never so");
    run.abort();
    let _ = run.await;

    // Whether or not the server notices that nobody listens, the next one is not stopped by it.
    let error = place.up(&files).await.unwrap_err();
    let FileProblem::Interrupted { number: 2, total: 3, at, .. } = error.problem() else {
        panic!("{}", told(&error));
    };
    assert_eq!((at.line, at.column), (2, 1));
    place.migrator().repair_file(&files, &version("1"), FileRepair::SkipStatement).await.unwrap();
    assert_eq!(place.up_all(&files).await, ["1"]);
    assert_eq!(place.count("b").await, Some(0));
}

pub(crate) async fn a_down_file_that_fails_goes_on_going_down(place: &Place) {
    use larder_migrate::DownTarget;

    let with = |down| {
        let up = "CREATE TABLE a (x INT); CREATE TABLE b (x INT)";
        files(&[("1_a.up.sql", up), ("1_a.down.sql", down)])
    };
    place.up_all(&with("")).await;
    let bad = with("DROP TABLE b; DROP TABLE missing; DROP TABLE a");
    let error = place.migrator().down(&bad, &DownTarget::Steps(1)).await.unwrap_err();
    assert!(
        matches!(error.problem(), FileProblem::Statement { number: 2, kept: 1, .. }),
        "{error}"
    );
    let up = place.up(&bad).await.unwrap_err();
    assert!(up.to_string().starts_with("version 1 failed going down after 1 of 3"), "{up}");

    let good = with("DROP TABLE b; DROP TABLE IF EXISTS missing; DROP TABLE a");
    let report = place.migrator().down(&good, &DownTarget::Steps(1)).await.unwrap();
    assert_eq!(report.files[0].statements, 2);
    assert_eq!((place.count("a").await, place.count("b").await), (None, None));
    assert_eq!(place.up_all(&good).await, ["1"]);
}
