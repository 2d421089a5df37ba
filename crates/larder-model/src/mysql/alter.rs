//! A column that is there and is to be another one.
//!
//! Invariant: a statement names the way that its class promises (`ALGORITHM`, `LOCK`), so that a
//! server that would take another one refuses instead of making everybody wait. Before a value
//! could be lost, or a made-up one be written for NULL, the rows are asked.

use super::{
    convert::{Conversion, Cost, Safety, Side, conversion},
    probe::Question,
    steps::Planner,
    types::{ParsedType, bytes_per_character, charset},
};
use crate::{Class, Column, Dialect, Identity, LockLevel, Table, TableName};

/// What a change of a column takes.
#[derive(Debug)]
pub(super) struct Judgement {
    pub(super) class: Class,
    pub(super) cost: Cost,
    pub(super) questions: Vec<Question>,
    pub(super) reason: Option<String>,
    /// Whether the column can be what it was without a loss.
    pub(super) is_reversible: bool,
    /// Whether the column must go and come back: no statement makes the one of the other.
    pub(super) is_replaced: bool,
}

impl Judgement {
    const fn new() -> Self {
        Self {
            class: Class::Metadata,
            cost: Cost::Instant,
            questions: Vec::new(),
            reason: None,
            is_reversible: true,
            is_replaced: false,
        }
    }

    /// Adds a part of the change.
    fn add(&mut self, class: Class, cost: Cost) {
        self.class = self.class.max(class);
        self.cost = self.cost.max(cost);
    }

    fn explain(&mut self, reason: impl Into<String>) {
        self.reason.get_or_insert(reason.into());
    }

    /// A loss that no statement brings back.
    fn lose(&mut self, reason: impl Into<String>) {
        self.add(Class::Destructive, Cost::Copy);
        self.is_reversible = false;
        self.explain(reason);
    }

    pub(super) const fn lock(&self) -> LockLevel {
        match self.cost {
            Cost::Instant | Cost::InPlace => LockLevel::None,
            Cost::Any | Cost::Copy => LockLevel::Writers,
        }
    }
}

/// A column on both sides, with the tables that it belongs to.
pub(super) struct Altered<'a> {
    pub(super) table: &'a TableName,
    pub(super) from: &'a Column,
    pub(super) to: &'a Column,
    pub(super) found: &'a Table,
    pub(super) wanted: &'a Table,
}

impl Altered<'_> {
    /// The collations of both sides, as far as the description tells.
    fn collations(&self) -> (Option<&str>, Option<&str>) {
        (
            self.from.collation.as_deref().or(self.found.collation.as_deref()),
            self.to.collation.as_deref().or(self.wanted.collation.as_deref()),
        )
    }

    /// Whether it holds text, before or after.
    pub(super) fn is_text(&self) -> bool {
        [self.from, self.to].iter().any(|column| ParsedType::parse(&column.ty).is_text())
    }

    /// Whether values are stored in another way, so that references have to go meanwhile.
    pub(super) fn changes_storage(&self) -> bool {
        self.from.ty != self.to.ty || self.changes_collation()
    }

    fn changes_collation(&self) -> bool {
        let (from, to) = self.collations();
        ParsedType::parse(&self.to.ty).is_text() && from != to
    }
}

