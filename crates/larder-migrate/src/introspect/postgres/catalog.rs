//! The statements that ask the catalog, each for all tables at once.
//!
//! Guards that the number of statements does not depend on the number of tables, and that servers
//! from version 12 on understand them.

/// Which relations are asked about; `$1` is a schema, or names as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    Names,
    Schema,
}

impl Chosen {
    /// A list of relations named `chosen`, to stand before a statement.
    fn with(self) -> &'static str {
        match self {
            Self::Schema => {
                "WITH chosen AS (\
                   SELECT c.*, n.nspname FROM pg_class c \
                   JOIN pg_namespace n ON n.oid = c.relnamespace \
                   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c', 'S') \
                     AND NOT (c.relkind = 'S' AND EXISTS (\
                       SELECT FROM pg_depend o WHERE o.classid = 'pg_class'::regclass \
                         AND o.objid = c.oid AND o.refclassid = 'pg_class'::regclass \
                         AND o.deptype IN ('a', 'i'))))"
            }
            Self::Names => {
                "WITH names AS (\
                   SELECT * FROM json_to_recordset($1::json) AS w(schema text, name text)), \
                 chosen AS (\
                   SELECT c.*, n.nspname FROM pg_class c \
                   JOIN pg_namespace n ON n.oid = c.relnamespace \
                   JOIN (SELECT DISTINCT schema, name FROM names) w \
                     ON w.schema = n.nspname AND w.name = c.relname)"
            }
        }
    }

    /// Every relation: number, schema, name, kind, comment, whether it is a partition, follows a
    /// type, inherits, is inherited from, belongs to an extension, what else belongs to it as JSON.
    pub(super) fn relations(self) -> String {
        format!(
            "{} SELECT c.oid::int8, c.nspname::text, c.relname::text, c.relkind::text, \
               obj_description(c.oid, 'pg_class'), c.relispartition, c.reloftype <> 0, \
               EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid), \
               c.relhassubclass AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid), \
               EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass \
                 AND e.objid = c.oid AND e.deptype = 'e'), ({DEPENDENTS})::text \
             FROM chosen c",
            self.with()
        )
    }

    /// Every column in its order: table, name, type, whether it may be NULL, expression, letters
    /// for identity and generation, whether it is `serial`, collation, comment.
    pub(super) fn columns(self) -> String {
        format!(
            "{} SELECT a.attrelid::int8, a.attname::text, format_type(a.atttypid, a.atttypmod), \
               NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, \
               a.attgenerated::text, \
               d.oid IS NOT NULL AND EXISTS (\
                 SELECT FROM pg_depend o JOIN pg_depend u ON u.classid = 'pg_attrdef'::regclass \
                   AND u.objid = d.oid AND u.refclassid = 'pg_class'::regclass \
                   AND u.refobjid = o.objid \
                 WHERE o.refclassid = 'pg_class'::regclass AND o.refobjid = a.attrelid \
                   AND o.refobjsubid = a.attnum AND o.classid = 'pg_class'::regclass \
                   AND o.deptype = 'a'), \
               {collation}, s.description \
             FROM chosen c JOIN pg_attribute a ON a.attrelid = c.oid \
             JOIN pg_type t ON t.oid = a.atttypid \
             LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
             LEFT JOIN pg_collation l ON l.oid = a.attcollation AND l.oid <> t.typcollation \
             LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace \
             LEFT JOIN pg_description s ON s.classoid = 'pg_class'::regclass \
               AND s.objoid = a.attrelid AND s.objsubid = a.attnum \
             WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind NOT IN ('S', 'i', 'I', 't') \
             ORDER BY a.attrelid, a.attnum",
            self.with(),
            collation = COLLATION,
        )
    }

    /// Every key, reference and check: table, name, kind, columns, whether it is deferrable,
    /// initially deferred and validated, the target's schema, name and columns, letters for the
    /// actions, expression, included columns, `NULLS NOT DISTINCT`, whether it has what nobody
    /// here describes.
    pub(super) fn constraints(self, version: i64) -> String {
        let not_distinct = since(version, 15, "i.indnullsnotdistinct", "false");
        let some_columns = since(version, 15, "k.confdelsetcols IS NOT NULL", "false");
        let period = since(version, 18, "k.conperiod", "false");
        format!(
            "{} SELECT k.conrelid::int8, k.conname::text, k.contype::text, \
               {columns}, k.condeferrable, k.condeferred, k.convalidated, \
               tn.nspname::text, t.relname::text, {target_columns}, k.confdeltype::text, \
               k.confupdtype::text, pg_get_expr(k.conbin, k.conrelid), {INCLUDED}, \
               coalesce({not_distinct}, false), \
               k.contype = 'f' AND (k.confmatchtype = 'f' OR {some_columns}) OR {period} \
             FROM chosen c JOIN pg_constraint k ON k.conrelid = c.oid \
             LEFT JOIN pg_index i ON i.indexrelid = k.conindid AND k.contype IN ('p', 'u') \
             LEFT JOIN pg_class t ON t.oid = k.confrelid \
             LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace \
             WHERE k.contype IN ('p', 'u', 'f', 'c') ORDER BY k.conrelid, k.conname",
            self.with(),
            columns = names("k.conkey", "k.conrelid"),
            target_columns = names("k.confkey", "k.confrelid"),
        )
    }

    /// Every index of its own: table, name, whether it is unique, method, whether it is valid,
    /// `NULLS NOT DISTINCT`, predicate, parts as JSON, included columns.
    pub(super) fn indexes(self, version: i64) -> String {
        let not_distinct = since(version, 15, "i.indnullsnotdistinct", "false");
        format!(
            "{} SELECT i.indrelid::int8, x.relname::text, i.indisunique, m.amname::text, \
               i.indisvalid AND i.indisready, {not_distinct}, \
               pg_get_expr(i.indpred, i.indrelid), ({PARTS})::text, {INCLUDED} \
             FROM chosen c JOIN pg_index i ON i.indrelid = c.oid \
             JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam \
             WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = i.indrelid \
               AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')) \
             ORDER BY i.indrelid, x.relname",
            self.with(),
        )
    }

    /// Every enumerated type: schema, name, labels. Of names: those that tables have columns of,
    /// and those that are named themselves.
    pub(super) fn enums(self) -> String {
        let wanted = match self {
            Self::Schema => {
                "n.nspname = $1 AND NOT EXISTS (SELECT FROM pg_depend x \
                   WHERE x.classid = 'pg_type'::regclass AND x.objid = t.oid AND x.deptype = 'e')"
            }
            Self::Names => {
                "(t.oid IN (SELECT CASE u.typelem WHEN 0 THEN u.oid ELSE u.typelem END \
                   FROM chosen c JOIN pg_attribute a ON a.attrelid = c.oid \
                   JOIN pg_type u ON u.oid = a.atttypid \
                   WHERE a.attnum > 0 AND NOT a.attisdropped) \
                 OR EXISTS (SELECT FROM names w \
                   WHERE w.schema = n.nspname AND w.name = t.typname))"
            }
        };
        format!(
            "{} SELECT n.nspname::text, t.typname::text, (SELECT coalesce(json_agg(e.enumlabel \
                 ORDER BY e.enumsortorder), '[]') FROM pg_enum e WHERE e.enumtypid = t.oid)::text \
             FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
             WHERE t.typtype = 'e' AND {wanted}",
            self.with(),
        )
    }
}

