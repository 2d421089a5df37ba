//! Files of SQL as a part of the program.
//!
//! Invariant: what gets into the program of a file is its path within the folder and its text. The
//! place of the folder is known to the compiler only, through `include_str!`, which also makes
//! cargo build again when a file changes.

use std::{fs, io, path::Path};

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Error, LitStr, Result, Token,
    parse::{Parse, ParseStream},
};

/// The crate that has the type of the files, and the folder.
struct Input {
    krate: TokenStream,
    folder: LitStr,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        // `$crate` arrives as one token, and keeps its meaning only as that token.
        let krate = input.parse::<proc_macro2::TokenTree>()?.into();
        input.parse::<Token![,]>()?;
        Ok(Self { krate, folder: input.parse()? })
    }
}

/// A slice of all files of SQL in the folder and one level below, in the order of their paths.
pub(crate) fn embed(input: TokenStream) -> TokenStream {
    let expanded = syn::parse2(input).and_then(|input| {
        // Cargo sets it for whoever is compiled, and the compiler is where this runs.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
        expand(&input, Path::new(&manifest))
    });
    expanded.unwrap_or_else(Error::into_compile_error)
}

fn expand(input: &Input, manifest: &Path) -> Result<TokenStream> {
    let folder = input.folder.value();
    let at = |message: String| Error::new(input.folder.span(), message);
    if Path::new(&folder).is_absolute() {
        return Err(at("the folder is relative to the crate's manifest".to_owned()));
    }
    let paths = sql_files(&manifest.join(&folder))
        .map_err(|error| at(format!("the folder {folder:?} can not be read: {error}")))?;
    if paths.is_empty() {
        return Err(at(format!("the folder {folder:?} has no file of SQL")));
    }
    let krate = &input.krate;
    let files = paths.iter().map(|path| {
        let from_manifest = LitStr::new(&format!("/{folder}/{path}"), Span::call_site());
        quote! {
            #krate::EmbeddedFile {
                path: #path,
                text: ::core::include_str!(::core::concat!(
                    ::core::env!("CARGO_MANIFEST_DIR"),
                    #from_manifest
                )),
            }
        }
    });
    Ok(quote! {{
        const FILES: &[#krate::EmbeddedFile] = &[#(#files),*];
        FILES
    }})
}

fn sql_files(folder: &Path) -> io::Result<Vec<String>> {
    let mut paths = Vec::new();
    for (name, is_folder) in entries(folder)? {
        if is_folder {
            let inner =
                entries(&folder.join(&name))?.into_iter().filter(|(_, is_folder)| !is_folder);
            paths.extend(inner.map(|(inner, _)| format!("{name}/{inner}")));
        } else {
            paths.push(name);
        }
    }
    paths.retain(|path| path.ends_with(".sql"));
    paths.sort();
    Ok(paths)
}

/// What does not begin with a dot, and whether it is a folder.
fn entries(folder: &Path) -> io::Result<Vec<(String, bool)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|name| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{} is not UTF-8", name.display()))
        })?;
        if !name.starts_with('.') {
            entries.push((name, fs::metadata(entry.path())?.is_dir()));
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(folder: &str) -> std::result::Result<String, String> {
        let input =
            Input { krate: quote!(larder_migrate), folder: LitStr::new(folder, Span::call_site()) };
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        expand(&input, manifest).map(|tokens| tokens.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_folder_that_is_not_there_or_has_no_sql_is_an_error() {
        let missing = expanded("migrations").unwrap_err();
        assert!(missing.starts_with("the folder \"migrations\" can not be read: "), "{missing}");
        assert_eq!(expanded("src").unwrap_err(), "the folder \"src\" has no file of SQL");
        let absolute = expanded(env!("CARGO_MANIFEST_DIR")).unwrap_err();
        assert_eq!(absolute, "the folder is relative to the crate's manifest");
    }

    #[test]
    fn what_is_expanded_names_no_place_of_this_machine() {
        let expanded = expanded("../larder-migrate/tests/files/folder").unwrap();
        assert!(expanded.contains("1_airline.sql"), "{expanded}");
        assert!(!expanded.contains(env!("CARGO_MANIFEST_DIR")), "{expanded}");
    }
}
