//! What servers print, read.

use larder_model::{Dialect, IndexPart, Table};

use super::{charsets::Charsets, keys::without_implicit_indexes, parse};

fn read(dialect: Dialect, sql: &str) -> Table {
    let mut charsets = Charsets::default();
    charsets.insert("latin1", "latin1_swedish_ci");
    let context =
        parse::Context { dialect, charsets: &charsets, collation: Some("utf8mb4_general_ci") };
    let mut table = parse::table("t", sql, context);
    without_implicit_indexes(&mut table);
    table
}

#[track_caller]
fn mysql(sql: &str) -> Table {
    let table = read(Dialect::MySql, sql);
    assert_eq!(table.opaque, None, "{table:#?}");
    table
}

#[track_caller]
fn mariadb(sql: &str) -> Table {
    let table = read(Dialect::MariaDb, sql);
    assert_eq!(table.opaque, None, "{table:#?}");
    table
}

/// The table with these lines in it.
fn lines(lines: &str) -> String {
    format!("CREATE TABLE `t` (\n{lines}\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4")
}

#[test]
fn defaults_are_told_from_expressions() {
    let check = |of: Dialect, line: &str, expected: Option<&str>| {
        let table = read(of, &lines(&format!("  `a` {line}")));
        assert_eq!(table.opaque, None, "{line}");
        assert_eq!(table.columns[0].default.as_deref(), expected, "{line}");
    };
    let mysql = |line, expected| check(Dialect::MySql, line, expected);
    mysql("int DEFAULT NULL", None);
    mysql("int NOT NULL", None);
    mysql("int DEFAULT '-5'", Some("'-5'"));
    mysql("varchar(9) DEFAULT ''", Some("''"));
    mysql("varchar(9) DEFAULT 'NULL'", Some("'NULL'"));
    mysql("varchar(9) DEFAULT 'it''s \\\\ \\n'", Some("'it''s \\\\ \n'"));
    mysql("bit(8) DEFAULT b'101'", Some("b'101'"));
    mysql("binary(2) DEFAULT 0x00FF", Some("0x00FF"));
    mysql(
        "varchar(9) DEFAULT (concat(_utf8mb4'a',(1 + 2)))",
        Some("(concat(_utf8mb4'a',(1 + 2)))"),
    );
    mysql("int DEFAULT ((1 + 1))", Some("(1 + 1)"));
    mysql("datetime(6) DEFAULT CURRENT_TIMESTAMP(6)", Some("CURRENT_TIMESTAMP(6)"));
    mysql("datetime DEFAULT CURRENT_TIMESTAMP COMMENT 'x'", Some("CURRENT_TIMESTAMP"));
    let mariadb = |line, expected| check(Dialect::MariaDb, line, expected);
    mariadb("int(11) DEFAULT NULL", None);
    mariadb("int(11) DEFAULT -5", Some("-5"));
    mariadb("decimal(5,2) DEFAULT 1.50", Some("1.50"));
    mariadb("varchar(9) DEFAULT 'NULL'", Some("'NULL'"));
    mariadb("int(11) DEFAULT (1 + 1)", Some("(1 + 1)"));
    mariadb("varchar(40) DEFAULT uuid()", Some("uuid()"));
    mariadb("varchar(9) DEFAULT concat('a',')')", Some("concat('a',')')"));
    mariadb("bigint(20) DEFAULT nextval(`d`.`s`)", Some("nextval(`d`.`s`)"));
    mariadb(
        "datetime DEFAULT current_timestamp() ON UPDATE current_timestamp()",
        Some("current_timestamp()"),
    );
}

