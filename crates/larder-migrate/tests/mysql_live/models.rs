//! Models, from the model to the table and back.

use larder_migrate::{Target, introspect, normalise};
use larder_model::{
    Catalog, Class, ColumnKind, ColumnModel, DataType, DefaultModel, DefaultValue, Dialect,
    Identifier, IndexModel, Plan, Scope, TableModel, TableModelBuilder,
};

use crate::{
    databases::{open, with_databases},
    on_both,
};

on_both!(
    a_table_of_somebody_else_is_admitted,
    a_new_table_is_unlike_the_databases_default,
    constants_are_lowered_as_they_are_printed,
);

const KINDS: [ColumnKind; 15] = [
    ColumnKind::Blob,
    ColumnKind::Boolean,
    ColumnKind::Date,
    ColumnKind::Decimal,
    ColumnKind::Float32,
    ColumnKind::Float64,
    ColumnKind::Int16,
    ColumnKind::Int32,
    ColumnKind::Int64,
    ColumnKind::Json,
    ColumnKind::Text,
    ColumnKind::Time,
    ColumnKind::Timestamp,
    ColumnKind::TimestampUtc,
    ColumnKind::Uuid,
];

fn id(name: &str) -> Identifier {
    Identifier::new(name).unwrap()
}

fn constant(kind: ColumnKind) -> DefaultModel {
    let text = |text: &'static str| DefaultValue::Text(text.into());
    let number = |digits: &'static str| DefaultValue::Number(digits.into());
    DefaultModel::Value(match kind {
        ColumnKind::Blob => DefaultValue::Blob(vec![0, 255, b'\'', b'\\'].into()),
        ColumnKind::Boolean => DefaultValue::Boolean(true),
        ColumnKind::Date => text("2020-02-29"),
        ColumnKind::Decimal => number("-1.50"),
        ColumnKind::Float32 | ColumnKind::Float64 => number("1.5"),
        ColumnKind::Int16 | ColumnKind::Int32 | ColumnKind::Int64 => number("-7"),
        ColumnKind::Json => text("{\"a\": \"it's \\\\ ä\"}"),
        ColumnKind::Text => text("it's \\ \"ä\""),
        ColumnKind::Time => text("10:11:12.500000"),
        ColumnKind::Timestamp | ColumnKind::TimestampUtc => text("2020-02-29 10:11:12.000000"),
        _ => DefaultValue::Blob((0..16).collect::<Vec<u8>>().into()),
    })
}

/// All that a model says without words of the database's own.
fn everything() -> TableModel {
    let mut columns = vec![ColumnModel::new(id("id"), ColumnKind::Int64)];
    columns[0].key = true;
    columns[0].auto_increment = true;
    for kind in KINDS {
        columns.push(ColumnModel::new(id(&format!("{kind}_plain")), kind));
        let mut with_default = ColumnModel::new(id(&format!("{kind}_default")), kind);
        with_default.default = Some(constant(kind));
        columns.push(with_default);
        if kind != ColumnKind::Json {
            let short = ColumnModel::new(id(&format!("{kind}_unique")), kind);
            columns.push(short.with_unique().with_null());
        }
        let is_moment = matches!(
            kind,
            ColumnKind::Date | ColumnKind::Time | ColumnKind::Timestamp | ColumnKind::TimestampUtc
        );
        if is_moment {
            let mut now = ColumnModel::new(id(&format!("{kind}_now")), kind);
            now.default = Some(DefaultModel::Now);
            columns.push(now);
        }
    }
    let temporal = |kind, digits| DataType::Temporal { kind, digits };
    let labels = vec!["it's".to_owned(), "b\\c".to_owned(), "größe".to_owned()];
    for (at, data_type) in [
        DataType::Char { length: 5 },
        DataType::Varchar { length: 300 },
        DataType::Decimal { precision: 8, scale: 0 },
        DataType::Decimal { precision: 12, scale: 3 },
        DataType::Enum { name: id("labels"), labels },
        temporal(ColumnKind::Time, 0),
        temporal(ColumnKind::Timestamp, 3),
        temporal(ColumnKind::TimestampUtc, 0),
    ]
    .into_iter()
    .enumerate()
    {
        let mut column = ColumnModel::new(id(&format!("modified{at}")), data_type);
        column.nullable = at % 2 == 0;
        if matches!(column.data_type, DataType::Decimal { .. }) {
            column.default = Some(DefaultValue::Number("-7".into()).into());
        }
        if matches!(column.data_type, DataType::Temporal { kind: ColumnKind::TimestampUtc, .. }) {
            column.default = Some(DefaultModel::Now);
        }
        column.comment = Some("it's \\ a comment".to_owned());
        columns.push(column);
    }
    let mut latin = ColumnModel::new(id("latin"), DataType::Varchar { length: 20 });
    latin.collation = Some("latin1_bin".to_owned());
    columns.push(latin);
    let builder = columns.into_iter().fold(TableModel::builder(id("t")), TableModelBuilder::column);
    builder
        .unique(vec![id("date_plain"), id("time_plain")])
        .index(IndexModel::over([id("text_plain"), id("int32_plain")]))
        .index(IndexModel::over([id("modified1")]).with_method("fulltext"))
        .comment("about it's \\ table")
        .build()
        .unwrap()
}

