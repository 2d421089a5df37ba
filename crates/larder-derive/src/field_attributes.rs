//! What stands in `#[model(…)]` at a field.

use proc_macro2::Span;
use syn::{
    Attribute, Error, Ident, LitInt, LitStr, Result, Token, ext::IdentExt as _,
    meta::ParseNestedMeta, spanned::Spanned as _,
};

use crate::{
    literal,
    literal::Literal,
    reference::Reference,
    words::{self, Action, Comment},
};

/// The attributes of a field.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) auto_increment: Option<Span>,
    pub(crate) collation: Option<LitStr>,
    pub(crate) comment: Option<Comment>,
    pub(crate) default: Option<(DefaultInput, Span)>,
    pub(crate) generated: Option<LitStr>,
    pub(crate) index: Option<Span>,
    pub(crate) key: Option<Span>,
    pub(crate) on_delete: Option<(Action, Span)>,
    pub(crate) on_update: Option<(Action, Span)>,
    pub(crate) references: Option<(Reference, Span)>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) renamed_from: Option<LitStr>,
    pub(crate) skip: Option<Span>,
    pub(crate) ty: TypeWords,
    pub(crate) unique: Option<Span>,
}

/// What a row has that says nothing.
pub(crate) enum DefaultInput {
    Now,
    Sql(LitStr),
    Value(Literal),
}

/// The words that narrow a type.
#[derive(Default)]
pub(crate) struct TypeWords {
    pub(crate) digits: Option<LitInt>,
    pub(crate) enum_name: Option<LitStr>,
    pub(crate) fixed_length: Option<LitInt>,
    pub(crate) labels: Option<(Vec<LitStr>, Span)>,
    pub(crate) length: Option<LitInt>,
    pub(crate) native: Option<(NativeInput, Span)>,
    pub(crate) precision: Option<LitInt>,
    pub(crate) scale: Option<LitInt>,
}

/// A type in the databases' own words.
#[derive(Default)]
pub(crate) struct NativeInput {
    pub(crate) mysql: Option<LitStr>,
    pub(crate) postgres: Option<LitStr>,
    pub(crate) sqlite: Option<LitStr>,
}

impl FieldAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self::default();
        let mut others = false;
        words::each(attributes, |word, meta| {
            others |= word != "skip";
            parsed.word(word, meta)?;
            if parsed.skip.is_some() && others {
                return Err(meta.error("a field that is skipped has no column"));
            }
            Ok(())
        })?;
        parsed.check()?;
        Ok(parsed)
    }

    fn word(&mut self, word: &str, meta: &ParseNestedMeta<'_>) -> Result<()> {
        match word {
            "auto_increment" => words::flag(meta, &mut self.auto_increment),
            "collation" => words::text(meta, &mut self.collation),
            "comment" => words::comment(meta, &mut self.comment),
            "default" => self.constant(meta, default_of),
            "default_sql" => self
                .constant(meta, |meta| words::checked_text(meta.value()?).map(DefaultInput::Sql)),
            "generated" => words::text(meta, &mut self.generated),
            "index" => words::flag(meta, &mut self.index),
            "key" => words::flag(meta, &mut self.key),
            "on_delete" => action(meta, &mut self.on_delete),
            "on_update" => action(meta, &mut self.on_update),
            "references" => {
                let reference = words::reference(meta.input)?;
                words::once(meta.path.span(), &mut self.references, reference)
            }
            "rename" => words::name(meta, &mut self.rename),
            "renamed_from" => words::name(meta, &mut self.renamed_from),
            "skip" => words::flag(meta, &mut self.skip),
            "unique" => words::flag(meta, &mut self.unique),
            _ => self.ty.word(word, meta),
        }
    }

    fn constant(
        &mut self,
        meta: &ParseNestedMeta<'_>,
        read: impl Fn(&ParseNestedMeta<'_>) -> Result<DefaultInput>,
    ) -> Result<()> {
        let span = meta.path.span();
        words::once(span, &mut self.default, (read(meta)?, span))
    }

    /// Words that contradict each other.
    fn check(&self) -> Result<()> {
        let contradiction = |span, message: &str| Err(Error::new(span, message));
        if let (Some((_, span)), true) = (&self.default, self.generated.is_some()) {
            return contradiction(*span, "a column that is computed has no default");
        }
        if let (Some((_, span)), Some(_)) = (&self.default, self.auto_increment) {
            return contradiction(*span, "a column that is numbered has no default");
        }
        if let (Some(generated), Some(_)) = (&self.generated, self.auto_increment.or(self.key)) {
            let message = "a column that is computed can neither be numbered nor be in the key";
            return contradiction(generated.span(), message);
        }
        if let (Some(collation), Some(_)) = (&self.collation, &self.ty.labels) {
            return contradiction(collation.span(), "labels have no collation");
        }
        let action = self.on_delete.or(self.on_update);
        if let (Some((_, span)), None) = (action, &self.references) {
            let message = "an action needs `references = \"table(column)\"`";
            return contradiction(span, message);
        }
        match &self.references {
            Some((reference, span)) if reference.columns.len() != 1 => {
                contradiction(*span, "one column refers to one column")
            }
            _ => Ok(()),
        }
    }
}

