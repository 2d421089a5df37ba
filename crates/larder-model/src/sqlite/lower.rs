//! From a model to a table in SQLite's terms.
//!
//! Guards that a default which the database makes up looks like a value that a program of ours
//! stores, so that both sort and compare alike.

use std::fmt::Write as _;

use super::types::declared;
use crate::{
    Check, Column, ColumnKind, ColumnModel, DataType, DefaultModel, DefaultValue, Dialect,
    ForeignKey, Generated, Identifier, Identity, Index, IndexModel, IndexPart, IndexTermModel,
    Lowered, ModelError, PrimaryKey, Table, TableModel, TableName, Unique,
};

/// A model in SQLite's terms.
///
/// Lengths of texts and digits of numbers are not enforced by SQLite: they are left out, except
/// where a type of the same effect has a place for them. Comments have no place at all.
pub(crate) fn lower(model: &TableModel) -> Result<Lowered, ModelError> {
    let mut table = Table::new(TableName::new(model.name.as_str()));
    table.columns = model.columns.iter().map(column).collect();
    table.primary_key = (!model.key.is_empty())
        .then(|| PrimaryKey { name: None, columns: model.key().map(name_of).collect() });
    let unique = |of: &crate::UniqueModel| Unique {
        name: None,
        columns: names(&of.columns),
        nulls_not_distinct: false,
        deferrable: None,
        include: Vec::new(),
    };
    table.uniques = model.uniques.iter().map(unique).collect();
    let indexes = model.indexes.iter().map(|of| index(model, of));
    table.indexes = indexes.collect::<Result<_, _>>()?;
    table.foreign_keys = foreign_keys(model);
    table.checks = checks(model);
    table.renamed_from = model.renamed_from.as_ref().map(|name| name.as_str().to_owned());
    Ok(Lowered { enums: Vec::new(), table })
}

fn name_of(column: &ColumnModel) -> String {
    column.name.as_str().to_owned()
}

fn names(names: &[Identifier]) -> Vec<String> {
    names.iter().map(|name| name.as_str().to_owned()).collect()
}

fn column(model: &ColumnModel) -> Column {
    let kind = model.data_type.kind();
    let own = match &model.data_type {
        DataType::Native { sqlite: Some(own), .. } => Some(own.clone()),
        _ => None,
    };
    let limited = match &model.data_type {
        DataType::Char { length } => Some(format!("CHAR({length})")),
        DataType::Varchar { length } => Some(format!("VARCHAR({length})")),
        _ => None,
    };
    Column {
        // What the author wrote in SQLite's own words is meant.
        kind: own.is_none().then_some(kind),
        ty: own.or(limited).unwrap_or_else(|| declared(kind, false).to_owned()),
        nullable: model.nullable,
        default: model.default.as_ref().map(|default| default_sql(default, kind)),
        identity: model.auto_increment.then_some(Identity::AutoIncrement),
        generated: model
            .generated
            .as_ref()
            .map(|sql| Generated { expression: sql.clone(), stored: true }),
        collation: model.collation.clone(),
        renamed_from: model.renamed_from.as_ref().map(|name| name.as_str().to_owned()),
        ..Column::new(model.name.as_str(), "")
    }
}

fn default_sql(default: &DefaultModel, kind: ColumnKind) -> String {
    match default {
        DefaultModel::Now => now(kind).to_owned(),
        DefaultModel::Sql(sql) => sql.trim().to_owned(),
        DefaultModel::Value(value) => literal(value, kind),
    }
}

/// The moment, written as the query layer writes values of the kind.
const fn now(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Date => "CURRENT_DATE",
        ColumnKind::Time => "CURRENT_TIME",
        ColumnKind::TimestampUtc => "strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')",
        _ => "CURRENT_TIMESTAMP",
    }
}

fn literal(value: &DefaultValue, kind: ColumnKind) -> String {
    match value {
        DefaultValue::Blob(bytes) => {
            let mut text = "X'".to_owned();
            for byte in bytes.iter() {
                // Writing into a text does not fail.
                let _ = write!(text, "{byte:02X}");
            }
            text.push('\'');
            text
        }
        DefaultValue::Boolean(value) => i32::from(*value).to_string(),
        // A decimal is a text here, and as a number it would lose its zeros at the end.
        DefaultValue::Number(digits) if kind == ColumnKind::Decimal => Dialect::Sqlite.text(digits),
        DefaultValue::Number(digits) => digits.clone().into_owned(),
        DefaultValue::Text(text) => Dialect::Sqlite.text(text),
    }
}

