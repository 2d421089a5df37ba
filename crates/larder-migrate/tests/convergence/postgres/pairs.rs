//! The pairs, by what they are about.
//!
//! Each leads from what is there, often with rows in it, to what should be there.

use crate::harness::Pair;

const fn pair(name: &'static str, current: &'static str, desired: &'static str) -> Pair {
    Pair { name, current, desired }
}

/// A pair of equal schemas that may be written otherwise.
const fn same(name: &'static str, sql: &'static str) -> Pair {
    pair(name, sql, sql)
}

pub(super) const COLUMNS: &[Pair] = &[
    pair("a table out of nothing", "", "CREATE TABLE t (id bigint PRIMARY KEY, name text)"),
    pair("nothing out of a table", "CREATE TABLE t (id bigint PRIMARY KEY, name text)", ""),
    same(
        "every plain type",
        "CREATE TABLE t (a bytea, b boolean, c date, d numeric, e real, f double precision,
           g smallint, h integer, i bigint, j json, k jsonb, l text, m time, n timestamp,
           o timestamptz, p uuid, q timetz, r interval, s inet, t cidr, u macaddr, v money,
           w bit(3), x bit varying(5), y point, z tsvector, aa xml, bb int4range, cc \"char\",
           dd name, ee text[], ff integer[][], gg varchar(7)[], hh interval day to second(3))",
    ),
    pair(
        "types by their other names",
        "CREATE TABLE t (a int4, b int8, c float8, d bool, e decimal(8,3), f varchar, g bpchar(4))",
        "CREATE TABLE t (a integer, b bigint, c double precision, d boolean, e numeric(8,3),
           f character varying, g character(4))",
    ),
    pair(
        "columns come and go",
        "CREATE TABLE t (id int PRIMARY KEY, old text, kept int); INSERT INTO t VALUES (1, 'x', 2)",
        "CREATE TABLE t (id int PRIMARY KEY, kept int, fresh text, fixed int NOT NULL DEFAULT 7)",
    ),
    pair(
        "the order of columns does not count",
        "CREATE TABLE t (a int, b text)",
        "CREATE TABLE t (b text, a int)",
    ),
    pair(
        "varchar grows",
        "CREATE TABLE t (a varchar(10) DEFAULT 'x'); INSERT INTO t VALUES ('abc')",
        "CREATE TABLE t (a varchar(20) DEFAULT 'x')",
    ),
    pair(
        "varchar loses its limit and becomes text",
        "CREATE TABLE t (a varchar(10), b varchar(10) NOT NULL DEFAULT 'q')",
        "CREATE TABLE t (a varchar, b text NOT NULL DEFAULT 'q')",
    ),
    pair(
        "text gets a limit that all rows keep",
        "CREATE TABLE t (a text, b varchar(9)); INSERT INTO t VALUES ('abc', 'def')",
        "CREATE TABLE t (a varchar(3), b varchar(3))",
    ),
    pair(
        "blanks are padded",
        "CREATE TABLE t (a char(3), b char(5)); INSERT INTO t VALUES ('ab', 'cd')",
        "CREATE TABLE t (a char(5), b text)",
    ),
    pair(
        "integers grow with their defaults and their references",
        "CREATE TABLE p (id int PRIMARY KEY);
         CREATE TABLE t (id smallint DEFAULT -5, p int REFERENCES p);
         INSERT INTO p VALUES (1); INSERT INTO t VALUES (DEFAULT, 1)",
        "CREATE TABLE p (id bigint PRIMARY KEY);
         CREATE TABLE t (id bigint DEFAULT -5, p bigint REFERENCES p)",
    ),
    pair(
        "integers shrink where all rows fit",
        "CREATE TABLE t (a bigint, b int); INSERT INTO t VALUES (1, 2)",
        "CREATE TABLE t (a int, b smallint)",
    ),
    pair(
        "a scale below zero",
        "CREATE TABLE t (a numeric(10,2), b numeric(10,-2)); INSERT INTO t VALUES (1200, 1200)",
        "CREATE TABLE t (a numeric(10,-2), b numeric(12,2))",
    ),
    pair(
        "decimal numbers grow, shrink and lose their limits",
        "CREATE TABLE t (a numeric(10,2), b numeric(10,4), c numeric(5,1), d numeric)",
        "CREATE TABLE t (a numeric(12,2), b numeric(10,2), c numeric, d numeric(6,3))",
    ),
    pair(
        "integers become decimal numbers and back",
        "CREATE TABLE t (a int DEFAULT 3, b bigint, c numeric(9,2)); INSERT INTO t VALUES (1, 2, 3)",
        "CREATE TABLE t (a numeric(12,2) DEFAULT 3, b numeric(4,1), c int)",
    ),
    pair(
        "digits of a second come and go",
        "CREATE TABLE t (a timestamp(3), b timestamptz, c time(0), d timetz(6));
         INSERT INTO t (b) VALUES ('2020-01-01 00:00:00Z')",
        "CREATE TABLE t (a timestamp, b timestamptz(0), c time(3), d timetz(2))",
    ),
    pair(
        "a time zone is added where nothing is in the way",
        "CREATE TABLE t (a timestamp DEFAULT now(), b timestamptz)",
        "CREATE TABLE t (a timestamptz DEFAULT now(), b timestamp)",
    ),
    pair(
        "floating-point numbers grow, and shrink in an empty table",
        "CREATE TABLE t (a real, b double precision, c int, d bigint)",
        "CREATE TABLE t (a double precision, b real, c double precision, d real)",
    ),
    pair(
        "a uuid and a number become texts",
        "CREATE TABLE t (a uuid, b int, c boolean); INSERT INTO t VALUES (NULL, 1, true)",
        "CREATE TABLE t (a text, b text, c text)",
    ),
    same(
        "domains keep their names",
        "CREATE DOMAIN email AS varchar(80) CHECK (VALUE LIKE '%@%');
         CREATE SCHEMA other; CREATE DOMAIN other.age AS int NOT NULL DEFAULT 1;
         CREATE TABLE t (a email NOT NULL, b other.age, c email[])",
    ),
    pair(
        "a domain, a text with a limit and one without are three types",
        "CREATE DOMAIN email AS varchar(80);
         CREATE TABLE t (a varchar(80), b varchar(80))",
        "CREATE DOMAIN email AS varchar(80);
         CREATE TABLE t (a varchar(80), b varchar, c email)",
    ),
    pair(
        "types of an extension in a schema of its own",
        "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE TABLE t (a text)",
        "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;
         CREATE TABLE t (a text, b ext.citext NOT NULL DEFAULT 'x' CHECK (b OPERATOR(ext.<>) 'y'),
           c ext.citext[] DEFAULT '{}'); CREATE UNIQUE INDEX i ON t (b)",
    ),
    pair(
        "collations",
        "CREATE TABLE t (a text, b text COLLATE \"C\", c text COLLATE \"C\" DEFAULT 'x')",
        "CREATE TABLE t (a text COLLATE \"C\", b text COLLATE \"POSIX\", c text DEFAULT 'x')",
    ),
    same(
        "collations of one's own",
        "CREATE SCHEMA \"Other\"; CREATE COLLATION \"Other\".\"my \"\"C\"\"\" FROM \"C\";
         CREATE COLLATION mine FROM \"POSIX\";
         CREATE TABLE t (a text COLLATE \"Other\".\"my \"\"C\"\"\", b text COLLATE mine);
         CREATE INDEX i ON t (a COLLATE mine, b COLLATE \"Other\".\"my \"\"C\"\"\" DESC)",
    ),
    pair(
        "NULL and NOT NULL",
        "CREATE TABLE t (id int PRIMARY KEY, a text, b text NOT NULL);
         INSERT INTO t VALUES (1, 'x', 'y')",
        "CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, b text)",
    ),
    pair(
        "comments come, change and go",
        "CREATE TABLE t (a int, b int, c int); COMMENT ON COLUMN t.b IS 'before';
         COMMENT ON COLUMN t.c IS 'gone'; COMMENT ON TABLE t IS 'old'",
        "CREATE TABLE t (a int, b int, c int); COMMENT ON TABLE t IS E'it''s \\\\ new';
         COMMENT ON COLUMN t.a IS 'x''); DROP TABLE t; --'; COMMENT ON COLUMN t.b IS 'after'",
    ),
];

pub(super) const VALUES: &[Pair] = &[
    same(
        "defaults as the server prints them",
        "CREATE TABLE t (a int DEFAULT -5, b smallint DEFAULT 5, c bigint DEFAULT 3000000000,
           d numeric DEFAULT -1.50, e text DEFAULT 'it''s', f varchar(9) DEFAULT 'x',
           g boolean DEFAULT true, h timestamptz DEFAULT now(), i timestamp DEFAULT now(),
           j timestamptz DEFAULT CURRENT_TIMESTAMP, k date DEFAULT CURRENT_DATE,
           l jsonb DEFAULT '{\"b\": 1, \"a\": 2}', m text[] DEFAULT ARRAY['a', 'b'],
           n int[] DEFAULT '{}', o double precision DEFAULT 1.5, p uuid DEFAULT gen_random_uuid(),
           q interval DEFAULT '1 day', r bytea DEFAULT '\\xab', s text DEFAULT 'a\\b',
           t int DEFAULT (1 + 2) * 3, u char(3) DEFAULT 'q', v timestamptz DEFAULT '2020-01-01 UTC',
           w date DEFAULT now() + interval '1 day', x int DEFAULT NULL, y text DEFAULT '',
           z text DEFAULT CURRENT_USER, aa money DEFAULT 1.5, bb time DEFAULT LOCALTIME)",
    ),
    pair(
        "defaults come, change and go",
        "CREATE TABLE t (a int, b int DEFAULT 1, c int DEFAULT 2, d text DEFAULT 'x'); INSERT INTO t DEFAULT VALUES",
        "CREATE TABLE t (a int DEFAULT -1, b int DEFAULT 3, c int, d text DEFAULT '''; --')",
    ),
    pair(
        "now and CURRENT_TIMESTAMP are two texts",
        "CREATE TABLE t (a timestamptz DEFAULT now())",
        "CREATE TABLE t (a timestamptz DEFAULT CURRENT_TIMESTAMP)",
    ),
    pair(
        "columns with values of every class are added to rows",
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE t (id int, a uuid DEFAULT gen_random_uuid(), b timestamptz NOT NULL DEFAULT now(),
           c bigserial, d int GENERATED ALWAYS AS IDENTITY, e int GENERATED ALWAYS AS (id * 2) STORED,
           f text COLLATE \"C\" DEFAULT 'x' NOT NULL)",
    ),
    same(
        "serial, sequences and identities",
        "CREATE SEQUENCE other; CREATE TABLE t (a serial, b bigserial, c smallserial,
           d int GENERATED ALWAYS AS IDENTITY, e int GENERATED BY DEFAULT AS IDENTITY (START 7),
           f int DEFAULT nextval('other'), g int DEFAULT nextval('other') + 1)",
    ),
    pair(
        "serial becomes an identity and goes on counting",
        "CREATE TABLE t (id serial PRIMARY KEY, a text); INSERT INTO t (a) VALUES ('x'), ('y')",
        "CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a text)",
    ),
    pair(
        "an identity becomes serial",
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text);
         INSERT INTO t (a) VALUES ('x'), ('y')",
        "CREATE TABLE t (id serial PRIMARY KEY, a text)",
    ),
    pair(
        "kinds of identity",
        "CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY, b int GENERATED BY DEFAULT AS IDENTITY)",
        "CREATE TABLE t (a int GENERATED BY DEFAULT AS IDENTITY, b int GENERATED ALWAYS AS IDENTITY)",
    ),
    pair(
        "numbers begin and end",
        "CREATE TABLE t (a int, b int NOT NULL DEFAULT 4, c int GENERATED ALWAYS AS IDENTITY, d serial);
         INSERT INTO t (a, b) VALUES (40, 1)",
        "CREATE TABLE t (a int GENERATED BY DEFAULT AS IDENTITY, b serial, c int, d int NOT NULL DEFAULT 3)",
    ),
    pair(
        "numbered columns grow",
        "CREATE TABLE t (a serial, b int GENERATED ALWAYS AS IDENTITY)",
        "CREATE TABLE t (a bigserial, b bigint GENERATED ALWAYS AS IDENTITY)",
    ),
    pair(
        "a serial column that may be NULL",
        "",
        "CREATE TABLE t (id serial); ALTER TABLE t ALTER id DROP NOT NULL",
    ),
    pair(
        "a serial column of decimal numbers under a name that is hard",
        "",
        "CREATE TABLE \"My t'able\" (a int);
         CREATE SEQUENCE \"My t'able_b'\"\"_seq\";
         ALTER TABLE \"My t'able\" ADD \"b'\"\"\" numeric DEFAULT nextval('\"My t''able_b''\"\"_seq\"');
         ALTER SEQUENCE \"My t'able_b'\"\"_seq\" OWNED BY \"My t'able\".\"b'\"\"\"",
    ),
    pair(
        "computed columns come and go",
        "CREATE TABLE t (a int, b int, gone int GENERATED ALWAYS AS (a + b) STORED)",
        "CREATE TABLE t (a int, b int, fresh int GENERATED ALWAYS AS (a * b) STORED)",
    ),
    pair(
        "a computed column is computed otherwise and keeps what goes with it",
        "CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a + 1) STORED, UNIQUE (g, a), CHECK (g > 0));
         CREATE INDEX i ON t (g) WHERE g > 5; COMMENT ON COLUMN t.g IS 'about'; INSERT INTO t VALUES (1)",
        "CREATE TABLE t (a int, g bigint GENERATED ALWAYS AS (a + 2) STORED, UNIQUE (g, a), CHECK (g > 0));
         CREATE INDEX i ON t (g) WHERE g > 5; COMMENT ON COLUMN t.g IS 'about'",
    ),
    pair(
        "a column is computed no more, another one from now on",
        "CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a + 1) STORED, h int)",
        "CREATE TABLE t (a int, g int, h int GENERATED ALWAYS AS (a + 1) STORED)",
    ),
    pair(
        "a column goes together with what is computed from it",
        "CREATE TABLE t (id int, a int, g int GENERATED ALWAYS AS (a + 1) STORED)",
        "CREATE TABLE t (id int)",
    ),
];

