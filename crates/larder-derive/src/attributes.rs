//! What stands in `#[model(…)]`.
//!
//! Guards that an attribute which means nothing where it stands is an error at its own place.

use syn::{Attribute, Error, LitStr, Path, Result, meta::ParseNestedMeta};

use crate::{literal, literal::Literal, name};

/// The attributes of the struct.
#[derive(Default)]
pub(crate) struct TableAttributes {
    pub(crate) krate: Option<Path>,
    pub(crate) table: Option<String>,
}

/// The attributes of a field.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) default: Option<Literal>,
    pub(crate) key: bool,
    pub(crate) rename: Option<LitStr>,
    pub(crate) skip: bool,
    pub(crate) unique: bool,
}

impl TableAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self::default();
        each(attributes, |meta| {
            if meta.path.is_ident("table") {
                let table = name_of(meta)?.value();
                once(meta, parsed.table.replace(table).is_none())
            } else if meta.path.is_ident("crate") {
                let path = meta.value()?.parse::<LitStr>()?.parse()?;
                once(meta, parsed.krate.replace(path).is_none())
            } else {
                Err(meta.error("a struct takes `table = \"…\"` and `crate = \"…\"`"))
            }
        })?;
        Ok(parsed)
    }
}

impl FieldAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self::default();
        let mut others = false;
        each(attributes, |meta| {
            let is = |name| meta.path.is_ident(name);
            others |= !is("skip");
            if is("skip") {
                once(meta, !std::mem::replace(&mut parsed.skip, true))?;
            } else if is("key") {
                once(meta, !std::mem::replace(&mut parsed.key, true))?;
            } else if is("unique") {
                once(meta, !std::mem::replace(&mut parsed.unique, true))?;
            } else if is("rename") {
                once(meta, parsed.rename.replace(name_of(meta)?).is_none())?;
            } else if is("default") {
                once(meta, parsed.default.replace(default_of(meta)?).is_none())?;
            } else {
                return Err(meta.error(
                    "a field takes `key`, `unique`, `skip`, `default = \"…\"` and `rename = \"…\"`",
                ));
            }
            if parsed.skip && others {
                return Err(meta.error("a field that is skipped has no column"));
            }
            Ok(())
        })?;
        Ok(parsed)
    }
}

/// Calls `logic` for everything within every `#[model(…)]`.
fn each(
    attributes: &[Attribute],
    mut logic: impl FnMut(&ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    let ours = attributes.iter().filter(|attribute| attribute.path().is_ident("model"));
    ours.map(|attribute| attribute.parse_nested_meta(|meta| logic(&meta)))
        .reduce(|one, other| match (one, other) {
            (Err(mut one), Err(other)) => {
                one.combine(other);
                Err(one)
            }
            (one, other) => one.and(other),
        })
        .unwrap_or(Ok(()))
}

fn once(meta: &ParseNestedMeta<'_>, is_first: bool) -> Result<()> {
    if is_first { Ok(()) } else { Err(meta.error("this was said before")) }
}

fn name_of(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    let text: LitStr = meta.value()?.parse()?;
    match name::objection(&text.value()) {
        Some(objection) => Err(Error::new(text.span(), objection)),
        None => Ok(text),
    }
}

fn default_of(meta: &ParseNestedMeta<'_>) -> Result<Literal> {
    let text: LitStr = meta.value()?.parse()?;
    literal::parse(&text.value()).map_err(|objection| Error::new(text.span(), objection))
}
