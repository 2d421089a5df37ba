//! What a server says of a schema by itself.
//!
//! Guards against what both sides of a comparison lack: a description that loses something finds
//! two schemas equal that differ in it.

use std::collections::BTreeSet;

use larder_migrate::Session;
use larder_model::Dialect;

/// Columns, constraints, indexes and labels as PostgreSQL prints them, without the names that it
/// makes up, nor those of sequences.
const POSTGRES: &[&str] = &[
    "SELECT concat_ws(' | ', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), \
       a.attnotnull::text, regexp_replace(pg_get_expr(d.adbin, d.adrelid), \
         'nextval\\(''.*''::regclass\\)', 'nextval()'), '<' || a.attidentity::text || '>', \
       '<' || a.attgenerated::text || '>', l.collname, col_description(c.oid, a.attnum)) \
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum \
     LEFT JOIN pg_collation l ON l.oid = a.attcollation \
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') \
       AND a.attnum > 0 AND NOT a.attisdropped",
    "SELECT concat_ws(' | ', c.relname, pg_get_constraintdef(k.oid)) \
     FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid \
     WHERE c.relnamespace = current_schema()::regnamespace AND k.contype IN ('p', 'u', 'f', 'c', 'x')",
    "SELECT concat_ws(' | ', pg_get_indexdef(i.indexrelid), i.indisvalid::text) \
     FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid \
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') \
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid \
         AND k.conrelid = c.oid)",
    "SELECT concat_ws(' | ', c.relname, c.relkind::text, obj_description(c.oid, 'pg_class')) \
     FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace \
       AND c.relkind IN ('r', 'p', 'v', 'm')",
    "SELECT concat_ws(' | ', t.typname, string_agg(quote_literal(e.enumlabel), ', ' \
       ORDER BY e.enumsortorder)) FROM pg_type t LEFT JOIN pg_enum e ON e.enumtypid = t.oid \
     WHERE t.typnamespace = current_schema()::regnamespace AND t.typtype = 'e' GROUP BY t.oid",
];

/// The same of MySQL and MariaDB, which keep it in tables of their own beside the statement that
/// they print. An index that a reference has anyway is nobody's.
const MYSQL: &[&str] = &[
    "SELECT CONCAT_WS(' | ', TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, \
       COALESCE(COLUMN_DEFAULT, '<none>'), EXTRA, COALESCE(COLLATION_NAME, ''), \
       COALESCE(GENERATION_EXPRESSION, ''), COLUMN_COMMENT) \
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()",
    "SELECT CONCAT_WS(' | ', c.TABLE_NAME, k.CHECK_CLAUSE) \
     FROM information_schema.TABLE_CONSTRAINTS c JOIN information_schema.CHECK_CONSTRAINTS k \
       ON k.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND k.CONSTRAINT_NAME = c.CONSTRAINT_NAME \
     WHERE c.TABLE_SCHEMA = DATABASE() AND c.CONSTRAINT_TYPE = 'CHECK'",
    "SELECT CONCAT_WS(' | ', r.TABLE_NAME, r.REFERENCED_TABLE_NAME, \
       REPLACE(r.UPDATE_RULE, 'RESTRICT', 'NO ACTION'), \
       REPLACE(r.DELETE_RULE, 'RESTRICT', 'NO ACTION'), \
       GROUP_CONCAT(CONCAT(u.COLUMN_NAME, ' to ', u.REFERENCED_COLUMN_NAME) \
         ORDER BY u.ORDINAL_POSITION)) \
     FROM information_schema.REFERENTIAL_CONSTRAINTS r \
     JOIN information_schema.KEY_COLUMN_USAGE u ON u.CONSTRAINT_SCHEMA = r.CONSTRAINT_SCHEMA \
       AND u.TABLE_NAME = r.TABLE_NAME AND u.CONSTRAINT_NAME = r.CONSTRAINT_NAME \
     WHERE r.CONSTRAINT_SCHEMA = DATABASE() GROUP BY r.TABLE_NAME, r.CONSTRAINT_NAME, \
       r.REFERENCED_TABLE_NAME, r.UPDATE_RULE, r.DELETE_RULE",
];

