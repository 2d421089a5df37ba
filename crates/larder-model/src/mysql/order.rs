//! What is done, and in which order.
//!
//! Invariant: nothing is dropped that something else still needs, and nothing is added before what
//! it needs. References go first and come last, because no column of theirs can be changed while
//! they are there; columns that are computed from others go before these and come after them.

use std::fmt;

use super::rename::Rename;
use crate::{Change, ForeignKey, Identity, Interlude, TableName};

/// Something to do, by one statement.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// A change that is made while columns have their former names.
    Before(Change),
    /// A change by itself.
    Change(Change),
    /// Changes of one table around its key that can be made together only.
    Rekey(TableName, Vec<Change>),
    /// Columns get other names together with what mentions them.
    Rename(Box<Rename>),
    /// An index gets another name: table, former name, new name.
    RenameIndex(TableName, String, String),
    /// A reference comes back.
    Resume(TableName, ForeignKey),
    /// A reference stays, and has to go while its columns change.
    Suspend(TableName, ForeignKey),
    /// The same while its columns have their former names, which it has here.
    SuspendBefore(TableName, ForeignKey),
}

impl Work {
    pub(super) const fn table(&self) -> &TableName {
        match self {
            Self::Before(change) | Self::Change(change) => change.table(),
            Self::Rename(rename) => rename.table(),
            Self::Rekey(table, _)
            | Self::RenameIndex(table, ..)
            | Self::Resume(table, _)
            | Self::Suspend(table, _)
            | Self::SuspendBefore(table, _) => table,
        }
    }

    /// The changes that are in it.
    pub(super) fn changes(&self) -> &[Change] {
        match self {
            Self::Before(change) | Self::Change(change) => std::slice::from_ref(change),
            Self::Rekey(_, changes) => changes,
            Self::Rename(rename) => rename.changes(),
            Self::RenameIndex(..)
            | Self::Resume(..)
            | Self::Suspend(..)
            | Self::SuspendBefore(..) => &[],
        }
    }
}

impl Work {
    /// What goes for a while or comes back.
    pub(super) fn interlude(&self) -> Option<Interlude> {
        match self {
            Self::Resume(_, key) => Some(Interlude::PutsBack(key.clone())),
            Self::Suspend(_, key) | Self::SuspendBefore(_, key) => {
                Some(Interlude::TakesOff(key.clone()))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(change) | Self::Change(change) => change.fmt(f),
            Self::Rekey(..) | Self::Rename(_) => {
                for (at, change) in self.changes().iter().enumerate() {
                    f.write_str(if at > 0 { ", " } else { "" })?;
                    change.fmt(f)?;
                }
                Ok(())
            }
            Self::RenameIndex(_, from, to) => write!(f, "rename index {from:?} to {to:?}"),
            Self::Resume(_, key) => {
                write!(f, "bring back foreign key ({})", key.columns.join(", "))
            }
            Self::Suspend(_, key) | Self::SuspendBefore(_, key) => {
                write!(f, "drop foreign key ({}) for a while", key.columns.join(", "))
            }
        }
    }
}

/// Brings work into its order; what is of one phase keeps its own.
pub(super) fn in_order(mut work: Vec<Work>) -> Vec<Work> {
    work.sort_by_key(|one| match one {
        Work::Before(_) | Work::SuspendBefore(..) => 2,
        Work::Change(change) => phase(change),
        Work::Rekey(..) => KEYS,
        Work::Rename(_) => NAMES,
        Work::RenameIndex(..) => INDEXES_GO,
        Work::Resume(..) => REFERENCES,
        Work::Suspend(..) => NO_REFERENCES,
    });
    work
}

const NAMES: u8 = 3;
const NO_REFERENCES: u8 = 4;
const INDEXES_GO: u8 = 7;
const KEYS: u8 = 14;
const REFERENCES: u8 = 17;

const fn phase(change: &Change) -> u8 {
    match change {
        Change::AlterEnum { .. }
        | Change::CreateEnum(_)
        | Change::DropEnum(_)
        | Change::SuspectedRename { .. }
        | Change::Unsupported { .. } => 0,
        Change::RenameTable { .. } => 1,
        Change::DropForeignKey(..) => NO_REFERENCES,
        Change::RenameColumn { .. } => NAMES,
        Change::DropCheck(..) => 5,
        Change::DropColumn(_, column) if column.generated.is_some() => 5,
        // What the server numbers needs an index.
        Change::AlterColumn { from, to, .. } if is_numbered_only(from.identity, to.identity) => 6,
        Change::DropIndex(..) | Change::DropUnique(..) => INDEXES_GO,
        Change::CreateTable(_) => 8,
        Change::AddColumn(_, column) if column.generated.is_none() => 9,
        Change::AlterOptions { .. } => 10,
        Change::AlterColumn { from, to, .. } if is_numbered_only(to.identity, from.identity) => 15,
        Change::AlterColumn { .. } => 11,
        Change::AddColumn(..) => 12,
        Change::DropColumn(..) => 13,
        Change::AddIndex(..)
        | Change::AddPrimaryKey(..)
        | Change::AddUnique(..)
        | Change::DropPrimaryKey(..) => KEYS,
        Change::AddCheck(..) => 16,
        Change::AddForeignKey(..) => REFERENCES,
        Change::DropTable(_) => 18,
    }
}

const fn is_numbered_only(one: Option<Identity>, other: Option<Identity>) -> bool {
    one.is_some() && other.is_none()
}