fn index(model: &TableModel, of: &IndexModel) -> Result<Index, ModelError> {
    let is_plain = |method: &String| method.eq_ignore_ascii_case("btree");
    if of.method.as_ref().is_some_and(|method| !is_plain(method)) {
        let feature = "index but the B-tree";
        return Err(ModelError::Unsupported { dialect: Dialect::Sqlite, feature });
    }
    let part = |part: &crate::IndexPartModel| {
        let plain = match &part.of {
            IndexTermModel::Column(name) => IndexPart::column(name.as_str()),
            IndexTermModel::Expression(sql) => IndexPart::expression(sql.trim()),
        };
        IndexPart { descending: part.descending, ..plain }
    };
    let parts: Vec<_> = of.parts.iter().map(part).collect();
    let name = match &of.name {
        Some(name) => name.as_str().to_owned(),
        None => index_name(model, &parts),
    };
    let predicate = of.predicate.as_ref().map(|sql| sql.trim().to_owned());
    Ok(Index { name, unique: of.unique, parts, predicate, ..Index::new("", &[]) })
}

fn index_name(model: &TableModel, parts: &[IndexPart]) -> String {
    let part = |part: &IndexPart| match part.is_expression {
        true => "expr".to_owned(),
        false => part.text.clone(),
    };
    let parts: Vec<_> = parts.iter().map(part).collect();
    format!("{}_{}_idx", model.name, parts.join("_"))
}

fn foreign_keys(model: &TableModel) -> Vec<ForeignKey> {
    let key = |of: &crate::ForeignKeyModel| ForeignKey {
        name: None,
        columns: names(&of.columns),
        target: TableName::new(of.target.as_str()),
        target_columns: names(&of.target_columns),
        on_delete: of.on_delete,
        on_update: of.on_update,
        deferrable: None,
        validated: true,
    };
    model.foreign_keys.iter().map(key).collect()
}

