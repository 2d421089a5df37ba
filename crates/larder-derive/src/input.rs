//! The struct that the macro was given, understood.
//!
//! Guards that every error that the text alone can show is found here, all of them at once, each
//! at the place where it is.

use proc_macro2::{Ident, Span};
use syn::{
    Data, DeriveInput, Error, Field, Fields, Path, Result, Type, ext::IdentExt as _,
    punctuated::Punctuated, spanned::Spanned as _, token::Comma,
};

use crate::{
    attributes::{FieldAttributes, TableAttributes},
    literal::Literal,
    name,
};

/// A struct that can be a model.
pub(crate) struct ModelInput {
    pub(crate) ident: Ident,
    pub(crate) krate: Option<Path>,
    pub(crate) table: String,
    /// At least one.
    pub(crate) columns: Vec<ColumnInput>,
}

/// A field that is a column.
pub(crate) struct ColumnInput {
    pub(crate) name: String,
    /// Where the name stands.
    span: Span,
    pub(crate) ty: Type,
    pub(crate) key: bool,
    pub(crate) unique: bool,
    pub(crate) default: Option<Literal>,
}

impl ModelInput {
    pub(crate) fn parse(input: DeriveInput) -> Result<Self> {
        if !input.generics.params.is_empty() {
            let message = "a model has no parameters: one struct is one table";
            return Err(Error::new(input.generics.span(), message));
        }
        let attributes = TableAttributes::parse(&input.attrs);
        let columns = columns(&input.ident, named_fields(input.data, &input.ident)?);
        let (attributes, columns) = both(attributes, columns)?;
        let table = match attributes.table {
            Some(table) => table,
            None => default_table(&input.ident)?,
        };
        Ok(Self { ident: input.ident, krate: attributes.krate, table, columns })
    }
}

fn named_fields(data: Data, ident: &Ident) -> Result<Punctuated<Field, Comma>> {
    let message = match data {
        Data::Struct(data) => match data.fields {
            Fields::Named(fields) => return Ok(fields.named),
            _ => "a model is a struct with named fields: their names are those of the columns",
        },
        Data::Enum(_) => "an enum is no model: a row has all of its columns at once",
        Data::Union(_) => "a union is no model: a row has all of its columns at once",
    };
    Err(Error::new(ident.span(), message))
}

fn default_table(ident: &Ident) -> Result<String> {
    let table = name::snake_case(&ident.unraw().to_string());
    match name::objection(&table) {
        Some(objection) => Err(Error::new(ident.span(), objection)),
        None => Ok(table),
    }
}

fn columns(ident: &Ident, fields: Punctuated<Field, Comma>) -> Result<Vec<ColumnInput>> {
    let mut columns: Vec<ColumnInput> = Vec::new();
    let mut errors: Option<Error> = None;
    for field in fields {
        let added = column(field).and_then(|column| match column {
            Some(column) => add(&mut columns, column),
            None => Ok(()),
        });
        if let Err(error) = added {
            match &mut errors {
                Some(errors) => errors.combine(error),
                None => errors = Some(error),
            }
        }
    }
    match errors {
        Some(errors) => Err(errors),
        None if columns.is_empty() => {
            Err(Error::new(ident.span(), "a table without columns: no field is left"))
        }
        None => Ok(columns),
    }
}

/// The column of a field, unless it is skipped.
fn column(field: Field) -> Result<Option<ColumnInput>> {
    let attributes = FieldAttributes::parse(&field.attrs)?;
    // The fields of a struct with named fields have names.
    let Some(ident) = field.ident.filter(|_| !attributes.skip) else {
        return Ok(None);
    };
    let (name, span) = match attributes.rename {
        Some(name) => (name.value(), name.span()),
        None => (ident.unraw().to_string(), ident.span()),
    };
    if let Some(objection) = name::objection(&name) {
        return Err(Error::new(span, objection));
    }
    Ok(Some(ColumnInput {
        name,
        span,
        ty: field.ty,
        key: attributes.key,
        unique: attributes.unique,
        default: attributes.default,
    }))
}

/// Databases take names for one that differ in the case of ASCII letters only.
fn add(columns: &mut Vec<ColumnInput>, column: ColumnInput) -> Result<()> {
    if let Some(first) = columns.iter().find(|first| first.name.eq_ignore_ascii_case(&column.name))
    {
        let message = format!("there is a column {:?} already", first.name);
        return Err(Error::new(column.span, message));
    }
    columns.push(column);
    Ok(())
}

