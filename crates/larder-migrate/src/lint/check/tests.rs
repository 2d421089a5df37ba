//! For every rule, statements that break it and statements that look similar and do not.

use Dialect::{MariaDb, MySql, Postgres, Sqlite};

use super::*;

#[track_caller]
fn codes(dialect: Dialect, text: &str) -> Vec<&'static str> {
    let files = MigrationFiles::from_texts([("1_a.sql", text)]).unwrap();
    let findings = lint(&files, dialect).unwrap_or_else(|error| panic!("{text}: {error}"));
    findings.iter().map(|finding| finding.rule.code()).collect()
}

/// Texts that break this rule and no other.
#[track_caller]
fn hits(rule: Rule, dialects: &[Dialect], texts: &[&str]) {
    for dialect in dialects {
        for text in texts {
            assert_eq!(codes(*dialect, text), [rule.code()], "{dialect}: {text}");
        }
    }
}

/// Texts that break nothing.
#[track_caller]
fn fine(dialects: &[Dialect], texts: &[&str]) {
    for dialect in dialects {
        for text in texts {
            assert_eq!(codes(*dialect, text), [""; 0], "{dialect}: {text}");
        }
    }
}

const ALL: &[Dialect] = &[MariaDb, MySql, Postgres, Sqlite];
const MYSQL: &[Dialect] = &[MariaDb, MySql];
const PG: &[Dialect] = &[Postgres];

#[test]
fn table_rewrite() {
    hits(
        Rule::TableRewrite,
        PG,
        &[
            "ALTER TABLE a ALTER COLUMN b TYPE bigint",
            "ALTER TABLE a ALTER b SET DATA TYPE numeric(10, 2)",
            "ALTER TABLE a ALTER COLUMN b TYPE text USING b::text",
        ],
    );
    hits(
        Rule::TableRewrite,
        MYSQL,
        &[
            "ALTER TABLE a MODIFY b BIGINT",
            "ALTER TABLE a CHANGE b b BIGINT NOT NULL",
            "ALTER TABLE a CONVERT TO CHARACTER SET utf8mb4",
        ],
    );
    fine(PG, &["ALTER TABLE a ALTER COLUMN b TYPE text", "ALTER TABLE a ALTER b SET DEFAULT 1"]);
    fine(
        MYSQL,
        &[
            "ALTER TABLE a MODIFY b BIGINT, ALGORITHM=INSTANT",
            "ALTER TABLE a MODIFY b ENUM('x', 'y', 'z')",
            "ALTER TABLE a ADD b INT",
        ],
    );
    fine(PG, &["CREATE TABLE a (b int); ALTER TABLE a ALTER COLUMN b TYPE bigint"]);
}

#[test]
fn blocking_index() {
    hits(Rule::BlockingIndex, PG, &["CREATE INDEX i ON a (b)", "CREATE UNIQUE INDEX ON s.a (b)"]);
    fine(
        PG,
        &[
            "-- larder: no-transaction\nCREATE INDEX CONCURRENTLY i ON a (b)",
            "CREATE TABLE IF NOT EXISTS s.\"A\" (b int); CREATE INDEX i ON a (b)",
        ],
    );
    fine(&[MariaDb, MySql, Sqlite], &["CREATE INDEX i ON a (b)"]);
}

#[test]
fn drop_column() {
    hits(
        Rule::DropColumn,
        ALL,
        &["ALTER TABLE a DROP COLUMN b", "ALTER TABLE a DROP b", "ALTER TABLE a DROP COLUMN index"],
    );
    hits(Rule::DropColumn, PG, &["ALTER TABLE a DROP COLUMN IF EXISTS b CASCADE"]);
    fine(
        ALL,
        &[
            "ALTER TABLE a DROP CONSTRAINT b",
            "ALTER TABLE a DROP PRIMARY KEY",
            "ALTER TABLE a DROP INDEX b",
            "ALTER TABLE a ALTER COLUMN b DROP DEFAULT",
            "CREATE TABLE a (b int, c int); ALTER TABLE a DROP COLUMN b",
        ],
    );
}

#[test]
fn drop_table() {
    hits(Rule::DropTable, ALL, &["DROP TABLE a", "DROP TABLE IF EXISTS s.a"]);
    assert_eq!(codes(Sqlite, "DROP TABLE a, b"), ["LR004", "LR004"]);
    fine(ALL, &["DROP INDEX a", "CREATE TABLE a (b int); DROP TABLE a", "DROP TEMPORARY TABLE a"]);
}

