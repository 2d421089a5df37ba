#![doc = include_str!("../README.md")]

mod checks;
mod column_type;
mod embed;
mod errors;
mod expand;
mod field_attributes;
mod input;
mod literal;
mod name;
mod questions;
mod reference;
mod table_attributes;
mod words;

use proc_macro::TokenStream;

/// Implements `Model` for a struct with named fields; the attributes are in the crate's docs.
#[proc_macro_derive(Model, attributes(model))]
pub fn model(input: TokenStream) -> TokenStream {
    expand::derive(input.into(), "::larder_model").into()
}

/// The same for those who know `larder-model` as `larder::model` only.
#[doc(hidden)]
#[proc_macro_derive(FacadeModel, attributes(model))]
pub fn facade_model(input: TokenStream) -> TokenStream {
    expand::derive(input.into(), "::larder::model").into()
}

/// What `larder_migrate::embed_migrations!` is made of.
#[doc(hidden)]
#[proc_macro]
pub fn __embed_files(input: TokenStream) -> TokenStream {
    embed::embed(input.into()).into()
}