#[test]
fn columns_have_everything_that_is_printed() {
    let table = mysql(&lines(
        "  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `e` enum('it''s','x),`y','b\\\\c') CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  `back``tick` varchar(9) COLLATE utf8mb4_bin DEFAULT NULL COMMENT 'it''s, \\\\ (',
  `p` point NOT NULL /*!80003 SRID 4326 */,
  `g` int GENERATED ALWAYS AS ((`id` + 1)) VIRTUAL,
  `at` timestamp(3) NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`)",
    ));
    let [id, e, back, p, g, at] = table.columns.as_slice() else { panic!("{table:#?}") };
    assert!(id.ty == "bigint unsigned" && !id.nullable && id.identity.is_some());
    assert_eq!(e.ty, "enum('it''s','x),`y','b\\\\c')");
    assert_eq!(e.collation.as_deref(), Some("latin1_swedish_ci"));
    assert_eq!((back.name.as_str(), back.collation.as_deref()), ("back`tick", Some("utf8mb4_bin")));
    assert_eq!(back.comment.as_deref(), Some("it's, \\ ("));
    assert_eq!(p.ty, "point srid 4326");
    let generated = g.generated.as_ref().unwrap();
    assert_eq!((generated.expression.as_str(), generated.stored), ("`id` + 1", false));
    assert_eq!(at.on_update.as_deref(), Some("CURRENT_TIMESTAMP(3)"));
    assert!(at.nullable);
    assert_eq!(table.primary_key.unwrap().columns, ["id"]);
}

#[test]
fn collations_count_where_they_are_not_inherited() {
    let sql = "CREATE TABLE `t` (\n  `a` varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,\n  \
               `b` varchar(9),\n  `c` varchar(9) CHARACTER SET latin1\n) ENGINE=InnoDB \
               DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='x'";
    let table = mysql(sql);
    let collations: Vec<_> = table.columns.iter().map(|of| of.collation.as_deref()).collect();
    assert_eq!(collations, [None, None, Some("latin1_swedish_ci")]);
    assert_eq!(table.collation.as_deref(), Some("utf8mb4_bin"));
    let table = mysql(&sql.replace("utf8mb4_bin", "utf8mb4_general_ci"));
    assert_eq!(table.collation, None);
    assert_eq!(table.comment.as_deref(), Some("x"));
}

#[test]
fn a_document_of_mariadb_is_a_text_with_a_check() {
    let json = "`j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL CHECK";
    let table = mariadb(&lines(&format!("  {json} (json_valid(`j`))")));
    assert_eq!((table.columns[0].ty.as_str(), table.checks.len()), ("json", 0));
    assert_eq!(table.columns[0].collation, None);
    let table = mariadb(&lines(&format!("  {json} (json_valid(`j`) and `j` <> '')")));
    assert_eq!((table.columns[0].ty.as_str(), table.checks.len()), ("longtext", 1));
    assert_eq!(table.checks[0].name.as_deref(), Some("j"));
}

#[test]
fn unique_indexes_are_constraints_where_they_can_be() {
    let table = mysql(&lines(
        "  `a` int, `b` text,
  UNIQUE KEY `ab` (`a`,`c`),
  UNIQUE KEY `prefix` (`b`(5)),
  UNIQUE KEY `down` (`a` DESC),
  UNIQUE KEY `hidden` (`c`) /*!80000 INVISIBLE */,
  KEY `computed` (((`a` + 1)),`c` DESC) USING BTREE COMMENT 'x',
  FULLTEXT KEY `words` (`b`) /*!50100 WITH PARSER `ngram` */ ",
    ));
    assert_eq!(table.uniques.len(), 1);
    assert_eq!(table.uniques[0].columns, ["a", "c"]);
    let [prefix, down, hidden, computed, words] = table.indexes.as_slice() else { panic!() };
    assert!(prefix.unique && prefix.parts[0].prefix == Some(5));
    assert!(down.unique && down.parts[0].descending);
    assert!(hidden.unique && !hidden.valid);
    assert_eq!(computed.parts[0], IndexPart::expression("`a` + 1"));
    assert!(computed.parts[1].descending);
    assert_eq!(words.method.as_deref(), Some("fulltext ngram"));
}

#[test]
fn references_have_no_index_and_no_restrict() {
    let table = mysql(&lines(
        "  `a` int, `b` int,
  KEY `f` (`a`),
  KEY `g` (`a`),
  KEY `h` (`b`,`a`),
  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `other`.`p` (`id`) ON DELETE CASCADE ON UPDATE RESTRICT,
  CONSTRAINT `h` FOREIGN KEY (`b`) REFERENCES `p``q` (`id`) ON DELETE SET NULL",
    ));
    let names: Vec<_> = table.indexes.iter().map(|index| index.name.as_str()).collect();
    assert_eq!(names, ["g", "h"]);
    let [f, h] = table.foreign_keys.as_slice() else { panic!() };
    assert_eq!(f.target.to_string(), "other.p");
    assert_eq!((f.on_delete.as_sql(), f.on_update.as_sql()), ("CASCADE", "NO ACTION"));
    assert_eq!((h.target.to_string(), h.on_delete.as_sql()), ("p`q".to_owned(), "SET NULL"));
}

#[test]
fn checks_lose_the_parentheses_around_them_only() {
    let check = |sql: &str, expected: &str| {
        let table = mysql(&lines(&format!("  `a` int,\n  CONSTRAINT `c` CHECK {sql}")));
        assert_eq!(table.checks[0].expression, expected);
    };
    check("((`a` > 0))", "`a` > 0");
    check("(((`a` > 0) or (`a` < 5)))", "(`a` > 0) or (`a` < 5)");
    check("((`a` <> _utf8mb4'it\\'s (') )", "`a` <> _utf8mb4'it\\'s ('");
    let sql = lines("  `a` int,\n  CONSTRAINT `c` CHECK ((`a` > 0)) /*!80016 NOT ENFORCED */");
    assert!(!mysql(&sql).checks[0].validated);
}

#[test]
fn what_is_not_understood_makes_a_table_opaque_and_hides_nothing_else() {
    for (dialect, line, reason) in [
        (Dialect::MySql, "  `a` int DEFAULT NULL /*!80023 INVISIBLE */", "invisible"),
        (Dialect::MySql, "  `a` int WITH WINGS (1, 2)", "not understood"),
        (Dialect::MySql, "  PERIOD FOR `p` (`x`, `y`)", "not understood"),
        (Dialect::MariaDb, "  `a` blob /*M!100301 COMPRESSED*/ DEFAULT NULL", "not understood"),
        (Dialect::MariaDb, "  CONSTRAINT `b` CHECK (`b` > 0)", "name of a column"),
        (Dialect::MySql, "  `a` binary(2) DEFAULT '\u{fffd}'", "not text"),
    ] {
        let table = read(dialect, &lines(&format!("  `b` int,\n{line},\n  KEY `k` (`b`)")));
        let found = table.opaque.as_deref().unwrap_or_default();
        assert!(found.contains(reason), "{line}: {found}");
        assert!(table.column("b").is_some() && table.indexes.len() == 1, "{table:#?}");
    }
    for (sql, reason) in [
        ("CREATE TABLE `t` (\n  `a` int\n) ENGINE=MyISAM DEFAULT CHARSET=latin1", "engine"),
        ("CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB WITH SYSTEM VERSIONING", "versioned"),
        (
            "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB\n/*!50100 PARTITION BY HASH (`a`) */",
            "partitioned",
        ),
        ("CREATE TABLE `t` (\n  `a` int", "not understood"),
        ("", "can not be read"),
    ] {
        let table = read(Dialect::MySql, sql);
        let found = table.opaque.as_deref().unwrap_or_default();
        assert!(found.contains(reason), "{sql}: {found}");
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    let sql =
        lines("  `a` enum('x','ä') DEFAULT 'x' CHECK ((`a` <> 'é')),\n  KEY `k` (`a`(3) DESC)");
    for end in (0..sql.len()).filter(|end| sql.is_char_boundary(*end)) {
        read(Dialect::MariaDb, &sql[..end]);
        read(Dialect::MySql, &sql[end..]);
    }
}
