//! Random tables, alone and as what became of one.
//!
//! Guards that the two tables of a pair have much in common: they draw from one pool of columns,
//! each of which has two shapes.

use proptest::{collection::vec, option, prelude::*, sample};

use super::columns::{Shape, comment, is_indexable, shape, type_name};
use crate::{
    CheckModel, ColumnKind, ColumnModel, DataType, Dialect, ForeignKeyModel, Identifier,
    IndexModel, IndexPartModel, IndexTermModel, ReferentialAction, TableModel, TableModelBuilder,
    testing::name,
};

/// A table that the database can have.
///
/// Its checks and generated columns are SQL, with names quoted as the dialect quotes them.
pub fn table_model(dialect: Dialect) -> impl Strategy<Value = TableModel> {
    (pool(dialect), pick()).prop_map(move |(pool, pick)| table(dialect, &pool, &pick))
}

/// Two tables of one name, the second of which the first could become.
pub fn pair(dialect: Dialect) -> impl Strategy<Value = (TableModel, TableModel)> {
    (pool(dialect), pick(), pick()).prop_map(move |(pool, one, other)| {
        (table(dialect, &pool, &one), table(dialect, &pool, &other))
    })
}

/// What the tables of a pair are made of.
#[derive(Clone, Debug)]
struct Pool {
    table: Identifier,
    /// With names that differ in more than their case.
    columns: Vec<(Identifier, [Shape; 2])>,
    /// Names of indexes and checks, each of its own.
    names: Vec<Identifier>,
    key: Key,
}

#[derive(Clone, Copy, Debug)]
enum Key {
    Columns,
    None,
    Numbered,
}

/// What one of them takes. Numbers count round and round in what is there to choose from.
#[derive(Clone, Debug)]
struct Pick {
    /// Of each column: 0 and 1 take its first shape, 2 its second, 3 leaves it out.
    shapes: Vec<u8>,
    key: Vec<usize>,
    uniques: Vec<Vec<usize>>,
    indexes: Vec<IndexPick>,
    parent: Option<(ReferentialAction, ReferentialAction)>,
    checks: Vec<(usize, bool)>,
    generated: bool,
    comment: Option<String>,
}

#[derive(Clone, Debug)]
struct IndexPick {
    /// Columns, and whether they are in descending order.
    parts: Vec<(usize, bool)>,
    is_unique: bool,
    is_named: bool,
}

fn pool(dialect: Dialect) -> impl Strategy<Value = Pool> {
    let columns = vec((name(), [shape(dialect), shape(dialect)]), 1..7);
    let key = prop_oneof![3 => Just(Key::Numbered), 2 => Just(Key::Columns), 1 => Just(Key::None)];
    (name(), columns, vec(name(), 6), key).prop_map(|(table, columns, names, key)| {
        // One name is nothing else's, whatever it is: in PostgreSQL indexes and types share the
        // namespace of tables.
        let mut taken = vec![table.as_str().to_lowercase()];
        taken.extend(["id", "parent", "base", "computed"].map(str::to_owned));
        let mut is_new = |name: &Identifier| {
            let key = name.as_str().to_lowercase();
            let is_new = !taken.contains(&key);
            taken.push(key);
            is_new
        };
        let mut kept: Vec<(Identifier, [Shape; 2])> = Vec::new();
        for (name, shapes) in columns {
            let mut types = shapes.iter().filter_map(|shape| type_name(&shape.data_type));
            if is_new(&name) && types.all(&mut is_new) {
                kept.push((name, shapes));
            }
        }
        let names = names.into_iter().filter(|name| is_new(name)).collect();
        Pool { table, columns: kept, names, key }
    })
}

fn pick() -> impl Strategy<Value = Pick> {
    let several = || vec(0..8_usize, 1..3);
    let parts = vec((0..8_usize, any::<bool>()), 1..4);
    let index = (parts, any::<bool>(), any::<bool>())
        .prop_map(|(parts, is_unique, is_named)| IndexPick { parts, is_unique, is_named });
    (
        vec(0..4_u8, 7),
        several(),
        vec(several(), 0..3),
        vec(index, 0..3),
        option::weighted(0.3, (action(), action())),
        vec((0..8_usize, any::<bool>()), 0..3),
        prop::bool::weighted(0.2),
        comment(),
    )
        .prop_map(|(shapes, key, uniques, indexes, parent, checks, generated, comment)| Pick {
            shapes,
            key,
            uniques,
            indexes,
            parent,
            checks,
            generated,
            comment,
        })
}

