//! What no model declares, and a plan takes off for a while: it is there again after a process was
//! killed before any of its statements, and the next one was run.

use std::{sync::Arc, time::Duration};

use larder_migrate::{Connector, MigrateOptions, Migrator, ModelRef, Standing, Target, introspect};
use larder_model::{
    Catalog, ColumnKind, ColumnModel, Dialect, ForeignKey, Identifier, Policy, ReferentialAction,
    Table, TableModel,
};

use crate::{
    child::{Child, say},
    killed::Kill,
    support::{Scratch, Scripted},
};

/// What is changed while something is off.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scene {
    /// Columns that a reference is between get another type, and its target another key.
    References,
    /// A column that a check, an index and a computed column mention gets another name.
    Rename,
}

impl Scene {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::References, Self::Rename].into_iter().find(|scene| scene.act() == text)
    }

    const fn act(self) -> &'static str {
        match self {
            Self::References => "kill-references",
            Self::Rename => "kill-rename",
        }
    }

    fn models(self) -> Vec<(&'static str, TableModel)> {
        match self {
            Self::References => {
                vec![("Child", child(ColumnKind::Int64)), ("Parent", parent(ColumnKind::Int64))]
            }
            Self::Rename => vec![("Part", part(Some("amount")))],
        }
    }

    async fn make(self, scratch: &Scratch) {
        match self {
            Self::References => make_family(scratch).await,
            Self::Rename => make_part(scratch).await,
        }
    }
}