pub(super) const INDEXES: &[Pair] = &[
    pair(
        "indexes come and go while rows are there",
        "CREATE TABLE t (a int, b int); CREATE INDEX gone ON t (b); INSERT INTO t VALUES (1, 2), (2, 2)",
        "CREATE TABLE t (a int, b int); CREATE INDEX fresh ON t (a); CREATE UNIQUE INDEX u ON t (a)",
    ),
    pair(
        "every kind of index",
        "CREATE TABLE t (a text, b int, c int[], d jsonb, e point)",
        "CREATE TABLE t (a text, b int, c int[], d jsonb, e point);
         CREATE INDEX i1 ON t USING hash (a); CREATE INDEX i2 ON t USING gin (c);
         CREATE INDEX i3 ON t USING gin (d jsonb_path_ops); CREATE INDEX i4 ON t USING gist (e);
         CREATE INDEX i5 ON t USING brin (b); CREATE INDEX i6 ON t USING spgist (e)",
    ),
    pair(
        "partial indexes, plain and unique, are not taken for full ones",
        "CREATE TABLE t (a int, b text); CREATE UNIQUE INDEX u ON t (a)",
        "CREATE TABLE t (a int, b text); CREATE UNIQUE INDEX u ON t (a) WHERE b IS NOT NULL;
         CREATE INDEX p ON t (b) WHERE a > 5 AND b <> 'it''s'",
    ),
    pair(
        "expressions are not lost",
        "CREATE TABLE t (a text, b int)",
        "CREATE TABLE t (a text, b int); CREATE UNIQUE INDEX u ON t (lower(a));
         CREATE INDEX i ON t (b, lower(a), (b + 1), (a || 'x') COLLATE \"C\" DESC)",
    ),
    pair(
        "included columns are no key",
        "CREATE TABLE t (a int, b int, c int); CREATE UNIQUE INDEX u ON t (a, b)",
        "CREATE TABLE t (a int, b int, c int); CREATE UNIQUE INDEX u ON t (a) INCLUDE (b);
         CREATE INDEX i ON t (b) INCLUDE (c, a)",
    ),
    pair(
        "directions and places of NULLs",
        "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a, b)",
        "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a DESC, b NULLS FIRST);
         CREATE INDEX j ON t (a DESC NULLS LAST, b ASC NULLS LAST)",
    ),
    pair(
        "operator classes",
        "CREATE TABLE t (a text, b varchar(9), c jsonb); CREATE INDEX i ON t (a)",
        "CREATE TABLE t (a text, b varchar(9), c jsonb); CREATE INDEX i ON t (a text_pattern_ops);
         CREATE INDEX j ON t (b varchar_pattern_ops DESC); CREATE INDEX k ON t (b varchar_ops)",
    ),
    pair(
        "options of operator classes",
        "CREATE TABLE t (a tsvector)",
        "CREATE TABLE t (a tsvector); CREATE INDEX i ON t USING gist (a tsvector_ops (siglen = 100))",
    ),
    pair(
        "NULLs that are not distinct",
        "CREATE TABLE t (a int, b int, UNIQUE (b)); CREATE UNIQUE INDEX u ON t (a)",
        "CREATE TABLE t (a int, b int, UNIQUE NULLS NOT DISTINCT (b));
         CREATE UNIQUE INDEX u ON t (a) NULLS NOT DISTINCT",
    ),
    pair(
        "the order of an index's columns counts",
        "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a, b)",
        "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (b, a)",
    ),
    pair(
        "an index has another name",
        "CREATE TABLE t (a int); CREATE INDEX old ON t (a)",
        "CREATE TABLE t (a int); CREATE INDEX new ON t (a)",
    ),
    pair(
        "an index moves to another table",
        "CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE INDEX i ON t (a)",
        "CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE INDEX i ON u (a)",
    ),
    pair(
        "an index whose column gets another type",
        "CREATE TABLE t (a varchar(5)); CREATE INDEX i ON t (lower(a)) WHERE a <> 'x'",
        "CREATE TABLE t (a text); CREATE INDEX i ON t (lower(a)) WHERE a <> 'x'",
    ),
    pair(
        "an index of a type in another schema",
        "CREATE SCHEMA other; CREATE FUNCTION other.f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
         CREATE TABLE t (a int)",
        "CREATE SCHEMA other; CREATE FUNCTION other.f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
         CREATE TABLE t (a int); CREATE INDEX i ON t (other.f(a))",
    ),
];

pub(super) const CONSTRAINTS: &[Pair] = &[
    pair(
        "a primary key comes to rows",
        "CREATE TABLE t (a int, b int NOT NULL); INSERT INTO t VALUES (1, 1)",
        "CREATE TABLE t (a int, b int NOT NULL, PRIMARY KEY (b, a))",
    ),
    pair(
        "a primary key goes, another one changes",
        "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE TABLE u (a int PRIMARY KEY, b int NOT NULL)",
        "CREATE TABLE t (a int NOT NULL, b int); CREATE TABLE u (a int, b int, PRIMARY KEY (a, b))",
    ),
    pair(
        "a key changes to which others refer",
        "CREATE TABLE p (id int PRIMARY KEY, code int NOT NULL);
         CREATE TABLE c (p int REFERENCES p (id) ON DELETE CASCADE)",
        "CREATE TABLE p (id int UNIQUE NOT NULL, code int PRIMARY KEY);
         CREATE TABLE c (p int REFERENCES p (id) ON DELETE CASCADE)",
    ),
    pair(
        "unique constraints of every kind",
        "CREATE TABLE t (a int, b int, c int, UNIQUE (a)); INSERT INTO t VALUES (1, 2, 3)",
        "CREATE TABLE t (a int, b int, c int, UNIQUE (b) DEFERRABLE, UNIQUE (c) DEFERRABLE INITIALLY DEFERRED,
           UNIQUE (a, b) INCLUDE (c), CONSTRAINT \"it's \"\"one\"\"\" UNIQUE (c, a))",
    ),
    pair(
        "a constraint and an index that are both unique are two things",
        "CREATE TABLE t (a int UNIQUE, b int); CREATE UNIQUE INDEX i ON t (b)",
        "CREATE TABLE t (a int, b int UNIQUE); CREATE UNIQUE INDEX i ON t (a)",
    ),
    pair(
        "references with every action",
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, b int, c int, d int DEFAULT 1, e int)",
        "CREATE TABLE p (id int PRIMARY KEY);
         CREATE TABLE t (a int REFERENCES p ON DELETE CASCADE, b int REFERENCES p ON DELETE SET NULL ON UPDATE CASCADE,
           c int REFERENCES p ON DELETE RESTRICT, d int DEFAULT 1 REFERENCES p ON DELETE SET DEFAULT,
           e int REFERENCES p DEFERRABLE INITIALLY DEFERRED)",
    ),
    pair(
        "a reference changes its action",
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int REFERENCES p);
         INSERT INTO p VALUES (1); INSERT INTO t VALUES (1)",
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int REFERENCES p ON DELETE CASCADE)",
    ),
    pair(
        "references in a circle, out of nothing",
        "",
        "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
         ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b",
    ),
    pair(
        "references in a circle go",
        "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
         ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b",
        "",
    ),
    pair(
        "a table refers to itself",
        "",
        "CREATE TABLE t (id int PRIMARY KEY, parent int REFERENCES t, code int, other int);
         CREATE UNIQUE INDEX i ON t (code); ALTER TABLE t ADD FOREIGN KEY (other) REFERENCES t (code)",
    ),
    pair(
        "references over several columns, to a unique constraint, into another schema",
        "CREATE SCHEMA other; CREATE TABLE other.p (a int, b int, UNIQUE (b, a));
         CREATE TABLE t (x int, y int)",
        "CREATE SCHEMA other; CREATE TABLE other.p (a int, b int, UNIQUE (b, a));
         CREATE TABLE t (x int, y int, FOREIGN KEY (y, x) REFERENCES other.p (b, a) ON UPDATE CASCADE)",
    ),
    pair(
        "a new table refers to a key that its target gets now",
        "CREATE TABLE p (id int NOT NULL)",
        "CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE);
         CREATE TABLE c (p int REFERENCES p, code text REFERENCES p (code))",
    ),
    pair(
        "what was not validated",
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, b int); INSERT INTO t VALUES (-1, 9)",
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, b int);
         ALTER TABLE t ADD CHECK (a > 0) NOT VALID; ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES p NOT VALID",
    ),
    pair(
        "what was not validated is now",
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, b int);
         ALTER TABLE t ADD CHECK (a > 0) NOT VALID; ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES p NOT VALID",
        "CREATE TABLE p (id int PRIMARY KEY);
         CREATE TABLE t (a int CHECK (a > 0), b int REFERENCES p)",
    ),
    same(
        "checks as the server prints them",
        "CREATE TABLE t (a text, b varchar(5), c int, d boolean, e date,
           CHECK (a IN ('x', 'y')), CHECK (b IN ('x', 'y''z')), CHECK (c BETWEEN -5 AND 10), CHECK (d),
           CHECK (a LIKE 'x%' AND (c > 0 OR d)), CHECK (e > '2020-01-01'), CHECK (lower(a) <> '('),
           CHECK (NOT (a IS NULL AND b IS NULL)), CHECK (a ~ '^[a-z]+$'), CHECK (c % 2 = 0))",
    ),
    pair(
        "checks come, change and go",
        "CREATE TABLE t (a int CHECK (a > 0), b text CHECK (b <> '')); INSERT INTO t VALUES (5, 'x')",
        "CREATE TABLE t (a int CHECK (a > 1), b text, CONSTRAINT c CHECK (b <> 'it''s' OR a = 1))",
    ),
    pair(
        "a check on a column whose type changes",
        "CREATE TABLE t (a varchar(5) CHECK (a IN ('x', 'y')), b int CHECK (b > 0))",
        "CREATE TABLE t (a text CHECK (a IN ('x', 'y')), b bigint CHECK (b > 0))",
    ),
    pair(
        "triggers, rules, policies and exclusions stay",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TABLE t (a int, r int4range, EXCLUDE USING gist (r WITH &&));
         CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
         ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (a > 0)",
        "CREATE TABLE t (a int, r int4range, b text NOT NULL DEFAULT '', EXCLUDE USING gist (r WITH &&))",
    ),
];

