//! The comparison of a table with its model.
//!
//! Invariant: an empty plan means that every value of the model can be stored and that every row
//! of the table can be read. What the model does not mention is never touched.

use crate::{
    Change, ColumnModel, Dialect, Identifier, ObservedColumn, ObservedTable, Plan, Refusal,
    Relation, Step, TableModel,
};

impl Plan {
    /// The steps from what a database has (`None`: nothing of that name) to what a model declares.
    ///
    /// - Columns that only the table has are fine, and so is a table that is stricter than the
    ///   model about NULL.
    /// - A model without a key says nothing about the table's key; the order of a key's columns
    ///   does not count.
    /// - Defaults are used to create columns; those of columns that exist are not compared.
    #[must_use]
    pub fn between(dialect: Dialect, model: &TableModel, observed: Option<&ObservedTable>) -> Self {
        let steps = match observed {
            None if dialect.is_reserved(model.name()) => vec![refused(None, Refusal::ReservedName)],
            None => {
                let sql = dialect.create_table(model);
                vec![Step::Additive { change: Change::CreateTable, sql }]
            }
            Some(observed) if observed.relation != Relation::Table => {
                vec![refused(None, Refusal::NotATable)]
            }
            Some(observed) => Comparison { dialect, model, observed }.steps(),
        };
        Self { table: model.name().clone(), steps }
    }
}

fn refused(column: Option<&Identifier>, reason: Refusal) -> Step {
    Step::Refused { column: column.cloned(), reason }
}

struct Comparison<'a> {
    dialect: Dialect,
    model: &'a TableModel,
    observed: &'a ObservedTable,
}

