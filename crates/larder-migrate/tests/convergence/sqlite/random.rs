//! Random schemas: what is written is what is read, and a plan leads from any one to any other.

use larder_migrate::normalise;
use larder_model::{
    Catalog, CheckModel, Class, ColumnKind, ColumnModel, DataType, DefaultModel, DefaultValue,
    Dialect, ForeignKeyModel, Identifier, IndexModel, IndexPartModel, IndexTermModel, Lowered,
    Plan, ReferentialAction, Scope, Table, TableModel, TableModelBuilder, testing,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::scratch;
use crate::harness::Scratch;

const TABLES: [&str; 3] = ["t0", "T 1", "order"];
const COLUMNS: [&str; 5] = ["c0", "C 1", "group", "c3", "rowid"];

fn id(name: &str) -> Identifier {
    Identifier::new(name).unwrap()
}

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
    let labels = select(vec![vec!["a"], vec!["it's", "b"], vec!["b", "a", ")"]]);
    prop_oneof![
        4 => select(kinds.to_vec()).prop_map(DataType::Kind),
        1 => (1..50_u32).prop_map(|length| DataType::Varchar { length }),
        1 => (1..9_u16).prop_map(|precision| DataType::Decimal { precision, scale: 1 }),
        1 => labels.prop_map(|labels| DataType::Enum {
            name: id("labels"),
            labels: labels.into_iter().map(str::to_owned).collect(),
        }),
    ]
}

fn default(of: &DataType, number: u8) -> DefaultModel {
    use ColumnKind::*;
    let value = match (of, of.kind()) {
        (DataType::Enum { labels, .. }, _) => DefaultValue::Text(labels[0].clone().into()),
        (_, Boolean) => DefaultValue::Boolean(number > 1),
        (_, Blob) => DefaultValue::Blob(vec![number].into()),
        (_, Uuid) => DefaultValue::Blob(vec![number; 16].into()),
        (_, Decimal | Float32 | Float64) => DefaultValue::Number(format!("-{number}.50").into()),
        (_, Int16 | Int32 | Int64) => DefaultValue::Number(number.to_string().into()),
        (_, Date | Time | Timestamp | TimestampUtc) if number > 2 => return DefaultModel::Now,
        (_, Text) if number > 2 => return DefaultModel::Sql("upper( 'x''' )||'y'".into()),
        (_, Date) => DefaultValue::Text("2024-02-29".into()),
        (_, Time) => DefaultValue::Text("10:20:30".into()),
        (_, Timestamp) => DefaultValue::Text("2024-02-29 10:20:30".into()),
        (_, TimestampUtc) => DefaultValue::Text("2024-02-29T10:20:30+00:00".into()),
        (_, Json) => DefaultValue::Text(format!("{{\"it's\": {number}}}").into()),
        _ => DefaultValue::Text(format!("it's {number}").into()),
    };
    value.into()
}

fn column(name: &'static str) -> impl Strategy<Value = ColumnModel> {
    let flags = (any::<bool>(), any::<bool>(), 0..8_u8);
    (data_type(), flags, option::of(0..5_u8)).prop_map(
        move |(data_type, (nullable, unique, special), with_default)| {
            let mut column = ColumnModel::new(id(name), data_type);
            column.nullable = nullable;
            column.unique = unique && special > 3;
            column.default = with_default.map(|number| default(&column.data_type, number));
            // A type may have no room for it.
            if TableModel::builder(id("t")).column(column.clone()).build().is_err() {
                column.default = None;
            }
            if special == 0 && name != COLUMNS[0] {
                column.default = None;
                column.generated = Some("coalesce(\"c0\",'x') || 'y'".to_owned());
            }
            if special == 1 && column.data_type.kind() == ColumnKind::Text {
                column.collation = Some("NOCASE".to_owned());
            }
            column
        },
    )
}

fn index() -> impl Strategy<Value = (bool, Vec<(usize, bool, bool)>, bool)> {
    let parts = vec((0..COLUMNS.len(), any::<bool>(), any::<bool>()), 1..3);
    (any::<bool>(), parts, any::<bool>())
}

fn action() -> impl Strategy<Value = ReferentialAction> {
    use ReferentialAction::*;
    select(vec![Cascade, NoAction, Restrict, SetDefault, SetNull])
}