/// `SET DEFAULT` is left out: InnoDB has it not.
fn action() -> impl Strategy<Value = ReferentialAction> {
    use ReferentialAction::{Cascade, NoAction, Restrict, SetNull};
    sample::select(vec![NoAction, Cascade, Restrict, SetNull])
}

fn table(dialect: Dialect, pool: &Pool, pick: &Pick) -> TableModel {
    let mut columns = columns(pool, pick);
    let plain = columns.clone();
    let indexable: Vec<_> =
        plain.iter().filter(|column| is_indexable(dialect, &column.data_type)).collect();
    let mut builder = TableModel::builder(pool.table.clone());
    let key = key(pool, pick, &indexable);
    if let Key::Numbered = pool.key {
        let id = ColumnModel::new(fixed("id"), ColumnKind::Int64);
        columns.insert(0, ColumnModel { key: true, auto_increment: true, ..id });
    }
    for column in &mut columns {
        if key.contains(&column.name) {
            column.nullable = false;
        }
    }
    if let Some(generated) = generated(dialect, pick) {
        columns.extend(generated);
    }
    if columns.is_empty() {
        columns.push(ColumnModel::new(fixed("id"), ColumnKind::Int64));
    }
    if let (Some(actions), [target]) = (pick.parent, key.as_slice()) {
        let (parent, reference) = parent(&columns, &pool.table, target, actions);
        columns.push(parent);
        builder = builder.foreign_key(reference);
    }
    builder = columns.into_iter().fold(builder, TableModelBuilder::column);
    if let Key::Columns = pool.key {
        builder = builder.key(key.clone());
    }
    builder = uniques(builder, pick, &indexable, &key);
    builder = indexes(builder, pool, pick, &indexable);
    builder = checks(builder, dialect, pool, pick, &plain);
    if let Some(comment) = &pick.comment {
        builder = builder.comment(comment.clone());
    }
    builder.build().expect("every rule was kept")
}

fn columns(pool: &Pool, pick: &Pick) -> Vec<ColumnModel> {
    let chosen = pool.columns.iter().zip(&pick.shapes).filter(|(_, choice)| **choice < 3);
    chosen
        .map(|((name, shapes), choice)| {
            let shape = shapes[usize::from(*choice == 2)].clone();
            ColumnModel {
                nullable: shape.nullable,
                default: shape.default,
                collation: shape.collation,
                comment: shape.comment,
                ..ColumnModel::new(name.clone(), shape.data_type)
            }
        })
        .collect()
}

fn key(pool: &Pool, pick: &Pick, indexable: &[&ColumnModel]) -> Vec<Identifier> {
    match pool.key {
        Key::Columns => distinct(&pick.key, indexable),
        Key::None => Vec::new(),
        Key::Numbered => vec![fixed("id")],
    }
}

