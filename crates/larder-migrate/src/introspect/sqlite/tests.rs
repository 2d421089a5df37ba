//! What comes back from a real SQLite.

use larder_model::{
    ColumnKind, ColumnModel, DataType, DefaultModel, Dialect, Identifier, Identity, Table,
    TableKind, TableModel, TableName,
};

use crate::{
    Cell, Connector as _, Param, Session, SessionError, Target, UrlConnector, identity, introspect,
    normalise, signal, tokens,
};

async fn loaded(sql: &str) -> Box<dyn Session> {
    let mut session = UrlConnector::new("sqlite::memory:").connect().await.unwrap();
    session.run(sql).await.unwrap();
    session
}

async fn only(sql: &str) -> Table {
    let mut session = loaded(sql).await;
    let mut catalog = introspect(&mut *session, &Target::Schema(None)).await.unwrap();
    assert_eq!(catalog.tables.len(), 1, "{catalog:?}");
    catalog.tables.remove(0)
}

#[tokio::test]
async fn defaults_are_their_source_text() {
    let table = only(
        "CREATE TABLE t (a DEFAULT (datetime('now')), b DEFAULT 'it''s', c DEFAULT '0', \
         d DEFAULT 'CURRENT_TIMESTAMP', e DEFAULT CURRENT_TIMESTAMP, f DEFAULT 0, \
         g DEFAULT NULL, h DEFAULT -1.50, i DEFAULT word, j)",
    )
    .await;
    let defaults: Vec<_> = table.columns.iter().map(|column| column.default.as_deref()).collect();
    let expected = [
        Some("datetime('now')"),
        Some("'it''s'"),
        Some("'0'"),
        Some("'CURRENT_TIMESTAMP'"),
        Some("CURRENT_TIMESTAMP"),
        Some("0"),
        None,
        Some("-1.50"),
        Some("word"),
        None,
    ];
    assert_eq!(defaults, expected);
}

#[tokio::test]
async fn only_an_integer_key_is_the_row_number() {
    let check = async |key: &str, nullable: bool, identity: Option<Identity>| {
        let table = only(&format!("CREATE TABLE t ({key})")).await;
        assert_eq!(table.columns[0].nullable, nullable, "{key}");
        assert_eq!(table.columns[0].identity, identity, "{key}");
        assert_eq!(table.primary_key.unwrap().columns, ["id"], "{key}");
        assert_eq!(table.opaque, None, "{key}");
    };
    let numbered = Some(Identity::AutoIncrement);
    check("id INTEGER PRIMARY KEY", false, None).await;
    check("id integer, PRIMARY KEY (id)", false, None).await;
    check("id INTEGER PRIMARY KEY AUTOINCREMENT", false, numbered).await;
    check("id INTEGER PRIMARY KEY, autoincrement_flag", false, None).await;
    check("id INT PRIMARY KEY", true, None).await;
    check("id TEXT PRIMARY KEY", true, None).await;
    check("id TEXT NOT NULL PRIMARY KEY", false, None).await;
    let descending = only("CREATE TABLE t (id INTEGER PRIMARY KEY DESC)").await;
    assert!(descending.opaque.is_some() && descending.columns[0].nullable);
    let without = only("CREATE TABLE t (id INTEGER PRIMARY KEY) WITHOUT ROWID").await;
    assert!(without.without_rowid && !without.columns[0].nullable);
}

#[tokio::test]
async fn the_order_of_a_key_is_its_own() {
    let table = only("CREATE TABLE t (a, b NOT NULL, c, CONSTRAINT k PRIMARY KEY (c, a))").await;
    let key = table.primary_key.unwrap();
    assert_eq!(key.columns, ["c", "a"]);
    assert_eq!(key.name.as_deref(), Some("k"));
}