/// Indexes; `{}` is what only one of both servers tells of a part.
const MYSQL_INDEXES: &str = "\
    SELECT s.line FROM (\
      SELECT TABLE_NAME, INDEX_NAME, MAX(NON_UNIQUE) AS plain, \
        GROUP_CONCAT(COALESCE(COLUMN_NAME, '') ORDER BY SEQ_IN_INDEX) AS names, \
        CONCAT_WS(' | ', TABLE_NAME, INDEX_NAME, MAX(NON_UNIQUE), MAX(INDEX_TYPE), GROUP_CONCAT(\
          CONCAT_WS(' ', COLUMN_NAME, SUB_PART, COLLATION, {}) ORDER BY SEQ_IN_INDEX)) AS line \
      FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() \
      GROUP BY TABLE_NAME, INDEX_NAME) AS s \
    WHERE s.plain = 0 OR NOT EXISTS (\
      SELECT 1 FROM (SELECT TABLE_NAME, GROUP_CONCAT(COLUMN_NAME ORDER BY ORDINAL_POSITION) AS names \
        FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = DATABASE() \
          AND REFERENCED_TABLE_NAME IS NOT NULL GROUP BY TABLE_NAME, CONSTRAINT_NAME) AS f \
      WHERE f.TABLE_NAME = s.TABLE_NAME AND f.names = s.names)";

/// Columns, indexes and references by SQLite's own pragmas. The number of a row is never NULL,
/// whether or not its column says so.
const SQLITE: &[&str] = &[
    "SELECT concat_ws(' | ', lower(m.name), lower(x.name), replace(lower(x.type), ' ', ''), \
       iif(x.pk = 1 AND lower(x.type) = 'integer', 1, x.\"notnull\"), \
       iif(x.dflt_value LIKE 'x''%', lower(x.dflt_value), x.dflt_value), x.pk, x.hidden) \
     FROM sqlite_schema m, pragma_table_xinfo(m.name) x \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'",
    "SELECT concat_ws(' | ', lower(m.name), iif(i.origin = 'c', i.name, i.origin), i.\"unique\", \
       i.partial, group_concat(concat_ws(' ', lower(x.name), x.\"desc\", x.coll), ', ')) \
     FROM sqlite_schema m, pragma_index_list(m.name) i, pragma_index_xinfo(i.name) x \
     WHERE m.type = 'table' AND x.key GROUP BY m.name, i.name",
    "SELECT concat_ws(' | ', lower(m.name), lower(f.\"table\"), f.on_update, f.on_delete, \
       group_concat(lower(f.\"from\"), ', ')) \
     FROM sqlite_schema m, pragma_foreign_key_list(m.name) f \
     WHERE m.type = 'table' GROUP BY m.name, f.id",
];

/// The lines in which the server tells of the schema.
pub(crate) async fn told(session: &mut dyn Session) -> BTreeSet<String> {
    let mut statements: Vec<_> = match session.dialect() {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgres => POSTGRES,
        _ => MYSQL,
    }
    .iter()
    .map(|sql| (*sql).to_owned())
    .collect();
    match session.dialect() {
        Dialect::MariaDb => statements.push(MYSQL_INDEXES.replace("{}", "IGNORED")),
        Dialect::MySql => statements.push(MYSQL_INDEXES.replace("{}", "EXPRESSION, IS_VISIBLE")),
        _ => {}
    }
    let mut lines = BTreeSet::new();
    for sql in statements {
        let rows =
            session.fetch(&sql, &[]).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
        // Two lines that are equal are one too few.
        for row in rows {
            let mut line = row[0].as_text().unwrap_or_default().to_owned();
            while !lines.insert(line.clone()) {
                line.push_str(" again");
            }
        }
    }
    lines
}
