//! The type of a column as far as the text of the attributes decides it.
//!
//! Guards that a modifier which no database has, or a default that it leaves no room for, is an
//! error where it stands. Whether it goes with the field's type, the compiler says.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use proc_macro2::Span;
use syn::{Error, LitInt, LitStr, Result};

use crate::{
    field_attributes::{NativeInput, TypeWords},
    literal::Literal,
    name,
};

/// How a column's type is narrowed.
pub(crate) enum TypeInput {
    Char(u32),
    Decimal { precision: u16, scale: u16 },
    Enum { name: String, labels: Vec<String>, span: Span },
    Kind,
    Native(NativeInput),
    Temporal(u8),
    Varchar(u32),
}

impl TypeInput {
    /// `default_name` is that of an enumerated type which says none.
    pub(crate) fn of(words: TypeWords, default_name: impl FnOnce() -> String) -> Result<Self> {
        let TypeWords { digits, enum_name, fixed_length, labels, length, native, precision, scale } =
            words;
        let mut chosen = None;
        if let Some(length) = length {
            let length = (Self::Varchar(in_range(&length, 1..=16_383)?), length.span());
            one_of(&mut chosen, length)?;
        }
        if let Some(length) = fixed_length {
            let length = (Self::Char(in_range(&length, 1..=255)?), length.span());
            one_of(&mut chosen, length)?;
        }
        if let Some(digits) = digits {
            one_of(&mut chosen, (Self::Temporal(in_range(&digits, 0..=6)?), digits.span()))?;
        }
        match (precision, scale) {
            (Some(precision), scale) => one_of(&mut chosen, decimal(&precision, scale)?)?,
            (None, Some(scale)) => {
                return Err(Error::new(scale.span(), "`scale` needs `precision`"));
            }
            (None, None) => {}
        }
        match (labels, enum_name) {
            (Some((labels, span)), enum_name) => {
                let name = enum_name.map_or_else(default_name, |name| name.value());
                one_of(&mut chosen, (enumeration(name, &labels, span)?, span))?;
            }
            (None, Some(name)) => {
                return Err(Error::new(name.span(), "`enum_name` needs `labels`"));
            }
            (None, None) => {}
        }
        if let Some((native, span)) = native {
            one_of(&mut chosen, (Self::Native(native), span))?;
        }
        Ok(chosen.map_or(Self::Kind, |(ty, _)| ty))
    }

    /// Why the constant is too large for the type, if it is.
    pub(crate) fn objection(&self, default: &Literal) -> Option<&'static str> {
        match (self, default) {
            (Self::Char(length) | Self::Varchar(length), Literal::Text(text)) => {
                let is_longer = u32::try_from(text.chars().count()).is_ok_and(|it| it > *length);
                is_longer.then_some("the default is longer than the column")
            }
            (Self::Decimal { precision, scale }, Literal::Number(number)) => {
                let (whole, fraction) = digits_of(number);
                let fits =
                    whole <= usize::from(precision - scale) && fraction <= usize::from(*scale);
                (!fits).then_some("the default has more digits than the column")
            }
            (Self::Enum { labels, .. }, Literal::Text(text)) => {
                (!labels.contains(text)).then_some("the default is none of the labels")
            }
            (Self::Temporal(digits), Literal::Text(text)) => {
                let fraction = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
                (fraction > usize::from(*digits))
                    .then_some("the default has more digits than the column")
            }
            _ => None,
        }
    }
}

fn one_of(chosen: &mut Option<(TypeInput, Span)>, other: (TypeInput, Span)) -> Result<()> {
    let span = other.1;
    match chosen.replace(other) {
        None => Ok(()),
        Some(_) => Err(Error::new(
            span,
            "a column has one type: `length`, `fixed_length`, `digits`, `precision`, `labels` \
             and `native` exclude each other",
        )),
    }
}

fn decimal(precision: &LitInt, scale: Option<LitInt>) -> Result<(TypeInput, Span)> {
    let digits = in_range(precision, 1..=65)?;
    let scale = match scale {
        Some(scale) => in_range(&scale, 0..=digits.min(30))?,
        None => 0,
    };
    Ok((TypeInput::Decimal { precision: digits, scale }, precision.span()))
}

fn enumeration(name: String, labels: &[LitStr], span: Span) -> Result<TypeInput> {
    if let Some(objection) = name::objection(&name) {
        return Err(Error::new(span, format!("{objection}: say `enum_name = \"…\"`")));
    }
    let mut kept: Vec<String> = Vec::new();
    for label in labels {
        let value = label.value();
        let is_alike = |other: &String| other.to_lowercase() == value.to_lowercase();
        let objection = if value.is_empty() || value.len() > 63 {
            "a label has from 1 to 63 bytes"
        } else if value.contains(['\0', ',']) || value.ends_with(' ') {
            "a label can neither contain a NUL or a comma nor end with a blank"
        } else if kept.iter().any(is_alike) {
            "this label is there already; case does not count"
        } else {
            kept.push(value);
            continue;
        };
        return Err(Error::new(label.span(), objection));
    }
    Ok(TypeInput::Enum { name, labels: kept, span })
}

fn in_range<T>(literal: &LitInt, range: RangeInclusive<T>) -> Result<T>
where
    T: Copy + FromStr<Err: fmt::Display> + PartialOrd + fmt::Display,
{
    let (least, most) = (*range.start(), *range.end());
    literal.base10_parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        Error::new(literal.span(), format!("this is a number from {least} to {most}"))
    })
}

/// How many digits a number has before and behind the point; a zero before it does not count.
fn digits_of(number: &str) -> (usize, usize) {
    let unsigned = number.strip_prefix('-').unwrap_or(number);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    (whole.trim_start_matches('0').len(), fraction.len())
}
