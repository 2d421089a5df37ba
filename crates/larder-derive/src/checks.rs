//! What the struct's words say about its columns, judged together.
//!
//! Invariant: whatever `TableModel::build` would refuse at run time is refused here or, where it
//! depends on the types of fields, in the code that the macro writes.

use syn::LitStr;

use crate::{
    column_type::TypeInput,
    errors::Errors,
    input::{ColumnInput, ModelInput},
    name,
    table_attributes::{ForeignKeyInput, IndexInput, TermInput},
    words::Action,
};

/// InnoDB's.
const COLUMNS_MAX: usize = 1_017;
/// MySQL's and MariaDB's.
const PARTS_MAX: usize = 16;

/// Adds every objection.
pub(crate) fn check(model: &ModelInput, errors: &mut Errors) {
    check_columns(model, errors);
    check_names_before(model, errors);
    check_key(model, errors);
    check_uniques(model, errors);
    check_indexes(model, errors);
    for (at, key) in model.foreign_keys.iter().enumerate() {
        check_reference(model, at, key, errors);
    }
    check_checks(model, errors);
    check_type_names(model, errors);
}

fn check_columns(model: &ModelInput, errors: &mut Errors) {
    let span = model.ident.span();
    if model.columns.is_empty() {
        errors.at(span, "a table without columns: no field is left");
    } else if model.columns.iter().all(|column| column.generated.is_some()) {
        errors.at(span, "a table without columns that a row could fill: all are computed");
    } else if model.columns.len() > COLUMNS_MAX {
        errors.at(span, format!("a table has at most {COLUMNS_MAX} columns"));
    }
}

fn check_names_before(model: &ModelInput, errors: &mut Errors) {
    if let Some(before) = model.renamed_from.as_ref().filter(|name| name.value() == model.table) {
        errors.at(before.span(), "this is the name that the table has");
    }
    let mut seen: Vec<String> = Vec::new();
    for before in model.columns.iter().filter_map(|column| column.renamed_from.as_ref()) {
        let name = before.value();
        if model.column(&name).is_some() {
            errors.at(before.span(), "this is the name of a column that is there");
        } else if seen.contains(&name) {
            errors.at(before.span(), "another column was renamed from this one");
        }
        seen.push(name);
    }
}

fn check_key(model: &ModelInput, errors: &mut Errors) {
    let key = model.key();
    if let Some(listed) = &model.key {
        check_list(model, listed, errors);
        for column in model.columns.iter().filter(|column| column.key) {
            if !key.contains(&column.name) {
                errors.at(column.span, "the list of the key's columns lacks this one");
            }
        }
        for name in listed {
            let is_computed = |column: &ColumnInput| column.generated.is_some();
            if model.column(&name.value()).is_some_and(is_computed) {
                let message = "a column that is computed can not be in the key";
                errors.at(name.span(), message);
            }
        }
    } else if key.len() > PARTS_MAX {
        errors.at(model.ident.span(), format!("a key has at most {PARTS_MAX} columns"));
    }
    for column in model.columns.iter().filter(|column| column.auto_increment) {
        if key != [column.name.as_str()] {
            errors.at(column.span, "a column that is numbered is the whole key: say `key` too");
        }
    }
}

fn check_uniques(model: &ModelInput, errors: &mut Errors) {
    let key = model.key();
    let single = |column: &&ColumnInput| column.unique;
    let mut seen: Vec<Vec<String>> = Vec::new();
    for column in model.columns.iter().filter(single) {
        let columns = vec![column.name.clone()];
        if columns == key {
            errors.at(column.span, "the whole key is unique anyway");
        }
        seen.push(columns);
    }
    for unique in &model.uniques {
        check_list(model, unique, errors);
        let columns: Vec<_> = unique.iter().map(LitStr::value).collect();
        // A list has at least one name.
        let span = unique[0].span();
        if columns == key {
            errors.at(span, "the whole key is unique anyway");
        } else if seen.contains(&columns) {
            errors.at(span, "these columns were said to be unique before");
        }
        seen.push(columns);
    }
}

fn check_indexes(model: &ModelInput, errors: &mut Errors) {
    for (at, index) in model.indexes.iter().enumerate() {
        check_list(model, index.columns(), errors);
        if index.parts.len() > PARTS_MAX {
            errors.at(index.span, format!("an index has at most {PARTS_MAX} parts"));
        }
        let others = &model.indexes[..at];
        match &index.name {
            Some(name) => {
                let value = name.value();
                let is_alike = |other: &LitStr| name::is_alike(&other.value(), &value);
                if name::is_alike(&model.table, &value) {
                    errors.at(name.span(), "this is the name of the table");
                } else if others.iter().filter_map(|other| other.name.as_ref()).any(is_alike) {
                    errors.at(name.span(), "there is an index of this name already");
                }
            }
            None if others.iter().any(|other| other.name.is_none() && is_over(other, index)) => {
                let message = "there is an index over these columns already: give one a name";
                errors.at(index.span, message);
            }
            None => {}
        }
    }
}

/// Whether both are over the same columns and expressions, in whatever direction.
fn is_over(one: &IndexInput, other: &IndexInput) -> bool {
    let is_same = |(one, other): (&TermInput, &TermInput)| match (one, other) {
        (TermInput::Column(one), TermInput::Column(other))
        | (TermInput::Expression(one), TermInput::Expression(other)) => {
            one.value() == other.value()
        }
        _ => false,
    };
    let terms = one.parts.iter().map(|part| &part.of);
    one.parts.len() == other.parts.len()
        && terms.zip(other.parts.iter().map(|part| &part.of)).all(is_same)
}