impl Planner<'_> {
    /// Judges a change of a column.
    pub(super) fn judge(&self, altered: &Altered<'_>) -> Judgement {
        let mut judgement = Judgement::new();
        if altered.from.generated != altered.to.generated {
            self.judge_generation(altered, &mut judgement);
        } else if altered.to.generated.is_some() && altered.from.ty != altered.to.ty {
            judgement.add(Class::Rewrite, Cost::Copy);
        } else {
            self.judge_type(altered, &mut judgement);
        }
        self.judge_null(altered, &mut judgement);
        self.judge_identity(altered, &mut judgement);
        if altered.found.indexes.iter().any(is_fulltext) && judgement.cost > Cost::Instant {
            // Such a table is never rebuilt while others write.
            judgement.add(Class::Rewrite, Cost::Any);
        }
        judgement
    }

    fn judge_generation(&self, altered: &Altered<'_>, judgement: &mut Judgement) {
        let (from, to) = (&altered.from.generated, &altered.to.generated);
        match (from, to) {
            (Some(from), Some(to)) if from.stored == to.stored => {
                judgement.add(Class::Rewrite, Cost::Any);
            }
            (Some(_), Some(_)) => {
                judgement.add(Class::Rewrite, Cost::Any);
                judgement.is_replaced = true;
            }
            (None, Some(to)) => {
                judgement.lose("computed values take the place of those that are there");
                judgement.questions.extend(self.present(altered));
                judgement.is_replaced = !to.stored;
            }
            (Some(from), None) if from.stored => judgement.add(Class::Rewrite, Cost::Copy),
            _ => {
                judgement.lose("a virtual column has no values that could be kept");
                judgement.is_replaced = true;
            }
        }
    }

    fn judge_type(&self, altered: &Altered<'_>, judgement: &mut Judgement) {
        let (from, to) = (ParsedType::parse(&altered.from.ty), ParsedType::parse(&altered.to.ty));
        let (found, wanted) = altered.collations();
        let side = |ty, collation| Side { ty, character: bytes_per_character(collation) };
        let name = self.ddl.name(&altered.to.name);
        let Conversion { cost, safety } =
            conversion(self.dialect, &name, side(&from, found), side(&to, wanted));
        if from != to {
            match safety {
                Safety::Lossless if cost <= Cost::InPlace => judgement.add(Class::Metadata, cost),
                Safety::Lossless => judgement.add(Class::Rewrite, cost),
                Safety::Depends { condition, what } => {
                    judgement.add(Class::DataDependent, cost);
                    judgement.questions.extend(self.rows_where(altered, &condition, what));
                }
                Safety::Lossy(reason) => judgement.lose(reason),
            }
        }
        if altered.changes_collation() && from.is_text() {
            self.judge_collation(altered, judgement);
        }
    }

    fn judge_collation(&self, altered: &Altered<'_>, judgement: &mut Judgement) {
        judgement.add(Class::Rewrite, Cost::Copy);
        let (found, wanted) = altered.collations();
        let name = &altered.to.name;
        let (from, to) = (found.map(charset), wanted.map(charset));
        if let Some(to) = to
            && from != Some(to)
            && to != "utf8mb4"
        {
            let name = self.ddl.name(name);
            let charset = self.ddl.collation(to);
            let condition = format!(
                "CONVERT(CONVERT({name} USING {charset}) USING utf8mb4) <> \
                 CONVERT({name} USING utf8mb4) COLLATE utf8mb4_bin"
            );
            judgement.add(Class::DataDependent, Cost::Copy);
            let what = format!("text in {name} that {to} has no characters for");
            judgement.questions.extend(self.rows_where(altered, &condition, what));
        }
        for columns in unique_columns(altered.wanted, name) {
            judgement.add(Class::DataDependent, Cost::Copy);
            if wanted.is_none() {
                judgement.explain("how the database's own collation compares is not known here");
                continue;
            }
            // Other columns of a key have other collations, or none.
            let only = columns.len() == 1 && from == to;
            let collation = wanted.filter(|_| only);
            judgement.questions.extend(self.before.duplicates(altered.table, &columns, collation));
        }
    }

    fn judge_null(&self, altered: &Altered<'_>, judgement: &mut Judgement) {
        match (altered.from.nullable, altered.to.nullable) {
            (false, true) => {
                // Without a primary key the rows may be kept in the order of this column.
                let is_key = altered.found.primary_key.is_none()
                    && unique_columns(altered.found, &altered.from.name).next().is_some();
                match is_key {
                    true => judgement.add(Class::Rewrite, Cost::Any),
                    false => judgement.add(Class::Online, Cost::InPlace),
                }
            }
            (true, false) => {
                // MariaDB would put the default in the place of NULL, if it were not strict, and
                // takes the moment for the default of a timestamp.
                let is_timestamp = ParsedType::parse(&altered.to.ty).base == "timestamp";
                let is_copied = self.dialect == Dialect::MariaDb
                    && (altered.to.default.is_some() || is_timestamp);
                let cost = if is_copied { Cost::Copy } else { Cost::InPlace };
                judgement.add(Class::DataDependent, cost);
                let name = self.ddl.name(&altered.to.name);
                let what = format!("rows with NULL in {name}");
                let condition = format!("{name} IS NULL");
                judgement.questions.extend(self.rows_where(altered, &condition, what));
            }
            _ => {}
        }
    }

    fn judge_identity(&self, altered: &Altered<'_>, judgement: &mut Judgement) {
        let is_numbered = |column: &Column| column.identity == Some(Identity::AutoIncrement);
        match (is_numbered(altered.from), is_numbered(altered.to)) {
            (true, false) => judgement.add(Class::Rewrite, Cost::Any),
            (false, true) => {
                judgement.add(Class::DataDependent, Cost::Copy);
                let name = self.ddl.name(&altered.to.name);
                // The server would number them.
                let what = format!("rows with 0 in {name}");
                let condition = format!("{name} = 0");
                judgement.questions.extend(self.rows_where(altered, &condition, what));
            }
            _ => {}
        }
    }

    /// Rows whose value in the column, as it is, fulfils a condition.
    fn rows_where(&self, altered: &Altered<'_>, condition: &str, what: String) -> Option<Question> {
        self.before.values_where(altered.table, &altered.to.name, condition, what)
    }

    /// Rows that have a value in the column.
    fn present(&self, altered: &Altered<'_>) -> Option<Question> {
        let name = self.ddl.name(&altered.to.name);
        let what = format!("rows with a value in {name}");
        self.rows_where(altered, &format!("{name} IS NOT NULL"), what)
    }
}

/// The keys in whose rows no two are equal, and that have the column.
fn unique_columns<'a>(table: &'a Table, column: &'a str) -> impl Iterator<Item = Vec<String>> {
    let keys = table.primary_key.iter().map(|key| key.columns.clone());
    let uniques = table.uniques.iter().map(|unique| unique.columns.clone());
    let indexes = table.indexes.iter().filter(|index| index.unique);
    let indexes = indexes.map(|index| index.parts.iter().map(|part| part.text.clone()).collect());
    let all = keys.chain(uniques).chain(indexes);
    all.filter(move |columns: &Vec<String>| columns.iter().any(|name| name == column))
}

/// Whether an index is over the words of a text.
pub(super) fn is_fulltext(index: &crate::Index) -> bool {
    index.method.as_deref().is_some_and(|method| method.starts_with("fulltext"))
}
