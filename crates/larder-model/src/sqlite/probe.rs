//! Questions about the rows, asked of the tables as they are.
//!
//! Invariant: an answer of zero means that the change succeeds and changes no value; a question
//! rather counts a row too many than one too few.

use super::{
    altered::{Altered, find, find_column},
    ddl::{quoted, quoted_table},
    types::{Affinity, affinity},
};
use crate::{Catalog, Column, ForeignKey, Index, IndexPart, Probe, Table};

/// Questions that are asked as one.
#[derive(Debug, Default)]
pub(super) struct Questions(Vec<Probe>);

impl Questions {
    pub(super) fn ask(&mut self, question: Option<Probe>) {
        self.0.extend(question);
    }

    /// How many rows stand in the way altogether; one row may count for several reasons.
    pub(super) fn together(mut self) -> Option<Probe> {
        if self.0.len() < 2 {
            return self.0.pop();
        }
        let sums: Vec<_> = self.0.iter().map(|probe| format!("({})", probe.sql)).collect();
        let what: Vec<_> = self.0.into_iter().map(|probe| probe.what).collect();
        Some(Probe { sql: format!("SELECT {}", sums.join(" + ")), what: what.join(", or ") })
    }
}

fn count(from: &str, condition: &str, what: String) -> Probe {
    Probe { sql: format!("SELECT count(*) FROM {from} WHERE {condition}"), what }
}

/// The rows as they will be, as far as new columns go: these have their defaults.
fn rows(of: &Altered<'_>) -> String {
    let table = quoted_table(&of.before.name);
    let value = |column: &Column| match &column.generated {
        Some(generated) => format!("({}) AS {}", generated.expression, quoted(&column.name)),
        None => {
            let default = column.default.as_deref().unwrap_or("NULL");
            format!("({default}) AS {}", quoted(&column.name))
        }
    };
    let plain: Vec<_> = of.added().filter(|column| column.generated.is_none()).map(value).collect();
    let computed: Vec<_> =
        of.added().filter(|column| column.generated.is_some()).map(value).collect();
    [plain, computed]
        .iter()
        .filter(|values| !values.is_empty())
        .fold(table, |rows, values| format!("(SELECT *, {} FROM {rows})", values.join(", ")))
}

/// All rows, because none can stay.
pub(super) fn all(table: &Table, what: &str) -> Probe {
    Probe {
        sql: format!("SELECT count(*) FROM {}", quoted_table(&table.name)),
        what: what.to_owned(),
    }
}

/// Values that go with their column.
pub(super) fn values(table: &Table, column: &Column) -> Probe {
    let (name, table) = (quoted(&column.name), quoted_table(&table.name));
    Probe {
        sql: format!("SELECT count({name}) FROM {table}"),
        what: format!("rows with a value in {:?}", column.name),
    }
}

/// Rows without a value where one is wanted.
pub(super) fn nulls(of: &Altered<'_>, column: &Column) -> Probe {
    let condition = format!("{} IS NULL", quoted(&column.name));
    count(&rows(of), &condition, format!("rows with NULL in {:?}", column.name))
}

pub(super) fn check(of: &Altered<'_>, expression: &str) -> Probe {
    count(&rows(of), &format!("NOT ({expression})"), format!("rows that break ({expression})"))
}

/// Rows beyond the first with the same values in these columns.
pub(super) fn duplicates(of: &Altered<'_>, columns: &[String]) -> Probe {
    let mut index = Index::new("", &[]);
    index.parts = columns.iter().map(IndexPart::column).collect();
    equal_rows(&rows(of), &of.after, &index, &columns.join(", "))
}

/// Rows beyond the first that a unique index would not take.
pub(super) fn index_duplicates(of: &Altered<'_>, index: &Index) -> Probe {
    equal_rows(&rows(of), &of.after, index, &index.name)
}