fn since(version: i64, major: i64, then: &'static str, before: &'static str) -> &'static str {
    if version >= major * 10_000 { then } else { before }
}

/// The names of the columns of a table by their numbers, as JSON.
fn names(numbers: &str, table: &str) -> String {
    format!(
        "(SELECT json_agg(a.attname ORDER BY u.at) \
           FROM unnest({numbers}) WITH ORDINALITY AS u(number, at) \
           JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = u.number)::text"
    )
}

/// What belongs to a table and is no part of its description, as JSON.
const DEPENDENTS: &str = "SELECT json_agg(json_build_object('name', d.name, 'sql', d.sql) \
      ORDER BY d.name, d.sql) \
    FROM (\
      SELECT k.conname::text AS name, pg_get_constraintdef(k.oid) AS sql FROM pg_constraint k \
        WHERE k.conrelid = c.oid AND k.contype = 'x' \
      UNION ALL SELECT t.tgname::text, pg_get_triggerdef(t.oid) FROM pg_trigger t \
        WHERE t.tgrelid = c.oid AND NOT t.tgisinternal \
      UNION ALL SELECT r.rulename::text, pg_get_ruledef(r.oid) FROM pg_rewrite r \
        WHERE r.ev_class = c.oid AND c.relkind IN ('r', 'p') \
      UNION ALL SELECT p.polname::text, concat('CREATE POLICY ', quote_ident(p.polname), \
          ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', \
          ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')') FROM pg_policy p \
        WHERE p.polrelid = c.oid) d";

/// The name of a collation, in quotes, with its schema unless it is PostgreSQL's own.
const COLLATION: &str = "CASE WHEN l.oid IS NOT NULL THEN \
    CASE ln.nspname WHEN 'pg_catalog' THEN '' \
      ELSE '\"' || replace(ln.nspname, '\"', '\"\"') || '\".' END \
    || '\"' || replace(l.collname, '\"', '\"\"') || '\"' END";

/// The columns that an index only carries along, as JSON.
const INCLUDED: &str = "(SELECT json_agg(a.attname ORDER BY u.at) \
    FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS u(number, at) \
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number \
    WHERE u.at > i.indnkeyatts)::text";

/// The parts of an index, as JSON. The vectors of `pg_index` are counted from 0.
const PARTS: &str = "SELECT json_agg(json_build_object(\
       'column', a.attname, \
       'expression', CASE i.indkey[at - 1] WHEN 0 THEN \
         pg_get_indexdef(i.indexrelid, at, false) END, \
       'option', i.indoption[at - 1], \
       'collation', CASE WHEN l.oid IS NOT NULL THEN \
         CASE ln.nspname WHEN 'pg_catalog' THEN '' \
           ELSE '\"' || replace(ln.nspname, '\"', '\"\"') || '\".' END \
         || '\"' || replace(l.collname, '\"', '\"\"') || '\"' END, \
       'opclass', CASE WHEN NOT o.opcdefault OR y.attoptions IS NOT NULL THEN \
         CASE n.nspname WHEN 'pg_catalog' THEN '' ELSE quote_ident(n.nspname) || '.' END \
         || quote_ident(o.opcname) \
         || coalesce((SELECT '(' || string_agg(split_part(p, '=', 1) || '=' || \
              quote_literal(substr(p, strpos(p, '=') + 1)), ', ') || ')' \
              FROM unnest(y.attoptions) AS p), '') END\
     ) ORDER BY at) \
     FROM generate_series(1, i.indnkeyatts) AS at \
     JOIN pg_attribute y ON y.attrelid = i.indexrelid AND y.attnum = at \
     JOIN pg_type t ON t.oid = y.atttypid \
     JOIN pg_opclass o ON o.oid = i.indclass[at - 1] \
     JOIN pg_namespace n ON n.oid = o.opcnamespace \
     LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[at - 1] \
       AND a.attnum <> 0 \
     LEFT JOIN pg_collation l ON l.oid = i.indcollation[at - 1] \
       AND l.oid <> coalesce(a.attcollation, t.typcollation) \
     LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace";
