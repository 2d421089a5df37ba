//! Conditions on the rows of a model, and their order.
//!
//! Guards that a column is one of the model's, which is looked up when the statement is written,
//! and that every value is bound.

use std::{collections::VecDeque, fmt, ops::Range};

use larder_model::{ColumnKind, ColumnModel, TableModel};

use crate::{
    Bind, Engine, Params, QueryError,
    table::{
        row_values::{CellValue, alone, operand, pattern},
        text::{Names, Text},
    },
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
///
/// A value has the type of its column, as the field of a row has: a text is not compared with a
/// number on any database.
///
/// # Limits
/// Chains of [`and`](Self::and) and of [`or`](Self::or) may be long. Alternations of the two and
/// [`not`](Self::not) nest at most 64 deep; a statement with a deeper filter is
/// [`QueryError::FilterTooDeep`].
///
/// SQLite has no decimal numbers. There, decimal columns are compared and ordered as numbers with
/// 15 significant digits, so that two that differ only beyond those may be equal; what is stored
/// and read keeps every digit.
#[must_use = "a filter does nothing by itself"]
pub struct Filter {
    node: Node,
    /// How many nodes there are one below the other.
    depth: u8,
}

/// The deepest nesting, which bounds the stack that writing and dropping a filter take.
const DEPTH_MAX: u8 = 64;

/// An order of rows: [`Column::ascending`] and [`Column::descending`].
#[derive(Clone, Debug)]
pub struct Order {
    column: Box<str>,
    descending: bool,
}

enum Node {
    All,
    And(VecDeque<Self>),
    Compare(Box<str>, &'static str, Bound),
    In(Box<str>, Vec<Bound>),
    IsNull(Box<str>),
    Not(Box<Self>),
    Or(VecDeque<Self>),
    /// Stands for what would be deeper than [`DEPTH_MAX`], whatever it was.
    TooDeep,
}

/// A value that waits for its statement.
type Bound = Box<dyn Waiting + Send + Sync>;

trait Waiting {
    /// The value, as the one parameter.
    fn params(&self) -> Params;
}

impl<T: Bind> Waiting for T {
    fn params(&self) -> Params {
        alone(self)
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident $operator:literal;)+) => {
        impl Column<'_> {
            $($(#[$doc])*
            pub fn $name(self, value: impl Bind + Send + Sync + 'static) -> Filter {
                Filter::of(Node::Compare(self.0.into(), $operator, Box::new(value)))
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
        Filter::of(Node::IsNull(self.0.into()))
    }

    /// Whether it equals one of the values; none of no values.
    pub fn is_in<T>(self, values: impl IntoIterator<Item = T>) -> Filter
    where
        T: Bind + Send + Sync + 'static,
    {
        let values = values.into_iter().map(|value| Box::new(value) as Bound).collect();
        Filter::of(Node::In(self.0.into(), values))
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
        Self::of(Node::All)
    }

    /// Both.
    pub fn and(self, other: Self) -> Self {
        match (&self.node, &other.node) {
            (Node::All, _) => other,
            (_, Node::All) => self,
            _ => Self::chain(self, other, Node::And, |node| match node {
                Node::And(nodes) => Ok(nodes),
                node => Err(node),
            }),
        }
    }

    /// Either.
    pub fn or(self, other: Self) -> Self {
        Self::chain(self, other, Node::Or, |node| match node {
            Node::Or(nodes) => Ok(nodes),
            node => Err(node),
        })
    }

    /// The rows for which it is false; not those for which it is unknown because of NULL.
    #[expect(clippy::should_implement_trait, reason = "it reads as `and` and `or` do")]
    pub fn not(self) -> Self {
        if self.depth >= DEPTH_MAX {
            return Self::of(Node::TooDeep);
        }
        Self { depth: self.depth + 1, node: Node::Not(Box::new(self.node)) }
    }

    const fn of(node: Node) -> Self {
        Self { node, depth: 1 }
    }

    /// Puts one chain behind another; what is no chain of the kind is one of a single node.
    fn chain(
        one: Self,
        other: Self,
        make: impl FnOnce(VecDeque<Node>) -> Node,
        nodes: impl Fn(Node) -> Result<VecDeque<Node>, Node>,
    ) -> Self {
        let links = |filter: Self| match nodes(filter.node) {
            Ok(nodes) => (nodes, filter.depth),
            Err(node) => (VecDeque::from([node]), filter.depth.saturating_add(1)),
        };
        let ((mut before, one_depth), (mut after, other_depth)) = (links(one), links(other));
        let depth = one_depth.max(other_depth);
        if depth > DEPTH_MAX {
            return Self::of(Node::TooDeep);
        }
        // The shorter one moves, so that a chain which grows at either end is not copied.
        if before.len() < after.len() {
            while let Some(node) = before.pop_back() {
                after.push_front(node);
            }
            return Self { node: make(after), depth };
        }
        before.append(&mut after);
        Self { node: make(before), depth }
    }

    /// Appends ` WHERE …`, unless it is about every row.
    pub(super) fn write(
        &self,
        table: &TableModel,
        names: &Names,
        text: &mut Text,
    ) -> Result<(), QueryError> {
        if matches!(self.node, Node::All) {
            return Ok(());
        }
        text.push(" WHERE ");
        self.node.write(table, names, text)
    }
}

impl Node {
    fn write(&self, table: &TableModel, names: &Names, text: &mut Text) -> Result<(), QueryError> {
        match self {
            // Only below another condition; on its own it writes nothing.
            Self::All => text.push("1 = 1"),
            Self::And(nodes) => write_chain(nodes, 0..nodes.len(), " AND ", table, names, text)?,
            Self::Or(nodes) => write_chain(nodes, 0..nodes.len(), " OR ", table, names, text)?,
            Self::TooDeep => {
                return Err(QueryError::FilterTooDeep {
                    table: table.name().as_str().into(),
                    limit: DEPTH_MAX.into(),
                });
            }
            Self::Not(one) => {
                text.push("NOT (");
                one.write(table, names, text)?;
                text.push(")");
            }
            Self::Compare(column, operator, value) => {
                let column = names.known(table, column)?;
                let check = if *operator == "LIKE" { pattern } else { operand };
                push_column(column, *names, text);
                text.push(" ");
                text.push(operator);
                text.push(" ");
                for value in &value.params() {
                    let value = check(names.engine(), table, column, value)?;
                    push_value(column, &value, *names, text);
                }
            }
            Self::IsNull(column) => {
                text.push(&names.quoted(&names.known(table, column)?.name));
                text.push(" IS NULL");
            }
            Self::In(column, values) if values.is_empty() => {
                names.known(table, column)?;
                text.push("1 = 0");
            }
            Self::In(column, values) => {
                let column = names.known(table, column)?;
                push_column(column, *names, text);
                text.push(" IN (");
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        text.push(", ");
                    }
                    for value in &value.params() {
                        let value = operand(names.engine(), table, column, value)?;
                        push_value(column, &value, *names, text);
                    }
                }
                text.push(")");
            }
        }
        Ok(())
    }
}

/// Writes a chain in halves, so that it nests as the logarithm of its length: parsers, ours and
/// the database's, bound the depth and not the length.
fn write_chain(
    nodes: &VecDeque<Node>,
    range: Range<usize>,
    operator: &str,
    table: &TableModel,
    names: &Names,
    text: &mut Text,
) -> Result<(), QueryError> {
    if range.len() == 1 {
        return nodes[range.start].write(table, names, text);
    }
    let middle = range.start + range.len() / 2;
    text.push("(");
    write_chain(nodes, range.start..middle, operator, table, names, text)?;
    text.push(operator);
    write_chain(nodes, middle..range.end, operator, table, names, text)?;
    text.push(")");
    Ok(())
}

/// Whether the database has the column's numbers as texts, whose order is another one.
fn is_number_as_text(column: &ColumnModel, names: Names) -> bool {
    names.engine() == Engine::Sqlite && column.data_type.kind() == ColumnKind::Decimal
}

fn push_column(column: &ColumnModel, names: Names, text: &mut Text) {
    let quoted = names.quoted(&column.name);
    if is_number_as_text(column, names) {
        text.push(&format!("CAST({quoted} AS NUMERIC)"));
    } else {
        text.push(&quoted);
    }
}

fn push_value(column: &ColumnModel, value: &CellValue, names: Names, text: &mut Text) {
    let is_cast = is_number_as_text(column, names);
    text.push(if is_cast { "CAST(" } else { "" });
    text.bind_with(|params| _ = params.bind(value));
    text.push(if is_cast { " AS NUMERIC)" } else { "" });
}

impl Order {
    pub(super) fn write(
        &self,
        table: &TableModel,
        names: &Names,
        text: &mut Text,
    ) -> Result<(), QueryError> {
        push_column(names.known(table, &self.column)?, *names, text);
        text.push(if self.descending { " DESC" } else { " ASC" });
        Ok(())
    }
}

/// Without values: they may be secrets.
impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::And(nodes) => fmt_chain(nodes, " and ", f),
            Self::Compare(column, operator, _) => write!(f, "{column:?} {operator} ?"),
            Self::In(column, values) => write!(f, "{column:?} in {} values", values.len()),
            Self::IsNull(column) => write!(f, "{column:?} is null"),
            Self::Not(one) => write!(f, "not {one:?}"),
            Self::Or(nodes) => fmt_chain(nodes, " or ", f),
            Self::TooDeep => f.write_str("too deep"),
        }
    }
}

fn fmt_chain(nodes: &VecDeque<Node>, operator: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, node) in nodes.iter().enumerate() {
        f.write_str(if at > 0 { operator } else { "(" })?;
        fmt::Debug::fmt(node, f)?;
    }
    f.write_str(")")
}
