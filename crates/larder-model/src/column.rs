//! One column of a model.
//!
//! Guards nothing by itself: whether columns go together is the table's question.

use crate::{ColumnKind, ColumnType, DefaultValue, Identifier};

/// One column as a model declares it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnModel {
    name: Identifier,
    kind: ColumnKind,
    nullable: bool,
    key: bool,
    unique: bool,
    default: Option<DefaultValue>,
}

impl ColumnModel {
    /// A column of the given kind, which is neither key nor unique.
    #[must_use]
    pub const fn new(
        name: Identifier,
        kind: ColumnKind,
        nullable: bool,
        default: Option<DefaultValue>,
    ) -> Self {
        Self { name, kind, nullable, key: false, unique: false, default }
    }

    /// A column for values of a Rust type.
    #[must_use]
    pub const fn of<T: ColumnType>(name: Identifier, default: Option<DefaultValue>) -> Self {
        Self::new(name, T::KIND, T::NULLABLE, default)
    }

    /// Makes it the primary key, or a part of it.
    #[must_use]
    pub const fn with_key(mut self) -> Self {
        self.key = true;
        self
    }

    /// Forbids that two rows have the same value here.
    #[must_use]
    pub const fn with_unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Identifier {
        &self.name
    }

    /// What it holds.
    #[must_use]
    pub const fn kind(&self) -> ColumnKind {
        self.kind
    }

    /// Whether it may be NULL.
    #[must_use]
    pub const fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// Whether it belongs to the primary key.
    #[must_use]
    pub const fn is_key(&self) -> bool {
        self.key
    }

    /// Whether no two rows have the same value here.
    #[must_use]
    pub const fn is_unique(&self) -> bool {
        self.unique
    }

    /// What a row has here that says nothing.
    #[must_use]
    pub const fn default_value(&self) -> Option<&DefaultValue> {
        self.default.as_ref()
    }
}