pub(crate) fn refs<'m>(models: &'m [(&'static str, TableModel)]) -> Vec<ModelRef<'m>> {
    models.iter().map(|(name, table)| ModelRef::new(name, table)).collect()
}

fn id(name: &str) -> Identifier {
    Identifier::new(name).unwrap()
}

/// Its number is the key as long as it is short.
pub(crate) fn parent(kind: ColumnKind) -> TableModel {
    let number = ColumnModel::new(id("id"), kind);
    let code = ColumnModel::new(id("code"), ColumnKind::Int32);
    let builder = TableModel::builder(id("parent"));
    let builder = match kind {
        ColumnKind::Int32 => builder.column(number.with_key()).column(code),
        _ => builder.column(number.with_unique()).column(code.with_key()),
    };
    builder.build().unwrap()
}

pub(crate) fn child(kind: ColumnKind) -> TableModel {
    TableModel::builder(id("child"))
        .column(ColumnModel::new(id("id"), ColumnKind::Int64).with_key())
        .column(ColumnModel::new(id("parent_id"), kind).with_null())
        .build()
        .unwrap()
}

fn part(former: Option<&str>) -> TableModel {
    let name = if former.is_some() { "number" } else { "amount" };
    let mut number = ColumnModel::new(id(name), ColumnKind::Int64);
    number.renamed_from = former.map(id);
    TableModel::builder(id("part"))
        .column(ColumnModel::new(id("id"), ColumnKind::Int64).with_key())
        .column(number)
        .build()
        .unwrap()
}

const REFERENCE: &str = "CONSTRAINT child_refers FOREIGN KEY (parent_id) REFERENCES parent (id) \
    ON DELETE CASCADE ON UPDATE SET NULL";

/// A model's table refers to another model's, and neither says so.
pub(crate) async fn make_family(scratch: &Scratch) {
    let int = if scratch.dialect == Dialect::Sqlite { "INTEGER" } else { "INT" };
    let statements = [
        format!("CREATE TABLE parent (id {int} NOT NULL PRIMARY KEY, code {int} NOT NULL)"),
        format!(
            "CREATE TABLE child (id BIGINT NOT NULL PRIMARY KEY, parent_id {int}, {REFERENCE})"
        ),
        "INSERT INTO parent (id, code) VALUES (1, 10), (2, 20)".to_owned(),
        "INSERT INTO child (id, parent_id) VALUES (1, 1), (2, 2), (3, NULL)".to_owned(),
    ];
    for sql in statements {
        scratch.run(&sql).await;
    }
    let models = [("Child", child(ColumnKind::Int32)), ("Parent", parent(ColumnKind::Int32))];
    adopt(scratch, &models).await;
}

async fn make_part(scratch: &Scratch) {
    // What MariaDB computes from others is in no index over an expression.
    let index = match scratch.dialect {
        Dialect::MariaDb => "part (amount)",
        _ => "part ((amount * 2))",
    };
    let statements = [
        "CREATE TABLE part (id BIGINT NOT NULL PRIMARY KEY, amount BIGINT NOT NULL, \
         twice BIGINT GENERATED ALWAYS AS (amount * 2) STORED, \
         CONSTRAINT part_positive CHECK (amount > 0))",
        &format!("CREATE INDEX part_doubled ON {index}"),
        "CREATE INDEX part_twice ON part (twice)",
        "INSERT INTO part (id, amount) VALUES (1, 10), (2, 20)",
    ];
    for sql in statements {
        scratch.run(sql).await;
    }
    adopt(scratch, &[("Part", part(None))]).await;
}

async fn adopt(scratch: &Scratch, models: &[(&'static str, TableModel)]) {
    let standings = scratch.migrator().adopt(&refs(models)).await.unwrap();
    assert!(standings.iter().all(Standing::is_ensured), "{standings:#?}");
}

async fn look(scratch: &Scratch) -> Catalog {
    let mut session = scratch.session().await;
    let schema = (scratch.dialect == Dialect::Postgres).then(|| "public".to_owned());
    let found = introspect(&mut *session, &Target::Schema(schema)).await.unwrap();
    session.close().await;
    found
}

async fn look_at(scratch: &Scratch, name: &str) -> Table {
    let found = look(scratch).await;
    let mut table = found.tables.into_iter().find(|table| table.name.name == name).unwrap();
    table.indexes.sort_by(|one, other| one.name.cmp(&other.name));
    table
}

async fn references(scratch: &Scratch) -> Vec<ForeignKey> {
    look_at(scratch, "child").await.foreign_keys
}

/// Whether the reference is there.
pub(crate) async fn refers(scratch: &Scratch) -> bool {
    references(scratch).await.iter().any(|of| of.name.as_deref() == Some("child_refers"))
}

/// Whether everything is there that no model declares.
async fn check(scratch: &Scratch, scene: Scene, number: usize) {
    match scene {
        Scene::References => check_references(scratch, number).await,
        Scene::Rename => check_part(scratch, number).await,
    }
}

async fn check_references(scratch: &Scratch, number: usize) {
    let found = references(scratch).await;
    let [reference] = found.as_slice() else { panic!("{number}: {found:#?}") };
    if scratch.dialect != Dialect::Sqlite {
        assert_eq!(reference.name.as_deref(), Some("child_refers"), "{number}");
    }
    assert_eq!(reference.columns, ["parent_id"], "{number}");
    assert_eq!(reference.target.name, "parent", "{number}");
    assert_eq!(reference.target_columns, ["id"], "{number}");
    assert_eq!(reference.on_delete, ReferentialAction::Cascade, "{number}");
    assert_eq!(reference.on_update, ReferentialAction::SetNull, "{number}");
    assert!(reference.validated, "{number}");
    assert_eq!(scratch.number("SELECT COUNT(*) FROM child WHERE parent_id IN (1, 2)").await, 2);
    let key = look_at(scratch, "parent").await.primary_key.unwrap();
    assert_eq!(key.columns, ["code"], "{number}");
}

async fn check_part(scratch: &Scratch, number: usize) {
    let table = look_at(scratch, "part").await;
    assert_eq!(table.checks.len(), 1, "{number}: {table:#?}");
    assert!(table.checks[0].expression.contains("number"), "{number}: {table:#?}");
    let names: Vec<_> = table.indexes.iter().map(|index| index.name.as_str()).collect();
    assert_eq!(names, ["part_doubled", "part_twice"], "{number}");
    let twice = table.column("twice").unwrap().generated.as_ref().unwrap();
    assert!(twice.expression.contains("number"), "{number}: {table:#?}");
    assert_eq!(scratch.number("SELECT CAST(SUM(twice) AS CHAR(9)) = '60' FROM part").await, 1);
}

async fn killed_at_every_statement(scratch: &Scratch, scene: Scene) {
    let mut number = 0;
    loop {
        scene.make(scratch).await;
        let act = format!("{}:{number}", scene.act());
        let mut child = Child::start(scratch, &act, Duration::from_secs(600));
        let said = child.ended().await;
        let is_unharmed = child.succeeded().await;
        assert_eq!(is_unharmed, said.contains("unharmed"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        let models = scene.models();
        let migrator = scratch.migrator();
        let standings = migrator.ensure(&refs(&models), Policy::Full).await;
        let standings = standings.unwrap_or_else(|error| panic!("{number}: {error}: {error:#?}"));
        assert!(standings.iter().all(Standing::is_ensured), "{number}: {standings:#?}");
        check(scratch, scene, number).await;
        let planned = migrator.plan(&refs(&models)).await.unwrap();
        assert!(planned.plan.is_empty(), "{number}: {:#?}", planned.plan);
        unmake(scratch).await;
        if is_unharmed {
            break;
        }
        number += 1;
    }
    assert!(number > 3, "only {number} statements: was anything done at all?");
}

/// The tables, those first that refer to others.
async fn unmake(scratch: &Scratch) {
    let mut tables = scratch.tables().await;
    tables.sort_by_key(|name| name == "parent");
    for table in tables {
        scratch.run(&format!("DROP TABLE {}", scratch.dialect.quoted(&table))).await;
    }
}

pub(crate) async fn a_reference_outlives_a_run_that_is_killed_at_any_statement(scratch: &Scratch) {
    killed_at_every_statement(scratch, Scene::References).await;
}

pub(crate) async fn what_mentions_a_renamed_column_outlives_a_killed_run(scratch: &Scratch) {
    killed_at_every_statement(scratch, Scene::Rename).await;
}

/// The process that is killed.
pub(crate) async fn run(
    connector: Arc<dyn Connector>,
    options: MigrateOptions,
    scene: Scene,
    at: usize,
) {
    let migrator = Migrator::new(Arc::new(Scripted::new(connector, Kill::at(at))), options);
    let models = scene.models();
    let standings = migrator.ensure(&refs(&models), Policy::Full).await.unwrap();
    assert!(standings.iter().all(Standing::is_ensured), "{standings:#?}");
    say("unharmed");
}
