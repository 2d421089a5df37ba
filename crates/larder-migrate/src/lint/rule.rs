//! The rules and their codes.
//!
//! Invariant: a code is never given to another rule, because files name it.

use std::fmt;

/// A rule. Its [code](Rule::code) is what `-- larder: allow=LR003` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// LR001: changing a column's type, or its character set, copies the table under a lock.
    TableRewrite,
    /// LR002: building an index in the ordinary way stops all writes to the table (PostgreSQL).
    BlockingIndex,
    /// LR003: programs that still run may read the column.
    DropColumn,
    /// LR004: the table's rows are lost.
    DropTable,
    /// LR005: programs that still run know the old name.
    RenameColumn,
    /// LR006: programs that still run know the old name.
    RenameTable,
    /// LR007: the rows that are there have no value for the column.
    NotNullWithoutDefault,
    /// LR008: `SET NOT NULL` reads the whole table under an exclusive lock (PostgreSQL).
    SetNotNull,
    /// LR009: a default that differs from row to row has the table rewritten (PostgreSQL), or is
    /// refused where there are rows (SQLite).
    VolatileDefault,
    /// LR010: a new check or reference reads the whole table under a lock (PostgreSQL).
    ValidatedConstraint,
    /// LR011: a new key or unique constraint builds its index under an exclusive lock
    /// (PostgreSQL).
    BlockingUnique,
    /// LR012: the statement can not run as the file says.
    Transaction,
    /// LR013: every row of the table is changed.
    MissingWhere,
    /// LR014: if a later statement fails, the earlier ones stay.
    SeveralWithoutTransaction,
    /// LR015: rows and tables are changed in one file, which can not be one transaction (MySQL,
    /// MariaDB).
    ImplicitCommit,
    /// LR016: a setting outlives its file and holds for those after it (PostgreSQL).
    SessionSetting,
    /// LR017: a label that was added to an enumerated type can not be used in the same
    /// transaction (PostgreSQL).
    NewLabelUsed,
}

/// How bad it is to break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "callers decide by both")]
pub enum Severity {
    /// It may be fine, if somebody thought about it.
    Warning,
    /// It fails, or loses what can not be brought back.
    Error,
}

use Rule::{
    BlockingIndex, BlockingUnique, DropColumn, DropTable, ImplicitCommit, MissingWhere,
    NewLabelUsed, NotNullWithoutDefault, RenameColumn, RenameTable, SessionSetting, SetNotNull,
    SeveralWithoutTransaction, TableRewrite, Transaction, ValidatedConstraint, VolatileDefault,
};

impl Rule {
    /// All rules, in the order of their codes.
    pub const ALL: [Self; 17] = [
        TableRewrite,
        BlockingIndex,
        DropColumn,
        DropTable,
        RenameColumn,
        RenameTable,
        NotNullWithoutDefault,
        SetNotNull,
        VolatileDefault,
        ValidatedConstraint,
        BlockingUnique,
        Transaction,
        MissingWhere,
        SeveralWithoutTransaction,
        ImplicitCommit,
        SessionSetting,
        NewLabelUsed,
    ];

    /// The code, which stays the same for ever.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            TableRewrite => "LR001",
            BlockingIndex => "LR002",
            DropColumn => "LR003",
            DropTable => "LR004",
            RenameColumn => "LR005",
            RenameTable => "LR006",
            NotNullWithoutDefault => "LR007",
            SetNotNull => "LR008",
            VolatileDefault => "LR009",
            ValidatedConstraint => "LR010",
            BlockingUnique => "LR011",
            Transaction => "LR012",
            MissingWhere => "LR013",
            SeveralWithoutTransaction => "LR014",
            ImplicitCommit => "LR015",
            SessionSetting => "LR016",
            NewLabelUsed => "LR017",
        }
    }

    /// A name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            TableRewrite => "table-rewrite",
            BlockingIndex => "blocking-index",
            DropColumn => "drop-column",
            DropTable => "drop-table",
            RenameColumn => "rename-column",
            RenameTable => "rename-table",
            NotNullWithoutDefault => "not-null-without-default",
            SetNotNull => "set-not-null",
            VolatileDefault => "volatile-default",
            ValidatedConstraint => "validated-constraint",
            BlockingUnique => "blocking-unique",
            Transaction => "transaction",
            MissingWhere => "missing-where",
            SeveralWithoutTransaction => "several-without-transaction",
            ImplicitCommit => "implicit-commit",
            SessionSetting => "session-setting",
            NewLabelUsed => "new-label-used",
        }
    }

    /// How bad it is to break it.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            DropTable | NewLabelUsed | NotNullWithoutDefault | Transaction => Severity::Error,
            _ => Severity::Warning,
        }
    }

    /// The rule of a code or a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.code() == text || rule.name() == text)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code(), self.name())
    }
}

impl Severity {
    /// One word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_count_up_and_are_found_again() {
        for (index, rule) in Rule::ALL.into_iter().enumerate() {
            assert_eq!(rule.code(), format!("LR{:03}", index + 1));
            assert_eq!(Rule::parse(rule.code()), Some(rule));
            assert_eq!(Rule::parse(rule.name()), Some(rule));
        }
        assert_eq!(Rule::parse("LR000"), None);
    }
}
