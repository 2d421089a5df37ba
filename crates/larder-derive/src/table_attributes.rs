//! What stands in `#[model(…)]` at the struct.

use proc_macro2::Span;
use syn::{
    Attribute, Error, Ident, LitStr, Path, Result, Token, ext::IdentExt as _,
    meta::ParseNestedMeta, parenthesized, parse::ParseStream, spanned::Spanned as _, token::Paren,
};

use crate::{
    reference::Reference,
    words::{self, Action, Comment},
};

/// The attributes of the struct.
#[derive(Default)]
pub(crate) struct TableAttributes {
    pub(crate) checks: Vec<CheckInput>,
    pub(crate) comment: Option<Comment>,
    pub(crate) foreign_keys: Vec<ForeignKeyInput>,
    pub(crate) indexes: Vec<IndexInput>,
    pub(crate) key: Option<Vec<LitStr>>,
    pub(crate) krate: Option<Path>,
    pub(crate) renamed_from: Option<LitStr>,
    pub(crate) schema: Option<LitStr>,
    pub(crate) table: Option<LitStr>,
    pub(crate) uniques: Vec<Vec<LitStr>>,
}

/// A condition.
pub(crate) struct CheckInput {
    pub(crate) name: Option<LitStr>,
    pub(crate) sql: LitStr,
}

/// An index.
pub(crate) struct IndexInput {
    pub(crate) span: Span,
    /// At least one.
    pub(crate) parts: Vec<PartInput>,
    pub(crate) name: Option<LitStr>,
    pub(crate) unique: bool,
    pub(crate) predicate: Option<LitStr>,
    pub(crate) method: Option<LitStr>,
}

/// A part of an index.
pub(crate) struct PartInput {
    pub(crate) of: TermInput,
    pub(crate) descending: bool,
}

/// What it orders by.
pub(crate) enum TermInput {
    Column(LitStr),
    Expression(LitStr),
}

/// A reference to another table.
pub(crate) struct ForeignKeyInput {
    pub(crate) span: Span,
    /// At least one.
    pub(crate) columns: Vec<LitStr>,
    pub(crate) target: Reference,
    pub(crate) on_delete: Option<Action>,
    pub(crate) on_update: Option<Action>,
}

impl TableAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self::default();
        words::each(attributes, |word, meta| parsed.word(word, meta))?;
        Ok(parsed)
    }

    fn word(&mut self, word: &str, meta: &ParseNestedMeta<'_>) -> Result<()> {
        match word {
            "check" => self.checks.push(CheckInput::parse(meta)?),
            "comment" => words::comment(meta, &mut self.comment)?,
            "crate" => {
                let path = meta.value()?.parse::<LitStr>()?.parse()?;
                words::once(meta.path.span(), &mut self.krate, path)?;
            }
            "foreign_key" => self.foreign_keys.push(ForeignKeyInput::parse(meta)?),
            "index" => self.indexes.push(IndexInput::parse(meta)?),
            "key" => words::once(meta.path.span(), &mut self.key, words::names(meta)?)?,
            "renamed_from" => words::name(meta, &mut self.renamed_from)?,
            "schema" => words::name(meta, &mut self.schema)?,
            "table" => words::name(meta, &mut self.table)?,
            "unique" => self.uniques.push(words::names(meta)?),
            _ => {
                return Err(meta.error(
                    "a struct takes `check`, `comment`, `crate`, `foreign_key`, `index`, `key`, \
                     `renamed_from`, `schema`, `table` and `unique`",
                ));
            }
        }
        Ok(())
    }
}

impl CheckInput {
    /// `check = "…"` or `check("…", name = "…")`.
    fn parse(meta: &ParseNestedMeta<'_>) -> Result<Self> {
        if meta.input.peek(Token![=]) {
            return Ok(Self { name: None, sql: words::checked_text(meta.value()?)? });
        }
        let (mut name, mut sql) = (None, None);
        words::list(meta, |input| {
            if input.peek(LitStr) {
                let text = words::checked_text(input)?;
                return words::once(text.span(), &mut sql, text);
            }
            let option = Ident::parse_any(input)?;
            if option != "name" {
                return Err(Error::new(option.span(), "a check takes SQL and `name = \"…\"`"));
            }
            input.parse::<Token![=]>()?;
            words::once(option.span(), &mut name, words::checked_name(input)?)
        })?;
        let sql = sql.ok_or_else(|| meta.error("a check is a condition in SQL"))?;
        Ok(Self { name, sql })
    }
}

