//! What there is, described.

use larder_migrate::{Session, SessionErrorKind, Target, introspect, normalise, tokens};
use larder_model::{
    Check, Class, Column, Dialect, Generated, Index, IndexPart, Lowered, Plan, Scope, Table,
    TableKind, TableName,
};

use crate::{
    counting::Counting,
    databases::{open, with_databases},
    on_both,
};

on_both!(
    a_model_that_can_not_be_made_leaves_nothing_behind,
    only_the_tables_that_are_asked_for_are_described,
    models_are_printed_as_tables_are,
    models_come_back_as_they_are_where_temporary_tables_are_forbidden,
    round_trips_do_not_depend_on_the_number_of_tables,
    what_can_not_be_described_is_never_altered,
);

const ALL: Target = Target::Schema(None);

async fn round_trips_do_not_depend_on_the_number_of_tables(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = Counting::new(open(&url).await);
        session.run("CREATE TABLE t0 (a INT PRIMARY KEY)").await.unwrap();
        let mut asked = Vec::new();
        for count in [1, 40] {
            for at in 1..count {
                let sql = format!("CREATE TABLE t{at} (a INT, FOREIGN KEY (a) REFERENCES t0 (a))");
                session.run(&sql).await.unwrap();
            }
            session.take();
            let catalog = introspect(&mut session, &ALL).await.unwrap();
            assert_eq!(catalog.tables.len(), count);
            let described = session.take();
            let names: Vec<_> = catalog.tables.iter().map(|table| table.name.clone()).collect();
            let found = tokens(&mut session, &names).await.unwrap();
            assert!(found.len() == count && found.iter().all(Option::is_some));
            let compared = session.take();
            let models = catalog.tables.into_iter();
            let models = models.map(|table| Lowered { enums: Vec::new(), table }).collect();
            assert_eq!(normalise(&mut session, models).await.unwrap().tables.len(), count);
            asked.push([described, compared, session.take()]);
        }
        // Other tests change schemas at the same time, so that a description may be read again.
        let [few, many] = [asked[0], asked[1]];
        assert!(few[0] % 4 == 0 && many[0] % 4 == 0 && many[0] <= 20, "{asked:?}");
        assert_eq!(few[1..], many[1..]);
    })
    .await;
}

async fn only_the_tables_that_are_asked_for_are_described(variable: &str) {
    with_databases(variable, async |[url, elsewhere]: [String; 2]| {
        let mut session = open(&url).await;
        let other = elsewhere.rsplit('/').next().unwrap().trim_end_matches('?').to_owned();
        let sql = format!(
            "CREATE TABLE a (id INT PRIMARY KEY); CREATE TABLE b (id INT); \
             CREATE VIEW v AS SELECT id FROM a; CREATE TABLE {other}.p (id INT PRIMARY KEY); \
             CREATE TABLE c (p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES {other}.p (id))"
        );
        session.run(&sql).await.unwrap();
        let names = ["a", "v", "missing", "c"].map(TableName::new);
        let catalog = introspect(&mut *session, &Target::Tables(names.to_vec())).await.unwrap();
        let found: Vec<_> =
            catalog.tables.iter().map(|table| (table.name.name.as_str(), table.kind)).collect();
        let expected = [("a", TableKind::Table), ("c", TableKind::Table), ("v", TableKind::View)];
        assert_eq!(found, expected);
        let target = &catalog.tables[1].foreign_keys[0].target;
        assert_eq!(*target, TableName::in_schema(other, "p"));
        assert_eq!(introspect(&mut *session, &Target::Tables(vec![])).await.unwrap().tables, []);
    })
    .await;
}

async fn what_can_not_be_described_is_never_altered(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        let mut tables = vec![
            ("partitioned", "(a INT NOT NULL PRIMARY KEY) PARTITION BY HASH (a) PARTITIONS 2"),
            ("engine", "(a INT) ENGINE=MyISAM"),
            ("invisible", "(a INT, b INT INVISIBLE)"),
        ];
        match session.dialect() {
            Dialect::MariaDb => tables.extend([
                ("versioned", "(a INT) WITH SYSTEM VERSIONING"),
                ("period", "(a INT, x DATE, y DATE, PERIOD FOR p (x, y))"),
                ("bytes", "(a INT, b VARBINARY(4) DEFAULT 0xff00)"),
                ("named", "(a INT, b INT, CONSTRAINT a CHECK (b > 0))"),
            ]),
            _ => tables.push(("prefix", "(a TEXT NOT NULL, b INT, PRIMARY KEY (a(5)))")),
        }
        for (name, definition) in &tables {
            session.run(&format!("CREATE TABLE {name} {definition}")).await.unwrap();
        }
        let found = introspect(&mut *session, &ALL).await.unwrap();
        let mut wanted = found.clone();
        for table in &mut wanted.tables {
            assert!(table.opaque.is_some(), "{table:#?}");
            table.columns.push(Column::new("more", "int"));
            table.opaque = None;
        }
        assert_eq!(found.tables.len(), tables.len());
        let plan = Plan::between(session.dialect(), &Scope::managed(), &found, &wanted);
        assert_eq!(plan.steps.len(), tables.len());
        for step in &plan.steps {
            assert_eq!(step.class, Class::Unsupported);
            assert!(step.statements.is_empty() && step.reason.is_some());
        }
        let none = Plan::between(session.dialect(), &Scope::managed(), &found, &found);
        assert!(none.is_empty());
        let told = |name: &str, text: &str| {
            let mut told = none.unmanaged.iter().filter(|of| of.table.name == name);
            told.any(|of| of.text.contains(text))
        };
        assert!(tables.iter().all(|(name, _)| told(name, "is never altered")), "{none:#?}");
        assert!(told("partitioned", "partitioned"), "{none:#?}");
    })
    .await;
}