fn equal_rows(from: &str, table: &Table, index: &Index, what: &str) -> Probe {
    let term = |part: &IndexPart| {
        let term = match part.is_expression {
            true => format!("({})", part.text),
            false => quoted(&part.text),
        };
        let column = find_column(table, &part.text).filter(|_| !part.is_expression);
        let own = column.and_then(|column| column.collation.as_ref());
        match part.collation.as_ref().or(own) {
            Some(collation) => format!("{term} COLLATE {}", quoted(collation)),
            None => term,
        }
    };
    let terms: Vec<_> = index.parts.iter().map(term).collect();
    // NULLs are never equal.
    let mut conditions: Vec<_> = terms.iter().map(|term| format!("{term} IS NOT NULL")).collect();
    conditions.extend(index.predicate.as_ref().map(|predicate| format!("({predicate})")));
    let (terms, conditions) = (terms.join(", "), conditions.join(" AND "));
    Probe {
        sql: format!(
            "SELECT coalesce(sum(n - 1), 0) FROM \
             (SELECT count(*) AS n FROM {from} WHERE {conditions} GROUP BY {terms})"
        ),
        what: format!("rows that equal another one in ({what})"),
    }
}

/// Rows that refer to nothing. Where the target is made by the same plan, nothing is there yet.
pub(super) fn orphans(
    of: &Altered<'_>,
    key: &ForeignKey,
    current: &Catalog,
    desired: &Catalog,
) -> Probe {
    let own = |name: &String| format!("c.{}", quoted(name));
    let mut conditions: Vec<_> =
        key.columns.iter().map(|name| format!("{} IS NOT NULL", own(name))).collect();
    let is_new = find(current, &key.target).is_none() && find(desired, &key.target).is_some();
    if !is_new {
        let pairs = key.columns.iter().zip(&key.target_columns);
        let pairs: Vec<_> =
            pairs.map(|(name, target)| format!("p.{} = {}", quoted(target), own(name))).collect();
        conditions.push(format!(
            "NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
            quoted_table(&key.target),
            if pairs.is_empty() { "1".to_owned() } else { pairs.join(" AND ") }
        ));
    }
    let what = format!("rows whose ({}) is not in {}", key.columns.join(", "), key.target);
    count(&format!("{} AS c", rows(of)), &conditions.join(" AND "), what)
}

/// Values that a column of another type would change, or not take.
pub(super) fn conversion(of: &Altered<'_>, from: &Column, to: &Column) -> Option<Probe> {
    let name = quoted(&from.name);
    let strict = of.after.strict;
    let is_new_rule = to.ty != from.ty || strict != of.before.strict;
    let (was, is) = (affinity(&from.ty, of.before.strict), affinity(&to.ty, strict));
    let changed = (was != is).then(|| match is {
        Affinity::None => None,
        Affinity::Text => Some(format!(
            "(typeof({name}) IN ('integer', 'real') \
             AND CAST(CAST({name} AS TEXT) AS NUMERIC) IS NOT {name})"
        )),
        Affinity::Integer | Affinity::Numeric | Affinity::Real => {
            let number = if is == Affinity::Real { "REAL" } else { "NUMERIC" };
            Some(format!(
                "(typeof({name}) = 'text' \
                 AND CAST(CAST({name} AS {number}) AS TEXT) IS NOT {name}) \
                 OR (typeof({name}) = 'integer' \
                 AND CAST(CAST({name} AS {number}) AS INTEGER) IS NOT {name})"
            ))
        }
    });
    let refused = (strict && is_new_rule).then(|| strict_classes(&to.ty)).flatten();
    let refused = refused.map(|classes| format!("typeof({name}) NOT IN ({classes}, 'null')"));
    let conditions: Vec<_> = changed.flatten().into_iter().chain(refused).collect();
    if conditions.is_empty() {
        return None;
    }
    let what = format!("rows with a value in {:?} that is no {}", from.name, to.ty);
    Some(count(&quoted_table(&of.before.name), &conditions.join(" OR "), what))
}

/// What a column of a strict table takes for certain.
fn strict_classes(ty: &str) -> Option<&'static str> {
    match ty {
        "ANY" => None,
        "BLOB" => Some("'blob'"),
        "REAL" => Some("'integer', 'real'"),
        "TEXT" => Some("'integer', 'real', 'text'"),
        _ => Some("'integer'"),
    }
}

/// Values that are no number of a row; NULL is another question's.
pub(super) fn not_integers(of: &Altered<'_>, column: &Column) -> Probe {
    let name = quoted(&column.name);
    let what = format!("rows with no integer in {:?}", column.name);
    count(
        &quoted_table(&of.before.name),
        &format!("typeof({name}) NOT IN ('integer', 'null')"),
        what,
    )
}