#[tokio::test]
async fn indexes_come_with_expressions_and_conditions() {
    let table = only(
        "CREATE TABLE \"o'brien\" (a TEXT COLLATE NOCASE, b, UNIQUE (b, a)); \
         CREATE UNIQUE INDEX part ON \"o'brien\" (lower(A), b DESC) WHERE \"b\" > 0; \
         CREATE INDEX coll ON \"o'brien\" (a, b COLLATE nocase, a COLLATE BINARY)",
    )
    .await;
    assert_eq!(table.name, TableName::new("o'brien"));
    assert_eq!(table.uniques[0].columns, ["b", "a"]);
    let of = |name: &str| table.indexes.iter().find(|index| index.name == name).unwrap();
    let part = of("part");
    assert!(part.unique);
    assert_eq!(part.predicate.as_deref(), Some("b > 0"));
    let shown: Vec<_> = part
        .parts
        .iter()
        .map(|part| (part.text.as_str(), part.is_expression, part.descending))
        .collect();
    assert_eq!(shown, [("lower(a)", true, false), ("b", false, true)]);
    let collations: Vec<_> =
        of("coll").parts.iter().map(|part| part.collation.as_deref()).collect();
    assert_eq!(collations, [None, Some("NOCASE"), Some("BINARY")]);
}

#[tokio::test]
async fn references_have_columns_also_where_they_name_none() {
    let mut session = loaded(
        "CREATE TABLE Parent (x, A, b, PRIMARY KEY (b, A)); \
         CREATE TABLE child (p, q, r, \
           CONSTRAINT f FOREIGN KEY (p, q) REFERENCES parent ON DELETE CASCADE DEFERRABLE, \
           FOREIGN KEY (Q) REFERENCES PARENT (X), FOREIGN KEY (r) REFERENCES nobody)",
    )
    .await;
    // The parent is known also if nobody asked for it.
    let target = Target::Tables(vec![TableName::new("CHILD")]);
    let catalog = introspect(&mut *session, &target).await.unwrap();
    assert_eq!(catalog.tables.len(), 1);
    let keys = &catalog.tables[0].foreign_keys;
    assert_eq!(keys[0].name.as_deref(), Some("f"));
    assert_eq!(keys[0].target, TableName::new("Parent"));
    assert_eq!(keys[0].target_columns, ["b", "A"]);
    assert_eq!(keys[0].deferrable, Some(false));
    assert_eq!(keys[1].target_columns, ["x"]);
    assert_eq!((keys[1].columns.concat(), keys[1].deferrable), ("q".to_owned(), None));
    assert_eq!((keys[2].target.name.as_str(), keys[2].target_columns.len()), ("nobody", 0));
}

#[tokio::test]
async fn computed_columns_say_how() {
    let table =
        only("CREATE TABLE t (a ANY, b ANY AS (a||')') STORED, c TEXT AS (upper(\"a\"))) STRICT")
            .await;
    assert!(table.strict);
    let shown: Vec<_> = table
        .columns
        .iter()
        .filter_map(|column| column.generated.as_ref())
        .map(|generated| (generated.expression.as_str(), generated.stored))
        .collect();
    assert_eq!(shown, [("a || ')'", true), ("upper(a)", false)]);
}

#[tokio::test]
async fn what_is_no_table_is_not_described_as_one() {
    let mut session = loaded(
        "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT); CREATE VIEW v AS SELECT a FROM T; \
         CREATE VIRTUAL TABLE f USING fts5(x); CREATE TEMP TABLE u (a); \
         CREATE TABLE own (a); \
         CREATE TRIGGER one AFTER INSERT ON t BEGIN DELETE FROM own; END; \
         CREATE TRIGGER two AFTER INSERT ON own BEGIN SELECT 't'; END; \
         CREATE TEMP TABLE own (b); \
         INSERT INTO t VALUES (1); ANALYZE",
    )
    .await;
    let catalog = introspect(&mut *session, &Target::Schema(None)).await.unwrap();
    let kinds: Vec<_> =
        catalog.tables.iter().map(|table| (table.name.name.as_str(), table.kind)).collect();
    use TableKind::{Other, Table as Plain, View};
    let expected = [
        ("f", Other),
        ("f_config", Other),
        ("f_content", Other),
        ("f_data", Other),
        ("f_docsize", Other),
        ("f_idx", Other),
        ("own", Plain),
        ("t", Plain),
        ("v", View),
    ];
    assert_eq!(kinds, expected);
    let dependents = |name: &str| {
        let table = catalog.table(&TableName::new(name)).unwrap();
        let of = table.dependents.iter();
        of.map(|of| (of.name.clone(), of.is_own)).collect::<Vec<_>>()
    };
    assert_eq!(dependents("t"), [("v".into(), false), ("one".into(), true)]);
    assert_eq!(dependents("own"), [("one".into(), false), ("two".into(), true)]);
    assert_eq!(catalog.table(&TableName::new("own")).unwrap().columns[0].name, "a");
}

