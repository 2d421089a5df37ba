//! How the words within `#[model(…)]` are read.
//!
//! Guards that a word which was said twice, or that has what it can not have, is an error at its
//! own place.

use proc_macro2::Span;
use syn::{
    Attribute, Error, LitInt, LitStr, Result, Token,
    ext::IdentExt as _,
    meta::ParseNestedMeta,
    parenthesized,
    parse::ParseStream,
    spanned::Spanned as _,
    token::{Comma, Paren},
};

use crate::{name, reference, reference::Reference};

/// What happens when a reference's target goes or changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "these are the words of SQL")]
pub(crate) enum Action {
    Cascade,
    NoAction,
    Restrict,
    SetDefault,
    SetNull,
}

/// Where a comment comes from.
pub(crate) enum Comment {
    /// From the docs of what it is said of.
    Docs(Span),
    Text(LitStr),
}

/// Calls `logic` for every word within every `#[model(…)]`.
pub(crate) fn each(
    attributes: &[Attribute],
    mut logic: impl FnMut(&str, &ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    let mut errors = crate::errors::Errors::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("model")) {
        let parsed = attribute.parse_nested_meta(|meta| {
            let word = meta.path.get_ident().map(|word| word.unraw().to_string());
            logic(&word.unwrap_or_default(), &meta)
        });
        errors.take(parsed);
    }
    errors.or(())
}

/// Keeps the first value and refuses a second one.
pub(crate) fn once<T>(span: Span, slot: &mut Option<T>, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(span, "this was said before")),
    }
}

/// A word that stands alone.
pub(crate) fn flag(meta: &ParseNestedMeta<'_>, slot: &mut Option<Span>) -> Result<()> {
    if meta.input.peek(Token![=]) || meta.input.peek(Paren) {
        return Err(meta.error("this word stands alone here"));
    }
    once(meta.path.span(), slot, meta.path.span())
}

/// A name.
pub(crate) fn name(meta: &ParseNestedMeta<'_>, slot: &mut Option<LitStr>) -> Result<()> {
    once(meta.path.span(), slot, checked_name(meta.value()?)?)
}

/// A text that is not empty.
pub(crate) fn text(meta: &ParseNestedMeta<'_>, slot: &mut Option<LitStr>) -> Result<()> {
    once(meta.path.span(), slot, checked_text(meta.value()?)?)
}

/// A number and its place.
pub(crate) fn number(meta: &ParseNestedMeta<'_>, slot: &mut Option<LitInt>) -> Result<()> {
    once(meta.path.span(), slot, meta.value()?.parse()?)
}

/// `comment = "…"`, or `comment` for that of the docs.
pub(crate) fn comment(meta: &ParseNestedMeta<'_>, slot: &mut Option<Comment>) -> Result<()> {
    let comment = match meta.input.peek(Token![=]) {
        true => Comment::Text(checked_text(meta.value()?)?),
        false => Comment::Docs(meta.path.span()),
    };
    once(meta.path.span(), slot, comment)
}

/// What a reference refers to, with the place where it says so.
pub(crate) fn reference(input: ParseStream<'_>) -> Result<(Reference, Span)> {
    input.parse::<Token![=]>()?;
    let text: LitStr = input.parse()?;
    Ok((reference::parse(&text)?, text.span()))
}

/// `= "cascade"`.
pub(crate) fn action(input: ParseStream<'_>) -> Result<Action> {
    input.parse::<Token![=]>()?;
    let text: LitStr = input.parse()?;
    match text.value().to_ascii_lowercase().as_str() {
        "cascade" => Ok(Action::Cascade),
        "no action" => Ok(Action::NoAction),
        "restrict" => Ok(Action::Restrict),
        "set default" => Ok(Action::SetDefault),
        "set null" => Ok(Action::SetNull),
        _ => Err(Error::new(
            text.span(),
            "an action is `cascade`, `no action`, `restrict`, `set default` or `set null`",
        )),
    }
}

/// `("a", "b")`, at least one.
pub(crate) fn names(meta: &ParseNestedMeta<'_>) -> Result<Vec<LitStr>> {
    let mut names = Vec::new();
    list(meta, |input| {
        names.push(checked_name(input)?);
        Ok(())
    })?;
    Ok(names)
}

/// What stands in parentheses with commas between, at least one.
pub(crate) fn list(
    meta: &ParseNestedMeta<'_>,
    mut item: impl FnMut(ParseStream<'_>) -> Result<()>,
) -> Result<()> {
    let content;
    parenthesized!(content in meta.input);
    if content.is_empty() {
        return Err(meta.error("there is nothing in the parentheses"));
    }
    while !content.is_empty() {
        item(&content)?;
        if !content.is_empty() {
            content.parse::<Comma>()?;
        }
    }
    Ok(())
}

pub(crate) fn checked_name(input: ParseStream<'_>) -> Result<LitStr> {
    let text: LitStr = input.parse()?;
    match name::objection(&text.value()) {
        Some(objection) => Err(Error::new(text.span(), objection)),
        None => Ok(text),
    }
}

pub(crate) fn checked_text(input: ParseStream<'_>) -> Result<LitStr> {
    let text: LitStr = input.parse()?;
    let value = text.value();
    if value.trim().is_empty() || value.contains('\0') {
        return Err(Error::new(text.span(), "this can neither be empty nor contain a NUL"));
    }
    Ok(text)
}