/// The columns that the numbers mean, each once.
fn distinct(numbers: &[usize], columns: &[&ColumnModel]) -> Vec<Identifier> {
    let mut names = Vec::new();
    for number in numbers {
        let Some(at) = number.checked_rem(columns.len()) else { return names };
        let name = &columns[at].name;
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// A column that is computed from another one.
fn generated(dialect: Dialect, pick: &Pick) -> Option<[ColumnModel; 2]> {
    let base = ColumnModel::new(fixed("base"), ColumnKind::Int32);
    let expression = format!("{} + 1", dialect.quoted("base"));
    let computed = ColumnModel {
        nullable: true,
        generated: Some(expression),
        ..ColumnModel::new(fixed("computed"), ColumnKind::Int64)
    };
    pick.generated.then_some([base, computed])
}

/// A column that refers to the key of its own table.
fn parent(
    columns: &[ColumnModel],
    table: &Identifier,
    target: &Identifier,
    (on_delete, on_update): (ReferentialAction, ReferentialAction),
) -> (ColumnModel, ForeignKeyModel) {
    let found = columns.iter().find(|column| column.name == *target);
    let found = found.expect("the key is a column");
    let parent = ColumnModel {
        nullable: true,
        collation: found.collation.clone(),
        ..ColumnModel::new(fixed("parent"), found.data_type.clone())
    };
    let reference = ForeignKeyModel::new(fixed("parent"), table.clone(), target.clone());
    (parent, ForeignKeyModel { on_delete, on_update, ..reference })
}

fn uniques(
    mut builder: TableModelBuilder,
    pick: &Pick,
    indexable: &[&ColumnModel],
    key: &[Identifier],
) -> TableModelBuilder {
    let mut known: Vec<Vec<Identifier>> = Vec::new();
    for numbers in &pick.uniques {
        let columns = distinct(numbers, indexable);
        if !columns.is_empty() && columns != key && !known.contains(&columns) {
            known.push(columns.clone());
            builder = builder.unique(columns);
        }
    }
    builder
}

fn indexes(
    mut builder: TableModelBuilder,
    pool: &Pool,
    pick: &Pick,
    indexable: &[&ColumnModel],
) -> TableModelBuilder {
    let mut known: Vec<Vec<Identifier>> = Vec::new();
    for (at, index) in pick.indexes.iter().enumerate() {
        let IndexPick { parts, is_unique, is_named } = index;
        let numbers: Vec<_> = parts.iter().map(|(number, _)| *number).collect();
        let columns = distinct(&numbers, indexable);
        if columns.is_empty() || known.contains(&columns) {
            continue;
        }
        known.push(columns.clone());
        let directions = parts.iter().map(|(_, descending)| *descending);
        let part = |(column, descending)| IndexPartModel {
            of: IndexTermModel::Column(column),
            descending,
        };
        let parts = columns.into_iter().zip(directions).map(part).collect();
        let name = pool.names.get(at).filter(|_| *is_named).cloned();
        builder =
            builder.index(IndexModel { name, unique: *is_unique, parts, ..IndexModel::over([]) });
    }
    builder
}

/// Conditions over columns that no reference has and no number comes from.
fn checks(
    mut builder: TableModelBuilder,
    dialect: Dialect,
    pool: &Pool,
    pick: &Pick,
    columns: &[ColumnModel],
) -> TableModelBuilder {
    for (at, (number, is_named)) in pick.checks.iter().enumerate() {
        let Some(column) = number.checked_rem(columns.len()).map(|number| &columns[number]) else {
            return builder;
        };
        let quoted = dialect.quoted(column.name.as_str());
        let expression = match (&column.data_type, column.data_type.kind()) {
            (DataType::Enum { .. } | DataType::Native { .. }, _) => continue,
            (
                _,
                ColumnKind::Int16 | ColumnKind::Int32 | ColumnKind::Int64 | ColumnKind::Decimal,
            ) => format!("{quoted} > {at}"),
            (_, ColumnKind::Text) => format!("{quoted} <> '{at}'"),
            _ => continue,
        };
        let name = pool.names.get(3 + at).filter(|_| *is_named).cloned();
        builder = builder.check(CheckModel { name, expression });
    }
    builder
}

fn fixed(name: &'static str) -> Identifier {
    Identifier::from_static(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database_names::check_names;

    const ALL: [Dialect; 4] =
        [Dialect::MariaDb, Dialect::MySql, Dialect::Postgres, Dialect::Sqlite];

    proptest! {
        #[test]
        fn no_database_refuses_a_name(
            (dialect, table) in sample::select(ALL.to_vec())
                .prop_flat_map(|dialect| (Just(dialect), table_model(dialect)))
        ) {
            prop_assert_eq!(check_names(dialect, &table), Ok(()));
        }

        #[test]
        fn the_tables_of_a_pair_have_one_name((one, other) in pair(Dialect::Postgres)) {
            prop_assert_eq!(one.name(), other.name());
        }
    }

    /// Otherwise a change to the generator could leave something out unnoticed.
    #[test]
    fn everything_that_a_model_can_have_is_generated() {
        use proptest::{strategy::ValueTree as _, test_runner::TestRunner};
        let mut runner = TestRunner::deterministic();
        let mut seen = [false; 12];
        for _ in 0..300 {
            let table = table_model(Dialect::Postgres).new_tree(&mut runner).unwrap().current();
            let any = |is: fn(&ColumnModel) -> bool| table.columns().iter().any(is);
            let here = [
                any(|column| column.auto_increment),
                any(|column| column.default.is_some()),
                any(|column| column.generated.is_some()),
                any(|column| column.collation.is_some()),
                any(|column| column.comment.is_some()),
                any(|column| matches!(column.data_type, DataType::Enum { .. })),
                any(|column| matches!(column.data_type, DataType::Native { .. })),
                !table.uniques().is_empty(),
                !table.indexes().is_empty(),
                !table.foreign_keys().is_empty(),
                !table.checks().is_empty(),
                table.key().count() > 1,
            ];
            for (seen, here) in seen.iter_mut().zip(here) {
                *seen |= here;
            }
        }
        assert_eq!(seen, [true; 12]);
    }
}
