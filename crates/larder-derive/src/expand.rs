//! The code that the macro writes.
//!
//! Guards that what only types can tell (whether a key may be NULL, whether a default fits) is an
//! error of the compiler at the field that it is about.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Error, Path, Result, spanned::Spanned as _};

use crate::{
    input::{ColumnInput, ModelInput},
    literal::Literal,
};

/// The implementation of `Model`, or the errors that say why there is none.
pub(crate) fn derive(input: TokenStream, default_crate: &str) -> TokenStream {
    expand(input, default_crate).unwrap_or_else(Error::into_compile_error)
}

fn expand(input: TokenStream, default_crate: &str) -> Result<TokenStream> {
    let model = ModelInput::parse(syn::parse2::<DeriveInput>(input)?)?;
    let krate = match model.krate {
        Some(path) => path,
        None => syn::parse_str(default_crate)?,
    };
    let ident = &model.ident;
    let name = ident.to_string();
    let table = &model.table;
    let columns = model.columns.iter().map(|column| column_model(&krate, column));
    let checks = model.columns.iter().map(|column| checks(&krate, column));
    Ok(quote! {
        #[automatically_derived]
        impl #krate::Model for #ident {
            fn entry() -> &'static #krate::ModelEntry {
                #(#checks)*
                const COLUMNS: &[#krate::ColumnModel] = &[#(#columns),*];
                static ENTRY: #krate::ModelEntry = #krate::ModelEntry::new(
                    #name,
                    #krate::TableModel::from_static(
                        #krate::Identifier::from_static(#table),
                        COLUMNS,
                    ),
                );
                &ENTRY
            }
        }
    })
}

fn column_model(krate: &Path, column: &ColumnInput) -> TokenStream {
    let ColumnInput { name, ty, .. } = column;
    let default = match &column.default {
        Some(literal) => {
            let value = default_value(krate, literal);
            quote!(::core::option::Option::Some(#value))
        }
        None => quote!(::core::option::Option::None),
    };
    let key = column.key.then(|| quote!(.with_key()));
    let unique = column.unique.then(|| quote!(.with_unique()));
    // With the field's own span, a type that no column can hold is marked where it stands.
    let of = quote_spanned!(ty.span()=> of::<#ty>);
    quote! {
        #krate::ColumnModel::#of(#krate::Identifier::from_static(#name), #default) #key #unique
    }
}

fn checks(krate: &Path, column: &ColumnInput) -> TokenStream {
    let ty = &column.ty;
    let column_type = quote!(<#ty as #krate::ColumnType>);
    let key = column.key.then(|| {
        quote_spanned! {ty.span()=>
            const _: () = ::core::assert!(
                !#column_type::NULLABLE,
                "a key column can not be optional",
            );
        }
    });
    let default = column.default.as_ref().map(|literal| {
        let value = default_value(krate, literal);
        quote_spanned! {ty.span()=>
            const _: () = {
                const DEFAULT: &#krate::DefaultValue = &#value;
                ::core::assert!(
                    DEFAULT.fits(#column_type::KIND),
                    "the default does not fit the field's type",
                );
            };
        }
    });
    quote!(#key #default)
}

fn default_value(krate: &Path, literal: &Literal) -> TokenStream {
    let borrowed = quote!(::std::borrow::Cow::Borrowed);
    match literal {
        Literal::Blob(bytes) => {
            let bytes = proc_macro2::Literal::byte_string(bytes);
            quote!(#krate::DefaultValue::Blob(#borrowed(#bytes)))
        }
        Literal::Boolean(value) => quote!(#krate::DefaultValue::Boolean(#value)),
        Literal::Number(digits) => quote!(#krate::DefaultValue::Number(#borrowed(#digits))),
        Literal::Text(text) => quote!(#krate::DefaultValue::Text(#borrowed(#text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(input: TokenStream) -> String {
        derive(input, "::larder_model").to_string().replace(' ', "")
    }

    #[test]
    fn every_attribute_reaches_the_column() {
        let code = expanded(quote! {
            #[model(table = "airline")]
            struct Airline { #[model(key, unique, default = "1", rename = "no")] id: i64 }
        });
        assert!(code.contains(
            "::larder_model::ColumnModel::of::<i64>(::larder_model::Identifier::from_static(\"no\"),\
             ::core::option::Option::Some(::larder_model::DefaultValue::Number(\
             ::std::borrow::Cow::Borrowed(\"1\")))).with_key().with_unique()"
        ));
        assert!(code.contains("from_static(\"airline\"),COLUMNS"));
        assert!(code.contains("a key column can not be optional".replace(' ', "").as_str()));
        assert!(code.contains("impl::larder_model::ModelforAirline"));
    }

    #[test]
    fn the_crate_can_be_elsewhere() {
        let input = quote!(
            #[model(crate = "my::model")]
            struct A {
                a: i64,
            }
        );
        assert!(expanded(input).contains("implmy::model::ModelforA"));
        let facade = derive(
            quote!(
                struct A {
                    a: i64,
                }
            ),
            "::larder::model",
        )
        .to_string();
        assert!(facade.replace(' ', "").contains("impl::larder::model::ModelforA"));
    }

    #[test]
    fn an_error_becomes_an_error_of_the_compiler() {
        assert!(
            expanded(quote!(
                enum E {
                    A,
                }
            ))
            .contains("compile_error!")
        );
        assert!(
            expanded(quote!(
                fn f() {}
            ))
            .contains("compile_error!")
        );
    }
}
