//! Random models: what is made of them reads like them, and a plan leads from any to any other.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
};

use larder_migrate::{Session, Target, introspect, normalise};
use larder_model::{
    Catalog, CheckModel, Class, ColumnKind, ColumnModel, DataType, DefaultModel, DefaultValue,
    Dialect, ForeignKeyModel, Identifier, IndexModel, IndexPartModel, IndexTermModel, Lowered,
    Plan, ReferentialAction, Scope, TableModel,
};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use tokio::runtime::Runtime;

use super::{RESET, databases::with_databases};
use crate::harness::Scratch;

fn id(name: &'static str) -> Identifier {
    Identifier::from_static(name)
}

const NAMES: [&str; 8] =
    ["a", "B b", "select", "it's", "d\"q", "é", "order", "long_name_of_a_column"];

/// A column without its name; `seed` decides about what else it has.
#[derive(Clone, Debug)]
struct ColumnSpec {
    data_type: DataType,
    nullable: bool,
    seed: u8,
}

/// An index or a check over columns by their numbers.
#[derive(Clone, Debug)]
struct PartSpec {
    columns: Vec<usize>,
    seed: u8,
}

#[derive(Clone, Debug)]
struct TableSpec {
    columns: Vec<(usize, ColumnSpec)>,
    indexes: Vec<PartSpec>,
    checks: Vec<PartSpec>,
    seed: u8,
}

/// The tables of one schema, and which labels the enumerated type has.
#[derive(Clone, Debug)]
struct SchemaSpec {
    tables: Vec<TableSpec>,
    labels: usize,
}

const LABELS: [&[&str]; 4] = [&["ok", "it's"], &["sad", "ok", "it's"], &["it's", "ok"], &["ok"]];

fn data_type() -> impl Strategy<Value = DataType> {
    use ColumnKind::*;
    let kinds = [
        Blob,
        Boolean,
        Date,
        Decimal,
        Float32,
        Float64,
        Int16,
        Int32,
        Int64,
        Json,
        Text,
        Time,
        Timestamp,
        TimestampUtc,
        Uuid,
    ];
    prop_oneof![
        4 => proptest::sample::select(kinds.to_vec()).prop_map(DataType::Kind),
        1 => (1_u32..30).prop_map(|length| DataType::Varchar { length }),
        1 => (1_u32..10).prop_map(|length| DataType::Char { length }),
        1 => (1_u16..20, 0_u16..5).prop_map(|(precision, scale)| DataType::Decimal {
            precision: precision.max(scale),
            scale: scale.min(precision),
        }),
        1 => (0_u8..=6, proptest::sample::select(vec![Time, Timestamp, TimestampUtc]))
            .prop_map(|(digits, kind)| DataType::Temporal { kind, digits }),
        1 => Just(DataType::Enum { name: id("Mood"), labels: Vec::new() }),
    ]
}

fn column() -> impl Strategy<Value = ColumnSpec> {
    (data_type(), any::<bool>(), any::<u8>()).prop_map(|(data_type, nullable, seed)| ColumnSpec {
        data_type,
        nullable,
        seed,
    })
}

fn part() -> impl Strategy<Value = PartSpec> {
    (vec(0_usize..6, 1..3), any::<u8>()).prop_map(|(columns, seed)| PartSpec { columns, seed })
}

fn table() -> impl Strategy<Value = TableSpec> {
    let columns = vec((0..NAMES.len(), column()), 1..6);
    (columns, vec(part(), 0..3), vec(part(), 0..3), any::<u8>())
        .prop_map(|(columns, indexes, checks, seed)| TableSpec { columns, indexes, checks, seed })
}

fn schema() -> impl Strategy<Value = SchemaSpec> {
    (vec(table(), 0..3), 0..LABELS.len()).prop_map(|(tables, labels)| SchemaSpec { tables, labels })
}

fn default(data_type: &DataType, seed: u8) -> Option<DefaultModel> {
    use ColumnKind::*;
    if seed & 1 == 0 {
        return None;
    }
    let text = |text: &'static str| DefaultValue::Text(text.into()).into();
    let number = |digits: &'static str| DefaultValue::Number(digits.into()).into();
    Some(match (data_type, data_type.kind()) {
        (DataType::Enum { .. }, _) => text("ok"),
        (DataType::Char { .. } | DataType::Varchar { .. }, _) => text("q"),
        (_, Blob) => DefaultValue::Blob(vec![0, seed].into()).into(),
        (_, Boolean) => DefaultValue::Boolean(seed & 2 == 0).into(),
        (_, Date | Time | Timestamp | TimestampUtc) if seed & 2 == 0 => DefaultModel::Now,
        (_, Date) => text("2020-01-01"),
        (_, Time) => text("12:30:00"),
        (_, Timestamp) => text("2020-01-01 00:00:00"),
        (_, TimestampUtc) => text("2020-01-01 00:00:00+00"),
        (_, Decimal | Float32 | Float64) => {
            number(["1.50", "-0.5", "-7", "0"][usize::from(seed >> 6)])
        }
        (_, Int16 | Int32) => number(["0", "-5", "007", "-0"][usize::from(seed >> 6)]),
        (_, Int64) => number(["3000000000", "-3000000000", "1", "-1"][usize::from(seed >> 6)]),
        (_, Json) => text("{\"a\": [1, null]}"),
        (_, Uuid) => DefaultValue::Blob(vec![seed; 16].into()).into(),
        _ => text("it's; -- \\ \"q\""),
    })
}