impl TypeWords {
    fn word(&mut self, word: &str, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let span = meta.path.span();
        match word {
            "digits" => words::number(meta, &mut self.digits),
            "enum_name" => words::name(meta, &mut self.enum_name),
            "fixed_length" => words::number(meta, &mut self.fixed_length),
            "labels" => words::once(span, &mut self.labels, (labels(meta)?, span)),
            "length" => words::number(meta, &mut self.length),
            "native" => words::once(span, &mut self.native, (NativeInput::parse(meta)?, span)),
            "precision" => words::number(meta, &mut self.precision),
            "scale" => words::number(meta, &mut self.scale),
            _ => Err(meta.error(
                "a field takes `auto_increment`, `collation`, `comment`, `default`, \
                 `default_sql`, `digits`, `enum_name`, `fixed_length`, `generated`, `index`, \
                 `key`, `labels`, `length`, `native`, `on_delete`, `on_update`, `precision`, \
                 `references`, `rename`, `renamed_from`, `scale`, `skip` and `unique`",
            )),
        }
    }
}

impl NativeInput {
    /// `native(postgres = "…", mysql = "…", sqlite = "…")`.
    fn parse(meta: &ParseNestedMeta<'_>) -> Result<Self> {
        let mut native = Self::default();
        words::list(meta, |input| {
            let database = Ident::parse_any(input)?;
            let slot = match database.to_string().as_str() {
                "mysql" => &mut native.mysql,
                "postgres" => &mut native.postgres,
                "sqlite" => &mut native.sqlite,
                _ => {
                    let message = "a native type is one of `mysql`, `postgres` or `sqlite`";
                    return Err(Error::new(database.span(), message));
                }
            };
            input.parse::<Token![=]>()?;
            words::once(database.span(), slot, words::checked_text(input)?)
        })?;
        Ok(native)
    }
}

/// A constant, or `now`.
fn default_of(meta: &ParseNestedMeta<'_>) -> Result<DefaultInput> {
    let input = meta.value()?;
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        return literal::parse(&text.value())
            .map(DefaultInput::Value)
            .map_err(|objection| Error::new(text.span(), objection));
    }
    let word = Ident::parse_any(input)?;
    match word == "now" {
        true => Ok(DefaultInput::Now),
        false => Err(Error::new(word.span(), "a default is a constant in quotes, or `now`")),
    }
}

fn action(meta: &ParseNestedMeta<'_>, slot: &mut Option<(Action, Span)>) -> Result<()> {
    let span = meta.path.span();
    words::once(span, slot, (words::action(meta.input)?, span))
}

fn labels(meta: &ParseNestedMeta<'_>) -> Result<Vec<LitStr>> {
    let mut labels = Vec::new();
    words::list(meta, |input| {
        labels.push(input.parse()?);
        Ok(())
    })?;
    Ok(labels)
}
