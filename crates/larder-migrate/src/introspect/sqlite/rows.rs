//! The answer to the one statement, sorted by what each row is about.
//!
//! Guards that a row of another form than expected is an error, not a schema.

use std::collections::BTreeMap;

use crate::{Cell, SessionError, SessionErrorKind};

/// What has a table's name, by its name.
#[derive(Debug)]
pub(super) struct NameRow {
    pub(super) kind: String,
    pub(super) without_rowid: bool,
    pub(super) strict: bool,
}

#[derive(Debug)]
pub(super) struct DependentRow {
    pub(super) table: String,
    pub(super) name: String,
    pub(super) is_trigger: bool,
    pub(super) sql: String,
}

#[derive(Debug)]
pub(super) struct ColumnRow {
    pub(super) position: i64,
    pub(super) name: String,
    pub(super) ty: String,
    pub(super) not_null: bool,
    pub(super) default: Option<String>,
    /// Its place in the primary key, counted from 1; 0 for none.
    pub(super) key: i64,
    /// 0 for an ordinary column, 2 and 3 for those that are computed and stored.
    pub(super) hidden: i64,
}

#[derive(Debug)]
pub(super) struct IndexRow {
    pub(super) name: String,
    pub(super) unique: bool,
    /// `c` of a statement, `pk` of a primary key, `u` of a unique constraint.
    pub(super) origin: String,
    pub(super) sql: Option<String>,
    pub(super) parts: Vec<PartRow>,
}

#[derive(Debug)]
pub(super) struct PartRow {
    pub(super) position: i64,
    /// `None` for an expression.
    pub(super) column: Option<String>,
    pub(super) descending: bool,
    pub(super) collation: Option<String>,
}

#[derive(Debug)]
pub(super) struct ReferenceRow {
    /// Counted from 0, the last of the text first.
    pub(super) id: i64,
    pub(super) position: i64,
    pub(super) parent: String,
    pub(super) column: String,
    pub(super) target: Option<String>,
    pub(super) on_update: String,
    pub(super) on_delete: String,
}

/// A column of a table that somebody refers to.
#[derive(Debug)]
pub(super) struct ParentRow {
    pub(super) position: i64,
    pub(super) name: String,
    pub(super) key: i64,
}

/// Everything that was said; columns, parts and references in their order.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) names: BTreeMap<String, NameRow>,
    pub(super) tables: Vec<(String, Option<String>)>,
    pub(super) dependents: Vec<DependentRow>,
    pub(super) columns: BTreeMap<String, Vec<ColumnRow>>,
    pub(super) indexes: BTreeMap<String, Vec<IndexRow>>,
    pub(super) references: BTreeMap<String, Vec<ReferenceRow>>,
    pub(super) parents: BTreeMap<String, Vec<ParentRow>>,
}

impl Answer {
    pub(super) fn sort(rows: Vec<Vec<Cell>>) -> Result<Self, SessionError> {
        let mut answer = Self::default();
        let mut parts: BTreeMap<String, Vec<PartRow>> = BTreeMap::new();
        for cells in rows {
            let row = Row(cells);
            let owner = row.text(1)?;
            match row.text(0)?.as_str() {
                "part" => parts.entry(row.text(2)?).or_default().push(row.part()?),
                kind => answer.add(kind, owner, &row)?,
            }
        }
        for index in answer.indexes.values_mut().flatten() {
            index.parts = parts.remove(&index.name).unwrap_or_default();
            index.parts.sort_by_key(|part| part.position);
        }
        answer.columns.values_mut().for_each(|of| of.sort_by_key(|column| column.position));
        answer.parents.values_mut().for_each(|of| of.sort_by_key(|column| column.position));
        let references = answer.references.values_mut();
        references.for_each(|of| of.sort_by_key(|row| (row.id, row.position)));
        Ok(answer)
    }

    fn add(&mut self, kind: &str, owner: String, row: &Row) -> Result<(), SessionError> {
        match kind {
            "name" => {
                let of = NameRow {
                    kind: row.text(2)?,
                    without_rowid: row.is_true(3),
                    strict: row.is_true(4),
                };
                self.names.insert(owner, of);
            }
            "table" => self.tables.push((owner, row.optional(2))),
            "dependent" => self.dependents.push(DependentRow {
                table: owner,
                name: row.text(2)?,
                is_trigger: row.text(3)? == "trigger",
                sql: row.text(4)?,
            }),
            "column" => self.columns.entry(owner).or_default().push(row.column()?),
            "index" => self.indexes.entry(owner).or_default().push(row.index()?),
            "reference" => self.references.entry(owner).or_default().push(row.reference()?),
            "parent" => {
                self.parents.entry(owner.to_ascii_lowercase()).or_default().push(ParentRow {
                    position: row.integer(2)?,
                    name: row.text(3)?,
                    key: row.integer(4)?,
                })
            }
            _ => return Err(unexpected()),
        }
        Ok(())
    }
}

struct Row(Vec<Cell>);

impl Row {
    fn text(&self, at: usize) -> Result<String, SessionError> {
        self.optional(at).ok_or_else(unexpected)
    }

    fn optional(&self, at: usize) -> Option<String> {
        self.0.get(at).and_then(Cell::as_text).map(str::to_owned)
    }

    fn integer(&self, at: usize) -> Result<i64, SessionError> {
        self.0.get(at).and_then(Cell::as_integer).ok_or_else(unexpected)
    }

    fn is_true(&self, at: usize) -> bool {
        self.0.get(at).is_some_and(Cell::is_true)
    }

    fn column(&self) -> Result<ColumnRow, SessionError> {
        Ok(ColumnRow {
            position: self.integer(2)?,
            name: self.text(3)?,
            ty: self.text(4)?,
            not_null: self.is_true(5),
            default: self.optional(6),
            key: self.integer(7)?,
            hidden: self.integer(8)?,
        })
    }

    fn index(&self) -> Result<IndexRow, SessionError> {
        Ok(IndexRow {
            name: self.text(2)?,
            unique: self.is_true(3),
            origin: self.text(4)?,
            sql: self.optional(5),
            parts: Vec::new(),
        })
    }

    fn part(&self) -> Result<PartRow, SessionError> {
        Ok(PartRow {
            position: self.integer(3)?,
            column: self.optional(5),
            descending: self.is_true(6),
            collation: self.optional(7),
        })
    }

    fn reference(&self) -> Result<ReferenceRow, SessionError> {
        Ok(ReferenceRow {
            id: self.integer(2)?,
            position: self.integer(3)?,
            parent: self.text(4)?,
            column: self.text(5)?,
            target: self.optional(6),
            on_update: self.text(7)?,
            on_delete: self.text(8)?,
        })
    }
}

fn unexpected() -> SessionError {
    let source = "the description of the schema has a row that is not understood";
    SessionError::new(SessionErrorKind::Statement, None, Some(source.into()))
}