fn quoted(name: &str) -> String {
    Dialect::Postgres.quoted(name)
}

/// A condition on a column, as a person may write it.
fn condition(column: &ColumnModel, seed: u8) -> String {
    use ColumnKind::*;
    let name = quoted(column.name.as_str());
    match column.data_type.kind() {
        Int16 | Int32 | Int64 | Decimal if seed & 1 == 0 => format!("{name} BETWEEN -5 AND 10"),
        Int16 | Int32 | Int64 | Decimal => format!("({name} % 2) = 0 OR {name} IS NULL"),
        Text if matches!(column.data_type, DataType::Enum { .. }) => format!("{name} <> 'ok'"),
        Text if seed & 1 == 0 => format!("{name} IN ('x', 'it''s')"),
        Text => format!("length({name}) > 1 AND lower({name}) <> '('"),
        _ => format!("{name} IS NOT NULL"),
    }
}

impl TableSpec {
    fn build(&self, number: usize, labels: &[&str]) -> TableModel {
        let names = [id("alpha"), id("Beta t"), id("gamma")];
        let mut seen = BTreeSet::new();
        let specs = self.columns.iter().filter(|(name, _)| seen.insert(*name));
        let columns: Vec<_> = specs.map(|(name, spec)| spec.build(NAMES[*name], labels)).collect();
        let mut key = ColumnModel::of::<i64>(id("id"));
        key.key = true;
        key.auto_increment = self.seed & 1 == 0;
        let mut builder = TableModel::builder(names[number].clone()).column(key);
        if number > 0 {
            let parent = ColumnModel::of::<Option<i64>>(id("parent"));
            let mut reference = ForeignKeyModel::new(id("parent"), names[0].clone(), id("id"));
            if self.seed & 2 == 0 {
                reference.on_delete = ReferentialAction::Cascade;
            }
            builder = builder.column(parent).foreign_key(reference);
        }
        for of in &columns {
            builder = builder.column(of.clone());
        }
        for (at, spec) in self.indexes.iter().enumerate() {
            builder = builder.index(spec.index(at, &columns));
        }
        for spec in &self.checks {
            let of = &columns[spec.columns[0] % columns.len()];
            builder =
                builder.check(CheckModel { name: None, expression: condition(of, spec.seed) });
        }
        builder.build().unwrap()
    }
}

impl ColumnSpec {
    fn build(&self, name: &'static str, labels: &[&str]) -> ColumnModel {
        let data_type = match &self.data_type {
            DataType::Enum { name, .. } => DataType::Enum {
                name: name.clone(),
                labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            },
            other => other.clone(),
        };
        let is_text =
            data_type.kind() == ColumnKind::Text && !matches!(data_type, DataType::Enum { .. });
        let mut column = ColumnModel::new(id(name), data_type);
        column.nullable = self.nullable;
        column.default = default(&column.data_type, self.seed);
        column.unique = self.seed & 4 == 4;
        column.collation = (is_text && self.seed & 8 == 8).then(|| "C".to_owned());
        column.comment = (self.seed & 16 == 16).then(|| "it's \\ about".to_owned());
        column
    }
}

impl PartSpec {
    fn index(&self, at: usize, columns: &[ColumnModel]) -> IndexModel {
        let part = |number: &usize| {
            let of = &columns[number % columns.len()];
            let is_text = of.data_type.kind() == ColumnKind::Text
                && !matches!(of.data_type, DataType::Enum { .. });
            let name = of.name.clone();
            IndexPartModel {
                of: match is_text && self.seed & 1 == 1 {
                    true => IndexTermModel::Expression(format!("lower({})", quoted(name.as_str()))),
                    false => IndexTermModel::Column(name),
                },
                descending: self.seed & 2 == 2,
            }
        };
        let mut index = IndexModel::over([]);
        index.parts = self.columns.iter().map(part).collect();
        index.unique = self.seed & 4 == 4;
        if self.seed & 8 == 8 {
            let of = &columns[self.columns[0] % columns.len()];
            index.predicate = Some(condition(of, self.seed >> 4));
        }
        if self.seed & 16 == 16 {
            index.name = Some(Identifier::new(format!("Index {at}")).unwrap());
        }
        index
    }
}

impl SchemaSpec {
    /// The models; indexes that a person named have the name of their table's.
    fn lowered(&self) -> Vec<Lowered> {
        let tables = self.tables.iter().enumerate().map(|(number, spec)| {
            let model = spec.build(number, LABELS[self.labels]);
            let mut lowered = Dialect::Postgres.lower(&model, None).unwrap();
            for index in &mut lowered.table.indexes {
                index.name = format!("{} of {number}", index.name);
            }
            lowered
        });
        tables.collect()
    }
}

