//! Differences between two schemas, before anybody says how to remove them.
//!
//! Guards that a change carries both sides of what differs, so that a dialect can judge it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Check, Column, EnumType, ForeignKey, Index, PrimaryKey, Table, TableName, Unique};

/// One difference between two schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A check is missing.
    AddCheck(TableName, Check),
    /// A column is missing.
    AddColumn(TableName, Column),
    /// A foreign key is missing.
    AddForeignKey(TableName, ForeignKey),
    /// An index is missing.
    AddIndex(TableName, Index),
    /// A primary key is missing.
    AddPrimaryKey(TableName, PrimaryKey),
    /// A unique constraint is missing.
    AddUnique(TableName, Unique),
    /// A column is there and differs.
    AlterColumn {
        /// The table.
        table: TableName,
        /// As it is.
        from: Box<Column>,
        /// As it should be.
        to: Box<Column>,
    },
    /// An enumerated type has other labels.
    AlterEnum {
        /// As it is.
        from: EnumType,
        /// As it should be.
        to: EnumType,
    },
    /// Options of a table (`strict`, `without_rowid`, `collation`) or its comment differ.
    AlterOptions {
        /// As it is.
        from: Box<Table>,
        /// As it should be.
        to: Box<Table>,
    },
    /// An enumerated type is missing.
    CreateEnum(EnumType),
    /// A table is missing, with everything in it.
    CreateTable(Box<Table>),
    /// A check is there that should not be.
    DropCheck(TableName, Check),
    /// A column is there that should not be.
    DropColumn(TableName, Column),
    /// An enumerated type is there that should not be.
    DropEnum(EnumType),
    /// A foreign key is there that should not be.
    DropForeignKey(TableName, ForeignKey),
    /// An index is there that should not be.
    DropIndex(TableName, Index),
    /// A primary key is there that should not be.
    DropPrimaryKey(TableName, PrimaryKey),
    /// A table is there that should not be.
    DropTable(Box<Table>),
    /// A unique constraint is there that should not be.
    DropUnique(TableName, Unique),
    /// A column has another name, as the model says.
    RenameColumn {
        /// The table.
        table: TableName,
        /// The name that it has.
        from: String,
        /// The name that it should have.
        to: String,
    },
    /// A table has another name, as the model says.
    RenameTable {
        /// The name that it has.
        from: TableName,
        /// The name that it should have.
        to: TableName,
    },
    /// A column or a table is missing and one that looks like it is there beside it: it may have
    /// been renamed, and only a person knows.
    SuspectedRename {
        /// The table.
        table: TableName,
        /// What looks like it.
        from: String,
        /// What is missing.
        to: String,
    },
    /// Something is there that no statement of ours can change: another kind of thing has the
    /// name, or the table is opaque.
    Unsupported {
        /// The table.
        table: TableName,
        /// What it is, for people.
        reason: String,
    },
}

/// Something that is not as it was asked for, and is only told about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others read")]
pub struct Difference {
    /// The table.
    pub table: TableName,
    /// What differs, for people: a lower-case fragment.
    pub text: String,
}

impl Change {
    /// The table that it is about; for an enumerated type its name.
    #[must_use]
    pub const fn table(&self) -> &TableName {
        match self {
            Self::AddCheck(table, _)
            | Self::AddColumn(table, _)
            | Self::AddForeignKey(table, _)
            | Self::AddIndex(table, _)
            | Self::AddPrimaryKey(table, _)
            | Self::AddUnique(table, _)
            | Self::AlterColumn { table, .. }
            | Self::DropCheck(table, _)
            | Self::DropColumn(table, _)
            | Self::DropForeignKey(table, _)
            | Self::DropIndex(table, _)
            | Self::DropPrimaryKey(table, _)
            | Self::DropUnique(table, _)
            | Self::RenameColumn { table, .. }
            | Self::RenameTable { to: table, .. }
            | Self::SuspectedRename { table, .. }
            | Self::Unsupported { table, .. } => table,
            Self::AlterEnum { to, .. } => &to.name,
            Self::AlterOptions { to, .. } => &to.name,
            Self::CreateEnum(of) | Self::DropEnum(of) => &of.name,
            Self::CreateTable(table) | Self::DropTable(table) => &table.name,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |columns: &[String]| columns.join(", ");
        match self {
            Self::AddCheck(_, check) => write!(f, "add check ({})", check.expression),
            Self::AddColumn(_, column) => {
                write!(f, "add column {:?} {}", column.name, column.ty)
            }
            Self::AddForeignKey(_, key) => {
                write!(f, "add foreign key ({}) to {}", list(&key.columns), key.target)
            }
            Self::AddIndex(_, index) => write!(f, "add index {:?}", index.name),
            Self::AddPrimaryKey(_, key) => write!(f, "add primary key ({})", list(&key.columns)),
            Self::AddUnique(_, unique) => write!(f, "add unique ({})", list(&unique.columns)),
            Self::AlterColumn { from, to, .. } => {
                write!(f, "change column {:?}: {}", to.name, column_difference(from, to))
            }
            Self::AlterEnum { from, to } => {
                write!(f, "change labels from {:?} to {:?}", from.labels, to.labels)
            }
            Self::AlterOptions { .. } => f.write_str("change the table's options"),
            Self::CreateEnum(of) => write!(f, "create enumerated type {:?}", of.labels),
            Self::CreateTable(table) => {
                write!(f, "create table with {} columns", table.columns.len())
            }
            Self::DropCheck(_, check) => write!(f, "drop check ({})", check.expression),
            Self::DropColumn(_, column) => write!(f, "drop column {:?}", column.name),
            Self::DropEnum(_) => f.write_str("drop enumerated type"),
            Self::DropForeignKey(_, key) => {
                write!(f, "drop foreign key ({}) to {}", list(&key.columns), key.target)
            }
            Self::DropIndex(_, index) => write!(f, "drop index {:?}", index.name),
            Self::DropPrimaryKey(..) => f.write_str("drop primary key"),
            Self::DropTable(_) => f.write_str("drop table"),
            Self::DropUnique(_, unique) => write!(f, "drop unique ({})", list(&unique.columns)),
            Self::RenameColumn { from, to, .. } => write!(f, "rename column {from:?} to {to:?}"),
            Self::RenameTable { from, .. } => write!(f, "rename table from {from}"),
            Self::SuspectedRename { from, to, .. } => {
                write!(f, "{to:?} is missing and {from:?} is there: it may have been renamed")
            }
            Self::Unsupported { reason, .. } => f.write_str(reason),
        }
    }
}

/// What differs between two columns, in words.
fn column_difference(from: &Column, to: &Column) -> String {
    let mut parts = Vec::new();
    let mut differ = |what: &str, from: &str, to: &str| {
        if from != to {
            parts.push(format!("{what} {from} to {to}"));
        }
    };
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let null = |column: &Column| if column.nullable { "NULL" } else { "NOT NULL" };
    differ("type", &from.ty, &to.ty);
    differ("from", null(from), null(to));
    differ("default", &or_none(&from.default), &or_none(&to.default));
    differ("identity", &format!("{:?}", from.identity), &format!("{:?}", to.identity));
    differ("generation", &format!("{:?}", from.generated), &format!("{:?}", to.generated));
    differ("on update", &or_none(&from.on_update), &or_none(&to.on_update));
    differ("collation", &or_none(&from.collation), &or_none(&to.collation));
    differ("comment", &or_none(&from.comment), &or_none(&to.comment));
    parts.join(", ")
}