/// Without expressions, the server has nothing to add.
async fn constants_are_lowered_as_they_are_printed(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        let dialect = session.dialect();
        let lowered = dialect.lower(&everything(), None).unwrap();
        for sql in dialect.create_table(&lowered.table) {
            session.run(&sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
        }
        let found = introspect(&mut *session, &Target::Schema(None)).await.unwrap();
        for (one, other) in found.tables[0].columns.iter().zip(&lowered.table.columns) {
            let mut other = other.clone();
            other.kind = None;
            assert_eq!(*one, other);
        }
        assert_eq!(found.tables[0].fingerprint(), lowered.table.fingerprint());
        let normal = normalise(&mut *session, vec![lowered.clone()]).await.unwrap();
        assert_eq!(normal.fingerprint(), found.fingerprint(), "{normal:#?}");
        assert_eq!(normal.tables[0].columns, lowered.table.columns);
        let plan = Plan::between(dialect, &Scope::managed(), &found, &normal);
        assert!(plan.is_empty() && plan.unmanaged.is_empty(), "{plan:#?}");
    })
    .await;
}

async fn a_new_table_is_unlike_the_databases_default(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        session.run("ALTER DATABASE COLLATE latin1_swedish_ci").await.unwrap();
        let mut text = ColumnModel::new(id("a"), ColumnKind::Text);
        text.key = true;
        let model = TableModel::builder(id("t")).column(text).build().unwrap();
        let dialect = session.dialect();
        let lowered = dialect.lower(&model, None).unwrap();
        session.run(&dialect.create_table(&lowered.table)[0]).await.unwrap();
        // Texts of any language, compared by their characters, as elsewhere.
        session.run("INSERT INTO t VALUES ('a'), ('A'), ('ä'), ('日本 🛫')").await.unwrap();
        session.run("INSERT INTO t VALUES ('a')").await.unwrap_err();
    })
    .await;
}

/// What holds the same values will do, and nothing is taken away.
async fn a_table_of_somebody_else_is_admitted(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        let dialect = session.dialect();
        let sql = "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(30) NOT NULL \
                   COLLATE utf8mb4_unicode_ci DEFAULT 'x' COMMENT 'theirs', b BIGINT NOT NULL, \
                   more INT, j JSON, ts TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) \
                   ON UPDATE CURRENT_TIMESTAMP(3), KEY theirs (more), CHECK (b > 0))";
        session.run(sql).await.unwrap();
        let column = |name, kind| ColumnModel::new(id(name), kind);
        let model = TableModel::builder(id("t"))
            .column(column("id", ColumnKind::Int64).with_key().with_auto_increment())
            .column(column("A", ColumnKind::Text))
            .column(column("b", ColumnKind::Int32))
            .column(column("j", ColumnKind::Json).with_null())
            .column(column("ts", ColumnKind::TimestampUtc))
            .column(column("new", ColumnKind::Uuid).with_null())
            .build()
            .unwrap();
        let lowered = vec![dialect.lower(&model, None).unwrap()];
        let desired = normalise(&mut *session, lowered).await.unwrap();
        let found = introspect(&mut *session, &Target::Schema(None)).await.unwrap();
        let plan = Plan::between(dialect, &Scope::managed(), &found, &desired);
        let [step] = plan.steps.as_slice() else { panic!("{plan:#?}") };
        assert_eq!(step.class, Class::Additive);
        let end = "ADD COLUMN `new` binary(16), ALGORITHM=INSTANT";
        assert!(step.statements[0].ends_with(end), "{step:#?}");
        let told: Vec<_> = plan.unmanaged.iter().map(|one| one.text.as_str()).collect();
        assert!(told.iter().any(|text| text.contains("theirs")), "{told:?}");
        assert!(told.iter().any(|text| text.contains("more")), "{told:?}");
        assert!(told.iter().any(|text| text.contains("check")), "{told:?}");
        if dialect == Dialect::MariaDb {
            // Also where its own type would do for people.
            let uuid = Catalog::default();
            assert!(uuid.tables.is_empty() && !dialect.holds(ColumnKind::Uuid, "uuid", false));
        }
    })
    .await;
}