impl IndexInput {
    /// An index over one column.
    pub(crate) fn over(column: LitStr, span: Span) -> Self {
        let parts = vec![PartInput { of: TermInput::Column(column), descending: false }];
        Self { span, parts, name: None, unique: false, predicate: None, method: None }
    }

    /// `index("a", desc("b"), expression("lower(c)"), name = "…", unique, where = "…",
    /// method = "…")`.
    fn parse(meta: &ParseNestedMeta<'_>) -> Result<Self> {
        let (mut parts, mut unique) = (Vec::new(), None);
        let (mut name, mut predicate, mut method) = (None, None, None);
        words::list(meta, |input| {
            if input.peek(LitStr) || input.peek2(Paren) {
                parts.push(PartInput::parse(input)?);
                return Ok(());
            }
            let option = Ident::parse_any(input)?;
            let span = option.span();
            let is = |word: &str| option == word;
            if is("unique") {
                return words::once(span, &mut unique, ());
            }
            if !is("name") && !is("where") && !is("method") {
                return Err(Error::new(
                    span,
                    "an index takes columns, `desc(…)`, `expression(\"…\")`, `name = \"…\"`, \
                     `unique`, `where = \"…\"` and `method = \"…\"`",
                ));
            }
            input.parse::<Token![=]>()?;
            if is("name") {
                words::once(span, &mut name, words::checked_name(input)?)
            } else if is("where") {
                words::once(span, &mut predicate, words::checked_text(input)?)
            } else {
                words::once(span, &mut method, checked_word(input)?)
            }
        })?;
        if parts.is_empty() {
            return Err(meta.error("an index is over one column at least, or an expression"));
        }
        let span = meta.path.span();
        Ok(Self { span, parts, name, unique: unique.is_some(), predicate, method })
    }

    /// The columns among its parts.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &LitStr> {
        self.parts.iter().filter_map(|part| match &part.of {
            TermInput::Column(name) => Some(name),
            TermInput::Expression(_) => None,
        })
    }
}

impl PartInput {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) {
            let of = TermInput::Column(words::checked_name(input)?);
            return Ok(Self { of, descending: false });
        }
        let word = Ident::parse_any(input)?;
        let content;
        parenthesized!(content in input);
        let part = if word == "desc" {
            let part = Self::parse(&content)?;
            if part.descending {
                return Err(Error::new(word.span(), "this was said before"));
            }
            Self { descending: true, ..part }
        } else if word == "expression" {
            let of = TermInput::Expression(words::checked_text(&content)?);
            Self { of, descending: false }
        } else {
            let message = "a part of an index is a column, `desc(…)` or `expression(\"…\")`";
            return Err(Error::new(word.span(), message));
        };
        match content.is_empty() {
            true => Ok(part),
            false => Err(content.error("one part stands here alone")),
        }
    }
}

impl ForeignKeyInput {
    /// `foreign_key("a", "b", references = "table(x, y)", on_delete = "…", on_update = "…")`.
    fn parse(meta: &ParseNestedMeta<'_>) -> Result<Self> {
        let (mut columns, mut target) = (Vec::new(), None);
        let (mut on_delete, mut on_update) = (None, None);
        words::list(meta, |input| {
            if input.peek(LitStr) {
                columns.push(words::checked_name(input)?);
                return Ok(());
            }
            let option = Ident::parse_any(input)?;
            let span = option.span();
            if option == "references" {
                words::once(span, &mut target, words::reference(input)?.0)
            } else if option == "on_delete" {
                words::once(span, &mut on_delete, words::action(input)?)
            } else if option == "on_update" {
                words::once(span, &mut on_update, words::action(input)?)
            } else {
                Err(Error::new(
                    span,
                    "a foreign key takes columns, `references = \"table(column)\"`, \
                     `on_delete = \"…\"` and `on_update = \"…\"`",
                ))
            }
        })?;
        let target =
            target.ok_or_else(|| meta.error("`references = \"table(column)\"` is missing"))?;
        if columns.len() != target.columns.len() {
            return Err(meta.error(format!(
                "{} columns refer to {}",
                columns.len(),
                target.columns.len()
            )));
        }
        Ok(Self { span: meta.path.span(), columns, target, on_delete, on_update })
    }
}

/// The one text that stands in a statement without quotes.
fn checked_word(input: ParseStream<'_>) -> Result<LitStr> {
    let text = words::checked_text(input)?;
    let value = text.value();
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_word = value.starts_with(|first: char| first.is_ascii_alphabetic());
    match is_word && value.bytes().all(is_part) {
        true => Ok(text),
        false => Err(Error::new(text.span(), "a method is one word, such as `gin`")),
    }
}