#[test]
fn rename_column() {
    hits(
        Rule::RenameColumn,
        ALL,
        &["ALTER TABLE a RENAME COLUMN b TO c", "ALTER TABLE a RENAME b TO c"],
    );
    for dialect in MYSQL {
        assert_eq!(codes(*dialect, "ALTER TABLE a CHANGE b c INT"), ["LR001", "LR005"]);
        assert_eq!(codes(*dialect, "ALTER TABLE a CHANGE COLUMN `b` `B` INT"), ["LR001"]);
    }
    fine(ALL, &["ALTER TABLE a RENAME INDEX b TO c", "ALTER TABLE a RENAME CONSTRAINT b TO c"]);
}

#[test]
fn rename_table() {
    hits(Rule::RenameTable, ALL, &["ALTER TABLE a RENAME TO b", "RENAME TABLE a TO b"]);
    fine(ALL, &["CREATE TABLE a (b int); ALTER TABLE a RENAME TO c", "ALTER INDEX a RENAME TO b"]);
}

#[test]
fn not_null_without_default() {
    hits(
        Rule::NotNullWithoutDefault,
        ALL,
        &["ALTER TABLE a ADD COLUMN b int NOT NULL", "ALTER TABLE a ADD b varchar(10) NOT NULL"],
    );
    fine(
        ALL,
        &[
            "ALTER TABLE a ADD COLUMN b int NOT NULL DEFAULT 0",
            "ALTER TABLE a ADD COLUMN b int",
            "CREATE TABLE a (c int); ALTER TABLE a ADD COLUMN b int NOT NULL",
            "ALTER TABLE a ADD COLUMN b int NOT NULL GENERATED ALWAYS AS (1) VIRTUAL",
        ],
    );
    fine(MYSQL, &["ALTER TABLE a ADD b INT NOT NULL AUTO_INCREMENT UNIQUE"]);
}

#[test]
fn set_not_null() {
    hits(
        Rule::SetNotNull,
        PG,
        &["ALTER TABLE a ALTER COLUMN b SET NOT NULL", "ALTER TABLE a ALTER b SET NOT NULL"],
    );
    fine(PG, &["ALTER TABLE a ALTER COLUMN b DROP NOT NULL"]);
}

#[test]
fn volatile_default() {
    hits(
        Rule::VolatileDefault,
        PG,
        &[
            "ALTER TABLE a ADD COLUMN b uuid DEFAULT gen_random_uuid()",
            "ALTER TABLE a ADD b bigserial",
            "ALTER TABLE a ADD b timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()",
            "ALTER TABLE a ADD b int GENERATED ALWAYS AS IDENTITY",
        ],
    );
    hits(
        Rule::VolatileDefault,
        &[Sqlite],
        &[
            "ALTER TABLE a ADD COLUMN b TEXT DEFAULT CURRENT_TIMESTAMP",
            "ALTER TABLE a ADD b TEXT DEFAULT (datetime('now'))",
        ],
    );
    fine(
        PG,
        &[
            "ALTER TABLE a ADD COLUMN b timestamptz DEFAULT now()",
            "ALTER TABLE a ADD COLUMN b text DEFAULT 'random'",
        ],
    );
    fine(&[Sqlite], &["ALTER TABLE a ADD b INTEGER DEFAULT (1)"]);
    fine(MYSQL, &["ALTER TABLE a ADD b DATETIME DEFAULT CURRENT_TIMESTAMP"]);
}

#[test]
fn validated_constraint() {
    hits(
        Rule::ValidatedConstraint,
        PG,
        &[
            "ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0)",
            "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES d (e)",
        ],
    );
    fine(
        PG,
        &[
            "ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID",
            "ALTER TABLE a VALIDATE CONSTRAINT c",
            "CREATE TABLE a (b int); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES d (e)",
        ],
    );
}

#[test]
fn blocking_unique() {
    hits(
        Rule::BlockingUnique,
        PG,
        &["ALTER TABLE a ADD CONSTRAINT c UNIQUE (b)", "ALTER TABLE a ADD PRIMARY KEY (b)"],
    );
    fine(PG, &["ALTER TABLE a ADD CONSTRAINT c UNIQUE USING INDEX i"]);
    fine(MYSQL, &["ALTER TABLE a ADD UNIQUE (b)"]);
}

#[test]
fn transaction() {
    hits(Rule::Transaction, PG, &["CREATE INDEX CONCURRENTLY i ON a (b)", "VACUUM"]);
    hits(Rule::Transaction, &[Sqlite], &["PRAGMA foreign_keys = OFF"]);
    hits(Rule::Transaction, ALL, &["ROLLBACK"]);
    fine(PG, &["BEGIN; CREATE TABLE a (b int); COMMIT;"]);
}