impl Comparison<'_> {
    fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<_> =
            self.key().map(|reason| refused(None, reason)).into_iter().collect();
        for column in self.model.columns() {
            let name = column.name();
            match self.observed.columns.iter().find(|found| self.is_same(name, found)) {
                None => steps.extend(self.missing(column)),
                Some(found) => {
                    let reasons = self.existing(column, found);
                    steps.extend(reasons.map(|reason| refused(Some(name), reason)));
                }
            }
        }
        steps
    }

    fn is_same(&self, name: &Identifier, found: &ObservedColumn) -> bool {
        self.dialect.is_same(name, &found.name)
    }

    fn key(&self) -> Option<Refusal> {
        let wanted: Vec<_> = self.model.key().map(ColumnModel::name).collect();
        let found: Vec<_> = self.observed.columns.iter().filter(|column| column.key).collect();
        let has = |name: &&Identifier| found.iter().any(|column| self.is_same(name, column));
        if wanted.is_empty() || (wanted.len() == found.len() && wanted.iter().all(has)) {
            return None;
        }
        Some(Refusal::KeyDiffers {
            model: wanted.into_iter().cloned().collect(),
            table: found.into_iter().map(|column| column.name.clone()).collect(),
        })
    }

    fn missing(&self, column: &ColumnModel) -> Option<Step> {
        let name = column.name();
        if column.is_key() {
            // The difference between the keys has been reported.
            return None;
        }
        if column.is_unique() {
            return Some(refused(Some(name), Refusal::UniqueColumnMissing));
        }
        let has_value = column.is_nullable() || column.default_value().is_some();
        if !has_value && self.observed.has_rows {
            return Some(refused(Some(name), Refusal::NoValueForRows));
        }
        let sql = self.dialect.add_column(self.model, column, self.observed);
        Some(Step::Additive { change: Change::AddColumn { column: name.clone() }, sql })
    }

    /// What speaks against a column that is there.
    fn existing(
        &self,
        column: &ColumnModel,
        found: &ObservedColumn,
    ) -> impl Iterator<Item = Refusal> {
        let kind = column.kind();
        let holds = self.dialect.holds(kind, &found.declared, self.observed.strict);
        let type_differs = (!holds).then(|| Refusal::TypeDiffers {
            declared: found.declared.clone(),
            kind,
            expected: self.dialect.declared(kind),
        });
        // SQLite admits NULL to the keys of ordinary tables, which its own authors call an error
        // of the past. Nobody who declares a key means it, so it is not held against the table.
        let nullable = found.nullable && !found.key && !column.is_nullable();
        let not_unique = column.is_unique() && !found.unique;
        type_differs
            .into_iter()
            .chain(nullable.then_some(Refusal::Nullable))
            .chain(not_unique.then_some(Refusal::NotUnique))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnKind, DefaultValue};

    fn name(name: &'static str) -> Identifier {
        Identifier::from_static(name)
    }

    fn text(of: &'static str) -> ColumnModel {
        ColumnModel::of::<String>(name(of), None)
    }

    fn optional(of: &'static str) -> ColumnModel {
        ColumnModel::of::<Option<String>>(name(of), None)
    }

    fn table(columns: &[ColumnModel]) -> TableModel {
        TableModel::new(name("t"), columns.to_vec()).unwrap()
    }

    fn found(of: &str) -> ObservedColumn {
        ObservedColumn { nullable: false, ..ObservedColumn::new(of, "TEXT") }
    }

    fn plan(columns: &[ColumnModel], observed: &ObservedTable) -> Plan {
        Plan::between(Dialect::Sqlite, &table(columns), Some(observed))
    }

    /// The plan for a table of these columns, with rows in it, in words.
    #[track_caller]
    fn check(columns: &[ColumnModel], found: &[ObservedColumn], expected: &str) {
        let plan = plan(columns, &ObservedTable::new(found.to_vec()));
        assert_eq!(plan.to_string(), expected);
    }

    #[test]
    fn a_missing_table_is_created() {
        let plan = Plan::between(Dialect::Sqlite, &table(&[text("a")]), None);
        assert!(plan.is_additive());
        let [sql] = plan.statements().collect::<Vec<_>>()[..] else { panic!("{plan}") };
        assert_eq!(sql, "CREATE TABLE \"main\".\"t\" (\"a\" TEXT NOT NULL)");
    }

    #[test]
    fn a_reserved_name_is_refused() {
        let table = TableModel::new(name("sqlite_a"), vec![text("a")]).unwrap();
        let plan = Plan::between(Dialect::Sqlite, &table, None);
        assert_eq!(plan.to_string(), "it has a name that the database keeps to itself");
    }

    #[test]
    fn whatever_else_has_the_name_is_refused() {
        let mut observed = ObservedTable::new(vec![]);
        observed.relation = Relation::View;
        let plan = plan(&[text("a")], &observed);
        assert_eq!(plan.to_string(), "it is not an ordinary table");
    }

    #[test]
    fn a_table_that_has_it_all_needs_nothing() {
        check(&[text("a"), optional("b")], &[found("B"), found("extra"), found("A")], "");
    }

    #[test]
    fn columns_that_rows_can_do_without_are_added() {
        let default = Some(DefaultValue::Text("x".into()));
        let defaulted = ColumnModel::new(name("c"), ColumnKind::Text, false, default);
        let columns = [text("a"), optional("b"), defaulted];
        let plan = plan(&columns, &ObservedTable::new(vec![found("a")]));
        assert!(plan.is_additive());
        assert_eq!(plan.to_string(), "column \"b\" is missing; column \"c\" is missing");
    }

    #[test]
    fn a_column_without_a_value_is_added_to_an_empty_table_only() {
        let mut observed = ObservedTable::new(vec![found("a")]);
        let columns = [text("a"), text("b")];
        assert_eq!(
            plan(&columns, &observed).to_string(),
            "column \"b\" is missing, and has no default for the rows that are there"
        );
        observed.has_rows = false;
        assert!(plan(&columns, &observed).is_additive());
    }

    #[test]
    fn columns_that_differ_are_refused() {
        let number = ObservedColumn { declared: "INT".into(), nullable: true, ..found("a") };
        check(
            &[text("a").with_unique()],
            &[number],
            "column \"a\" is declared \"INT\", which does not hold text (\"TEXT\" does); \
             column \"a\" admits NULL, which the model's type does not; \
             column \"a\" admits the same value twice",
        );
        check(
            &[text("a"), optional("b").with_unique()],
            &[found("a")],
            "column \"b\" is missing, and a unique column can not be added",
        );
    }

    #[test]
    fn keys_are_the_same_columns_in_any_order() {
        let key = |of| ObservedColumn { key: true, nullable: true, ..found(of) };
        let model = [text("a").with_key(), text("b").with_key()];
        check(&model, &[key("b"), key("A")], "");
        check(&[text("a")], &[key("a")], "");
        check(
            &model,
            &[key("a"), found("b")],
            "it has the primary key [\"a\"] instead of [\"a\", \"b\"]",
        );
        check(&model, &[key("a")], "it has the primary key [\"a\"] instead of [\"a\", \"b\"]");
        let more = [key("a"), key("b"), key("c")];
        check(
            &model,
            &more,
            "it has the primary key [\"a\", \"b\", \"c\"] instead of [\"a\", \"b\"]",
        );
    }
}
