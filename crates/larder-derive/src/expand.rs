//! The code that the macro writes.
//!
//! Guards that what only types can tell (whether a key may be NULL, whether a default fits) is an
//! error of the compiler at the field that it is about.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Error, LitStr, Path, Result, ext::IdentExt as _, spanned::Spanned as _};

use crate::{
    column_type::TypeInput,
    field_attributes::{DefaultInput, NativeInput},
    input::{ColumnInput, ModelInput},
    literal::Literal,
    questions::questions,
    table_attributes::{CheckInput, ForeignKeyInput, IndexInput, PartInput, TermInput},
    words::Action,
};

/// The implementation of `Model`, or the errors that say why there is none.
pub(crate) fn derive(input: TokenStream, default_crate: &str) -> TokenStream {
    expand(input, default_crate).unwrap_or_else(Error::into_compile_error)
}

fn expand(input: TokenStream, default_crate: &str) -> Result<TokenStream> {
    let mut model = ModelInput::parse(syn::parse2::<DeriveInput>(input)?)?;
    let krate = match model.krate.take() {
        Some(path) => path,
        None => syn::parse_str(default_crate)?,
    };
    let writer = Writer { krate: &krate };
    let ident = &model.ident;
    let name = ident.unraw().to_string();
    let questions = questions(&krate, &model);
    let table = writer.table(&model);
    Ok(quote! {
        #[automatically_derived]
        impl #krate::Model for #ident {
            fn entry() -> &'static #krate::ModelEntry {
                #questions
                static ENTRY: #krate::ModelEntry = #krate::ModelEntry::new(#name, || {
                    #krate::derive::built(#name, #table)
                });
                &ENTRY
            }
        }

        #krate::register_model!(#ident);
    })
}

/// Writes expressions with the paths of the crate that they are for.
struct Writer<'a> {
    krate: &'a Path,
}