#[tokio::test]
async fn a_conflict_clause_makes_a_table_opaque() {
    for sql in [
        "CREATE TABLE t (a UNIQUE ON CONFLICT REPLACE)",
        "CREATE TABLE t (a, b, PRIMARY KEY (a, b DESC))",
    ] {
        assert!(only(sql).await.opaque.is_some(), "{sql}");
    }
    assert_eq!(only("CREATE TABLE t (a UNIQUE ON CONFLICT ABORT)").await.opaque, None);
}

#[tokio::test]
async fn two_equal_constraints_are_one() {
    let table = only("CREATE TABLE t (a PRIMARY KEY UNIQUE, b UNIQUE, UNIQUE (B))").await;
    assert_eq!(table.opaque, None);
    assert_eq!(table.uniques.len(), 1);
}

#[tokio::test]
async fn a_model_is_printed_as_the_database_prints_it() {
    let id = Identifier::from_static;
    let mut labels = ColumnModel::new(
        id("cabin"),
        DataType::Enum { name: id("cabin"), labels: vec!["it's".into(), "b".into()] },
    );
    labels.renamed_from = Some(id("class"));
    let mut moment = ColumnModel::new(id("moment"), ColumnKind::TimestampUtc);
    moment.default = Some(DefaultModel::Now);
    let (mut id_column, mut next) = (int("id"), int("next"));
    (id_column.auto_increment, id_column.key) = (true, true);
    next.generated = Some("( \"ID\"+1 )".into());
    let model = TableModel::builder(id("flight"))
        .column(id_column)
        .column(labels)
        .column(moment)
        .column(next)
        .build()
        .unwrap();
    let mut session = loaded("").await;
    let lowered = Dialect::Sqlite.lower(&model, None).unwrap();
    let printed = normalise(&mut *session, vec![lowered.clone()]).await.unwrap();
    let table = &printed.tables[0];
    assert_eq!(table.checks[0].expression, "cabin IN ('it''s', 'b')");
    assert_eq!(table.columns[1].renamed_from.as_deref(), Some("class"));
    assert_eq!(table.columns[1].kind, Some(ColumnKind::Text));
    let default = table.columns[2].default.as_deref();
    assert_eq!(default, Some("strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')"));
    assert_eq!(table.columns[3].generated.as_ref().unwrap().expression, "id + 1");
    // What was printed is printed so again.
    for statement in Dialect::Sqlite.create_table(table) {
        session.run(&statement).await.unwrap();
    }
    let again = introspect(&mut *session, &Target::Schema(None)).await.unwrap();
    assert_eq!(again.fingerprint(), printed.fingerprint());
}

fn int(name: &'static str) -> ColumnModel {
    ColumnModel::new(Identifier::from_static(name), ColumnKind::Int64)
}

#[tokio::test]
async fn a_token_changes_with_its_table_alone() {
    let mut session = loaded("CREATE TABLE a (x); CREATE TABLE b (x)").await;
    let names = ["a", "B", "none"].map(TableName::new);
    let before = tokens(&mut *session, &names).await.unwrap();
    assert!(before[0].is_some() && before[1].is_some() && before[2].is_none());
    for sql in [
        "ALTER TABLE a ADD COLUMN y",
        "CREATE INDEX i ON a (x)",
        "ALTER TABLE a RENAME COLUMN y TO z",
        "DROP INDEX i",
    ] {
        let old = tokens(&mut *session, &names).await.unwrap();
        session.run(sql).await.unwrap();
        let new = tokens(&mut *session, &names).await.unwrap();
        assert_ne!(old[0], new[0], "{sql}");
        assert_eq!(before[1], new[1], "{sql}");
    }
    let old = tokens(&mut *session, &names).await.unwrap();
    session.run("CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END").await.unwrap();
    session.run("INSERT INTO a (x) VALUES (1)").await.unwrap();
    assert_eq!(old, tokens(&mut *session, &names).await.unwrap());
}