pub(super) const ENUMS: &[Pair] = &[
    pair(
        "a type out of nothing, with labels that are hard",
        "",
        "CREATE TYPE mood AS ENUM ('it''s', 'a\"b', 'x''); DROP TABLE t; --', 'back\\slash', 'é');
         CREATE TABLE t (a mood NOT NULL DEFAULT 'it''s', b mood[] DEFAULT '{}')",
    ),
    pair(
        "a type goes with its table",
        "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (a mood)",
        "",
    ),
    pair(
        "labels are added at every place, and used at once",
        "CREATE TYPE mood AS ENUM ('b', 'd'); CREATE TABLE t (a mood DEFAULT 'b'); INSERT INTO t VALUES ('d')",
        "CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'c2', 'd', 'e');
         CREATE TABLE t (a mood DEFAULT 'c2' CHECK (a <> 'e'))",
    ),
    pair(
        "a label goes that no row has",
        "CREATE TYPE mood AS ENUM ('a', 'b', 'c'); CREATE TABLE t (m mood DEFAULT 'a', ms mood[]);
         INSERT INTO t VALUES ('a', '{a,c}')",
        "CREATE TYPE mood AS ENUM ('a', 'c'); CREATE TABLE t (m mood DEFAULT 'a', ms mood[])",
    ),
    pair(
        "labels change their order",
        "CREATE TYPE mood AS ENUM ('a', 'b', 'c'); CREATE TABLE t (m mood NOT NULL); CREATE INDEX i ON t (m);
         INSERT INTO t VALUES ('b')",
        "CREATE TYPE mood AS ENUM ('c', 'a', 'b'); CREATE TABLE t (m mood NOT NULL); CREATE INDEX i ON t (m)",
    ),
    pair(
        "a label goes, and with it its default, its check and its index",
        "CREATE TYPE mood AS ENUM ('a', 'b', 'c');
         CREATE TABLE t (m mood DEFAULT 'b' CHECK (m <> 'b'), n mood CHECK (n <> 'a'));
         CREATE INDEX i ON t (m) WHERE m = 'b'; CREATE INDEX j ON t (n) WHERE n = 'a'",
        "CREATE TYPE mood AS ENUM ('a', 'c');
         CREATE TABLE t (m mood DEFAULT 'c' CHECK (m <> 'c'), n mood CHECK (n <> 'a'));
         CREATE INDEX i ON t (m) WHERE m = 'c'; CREATE INDEX j ON t (n) WHERE n = 'a'",
    ),
    pair(
        "several tables share a type that changes, and one of them goes",
        "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE t (m mood); CREATE TABLE u (m mood DEFAULT 'a');
         CREATE TABLE v (m mood)",
        "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (m mood); CREATE TABLE u (m mood DEFAULT 'a')",
    ),
    same(
        "a type in another schema",
        "CREATE SCHEMA \"Other\"; CREATE TYPE \"Other\".\"Mood\" AS ENUM ('a', 'b');
         CREATE TABLE t (m \"Other\".\"Mood\" NOT NULL DEFAULT 'a' CHECK (m <> 'b'), ms \"Other\".\"Mood\"[])",
    ),
    pair(
        "a type whose name is a word of SQL",
        "CREATE TYPE \"select\" AS ENUM ('a', 'b'); CREATE TABLE t (m \"select\" DEFAULT 'a' CHECK (m <> 'a'))",
        "CREATE TYPE \"select\" AS ENUM ('b', 'a'); CREATE TABLE t (m \"select\" DEFAULT 'a' CHECK (m <> 'a'))",
    ),
    pair(
        "a type without labels gets some",
        "CREATE TYPE mood AS ENUM (); CREATE TABLE t (m mood)",
        "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE t (m mood)",
    ),
];

pub(super) const TABLES: &[Pair] = &[
    pair(
        "names that must be quoted",
        "",
        "CREATE TABLE \"Or\"\"der's; DROP TABLE x; --\" (\"Sel'ect\" int PRIMARY KEY, \"user\" text DEFAULT 'a',
           \"a b\" int CHECK (\"a b\" > 0), \"é\" text, \"UPPER\" int UNIQUE,
           \"$larder$\" int GENERATED BY DEFAULT AS IDENTITY);
         CREATE INDEX \"In\"\"dex\" ON \"Or\"\"der's; DROP TABLE x; --\" (\"a b\", lower(\"user\")) WHERE \"UPPER\" > 0;
         COMMENT ON COLUMN \"Or\"\"der's; DROP TABLE x; --\".\"Sel'ect\" IS 'x'",
    ),
    pair(
        "names that must be quoted change",
        "CREATE TABLE \"O'r$larder$\" (\"I'd\" serial PRIMARY KEY, \"a\"\"b\" varchar(5)); CREATE INDEX \"i'\" ON \"O'r$larder$\" (\"a\"\"b\")",
        "CREATE TABLE \"O'r$larder$\" (\"I'd\" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \"a\"\"b\" text NOT NULL UNIQUE, \"c'\" int);
         CREATE INDEX \"i'\" ON \"O'r$larder$\" (\"a\"\"b\", \"c'\")",
    ),
    pair(
        "names of 63 bytes",
        "CREATE TABLE abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc (id int)",
        "CREATE TABLE abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc (id serial PRIMARY KEY,
           abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijab1 int NOT NULL UNIQUE CHECK (abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijab1 > 0),
           abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijab2 int REFERENCES abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc)",
    ),
    pair(
        "one table goes and another one takes its index's name",
        "CREATE TABLE a (x int); CREATE INDEX i ON a (x)",
        "CREATE TABLE b (x int); CREATE INDEX i ON b (x)",
    ),
    pair(
        "tables go in the order of their references",
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY REFERENCES a);
         CREATE TABLE c (id int REFERENCES b); CREATE TABLE kept (id int REFERENCES b)",
        "CREATE TABLE kept (id int)",
    ),
    same(
        "views, sequences and composite types have names too",
        "CREATE TABLE t (id int); CREATE VIEW v AS SELECT * FROM t; CREATE MATERIALIZED VIEW m AS SELECT * FROM t;
         CREATE SEQUENCE s; CREATE TYPE pair AS (a int, b text)",
    ),
    same(
        "partitioned tables, their partitions and heirs are described",
        "CREATE TABLE p (id int, at date) PARTITION BY RANGE (at);
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
         CREATE INDEX pi ON p (id); CREATE TABLE base (id int); CREATE TABLE heir (x int) INHERITS (base);
         CREATE TYPE shape AS (a int, b text); CREATE TABLE typed OF shape",
    ),
    same(
        "a partition of another schema hides nothing",
        "CREATE SCHEMA other; CREATE TABLE other.p (id int) PARTITION BY LIST (id);
         CREATE TABLE other.t PARTITION OF other.p FOR VALUES IN (1); CREATE TABLE t (id int PRIMARY KEY)",
    ),
];