impl Writer<'_> {
    fn table(&self, model: &ModelInput) -> TokenStream {
        let krate = self.krate;
        let name = self.name(&model.table);
        let schema = model.schema.as_ref().map(|schema| {
            let schema = self.name(&schema.value());
            quote!(.schema(#schema))
        });
        let columns = model.columns.iter().map(|column| self.column(column));
        let key = model.key.as_ref().map(|key| {
            let key = self.names(key);
            quote!(.key(#key))
        });
        let uniques = model.uniques.iter().map(|unique| self.names(unique));
        let indexes = model.indexes.iter().map(|index| self.index(index));
        let foreign_keys = model.foreign_keys.iter().map(|key| self.foreign_key(key));
        let checks = model.checks.iter().map(|check| self.check(check));
        let comment = model.comment.as_ref().map(|comment| quote!(.comment(#comment)));
        let renamed_from = self.renamed_from(model.renamed_from.as_ref(), "renamed_from");
        quote! {
            #krate::TableModel::builder(#name)
                #schema
                #(.column(#columns))*
                #key
                #(.unique(#uniques))*
                #(.index(#indexes))*
                #(.foreign_key(#foreign_keys))*
                #(.check(#checks))*
                #comment
                #renamed_from
                .build()
        }
    }

    fn column(&self, column: &ColumnInput) -> TokenStream {
        let krate = self.krate;
        let ty = &column.ty;
        let name = self.name(&column.name);
        // With the field's own span, a type that no column can hold is marked where it stands.
        let of = quote_spanned!(ty.span()=> of::<#ty>);
        let narrowed = self.data_type(column).map(|data_type| quote!(.with_type(#data_type)));
        let key = column.key.then(|| quote!(.with_key()));
        let unique = column.unique.then(|| quote!(.with_unique()));
        let auto_increment = column.auto_increment.then(|| quote!(.with_auto_increment()));
        let default = column.default.as_ref().map(|default| {
            let default = self.default(default);
            quote!(.with_default(#default))
        });
        let generated = column.generated.as_ref().map(|sql| quote!(.with_generated(#sql)));
        let collation = column.collation.as_ref().map(|name| quote!(.with_collation(#name)));
        let comment = column.comment.as_ref().map(|comment| quote!(.with_comment(#comment)));
        let renamed_from = self.renamed_from(column.renamed_from.as_ref(), "with_renamed_from");
        quote! {
            #krate::ColumnModel::#of(#name) #narrowed #key #unique #auto_increment #default
                #generated #collation #comment #renamed_from
        }
    }

    fn data_type(&self, column: &ColumnInput) -> Option<TokenStream> {
        let krate = self.krate;
        let ty = &column.ty;
        let data_type = quote!(#krate::DataType);
        let kind = quote!(<#ty as #krate::ColumnType>::KIND);
        Some(match &column.narrowed {
            TypeInput::Char(length) => quote!(#data_type::Char { length: #length }),
            TypeInput::Decimal { precision, scale } => {
                quote!(#data_type::Decimal { precision: #precision, scale: #scale })
            }
            TypeInput::Enum { name, labels, .. } => {
                let name = self.name(name);
                quote! {
                    #data_type::Enum {
                        name: #name,
                        labels: ::std::vec![#(::std::string::String::from(#labels)),*],
                    }
                }
            }
            TypeInput::Kind => return None,
            TypeInput::Native(NativeInput { mysql, postgres, sqlite }) => {
                let [mysql, postgres, sqlite] = [mysql, postgres, sqlite].map(optional_text);
                quote! {
                    #data_type::Native {
                        kind: #kind,
                        mysql: #mysql,
                        postgres: #postgres,
                        sqlite: #sqlite,
                    }
                }
            }
            TypeInput::Temporal(digits) => {
                quote!(#data_type::Temporal { kind: #kind, digits: #digits })
            }
            TypeInput::Varchar(length) => quote!(#data_type::Varchar { length: #length }),
        })
    }

    fn default(&self, default: &DefaultInput) -> TokenStream {
        let krate = self.krate;
        match default {
            DefaultInput::Now => quote!(#krate::DefaultModel::Now),
            DefaultInput::Sql(sql) => {
                quote!(#krate::DefaultModel::Sql(::std::borrow::Cow::Borrowed(#sql)))
            }
            DefaultInput::Value(literal) => default_value(krate, literal),
        }
    }

    fn index(&self, index: &IndexInput) -> TokenStream {
        let krate = self.krate;
        let parts = index.parts.iter().map(|part| self.part(part));
        let name = index.name.as_ref().map(|name| {
            let name = self.name(&name.value());
            quote!(.with_name(#name))
        });
        let unique = index.unique.then(|| quote!(.with_unique()));
        let predicate = index.predicate.as_ref().map(|sql| quote!(.with_predicate(#sql)));
        let method = index.method.as_ref().map(|method| quote!(.with_method(#method)));
        quote! {
            #krate::IndexModel::of_parts(::std::vec![#(#parts),*])
                #name #unique #predicate #method
        }
    }

    fn part(&self, part: &PartInput) -> TokenStream {
        let krate = self.krate;
        let descending = part.descending.then(|| quote!(.descending()));
        let of = match &part.of {
            TermInput::Column(name) => {
                let name = self.name(&name.value());
                quote!(column(#name))
            }
            TermInput::Expression(sql) => quote!(expression(#sql)),
        };
        quote!(#krate::IndexPartModel::#of #descending)
    }

    fn foreign_key(&self, key: &ForeignKeyInput) -> TokenStream {
        let krate = self.krate;
        let columns = self.names(&key.columns);
        let target = self.name(&key.target.table);
        let target_columns = key.target.columns.iter().map(|name| self.name(name));
        let schema = key.target.schema.as_ref().map(|schema| {
            let schema = self.name(schema);
            quote!(.with_target_schema(#schema))
        });
        let on_delete = key.on_delete.map(|action| {
            let action = self.action(action);
            quote!(.with_on_delete(#action))
        });
        let on_update = key.on_update.map(|action| {
            let action = self.action(action);
            quote!(.with_on_update(#action))
        });
        quote! {
            #krate::ForeignKeyModel::over(#columns, #target, ::std::vec![#(#target_columns),*])
                #schema #on_delete #on_update
        }
    }

    fn action(&self, action: Action) -> TokenStream {
        let krate = self.krate;
        let variant = match action {
            Action::Cascade => quote!(Cascade),
            Action::NoAction => quote!(NoAction),
            Action::Restrict => quote!(Restrict),
            Action::SetDefault => quote!(SetDefault),
            Action::SetNull => quote!(SetNull),
        };
        quote!(#krate::ReferentialAction::#variant)
    }

    fn check(&self, check: &CheckInput) -> TokenStream {
        let krate = self.krate;
        let sql = &check.sql;
        let name = match &check.name {
            Some(name) => {
                let name = self.name(&name.value());
                quote!(::core::option::Option::Some(#name))
            }
            None => quote!(::core::option::Option::None),
        };
        quote! {
            #krate::CheckModel { name: #name, expression: ::std::string::String::from(#sql) }
        }
    }

    fn renamed_from(&self, before: Option<&LitStr>, method: &str) -> Option<TokenStream> {
        let before = self.name(&before?.value());
        let method = proc_macro2::Ident::new(method, proc_macro2::Span::call_site());
        Some(quote!(.#method(#before)))
    }

    /// The compiler looks at the name again: it is a constant.
    fn name(&self, name: &str) -> TokenStream {
        let krate = self.krate;
        quote!(const { #krate::Identifier::from_static(#name) })
    }

    fn names(&self, names: &[LitStr]) -> TokenStream {
        let names = names.iter().map(|name| self.name(&name.value()));
        quote!(::std::vec![#(#names),*])
    }
}

fn optional_text(text: &Option<LitStr>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(::std::string::String::from(#text))),
        None => quote!(::core::option::Option::None),
    }
}

/// The constant, borrowed from the program.
pub(crate) fn default_value(krate: &Path, literal: &Literal) -> TokenStream {
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
mod tests;
