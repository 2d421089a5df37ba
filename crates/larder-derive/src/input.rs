//! The struct that the macro was given, understood.
//!
//! Guards that every error that the text alone can show is found here, all of them at once, each
//! at the place where it is.

use proc_macro2::{Ident, Span};
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprLit, Field, Fields, Lit, LitStr, Meta, Path,
    Result, Type, ext::IdentExt as _, punctuated::Punctuated, spanned::Spanned as _, token::Comma,
};

use crate::{
    checks,
    column_type::TypeInput,
    errors::Errors,
    field_attributes::{DefaultInput, FieldAttributes},
    name,
    table_attributes::{CheckInput, ForeignKeyInput, IndexInput, TableAttributes},
    words::Comment,
};

/// MySQL's and MariaDB's limit of a comment, in characters.
const COMMENT_MAX: usize = 1_024;

/// A struct that can be a model.
pub(crate) struct ModelInput {
    pub(crate) ident: Ident,
    pub(crate) krate: Option<Path>,
    pub(crate) schema: Option<LitStr>,
    pub(crate) table: String,
    pub(crate) comment: Option<String>,
    pub(crate) renamed_from: Option<LitStr>,
    /// At least one.
    pub(crate) columns: Vec<ColumnInput>,
    /// The list of key columns, if the struct has one.
    pub(crate) key: Option<Vec<LitStr>>,
    /// Those of the struct; fields say of themselves that they are unique.
    pub(crate) uniques: Vec<Vec<LitStr>>,
    pub(crate) indexes: Vec<IndexInput>,
    pub(crate) foreign_keys: Vec<ForeignKeyInput>,
    pub(crate) checks: Vec<CheckInput>,
}

/// A field that is a column.
pub(crate) struct ColumnInput {
    pub(crate) name: String,
    /// Where the name stands.
    pub(crate) span: Span,
    pub(crate) ty: Type,
    pub(crate) narrowed: TypeInput,
    pub(crate) key: bool,
    pub(crate) unique: bool,
    pub(crate) auto_increment: bool,
    pub(crate) collation: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) default: Option<DefaultInput>,
    pub(crate) generated: Option<String>,
    pub(crate) renamed_from: Option<LitStr>,
}

impl ModelInput {
    pub(crate) fn parse(input: DeriveInput) -> Result<Self> {
        if !input.generics.params.is_empty() {
            let message = "a model has no parameters: one struct is one table";
            return Err(Error::new(input.generics.span(), message));
        }
        let fields = named_fields(input.data, &input.ident)?;
        let mut errors = Errors::default();
        let attributes = errors.take(TableAttributes::parse(&input.attrs)).unwrap_or_default();
        let comment = comment(&input.attrs, attributes.comment);
        let mut model = Self {
            table: errors.take(table(&input.ident, attributes.table)).unwrap_or_default(),
            comment: errors.take(comment).flatten(),
            ident: input.ident,
            krate: attributes.krate,
            schema: attributes.schema,
            renamed_from: attributes.renamed_from,
            columns: Vec::new(),
            key: attributes.key,
            uniques: attributes.uniques,
            indexes: attributes.indexes,
            foreign_keys: attributes.foreign_keys,
            checks: attributes.checks,
        };
        for field in fields {
            if let Err(error) = model.field(field) {
                errors.push(error);
            }
        }
        // What names columns is judged once all of them are understood.
        if errors.is_empty() {
            checks::check(&model, &mut errors);
        }
        errors.or(model)
    }

    /// Adds the column of a field, unless it is skipped.
    fn field(&mut self, field: Field) -> Result<()> {
        let attributes = FieldAttributes::parse(&field.attrs)?;
        // The fields of a struct with named fields have names.
        let Some(ident) = field.ident.filter(|_| attributes.skip.is_none()) else {
            return Ok(());
        };
        let name = attributes.rename.unwrap_or_else(|| {
            let name = ident.unraw().to_string();
            LitStr::new(&name, ident.span())
        });
        if let Some(objection) = name::objection(&name.value()) {
            return Err(Error::new(name.span(), objection));
        }
        let again = || LitStr::new(&name.value(), name.span());
        if let Some(span) = attributes.index {
            self.indexes.push(IndexInput::over(again(), span));
        }
        if let Some((target, span)) = attributes.references {
            self.foreign_keys.push(ForeignKeyInput {
                span,
                columns: vec![again()],
                target,
                on_delete: attributes.on_delete.map(|(action, _)| action),
                on_update: attributes.on_update.map(|(action, _)| action),
            });
        }
        let type_name = || format!("{}_{}", self.table, name.value());
        let narrowed = TypeInput::of(attributes.ty, type_name)?;
        if let Some((DefaultInput::Value(literal), span)) = &attributes.default
            && let Some(objection) = narrowed.objection(literal)
        {
            return Err(Error::new(*span, objection));
        }
        self.add(ColumnInput {
            name: name.value(),
            span: name.span(),
            ty: field.ty,
            narrowed,
            key: attributes.key.is_some(),
            unique: attributes.unique.is_some(),
            auto_increment: attributes.auto_increment.is_some(),
            collation: attributes.collation.map(|collation| collation.value()),
            comment: comment(&field.attrs, attributes.comment)?,
            default: attributes.default.map(|(default, _)| default),
            generated: attributes.generated.map(|generated| generated.value()),
            renamed_from: attributes.renamed_from,
        })
    }

    fn add(&mut self, column: ColumnInput) -> Result<()> {
        let is_alike = |first: &&ColumnInput| name::is_alike(&first.name, &column.name);
        if let Some(first) = self.columns.iter().find(is_alike) {
            let message = format!("there is a column {:?} already", first.name);
            return Err(Error::new(column.span, message));
        }
        self.columns.push(column);
        Ok(())
    }

    /// The column of exactly this name.
    pub(crate) fn column(&self, name: &str) -> Option<&ColumnInput> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The names of the key's columns in its order.
    pub(crate) fn key(&self) -> Vec<String> {
        match &self.key {
            Some(names) => names.iter().map(LitStr::value).collect(),
            None => {
                let keys = self.columns.iter().filter(|column| column.key);
                keys.map(|column| column.name.clone()).collect()
            }
        }
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

/// The name that the struct says, or its own in snake case.
fn table(ident: &Ident, said: Option<LitStr>) -> Result<String> {
    let (table, span) = match said {
        Some(said) => (said.value(), said.span()),
        None => (name::snake_case(&ident.unraw().to_string()), ident.span()),
    };
    match name::table_objection(&table) {
        Some(objection) => Err(Error::new(span, objection)),
        None => Ok(table),
    }
}

/// The comment that is said, or the first paragraph of the docs if it is said to come from there.
fn comment(attributes: &[Attribute], said: Option<Comment>) -> Result<Option<String>> {
    let (comment, span) = match said {
        None => return Ok(None),
        Some(Comment::Text(text)) => (text.value(), text.span()),
        Some(Comment::Docs(span)) => (first_paragraph(attributes), span),
    };
    if comment.is_empty() {
        return Err(Error::new(span, "there are no docs to take the comment from"));
    }
    if comment.chars().count() > COMMENT_MAX || comment.contains('\0') {
        return Err(Error::new(span, "a comment has at most 1024 characters, and no NUL"));
    }
    Ok(Some(comment))
}

/// The lines of the docs up to the first empty one, with a blank between them.
fn first_paragraph(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    let text: Vec<_> = attributes.iter().filter_map(line).collect();
    let text = text.join("\n");
    let lines = text.lines().map(str::trim).skip_while(|line| line.is_empty());
    let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests;
