//! Conditions on the rows of a model, and their order.
//!
//! Guards that a column is one of the model's, which is looked up when the statement is written,
//! and that every value is bound.

use std::fmt;

use larder_model::TableModel;

use crate::{
    Bind, Params, QueryError,
    table::text::{Names, Text},
};

/// A column of a model, to say something about: [`col`].
#[derive(Clone, Copy, Debug)]
pub struct Column<'a>(&'a str);

/// A column of a model, by the name that it has in the database.
#[must_use]
pub const fn col(name: &str) -> Column<'_> {
    Column(name)
}

/// A condition on rows. Conditions are made of [`col`] and put together by
/// [`and`](Self::and), [`or`](Self::or) and [`not`](Self::not).
///
/// ```
/// use larder_query::{Filter, col};
///
/// let filter = col("seats").ge(100_i32).and(col("name").like("A3%").or(col("retired").is_null()));
/// let everything = Filter::all();
/// ```
#[must_use = "a filter does nothing by itself"]
pub struct Filter(Node);

/// An order of rows: [`Column::ascending`] and [`Column::descending`].
#[derive(Clone, Debug)]
pub struct Order {
    column: Box<str>,
    descending: bool,
}

enum Node {
    All,
    And(Box<Self>, Box<Self>),
    Compare(Box<str>, &'static str, Bound),
    In(Box<str>, Vec<Bound>),
    IsNull(Box<str>),
    Not(Box<Self>),
    Or(Box<Self>, Box<Self>),
}

/// A value that waits for its statement.
type Bound = Box<dyn Waiting + Send + Sync>;

trait Waiting {
    fn bind_to(&self, params: &mut Params);
}

impl<T: Bind> Waiting for T {
    fn bind_to(&self, params: &mut Params) {
        params.bind(self);
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident $operator:literal;)+) => {
        impl Column<'_> {
            $($(#[$doc])*
            pub fn $name(self, value: impl Bind + Send + Sync + 'static) -> Filter {
                Filter(Node::Compare(self.0.into(), $operator, Box::new(value)))
            })+
        }
    };
}

comparisons! {
    /// Whether it equals the value. Nothing equals NULL; for that there is
    /// [`is_null`](Self::is_null).
    eq "=";
    /// Whether it differs from the value. NULL neither equals nor differs.
    ne "<>";
    /// Whether it is less.
    lt "<";
    /// Whether it is less or equal.
    le "<=";
    /// Whether it is greater.
    gt ">";
    /// Whether it is greater or equal.
    ge ">=";
    /// Whether the text matches a pattern, in which `%` stands for any text and `_` for any
    /// character. Whether case counts is the database's rule.
    like "LIKE";
}

impl Column<'_> {
    /// Whether it is NULL.
    pub fn is_null(self) -> Filter {
        Filter(Node::IsNull(self.0.into()))
    }

    /// Whether it equals one of the values; none of no values.
    pub fn is_in<T>(self, values: impl IntoIterator<Item = T>) -> Filter
    where
        T: Bind + Send + Sync + 'static,
    {
        let values = values.into_iter().map(|value| Box::new(value) as Bound).collect();
        Filter(Node::In(self.0.into(), values))
    }

    /// The order from the least value to the greatest.
    #[must_use]
    pub fn ascending(self) -> Order {
        Order { column: self.0.into(), descending: false }
    }

    /// The order from the greatest value to the least.
    #[must_use]
    pub fn descending(self) -> Order {
        Order { column: self.0.into(), descending: true }
    }
}

impl Filter {
    /// Every row.
    pub const fn all() -> Self {
        Self(Node::All)
    }

    /// Both.
    pub fn and(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Node::All, other) => Self(other),
            (one, Node::All) => Self(one),
            (one, other) => Self(Node::And(Box::new(one), Box::new(other))),
        }
    }

    /// Either.
    pub fn or(self, other: Self) -> Self {
        Self(Node::Or(Box::new(self.0), Box::new(other.0)))
    }

    /// The rows for which it is false; not those for which it is unknown because of NULL.
    #[expect(clippy::should_implement_trait, reason = "it reads as `and` and `or` do")]
    pub fn not(self) -> Self {
        Self(Node::Not(Box::new(self.0)))
    }

    /// Appends ` WHERE …`, unless it is about every row.
    pub(super) fn write(
        &self,
        table: &TableModel,
        names: &Names,
        text: &mut Text,
    ) -> Result<(), QueryError> {
        if matches!(self.0, Node::All) {
            return Ok(());
        }
        text.push(" WHERE ");
        self.0.write(table, names, text)
    }
}

impl Node {
    fn write(&self, table: &TableModel, names: &Names, text: &mut Text) -> Result<(), QueryError> {
        match self {
            // Only below another condition; on its own it writes nothing.
            Self::All => text.push("1 = 1"),
            Self::And(one, other) => Self::write_pair(one, " AND ", other, table, names, text)?,
            Self::Or(one, other) => Self::write_pair(one, " OR ", other, table, names, text)?,
            Self::Not(one) => {
                text.push("NOT (");
                one.write(table, names, text)?;
                text.push(")");
            }
            Self::Compare(column, operator, value) => {
                text.push(&names.known(table, column)?);
                text.push(" ");
                text.push(operator);
                text.push(" ");
                text.bind_with(|params| value.bind_to(params));
            }
            Self::IsNull(column) => {
                text.push(&names.known(table, column)?);
                text.push(" IS NULL");
            }
            Self::In(column, values) if values.is_empty() => {
                names.known(table, column)?;
                text.push("1 = 0");
            }
            Self::In(column, values) => {
                text.push(&names.known(table, column)?);
                text.push(" IN (");
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        text.push(", ");
                    }
                    text.bind_with(|params| value.bind_to(params));
                }
                text.push(")");
            }
        }
        Ok(())
    }

    fn write_pair(
        one: &Self,
        operator: &str,
        other: &Self,
        table: &TableModel,
        names: &Names,
        text: &mut Text,
    ) -> Result<(), QueryError> {
        text.push("(");
        one.write(table, names, text)?;
        text.push(operator);
        other.write(table, names, text)?;
        text.push(")");
        Ok(())
    }
}

impl Order {
    pub(super) fn write(
        &self,
        table: &TableModel,
        names: &Names,
        text: &mut Text,
    ) -> Result<(), QueryError> {
        text.push(&names.known(table, &self.column)?);
        text.push(if self.descending { " DESC" } else { " ASC" });
        Ok(())
    }
}

/// Without values: they may be secrets.
impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::And(one, other) => write!(f, "({one:?} and {other:?})"),
            Self::Compare(column, operator, _) => write!(f, "{column:?} {operator} ?"),
            Self::In(column, values) => write!(f, "{column:?} in {} values", values.len()),
            Self::IsNull(column) => write!(f, "{column:?} is null"),
            Self::Not(one) => write!(f, "not {one:?}"),
            Self::Or(one, other) => write!(f, "({one:?} or {other:?})"),
        }
    }
}