#[tokio::test]
async fn the_signal_changes_with_the_schema_and_with_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.db");
    let url = format!("sqlite://{}?mode=rwc", path.display());
    let connector = UrlConnector::new(url);
    let mut session = connector.connect().await.unwrap();
    let mut other = connector.connect().await.unwrap();
    session.run("CREATE TABLE a (x)").await.unwrap();
    let first = signal(&mut *session).await.unwrap();
    assert_eq!(first, signal(&mut *other).await.unwrap());
    other.run("INSERT INTO a VALUES (1)").await.unwrap();
    assert_eq!(first, signal(&mut *session).await.unwrap());
    other.run("CREATE TABLE b (x)").await.unwrap();
    let second = signal(&mut *session).await.unwrap();
    assert_ne!(first, second);
    other.close().await;
    std::fs::remove_file(&path).unwrap();
    assert_ne!(second, signal(&mut *session).await.unwrap());
}

#[tokio::test]
async fn a_database_has_one_identity_by_whatever_way() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, mode: &str| {
        UrlConnector::new(format!("sqlite://{}/{name}?mode={mode}", directory.path().display()))
    };
    let ask = async |connector: UrlConnector| {
        identity(&mut *connector.connect().await.unwrap()).await.unwrap()
    };
    let one = ask(file("a.db", "rwc")).await;
    std::os::unix::fs::symlink(directory.path().join("a.db"), directory.path().join("l.db"))
        .unwrap();
    assert_eq!(one, ask(file("l.db", "ro")).await);
    assert_ne!(one, ask(file("b.db", "rwc")).await);
    let (mut memory, mut other) = (loaded("").await, loaded("").await);
    let number = identity(&mut *memory).await.unwrap();
    memory.begin().await.unwrap();
    assert_eq!(number, identity(&mut *memory).await.unwrap());
    assert_ne!(number, identity(&mut *other).await.unwrap());
}

/// Counts statements.
#[derive(Debug)]
struct Counting(Box<dyn Session>, usize);

#[async_trait::async_trait]
impl Session for Counting {
    fn dialect(&self) -> Dialect {
        self.0.dialect()
    }
    async fn fetch(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Vec<Cell>>, SessionError> {
        self.1 += 1;
        self.0.fetch(sql, params).await
    }
    async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SessionError> {
        self.1 += 1;
        self.0.execute(sql, params).await
    }
    async fn run(&mut self, sql: &str) -> Result<(), SessionError> {
        self.1 += 1;
        self.0.run(sql).await
    }
    async fn begin(&mut self) -> Result<(), SessionError> {
        self.0.begin().await
    }
    async fn commit(&mut self) -> Result<(), SessionError> {
        self.0.commit().await
    }
    async fn rollback(&mut self) -> Result<(), SessionError> {
        self.0.rollback().await
    }
    async fn close(self: Box<Self>) {
        self.0.close().await;
    }
}

#[tokio::test]
async fn the_number_of_statements_does_not_grow_with_the_tables() {
    let mut session = Counting(loaded("").await, 0);
    for count in [0, 1, 60] {
        for table in 0..count {
            session
                .0
                .run(&format!(
                    "CREATE TABLE IF NOT EXISTS t{table} (a UNIQUE, b REFERENCES t0 (a)); \
                     CREATE INDEX IF NOT EXISTS i{table} ON t{table} (b)"
                ))
                .await
                .unwrap();
        }
        session.1 = 0;
        let catalog = introspect(&mut session, &Target::Schema(None)).await.unwrap();
        assert_eq!(catalog.tables.len(), count);
        assert!(catalog.tables.iter().all(|table| table.indexes.len() == 1));
        assert_eq!(session.1, 1);
        let names: Vec<_> = catalog.tables.iter().map(|table| table.name.clone()).collect();
        assert_eq!(introspect(&mut session, &Target::Tables(names)).await.unwrap(), catalog);
        assert_eq!(session.1, 2);
    }
}