/// A table with a key and some of the columns.
fn table(name: &'static str) -> impl Strategy<Value = Lowered> {
    let columns = COLUMNS.map(|name| option::weighted(0.7, column(name)));
    let key = (any::<bool>(), any::<bool>(), any::<bool>());
    let references = vec((0..COLUMNS.len(), select(TABLES.to_vec()), action()), 0..2);
    let rest = (vec(index(), 0..3), references, vec(0..4_usize, 0..2));
    (Vec::from(columns), key, rest).prop_map(
        move |(columns, (numbered, integer, without_rowid), (indexes, references, checks))| {
            let mut columns: Vec<_> = columns.into_iter().flatten().collect();
            if columns.first().is_none_or(|first| first.name.as_str() != COLUMNS[0]) {
                // SQLite takes the name of a column that is not there for a text.
                columns.iter_mut().for_each(|column| column.generated = None);
            }
            let kind = if integer { ColumnKind::Int64 } else { ColumnKind::Text };
            let mut key = ColumnModel::new(id("id"), kind);
            (key.key, key.auto_increment) = (true, numbered && integer);
            let has = |at: usize| columns.iter().any(|of| of.name.as_str() == COLUMNS[at]);
            // What makes no table is left out.
            let mut builder = TableModel::builder(id(name)).column(key);
            let mut admit = |part: &dyn Fn(TableModelBuilder) -> TableModelBuilder| {
                let next = part(builder.clone());
                if next.clone().build().is_ok() {
                    builder = next;
                }
            };
            for column in &columns {
                admit(&|builder| builder.column(column.clone()));
            }
            for (at, (unique, parts, partial)) in indexes.into_iter().enumerate() {
                let part = |(column, expression, descending): (usize, bool, bool)| {
                    let name = id(if has(column) { COLUMNS[column] } else { "id" });
                    let of = match expression {
                        true => IndexTermModel::Expression(format!("lower(\"{name}\" )")),
                        false => IndexTermModel::Column(name),
                    };
                    IndexPartModel { of, descending }
                };
                let mut index = IndexModel::over([]);
                index.name = Some(id(&format!("{name}_{at}")));
                index.parts = parts.into_iter().map(part).collect();
                index.unique = unique;
                index.predicate = partial.then(|| "\"id\">0".to_owned());
                admit(&|builder| builder.index(index.clone()));
            }
            for (column, target, action) in references {
                if has(column) {
                    let mut key = ForeignKeyModel::new(id(COLUMNS[column]), id(target), id("id"));
                    key.on_delete = action;
                    admit(&|builder| builder.foreign_key(key.clone()));
                }
            }
            for check in checks {
                let last = columns.last().map_or("id", |column| column.name.as_str());
                let mut expressions = vec![
                    "id IS NOT NULL".to_owned(),
                    format!("(\"{last}\" is null or length(\"{last}\") < 1000)"),
                    format!("typeof(\"{last}\")<>')'"),
                    format!("\"{last}\" IS NULL OR id <> '-'"),
                ];
                let expression = expressions.swap_remove(check);
                let check = CheckModel { name: None, expression };
                admit(&|builder| builder.check(check.clone()));
            }
            let mut lowered = Dialect::Sqlite.lower(&builder.build().unwrap(), None).unwrap();
            lowered.table.without_rowid = without_rowid && !(numbered && integer);
            lowered
        },
    )
}