async fn create(session: &mut dyn Session, models: &[Lowered]) {
    let empty = Catalog::default();
    let mut catalog = Catalog::default();
    for model in models.iter().cloned() {
        catalog.tables.push(model.table);
        for of in model.enums {
            if catalog.enum_type(&of.name).is_none() {
                catalog.enums.push(of);
            }
        }
    }
    apply(session, &Plan::between(Dialect::Postgres, &Scope::Exact, &empty, &catalog)).await;
}

async fn apply(session: &mut dyn Session, plan: &Plan) {
    for sql in plan.statements() {
        let ran = session.run(sql).await;
        ran.unwrap_or_else(|error| panic!("{error:?}\n{sql}\n{plan:#?}"));
    }
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 40,
        ..Config::default()
    })
}

/// Runs a property with a session with an empty database.
fn holds_for<S: Strategy + 'static>(
    cases: u32,
    strategy: S,
    property: impl AsyncFn(&mut dyn Session, S::Value) -> Result<(), TestCaseError> + Send + 'static,
) where
    S::Value: Send,
    S: Send,
{
    let server = Runtime::new().unwrap();
    server.block_on(with_databases(move |[url]: [String; 1]| async move {
        let done = tokio::task::spawn_blocking(move || {
            let runtime = Runtime::new().unwrap();
            let mut scratch = runtime.block_on(Scratch::open(&url));
            let session = std::cell::RefCell::new(&mut scratch);
            runner(cases).run(&strategy, |value| {
                let scratch = &mut **session.borrow_mut();
                runtime.block_on(async {
                    // A case that failed may have left a transaction behind.
                    let _ = scratch.session.run("ROLLBACK").await;
                    scratch.load(RESET).await;
                    property(&mut *scratch.session, value).await
                })
            })
        });
        done.await.unwrap().unwrap_or_else(|failed| panic!("{failed}"));
    }));
}

const ALL: Target = Target::Schema(None);

#[test]
#[ignore = "needs a live service"]
fn what_is_made_of_a_model_reads_like_the_model() {
    holds_for(24, schema(), async |session, spec| {
        let models = spec.lowered();
        let normal = normalise(session, models.clone()).await.unwrap();
        create(session, &models).await;
        let found = introspect(session, &ALL).await.unwrap();
        for scope in [Scope::Exact, Scope::managed()] {
            let left = Plan::between(Dialect::Postgres, &scope, &found, &normal);
            prop_assert!(left.is_empty(), "{:#?}", left);
            prop_assert!(left.unmanaged.is_empty(), "{:#?}", left.unmanaged);
        }
        prop_assert_eq!(found.fingerprint(), normal.fingerprint());
        let again = introspect(session, &ALL).await.unwrap();
        prop_assert_eq!(&again, &found);
        // Constants and types need no server to be printed.
        for model in &models {
            let found = found.table(&model.table.name).unwrap();
            for column in &model.table.columns {
                let found = found.column(&column.name).unwrap();
                prop_assert_eq!(&column.ty, &found.ty);
                prop_assert_eq!(&column.default, &found.default);
                prop_assert_eq!(&column.collation, &found.collation);
                prop_assert_eq!(&column.comment, &found.comment);
            }
        }
        Ok(())
    });
}

#[test]
#[ignore = "needs a live service"]
fn a_plan_leads_from_any_schema_to_any_other() {
    static APPLIED: AtomicU32 = AtomicU32::new(0);
    const CASES: u32 = 40;
    let pairs = (schema(), schema(), any::<bool>());
    holds_for(CASES, pairs, async |session, (before, after, is_exact)| {
        create(session, &before.lowered()).await;
        let scope = if is_exact { Scope::Exact } else { Scope::managed() };
        let wanted = normalise(session, after.lowered()).await.unwrap();
        let found = introspect(session, &ALL).await.unwrap();
        let plan = Plan::between(Dialect::Postgres, &scope, &found, &wanted);
        if plan.steps.iter().any(|step| step.class >= Class::Ambiguous) {
            return Ok(());
        }
        APPLIED.fetch_add(1, Ordering::Relaxed);
        for step in &plan.steps {
            if let Some(probe) = &step.probe {
                let rows = session.fetch(&probe.sql, &[]).await;
                let rows = rows.unwrap_or_else(|error| panic!("{error:?}\n{step:#?}"));
                prop_assert_eq!(rows[0][0].as_integer(), Some(0));
            }
        }
        apply(session, &plan).await;
        let reached = introspect(session, &ALL).await.unwrap();
        let left = Plan::between(Dialect::Postgres, &scope, &reached, &wanted);
        prop_assert!(left.is_empty(), "left: {:#?}\nplan: {:#?}", left, plan);
        if is_exact {
            prop_assert_eq!(reached.fingerprint(), wanted.fingerprint());
        }
        Ok(())
    });
    let applied = APPLIED.load(Ordering::Relaxed);
    assert!(applied > CASES / 4, "only {applied} of {CASES} pairs had a plan");
}