fn both<A, B>(one: Result<A>, other: Result<B>) -> Result<(A, B)> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(mut one), Err(other)) => {
            one.combine(other);
            Err(one)
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn parse(input: DeriveInput) -> ModelInput {
        ModelInput::parse(input).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Every error of the input, in the order of their places.
    #[track_caller]
    fn check(input: DeriveInput, expected: &[&str]) {
        let error = ModelInput::parse(input).err().expect("an error");
        let messages: Vec<_> = error.into_iter().map(|error| error.to_string()).collect();
        assert_eq!(messages, expected);
    }

    #[test]
    fn a_struct_is_a_table_and_its_fields_are_columns() {
        let model = parse(parse_quote! {
            struct FlightLeg {
                #[model(key)]
                id: i64,
                #[model(rename = "from", unique)]
                origin: String,
                r#type: Option<u8>,
                #[model(default = "TRUE")]
                #[serde(rename = "isActive")]
                active: bool,
                #[model(skip)]
                cached: std::sync::OnceLock<String>,
            }
        });
        assert_eq!(model.table, "flight_leg");
        let names: Vec<_> = model.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "from", "type", "active"]);
        assert!(model.columns[0].key && model.columns[1].unique && !model.columns[2].unique);
        assert_eq!(model.columns[3].default, Some(Literal::Boolean(true)));
    }

    #[test]
    fn several_keys_make_one_composite_key() {
        let model = parse(parse_quote! {
            #[model(table = "leg; DROP TABLE x--")]
            struct Leg { #[model(key)] flight: i64, #[model(key)] number: i32 }
        });
        assert_eq!(model.table, "leg; DROP TABLE x--");
        assert!(model.columns.iter().all(|column| column.key));
    }

    #[test]
    fn what_is_no_struct_with_named_fields_is_refused() {
        check(
            parse_quote! { enum E { A } },
            &["an enum is no model: a row has all of its columns at once"],
        );
        check(
            parse_quote! { union U { a: u8 } },
            &["a union is no model: a row has all of its columns at once"],
        );
        let named = "a model is a struct with named fields: their names are those of the columns";
        check(parse_quote! { struct T(i64); }, &[named]);
        check(parse_quote! { struct U; }, &[named]);
        let parameters = "a model has no parameters: one struct is one table";
        check(parse_quote! { struct G<T> { a: T } }, &[parameters]);
        check(parse_quote! { struct L<'a> { a: &'a str } }, &[parameters]);
        let empty = "a table without columns: no field is left";
        check(parse_quote! { struct N {} }, &[empty]);
        check(parse_quote! { struct S { #[model(skip)] a: i64 } }, &[empty]);
    }

    #[test]
    fn two_columns_of_one_name_are_refused() {
        check(
            parse_quote! { struct S { a: i64, #[model(rename = "A")] b: i64 } },
            &["there is a column \"a\" already"],
        );
    }

    #[test]
    fn attributes_that_mean_nothing_are_refused() {
        let on_field =
            "a field takes `key`, `unique`, `skip`, `default = \"…\"` and `rename = \"…\"`";
        check(parse_quote! { struct S { #[model(primary_key)] a: i64 } }, &[on_field]);
        check(
            parse_quote! { #[model(key)] struct S { a: i64 } },
            &["a struct takes `table = \"…\"` and `crate = \"…\"`"],
        );
        check(parse_quote! { struct S { #[model(key, key)] a: i64 } }, &["this was said before"]);
        let skipped = "a field that is skipped has no column";
        check(parse_quote! { struct S { b: i64, #[model(skip, key)] a: i64 } }, &[skipped]);
        check(
            parse_quote! { struct S { b: i64, #[model(key)] #[model(skip)] a: i64 } },
            &[skipped],
        );
    }

    #[test]
    fn all_errors_are_told_at_once() {
        check(
            parse_quote! {
                #[model(table = "")]
                struct S {
                    #[model(default = "now()")]
                    a: String,
                    #[model(rename = "x\0")]
                    b: i64,
                }
            },
            &[
                "a name can not be empty",
                "a default is a constant: `TRUE`, `FALSE`, a number such as `-1.50`, `'text'` or \
                 `X'00FF'`",
                "a name can not contain a NUL",
            ],
        );
    }
}