#[test]
fn missing_where() {
    hits(Rule::MissingWhere, ALL, &["UPDATE a SET b = 1", "DELETE FROM a", "TRUNCATE TABLE a"]);
    hits(Rule::MissingWhere, &[Sqlite], &["UPDATE OR IGNORE a SET b = 1"]);
    fine(
        ALL,
        &[
            "UPDATE a SET b = 1 WHERE c",
            "DELETE FROM a WHERE b IN (SELECT 1)",
            "INSERT INTO a VALUES ('UPDATE a SET b = 1')",
        ],
    );
    fine(PG, &["CREATE TABLE a (b int); UPDATE a SET b = 1"]);
}

#[test]
fn several_without_transaction() {
    hits(
        Rule::SeveralWithoutTransaction,
        PG,
        &[
            "-- larder: no-transaction\nDROP INDEX CONCURRENTLY i;\nDROP INDEX CONCURRENTLY j; ANALYZE",
        ],
    );
    fine(PG, &["-- larder: no-transaction\nVACUUM", "SELECT 1; SELECT 2"]);
}

#[test]
fn implicit_commit() {
    hits(
        Rule::ImplicitCommit,
        MYSQL,
        &[
            "ALTER TABLE a ADD b INT; UPDATE a SET b = 1 WHERE c; DELETE FROM a WHERE c",
            "INSERT INTO a VALUES (1); CREATE TABLE b (c INT)",
        ],
    );
    fine(MYSQL, &["INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)", "CREATE TABLE a (b INT)"]);
    fine(PG, &["CREATE TABLE b (c int); INSERT INTO a VALUES (1)"]);
}

#[test]
fn session_setting() {
    hits(
        Rule::SessionSetting,
        PG,
        &[
            "SET search_path = x",
            "SELECT pg_catalog.set_config('search_path', '', false)",
            "SET SESSION statement_timeout = 0",
        ],
    );
    fine(
        PG,
        &[
            "SET LOCAL statement_timeout = 0",
            "SET CONSTRAINTS ALL DEFERRED",
            "SELECT set_config('a.b', '', true)",
        ],
    );
}

#[test]
fn new_label_used() {
    hits(
        Rule::NewLabelUsed,
        PG,
        &["ALTER TYPE t ADD VALUE IF NOT EXISTS 'x'; INSERT INTO a VALUES ('x')"],
    );
    fine(
        PG,
        &[
            "ALTER TYPE t ADD VALUE 'x'; INSERT INTO a VALUES ('y')",
            "ALTER TYPE t ADD VALUE 'x'; ALTER TYPE t ADD VALUE 'y' AFTER 'x'",
            "INSERT INTO a VALUES ('x'); ALTER TYPE t ADD VALUE 'x'",
        ],
    );
}

#[test]
fn rules_may_be_broken_where_it_says_so() {
    let drop = "ALTER TABLE a DROP COLUMN b;";
    fine(
        ALL,
        &[
            &format!("-- larder: allow=LR003\n\n{drop}\n{drop}"),
            &format!("-- larder: allow=drop-column\n{drop}"),
            &format!("SELECT 1;\n-- larder: allow=LR003|LR004\n{drop}"),
            &format!("SELECT 1;\n{drop} -- larder: allow=LR003\n"),
            &format!("SELECT 1;\n{drop} -- larder: allow=LR003\nSELECT 2;"),
        ],
    );
    for text in [
        format!("SELECT 1;\n-- larder: allow=LR003\n{drop}\n{drop}"),
        format!("{drop}\n-- larder: allow=LR003\nSELECT 1"),
        format!("-- larder: allow=LR004\n{drop}"),
        format!("SELECT 1; -- larder: allow=LR003\n{drop}"),
    ] {
        assert_eq!(codes(Sqlite, &text), ["LR003"], "{text}");
    }
}

#[test]
fn a_finding_says_where_and_what() {
    let files = MigrationFiles::from_texts([("1_a.sql", "SELECT 1;\n  DROP TABLE a;")]).unwrap();
    let findings = lint(&files, Postgres).unwrap();
    assert_eq!(
        findings[0].to_string(),
        "1_a.sql:2:3: error: the rows of a are lost [LR004 drop-table]",
    );
}

#[test]
fn files_for_other_databases_are_passed_over() {
    fine(PG, &["-- larder: requires=sqlite\nDROP TABLE a"]);
}
