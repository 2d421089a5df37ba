//! Names, texts and comments that would like to be SQL.

use larder_migrate::{Target, introspect, normalise};
use larder_model::{
    Catalog, CheckModel, ColumnKind, ColumnModel, DataType, DefaultModel, DefaultValue, Identifier,
    IndexModel, Plan, Scope, TableModel,
};

use crate::{
    databases::{open, with_databases},
    on_both,
};

on_both!(nothing_in_a_model_becomes_a_statement);

const PAYLOADS: [&str; 7] = [
    "x`; DROP TABLE victim; -- x",
    "x'; DROP TABLE victim; -- x",
    "x\\'; DROP TABLE victim; -- x",
    "x\"; DROP TABLE victim; #",
    "x*/ DROP TABLE victim /*",
    "`'\\\"\n\t%_?${}",
    "') DEFAULT 1, DROP COLUMN id",
];

fn id(name: &str) -> Identifier {
    Identifier::new(name).unwrap()
}

fn model(payload: &str) -> TableModel {
    let key = ColumnModel::new(id("id"), ColumnKind::Int64);
    let text = |name: &str| ColumnModel::new(id(name), DataType::Varchar { length: 80 });
    let mut named = text(payload);
    named.comment = Some(payload.to_owned());
    named.default = Some(DefaultValue::Text(payload.to_owned().into()).into());
    let labels = vec!["plain".to_owned(), payload.trim_end().replace(',', ";")];
    let label = labels[1].clone();
    let mut chosen = ColumnModel::new(id("e"), DataType::Enum { name: id("e"), labels });
    chosen.default = Some(DefaultModel::Value(DefaultValue::Text(label.into())));
    let mut document = ColumnModel::new(id("j"), ColumnKind::Json);
    let json = format!("{{\"a\": {}}}", serde_json::to_string(payload).unwrap());
    document.default = Some(DefaultValue::Text(json.into()).into());
    TableModel::builder(id(&format!("t{payload}")))
        .column(key.with_key())
        .column(named)
        .column(chosen)
        .column(document)
        .index(IndexModel::over([id(payload)]).with_name(id(&format!("i{payload}"))))
        .check(CheckModel { name: Some(id(&format!("c{payload}"))), expression: "id > 0".into() })
        .comment(payload)
        .build()
        .unwrap()
}

async fn nothing_in_a_model_becomes_a_statement(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        let dialect = session.dialect();
        session.run("CREATE TABLE victim (a INT)").await.unwrap();
        for payload in PAYLOADS {
            let lowered = dialect.lower(&model(payload), None).unwrap();
            let desired = normalise(&mut *session, vec![lowered]).await.unwrap();
            let plan = Plan::between(dialect, &Scope::managed(), &Catalog::default(), &desired);
            for sql in plan.statements() {
                session.run(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
            }
            let target = Target::Tables(vec![desired.tables[0].name.clone()]);
            let found = introspect(&mut *session, &target).await.unwrap();
            assert_eq!(found.fingerprint(), desired.fingerprint(), "{found:#?} {desired:#?}");
            let table = &found.tables[0];
            assert_eq!(table.comment.as_deref(), Some(payload));
            assert_eq!(table.columns[1].comment.as_deref(), Some(payload));
            assert_eq!(table.columns[1].name, payload);
            // Every part goes as well as it came.
            let mut less = desired.clone();
            less.tables[0].columns.truncate(1);
            less.tables[0].indexes.clear();
            less.tables[0].checks.clear();
            less.tables[0].comment = None;
            let plan = Plan::between(dialect, &Scope::Exact, &found, &less);
            for sql in plan.statements() {
                session.run(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
            }
            let plan = Plan::between(dialect, &Scope::Exact, &less, &desired);
            for sql in plan.statements() {
                session.run(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
            }
            let found = introspect(&mut *session, &target).await.unwrap();
            assert_eq!(found.fingerprint(), desired.fingerprint());
            let name = dialect.quoted_table(&found.tables[0].name);
            let column = dialect.quoted(payload);
            let sql = format!("INSERT INTO {name} (id) VALUES (1); SELECT {column}, e FROM {name}");
            let row = session.fetch(&sql, &[]).await.unwrap().remove(0);
            assert_eq!(row[0].as_text(), Some(payload));
            assert_eq!(row[1].as_text(), Some(&*payload.trim_end().replace(',', ";")));
            for step in &plan.steps {
                if let Some(probe) = &step.probe {
                    session.fetch(&probe.sql, &[]).await.unwrap();
                }
            }
        }
        session.run("SELECT a FROM victim").await.unwrap();
    })
    .await;
}