fn schema() -> impl Strategy<Value = Vec<Lowered>> {
    let tables = TABLES.map(|name| option::weighted(0.8, table(name)));
    Vec::from(tables).prop_map(|tables| {
        let mut tables: Vec<Lowered> = tables.into_iter().flatten().collect();
        let names: Vec<_> = tables.iter().map(|of| of.table.name.clone()).collect();
        for of in &mut tables {
            of.table.foreign_keys.retain(|key| names.contains(&key.target));
        }
        tables
    })
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn create(models: &[Lowered]) -> Scratch {
    let mut scratch = scratch("").await;
    for model in models {
        for statement in Dialect::Sqlite.create_table(&model.table) {
            scratch.load(&statement).await;
        }
    }
    scratch
}

/// One row, as far as the table admits one.
async fn fill(scratch: &mut Scratch, table: &Table) {
    let is_reference = |of: &larder_model::Column| {
        table.foreign_keys.iter().any(|key| key.columns.contains(&of.name))
    };
    if table.columns.iter().any(|of| is_reference(of) && (!of.nullable || of.generated.is_some())) {
        return;
    }
    let column = |of: &&larder_model::Column| {
        of.generated.is_none() && (of.default.is_none() || is_reference(of))
    };
    let columns: Vec<_> = table.columns.iter().filter(column).collect();
    let names: Vec<_> = columns.iter().map(|of| Dialect::Sqlite.quoted(&of.name)).collect();
    let number = |row: usize| {
        let values: Vec<_> = columns
            .iter()
            .map(|of| match of.ty.as_str() {
                _ if is_reference(of) => "NULL".to_owned(),
                "TEXT" if of.name == "id" => format!("'{row}'"),
                "TEXT" => format!("'a{row}'"),
                "BLOB" => format!("x'0{row}'"),
                _ => row.to_string(),
            })
            .collect();
        values.join(", ")
    };
    for row in 1..4 {
        let sql = format!(
            "INSERT OR IGNORE INTO {} ({}) VALUES ({})",
            Dialect::Sqlite.quoted_table(&table.name),
            names.join(", "),
            number(row)
        );
        scratch.load(&sql).await;
    }
}

/// The values of the columns that both have, with the number of each row.
async fn values(scratch: &mut Scratch, one: &Table, other: &Table) -> Vec<String> {
    let is_same = |column: &&larder_model::Column| {
        let found = other.columns.iter().find(|of| of.name.eq_ignore_ascii_case(&column.name));
        column.generated.is_none() && found.is_some_and(|found| found.generated.is_none())
    };
    let columns = one.columns.iter().filter(is_same);
    let term = |of: &larder_model::Column| {
        let name = Dialect::Sqlite.quoted(&of.name);
        // A number that became a text, or a whole one that became a real, is the same number.
        format!(
            "CASE typeof({name}) WHEN 'blob' THEN hex({name}) WHEN 'null' THEN 'NULL' \
             ELSE trim(replace({name} || ' ', '.0 ', '')) END"
        )
    };
    let mut terms: Vec<_> = columns.map(term).collect();
    if !one.without_rowid && !other.without_rowid {
        terms.push("oid".to_owned());
    }
    let sql = format!(
        "SELECT concat_ws(',', {}) FROM {} ORDER BY 1",
        terms.join(", "),
        Dialect::Sqlite.quoted_table(&one.name)
    );
    let rows = scratch.session.fetch(&sql, &[]).await.unwrap();
    rows.iter().map(|row| row[0].as_text().unwrap_or_default().to_owned()).collect()
}

async fn lead(from: &[Lowered], to: &[Lowered]) {
    let wanted = create(to).await.look().await;
    for with_rows in [false, true] {
        let mut current = create(from).await;
        let before = current.look().await;
        let plan = Plan::between(Dialect::Sqlite, &Scope::Exact, &before, &wanted);
        let pairs = pairs(&before, &wanted);
        let mut kept = Vec::new();
        if with_rows {
            for table in &before.tables {
                fill(&mut current, table).await;
            }
            if !current.probe(&plan).await.iter().all(|rows| rows.unwrap_or(0) == 0) {
                continue;
            }
            assert!(plan.steps.iter().all(|step| step.class <= Class::Destructive));
            for (one, other) in &pairs {
                kept.push(values(&mut current, one, other).await);
            }
        }
        current.apply(&plan).await;
        let after = current.look().await;
        let left = Plan::between(Dialect::Sqlite, &Scope::Exact, &after, &wanted);
        assert!(left.is_empty(), "{left:#?}\nplan: {plan:#?}");
        assert_eq!(after.fingerprint(), wanted.fingerprint(), "{after:#?}\n{wanted:#?}");
        for ((one, other), kept) in pairs.iter().zip(kept) {
            assert_eq!(kept, values(&mut current, one, other).await, "{plan:#?}");
        }
    }
}

/// A table with one thing about it that is other.
fn changed(mut table: Table, change: usize, at: usize) -> Table {
    let is_numbered = table.columns[0].identity.is_some();
    let plain = |column: &&mut larder_model::Column| column.generated.is_none();
    let mut columns: Vec<_> = table.columns.iter_mut().skip(1).filter(plain).collect();
    let count = columns.len().max(1);
    let name = columns.get(at % count).map(|column| column.name.clone());
    let name = Dialect::Sqlite.quoted(&name.unwrap_or_else(|| "id".to_owned()));
    match (change, columns.get_mut(at % count)) {
        (0, Some(column)) => column.nullable = !column.nullable,
        (1, Some(column)) => {
            column.default = column.default.is_none().then(|| "5".to_owned());
        }
        (2, Some(column)) if column.ty == "TEXT" => {
            column.collation = column.collation.is_none().then(|| "NOCASE".to_owned());
        }
        (3, Some(column)) if column.ty == "INTEGER" => column.ty = "BIGINT".to_owned(),
        (4, _) => table.checks.push(larder_model::Check {
            name: None,
            expression: format!("{name} IS NULL OR typeof({name}) <> 'none'"),
            validated: true,
        }),
        (5, _) => {
            let name = format!("more{}", table.columns.len());
            let column = larder_model::Column::new(name, "TEXT");
            let default = Some("CURRENT_TIMESTAMP".to_owned());
            table.columns.push(larder_model::Column { nullable: false, default, ..column });
        }
        (6, _) => table.checks.clear(),
        (7, _) => table.uniques.clear(),
        (8, _) => table.foreign_keys.clear(),
        (9, _) if !is_numbered => {
            table.without_rowid = !table.without_rowid;
        }
        _ => table.indexes.push(larder_model::Index::new(
            format!("{}_new{}", table.name, table.indexes.len()),
            &[&table.columns[0].name],
        )),
    }
    table
}

fn pairs(before: &Catalog, wanted: &Catalog) -> Vec<(Table, Table)> {
    let pair = |one: &Table| Some((one.clone(), wanted.table(&one.name)?.clone()));
    before.tables.iter().filter_map(pair).collect()
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(models in schema()) {
        run(async {
            let mut created = create(&models).await;
            let normalised = normalise(&mut *created.session, models).await.unwrap();
            let found = created.look().await;
            assert!(found.tables.iter().all(|table| table.opaque.is_none()), "{found:#?}");
            assert_eq!(found.fingerprint(), normalised.fingerprint());
            let plan = Plan::between(Dialect::Sqlite, &Scope::managed(), &found, &normalised);
            assert!(plan.is_empty(), "{plan:#?}");
        });
    }

    #[test]
    fn a_model_becomes_another((one, other) in testing::pair(Dialect::Sqlite)) {
        run(async {
            let lower = |model: &TableModel| {
                let mut lowered = Dialect::Sqlite.lower(model, None).unwrap();
                if model == &one {
                    // A reference stays when its model goes, and then its target's key has to.
                    lowered.table.foreign_keys.clear();
                }
                vec![lowered]
            };
            let mut current = create(&lower(&one)).await;
            for model in [&one, &other] {
                let wanted = normalise(&mut *current.session, lower(model)).await.unwrap();
                let before = current.look().await;
                let plan = Plan::between(Dialect::Sqlite, &Scope::managed(), &before, &wanted);
                assert!(plan.is_empty() || model == &other, "{plan:#?}");
                current.apply(&plan).await;
                let after = current.look().await;
                let left = Plan::between(Dialect::Sqlite, &Scope::managed(), &after, &wanted);
                assert!(left.is_empty(), "{left:#?}\nplan: {plan:#?}");
            }
        });
    }

    #[test]
    fn rows_survive_what_changes_little(
        from in schema(),
        changes in vec((0..TABLES.len(), 0..11_usize, 0..COLUMNS.len()), 1..3),
    ) {
        let mut to = from.clone();
        for (table, change, at) in changes {
            if let Some(of) = to.get_mut(table) {
                of.table = changed(of.table.clone(), change, at);
            }
        }
        run(lead(&from, &to));
    }

    #[test]
    fn a_plan_leads_from_any_schema_to_any_other(from in schema(), to in schema()) {
        run(lead(&from, &to));
    }
}