fn check_reference(model: &ModelInput, at: usize, key: &ForeignKeyInput, errors: &mut Errors) {
    check_list(model, &key.columns, errors);
    let target = &key.target;
    let repeats = |(at, name): (usize, &String)| target.columns[..at].contains(name);
    if target.columns.iter().enumerate().any(repeats) {
        errors.at(key.span, "a reference names a column of its target twice");
    }
    let names = |key: &ForeignKeyInput| key.columns.iter().map(LitStr::value).collect::<Vec<_>>();
    let is_same = |other: &ForeignKeyInput| other.target == *target && names(other) == names(key);
    if model.foreign_keys[..at].iter().any(is_same) {
        errors.at(key.span, "this reference is there already");
    }
    let changes = key.on_delete.is_some_and(|action| matches!(action, Action::SetDefault))
        || matches!(key.on_update, Some(Action::Cascade | Action::SetDefault))
        || key.sets_null();
    let is_computed = |column: &ColumnInput| column.generated.is_some();
    let columns = names(key);
    let mut columns = columns.iter().filter_map(|name| model.column(name));
    if changes && columns.any(is_computed) {
        errors.at(key.span, "this action would change a column that is computed");
    }
    if key.is_own(model) {
        if let Some(unknown) = target.columns.iter().find(|name| model.column(name).is_none()) {
            errors.at(key.span, format!("there is no column {unknown:?}"));
        } else if !is_unique(model, &target.columns) {
            let message = "a reference is to the key of a table, or to columns that are unique";
            errors.at(key.span, message);
        }
    }
}

impl ForeignKeyInput {
    /// Whether one of its actions makes its columns NULL.
    pub(crate) fn sets_null(&self) -> bool {
        [self.on_delete, self.on_update].contains(&Some(Action::SetNull))
    }

    /// Whether it refers to the model's own table.
    pub(crate) fn is_own(&self, model: &ModelInput) -> bool {
        let own = model.schema.as_ref().map(LitStr::value);
        let is_own_schema = self.target.schema.is_none() || self.target.schema == own;
        self.target.table == model.table && is_own_schema
    }
}

/// Whether no two rows have the same values in these columns, in whatever order.
fn is_unique(model: &ModelInput, columns: &[String]) -> bool {
    let are = |others: &[String]| {
        others.len() == columns.len() && others.iter().all(|other| columns.contains(other))
    };
    let values = |names: &[LitStr]| names.iter().map(LitStr::value).collect::<Vec<_>>();
    let of_column = |column: &ColumnInput| column.unique && are(std::slice::from_ref(&column.name));
    let of_index = |index: &IndexInput| {
        let names: Vec<_> = index.columns().map(LitStr::value).collect();
        let is_whole = names.len() == index.parts.len() && index.predicate.is_none();
        index.unique && is_whole && are(&names)
    };
    are(&model.key())
        || model.columns.iter().any(of_column)
        || model.uniques.iter().any(|unique| are(&values(unique)))
        || model.indexes.iter().any(of_index)
}

fn check_checks(model: &ModelInput, errors: &mut Errors) {
    for (at, check) in model.checks.iter().enumerate() {
        let others = &model.checks[..at];
        if others.iter().any(|other| other.sql.value() == check.sql.value()) {
            errors.at(check.sql.span(), "this check is there already");
        }
        let Some(name) = &check.name else { continue };
        let is_alike = |other: &LitStr| name::is_alike(&other.value(), &name.value());
        if others.iter().filter_map(|other| other.name.as_ref()).any(is_alike) {
            errors.at(name.span(), "there is a check of this name already");
        }
    }
}

/// In PostgreSQL a table is a type too, so that no other type has its name.
fn check_type_names(model: &ModelInput, errors: &mut Errors) {
    let mut seen: Vec<(&String, &Vec<String>)> = Vec::new();
    for column in &model.columns {
        let TypeInput::Enum { name, labels, span } = &column.narrowed else { continue };
        let is_other = |(other, list): &(&String, &Vec<String>)| {
            name::is_alike(other, name) && (*other != name || *list != labels)
        };
        if name::is_alike(name, &model.table) {
            errors.at(*span, "this type would have the name of the table: say `enum_name`");
        } else if seen.iter().any(is_other) {
            let message = format!("there is another type {name:?} with other labels already");
            errors.at(*span, message);
        }
        seen.push((name, labels));
    }
}

/// Every name is that of a column, each once, and there are not too many.
fn check_list<'a>(
    model: &ModelInput,
    names: impl IntoIterator<Item = &'a LitStr>,
    errors: &mut Errors,
) {
    let mut seen: Vec<String> = Vec::new();
    for name in names {
        let value = name.value();
        if model.column(&value).is_none() {
            errors.at(name.span(), unknown(model, &value));
        } else if seen.contains(&value) {
            errors.at(name.span(), "this column is named here already");
        }
        seen.push(value);
        if seen.len() == PARTS_MAX + 1 {
            errors.at(name.span(), format!("at most {PARTS_MAX} columns stand together"));
        }
    }
}

fn unknown(model: &ModelInput, name: &str) -> String {
    let is_alike = |column: &&ColumnInput| name::is_alike(&column.name, name);
    match model.columns.iter().find(is_alike) {
        Some(column) => format!("there is no column {name:?}, but one named {:?}", column.name),
        None => format!("there is no column {name:?}"),
    }
}
