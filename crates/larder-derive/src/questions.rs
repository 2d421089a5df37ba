//! What the macro asks the compiler about the types of fields.
//!
//! Guards that the answer to each question is an error at the field that it is about: the macro
//! sees the names of types and never what they are.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Path, Type, spanned::Spanned as _};

use crate::{
    column_type::TypeInput,
    expand,
    field_attributes::DefaultInput,
    input::{ColumnInput, ModelInput},
    table_attributes::ForeignKeyInput,
};

/// Every question of a model, as constants that the compiler has to know.
pub(crate) fn questions(krate: &Path, model: &ModelInput) -> TokenStream {
    let asker = Asker { krate };
    let key = model.key();
    let of_columns = model.columns.iter().map(|column| {
        let is_key = key.contains(&column.name);
        asker.of_column(column, is_key)
    });
    let of_references = model.foreign_keys.iter().map(|key| asker.of_reference(model, key));
    quote!(#(#of_columns)* #(#of_references)*)
}

struct Asker<'a> {
    krate: &'a Path,
}

impl Asker<'_> {
    fn of_column(&self, column: &ColumnInput, is_key: bool) -> TokenStream {
        let nullable = self.nullable(&column.ty);
        let key = is_key.then(|| {
            self.question(&column.ty, quote!(!#nullable), "a key column can not be optional")
        });
        let numbered = column
            .auto_increment
            .then(|| self.kind(column, "is_integer", "only an integer can be numbered"));
        let collation = column
            .collation
            .is_some()
            .then(|| self.kind(column, "is_text", "only text has a collation"));
        let narrowed = match column.narrowed {
            TypeInput::Char(_) | TypeInput::Varchar(_) => {
                Some(self.kind(column, "is_text", "only text has a length"))
            }
            TypeInput::Decimal { .. } => {
                let message = "only a decimal number has a precision";
                Some(self.kind(column, "is_decimal", message))
            }
            TypeInput::Enum { .. } => Some(self.kind(column, "is_text", "only text has labels")),
            TypeInput::Temporal(_) => {
                let message = "only times have digits of a second's fraction";
                Some(self.kind(column, "is_temporal", message))
            }
            TypeInput::Kind | TypeInput::Native(_) => None,
        };
        let default = column.default.as_ref().map(|default| self.of_default(column, default));
        quote!(#key #numbered #collation #narrowed #default)
    }

    fn of_default(&self, column: &ColumnInput, default: &DefaultInput) -> TokenStream {
        let krate = self.krate;
        match default {
            DefaultInput::Now => {
                let message = "only a date or a time can be that of the statement";
                self.kind(column, "is_calendar", message)
            }
            DefaultInput::Sql(_) => TokenStream::new(),
            DefaultInput::Value(literal) => {
                let value = expand::default_value(krate, literal);
                let kind = self.kind_of(&column.ty);
                let fits = quote! {{
                    const DEFAULT: &#krate::DefaultValue = &#value;
                    #krate::derive::fits(DEFAULT, #kind)
                }};
                self.question(&column.ty, fits, "the default does not fit the field's type")
            }
        }
    }

    /// Columns that become NULL may be so, and columns that refer to each other are of one kind.
    fn of_reference(&self, model: &ModelInput, key: &ForeignKeyInput) -> TokenStream {
        let krate = self.krate;
        let mut asked = TokenStream::new();
        for (name, target) in key.columns.iter().zip(&key.target.columns) {
            // Every name was looked up before.
            let Some(column) = model.column(&name.value()) else { continue };
            if key.sets_null() {
                let message = "`set null` needs an optional field";
                asked.extend(self.question(&column.ty, self.nullable(&column.ty), message));
            }
            let target = model.column(target).filter(|_| key.is_own(model));
            if let Some(target) = target {
                let [one, other] = [&column.ty, &target.ty].map(|ty| self.kind_of(ty));
                let is_same = quote!(#krate::derive::is_same(#one, #other));
                let message = "a reference is to a field of the same kind";
                asked.extend(self.question(&column.ty, is_same, message));
            }
        }
        asked
    }

    fn kind(&self, column: &ColumnInput, question: &str, message: &str) -> TokenStream {
        let krate = self.krate;
        let kind = self.kind_of(&column.ty);
        let question = proc_macro2::Ident::new(question, proc_macro2::Span::call_site());
        self.question(&column.ty, quote!(#krate::derive::#question(#kind)), message)
    }

    fn question(&self, ty: &Type, condition: TokenStream, message: &str) -> TokenStream {
        quote_spanned!(ty.span()=> const _: () = ::core::assert!(#condition, #message);)
    }

    fn kind_of(&self, ty: &Type) -> TokenStream {
        let krate = self.krate;
        quote!(<#ty as #krate::ColumnType>::KIND)
    }

    fn nullable(&self, ty: &Type) -> TokenStream {
        let krate = self.krate;
        quote!(<#ty as #krate::ColumnType>::NULLABLE)
    }
}