/// The checks, and one for each column of labels. That one has the column in its name, so that
/// other labels replace it.
fn checks(model: &TableModel) -> Vec<Check> {
    let named =
        |name: String, expression: String| Check { name: Some(name), expression, validated: true };
    let labels = model.columns.iter().filter_map(|column| {
        let DataType::Enum { labels, .. } = &column.data_type else { return None };
        let labels: Vec<_> = labels.iter().map(|label| Dialect::Sqlite.text(label)).collect();
        let quoted = Dialect::Sqlite.quoted(column.name.as_str());
        let name = format!("{}_{}_enum", model.name, column.name);
        Some(named(name, format!("{quoted} IN ({})", labels.join(", "))))
    });
    let mut sorted: Vec<_> = model.checks.iter().collect();
    sorted.sort_by(|one, other| one.expression.cmp(&other.expression));
    let own = sorted.into_iter().enumerate().map(|(at, check)| {
        let name = check.name.as_ref().map(|name| name.as_str().to_owned());
        let name = name.unwrap_or_else(|| format!("{}_check{}", model.name, at + 1));
        named(name, check.expression.trim().to_owned())
    });
    labels.chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CheckModel, ForeignKeyModel, ReferentialAction};

    fn id(name: &'static str) -> Identifier {
        Identifier::from_static(name)
    }

    fn of(name: &'static str, data_type: impl Into<DataType>) -> ColumnModel {
        ColumnModel::new(id(name), data_type)
    }

    fn lowered(columns: Vec<ColumnModel>) -> Table {
        let builder = TableModel::builder(id("t"));
        let builder = columns.into_iter().fold(builder, crate::TableModelBuilder::column);
        lower(&builder.build().unwrap()).unwrap().table
    }

    #[test]
    fn every_type_has_a_place() {
        let native = |sqlite: Option<&str>| DataType::Native {
            kind: ColumnKind::Json,
            mysql: None,
            postgres: Some("jsonb".into()),
            sqlite: sqlite.map(str::to_owned),
        };
        let labels = || DataType::Enum { name: id("cabin"), labels: vec!["it's".into()] };
        for (data_type, ty, is_kind) in [
            (DataType::Kind(ColumnKind::Boolean), "BOOLEAN", true),
            (DataType::Kind(ColumnKind::Uuid), "BLOB", true),
            (DataType::Varchar { length: 20 }, "VARCHAR(20)", true),
            (DataType::Char { length: 2 }, "CHAR(2)", true),
            (DataType::Decimal { precision: 30, scale: 10 }, "TEXT", true),
            (DataType::Temporal { kind: ColumnKind::Time, digits: 3 }, "TEXT", true),
            (native(Some("JSON")), "JSON", false),
            (native(None), "TEXT", true),
            (labels(), "TEXT", true),
        ] {
            let kind = data_type.kind();
            let table = lowered(vec![of("a", data_type)]);
            assert_eq!(table.columns[0].ty, ty);
            assert_eq!(table.columns[0].kind, is_kind.then_some(kind), "{ty}");
        }
        let table = lowered(vec![of("a", labels())]);
        assert_eq!(table.checks[0].name.as_deref(), Some("t_a_enum"));
        assert_eq!(table.checks[0].expression, "\"a\" IN ('it''s')");
    }

    #[test]
    fn every_default_is_written_as_its_column_stores_it() {
        let check = |kind, default: DefaultModel, expected: &str| {
            let column = of("a", DataType::Kind(kind)).with_default(default);
            assert_eq!(lowered(vec![column]).columns[0].default.as_deref(), Some(expected));
        };
        let number = |digits: &'static str| DefaultValue::Number(digits.into()).into();
        check(ColumnKind::Text, DefaultValue::Text("it's".into()).into(), "'it''s'");
        check(ColumnKind::Decimal, number("0.10"), "'0.10'");
        check(ColumnKind::Float64, number("-1.5"), "-1.5");
        check(ColumnKind::Blob, DefaultValue::Blob([0, 255].as_slice().into()).into(), "X'00FF'");
        check(ColumnKind::Boolean, DefaultValue::Boolean(true).into(), "1");
        check(ColumnKind::Date, DefaultModel::Now, "CURRENT_DATE");
        check(ColumnKind::Timestamp, DefaultModel::Now, "CURRENT_TIMESTAMP");
        let now = "strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')";
        check(ColumnKind::TimestampUtc, DefaultModel::Now, now);
        check(ColumnKind::Text, DefaultModel::Sql(" lower('A') ".into()), "lower('A')");
    }

    #[test]
    fn parts_have_the_names_that_models_leave_out() {
        let parts = vec![
            crate::IndexPartModel::column(id("a")),
            crate::IndexPartModel::expression("lower(b)").descending(),
        ];
        let check = |expression: &str| CheckModel { name: None, expression: expression.to_owned() };
        let model = TableModel::builder(id("t"))
            .column(of("a", ColumnKind::Int64).with_key())
            .column(of("b", ColumnKind::Text))
            .index(IndexModel::of_parts(parts))
            .check(check("b > ''"))
            .check(check("a > 0"))
            .foreign_key(
                ForeignKeyModel::new(id("a"), id("u"), id("x"))
                    .with_on_delete(ReferentialAction::Cascade),
            )
            .comment("about")
            .build()
            .unwrap();
        let table = lower(&model).unwrap().table;
        assert_eq!(table.indexes[0].name, "t_a_expr_idx");
        assert!(table.indexes[0].parts[1].descending && table.indexes[0].parts[1].is_expression);
        let checks: Vec<_> = table
            .checks
            .iter()
            .map(|check| (check.name.as_deref().unwrap(), check.expression.as_str()))
            .collect();
        assert_eq!(checks, [("t_check1", "a > 0"), ("t_check2", "b > ''")]);
        assert_eq!(table.foreign_keys[0].on_delete, ReferentialAction::Cascade);
        assert_eq!(table.comment, None);
    }

    #[test]
    fn what_sqlite_has_not_is_refused() {
        let index = IndexModel::over([id("a")]).with_method("gin");
        let model =
            TableModel::builder(id("t")).column(of("a", ColumnKind::Text)).index(index).build();
        assert!(matches!(lower(&model.unwrap()), Err(ModelError::Unsupported { .. })));
    }
}