/// A table with an expression in every place that has one.
fn expressive(name: &str) -> Lowered {
    let mut table = Table::new(TableName::new(name));
    table.columns = vec![
        Column::new("a", "int"),
        Column {
            default: Some("(CONCAT('é', \"it's\"))".to_owned()),
            ..Column::new("b", "varchar(20)")
        },
        Column {
            generated: Some(Generated { expression: "a+1".to_owned(), stored: true }),
            ..Column::new("c", "bigint")
        },
        Column::new("d", "longtext"),
    ];
    table
        .indexes
        .push(Index { method: Some("fulltext".to_owned()), ..Index::new("words", &["d"]) });
    table.indexes.push(Index::new("plain", &["a", "b"]));
    table.checks.push(Check {
        name: Some(format!("{name}_check1")),
        expression: "a>0 and b in ('x','ä')".to_owned(),
        validated: true,
    });
    Lowered { enums: Vec::new(), table }
}

async fn models_are_printed_as_tables_are(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        let dialect = session.dialect();
        // More than are made at once.
        let models: Vec<_> = (0..130).map(|at| expressive(&format!("t{at:03}"))).collect();
        let mut models: Vec<_> = models;
        if dialect == Dialect::MySql {
            for model in &mut models {
                let index = Index::new("computed", &[]);
                let parts = vec![IndexPart::expression("a*2")];
                model.table.indexes.push(Index { parts, ..index });
            }
        }
        let normal = normalise(&mut *session, models.clone()).await.unwrap();
        for model in models.iter().take(3) {
            for sql in dialect.create_table(&model.table) {
                session.run(&sql).await.unwrap();
            }
        }
        let found = introspect(&mut *session, &ALL).await.unwrap();
        assert_eq!(found.tables.len(), 3);
        for table in &found.tables {
            let normal = normal.table(&table.name).unwrap();
            assert_eq!(normal.fingerprint(), table.fingerprint(), "{normal:#?} {table:#?}");
            assert_ne!(models[0].table.checks[0].expression, table.checks[0].expression);
        }
        let plan = Plan::between(dialect, &Scope::Exact, &found, &{
            let tables = normal.tables.into_iter().take(3).collect();
            larder_model::Catalog { enums: Vec::new(), tables }
        });
        assert!(plan.is_empty(), "{plan:#?}");
    })
    .await;
}

async fn a_model_that_can_not_be_made_leaves_nothing_behind(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        let mut broken = expressive("broken");
        broken.table.checks[0].expression = "no_such_column > 0".to_owned();
        let error = normalise(&mut *session, vec![expressive("fine"), broken]).await.unwrap_err();
        assert!(error.code().is_some(), "{error:?}");
        assert_ne!(error.kind(), SessionErrorKind::Connection);
        let sql = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()";
        let rows = session.fetch(sql, &[]).await.unwrap();
        assert_eq!(rows[0][0].as_integer(), Some(0));
        // The session goes on.
        normalise(&mut *session, vec![expressive("fine")]).await.unwrap();
    })
    .await;
}

async fn models_come_back_as_they_are_where_temporary_tables_are_forbidden(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut admin = open(&url).await;
        let (_, place) = url.rsplit_once('@').unwrap();
        let scheme = url.split(':').next().unwrap();
        let database = place.rsplit('/').next().unwrap().trim_end_matches('?');
        let role = format!("l{:x}", rand::random::<u32>());
        let sql = format!(
            "CREATE USER {role}@'%' IDENTIFIED BY 'secret'; \
             GRANT SELECT, CREATE, ALTER ON {database}.* TO {role}@'%'"
        );
        admin.run(&sql).await.unwrap();
        let mut session = open(&format!("{scheme}://{role}:secret@{place}")).await;
        let models = vec![expressive("t")];
        let outcome = normalise(&mut *session, models.clone()).await;
        session.close().await;
        admin.run(&format!("DROP USER {role}@'%'")).await.unwrap();
        assert_eq!(outcome.unwrap().tables, [models[0].table.clone()]);
    })
    .await;
}
