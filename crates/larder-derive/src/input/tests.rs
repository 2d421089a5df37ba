//! What is understood of a struct, and what is told to whoever wrote it.

use syn::parse_quote;

use super::*;
use crate::literal::Literal;

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

/// The beginning of the one error of the input.
#[track_caller]
fn check_start(input: DeriveInput, expected: &str) {
    let error = ModelInput::parse(input).err().expect("an error");
    assert!(error.to_string().starts_with(expected), "{error}");
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
    let default = model.columns[3].default.as_ref();
    assert!(matches!(default, Some(DefaultInput::Value(Literal::Boolean(true)))));
}

#[test]
fn several_keys_make_one_composite_key() {
    let model = parse(parse_quote! {
        #[model(table = "leg; DROP TABLE x--")]
        struct Leg { #[model(key)] flight: i64, #[model(key)] number: i32 }
    });
    assert_eq!(model.table, "leg; DROP TABLE x--");
    assert_eq!(model.key(), ["flight", "number"]);
    let model = parse(parse_quote! {
        #[model(key("number", "flight"))]
        struct Leg { flight: i64, #[model(key)] number: i32 }
    });
    assert_eq!(model.key(), ["number", "flight"]);
}

#[test]
fn a_comment_is_said_or_taken_from_the_docs() {
    let model = parse(parse_quote! {
        /// Companies that
        /// fly.
        ///
        /// And more of them.
        #[model(comment)]
        struct Airline {
            /// Not for the database.
            id: i64,
            #[model(comment = "two letters")]
            iata: String,
        }
    });
    assert_eq!(model.comment.as_deref(), Some("Companies that fly."));
    assert_eq!(model.columns[0].comment, None);
    assert_eq!(model.columns[1].comment.as_deref(), Some("two letters"));
    let none = "there are no docs to take the comment from";
    check(parse_quote! { struct S { #[model(comment)] a: i64 } }, &[none]);
    let long = format!("{:>1025}", "x");
    let most = "a comment has at most 1024 characters, and no NUL";
    check(parse_quote! { struct S { #[model(comment = #long)] a: i64 } }, &[most]);
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
    let computed = "a table without columns that a row could fill: all are computed";
    check(parse_quote! { struct S { #[model(generated = "1")] a: i64 } }, &[computed]);
}

#[test]
fn names_that_no_database_has_are_refused() {
    let reserved = "SQLite keeps tables whose names begin with `sqlite_` to itself";
    check(parse_quote! { #[model(table = "sqlite_x")] struct S { a: i64 } }, &[reserved]);
    check(parse_quote! { struct SqliteStat { a: i64 } }, &[reserved]);
    let long = "a".repeat(64);
    let message = "a name of 64 bytes is longer than 63 bytes";
    check(parse_quote! { #[model(schema = #long)] struct S { a: i64 } }, &[message]);
    let first = "there is a column \"a\" already";
    check(parse_quote! { struct S { a: i64, #[model(rename = "A")] b: i64 } }, &[first]);
    let type_name = format!("{message}: say `enum_name = \"…\"`");
    let (table, field) = ("t".repeat(50), "c".repeat(13));
    let labels: DeriveInput = parse_quote! {
        #[model(table = #table)]
        struct S { #[model(labels("x"), rename = #field)] a: String }
    };
    check(labels, &[&type_name]);
}

#[test]
fn attributes_that_mean_nothing_are_refused() {
    check_start(
        parse_quote! { struct S { #[model(primary_key)] a: i64 } },
        "a field takes `auto_increment`, `collation`, ",
    );
    check_start(
        parse_quote! { #[model(length = 1)] struct S { a: i64 } },
        "a struct takes `check`, `comment`, ",
    );
    let alone = "this word stands alone here";
    check(parse_quote! { struct S { #[model(key = "a")] a: i64 } }, &[alone]);
    check(parse_quote! { struct S { #[model(unique("a"))] a: i64 } }, &[alone]);
    let twice = "this was said before";
    check(parse_quote! { struct S { #[model(key, key)] a: i64 } }, &[twice]);
    check(parse_quote! { #[model(table = "a", table = "b")] struct S { a: i64 } }, &[twice]);
    check(
        parse_quote! { struct S { #[model(default = now, default_sql = "x")] a: i64 } },
        &[twice],
    );
    let skipped = "a field that is skipped has no column";
    check(parse_quote! { struct S { b: i64, #[model(skip, key)] a: i64 } }, &[skipped]);
    check(parse_quote! { struct S { b: i64, #[model(key)] #[model(skip)] a: i64 } }, &[skipped]);
}

#[test]
fn words_that_contradict_each_other_are_refused() {
    let field = |attributes: proc_macro2::TokenStream, message: &str| {
        check(parse_quote! { struct S { b: i64, #[model(#attributes)] a: i64 } }, &[message]);
    };
    use quote::quote;
    let computed = "a column that is computed has no default";
    field(quote!(generated = "b", default = "1"), computed);
    field(quote!(key, auto_increment, default = "1"), "a column that is numbered has no default");
    let computed = "a column that is computed can neither be numbered nor be in the key";
    field(quote!(generated = "b", key), computed);
    field(quote!(generated = "b", auto_increment), computed);
    field(quote!(labels("a"), collation = "C"), "labels have no collation");
    let action = "an action needs `references = \"table(column)\"`";
    field(quote!(on_delete = "cascade"), action);
    field(quote!(references = "t(x, y)"), "one column refers to one column");
    let types = "a column has one type: `length`, `fixed_length`, `digits`, `precision`, \
                 `labels` and `native` exclude each other";
    field(quote!(length = 1, digits = 1), types);
    field(quote!(native(mysql = "x"), labels("a")), types);
    field(quote!(scale = 1), "`scale` needs `precision`");
    field(quote!(enum_name = "e"), "`enum_name` needs `labels`");
    field(quote!(auto_increment), "a column that is numbered is the whole key: say `key` too");
    field(quote!(key, unique), "the whole key is unique anyway");
}

#[test]
fn modifiers_and_defaults_are_within_their_ranges() {
    let field = |attributes: proc_macro2::TokenStream, message: &str| {
        check(parse_quote! { struct S { #[model(#attributes)] a: i64 } }, &[message]);
    };
    use quote::quote;
    field(quote!(length = 0), "this is a number from 1 to 16383");
    field(quote!(length = 99999999999), "this is a number from 1 to 16383");
    field(quote!(fixed_length = 256), "this is a number from 1 to 255");
    field(quote!(digits = 7), "this is a number from 0 to 6");
    field(quote!(precision = 66), "this is a number from 1 to 65");
    field(quote!(precision = 5, scale = 6), "this is a number from 0 to 5");
    field(quote!(precision = 65, scale = 31), "this is a number from 0 to 30");
    field(quote!(labels()), "there is nothing in the parentheses");
    field(quote!(labels("")), "a label has from 1 to 63 bytes");
    let label = "a label can neither contain a NUL or a comma nor end with a blank";
    field(quote!(labels("a,b")), label);
    field(quote!(labels("a ")), label);
    field(quote!(labels("é", "É")), "this label is there already; case does not count");
    field(quote!(length = 2, default = "'äöü'"), "the default is longer than the column");
    let digits = "the default has more digits than the column";
    field(quote!(precision = 3, scale = 1, default = "123.4"), digits);
    field(quote!(precision = 3, scale = 1, default = "1.25"), digits);
    field(quote!(digits = 1, default = "'12:00:00.25'"), digits);
    field(quote!(labels("a"), default = "'A'"), "the default is none of the labels");
    field(quote!(default = never), "a default is a constant in quotes, or `now`");
    field(quote!(generated = " "), "this can neither be empty nor contain a NUL");
    field(
        quote!(native(oracle = "NUMBER")),
        "a native type is one of `mysql`, `postgres` or `sqlite`",
    );
    parse(parse_quote! {
        struct S {
            #[model(length = 3, default = "'äöü'")] a: String,
            #[model(precision = 3, scale = 1, default = "-99.9")] b: Decimal,
            #[model(digits = 0, default = "'12:00:00'")] c: Time,
            #[model(labels("a"), default = "'a'")] d: String,
        }
    });
}

#[test]
fn lists_name_columns_that_are_there() {
    let table = |attributes: proc_macro2::TokenStream, messages: &[&str]| {
        check(
            parse_quote! {
                #[model(#attributes)]
                struct T { #[model(rename = "x")] a: i64, b: i64, #[model(generated = "b")] c: i64 }
            },
            messages,
        );
    };
    use quote::quote;
    let unknown = "there is no column \"a\"";
    let twice = "this column is named here already";
    table(quote!(key("a")), &[unknown]);
    table(quote!(unique("b", "a")), &[unknown]);
    table(quote!(index("b", desc("a"))), &[unknown]);
    table(quote!(foreign_key("a", references = "u(id)")), &[unknown]);
    table(quote!(index("B")), &["there is no column \"B\", but one named \"b\""]);
    table(quote!(key("b", "b")), &[twice]);
    table(quote!(unique("b", "b")), &[twice]);
    table(quote!(index("b", desc("b"))), &[twice]);
    table(quote!(foreign_key("b", "b", references = "u(x, y)")), &[twice]);
    table(quote!(key("c")), &["a column that is computed can not be in the key"]);
    table(quote!(key("b"), unique("b")), &["the whole key is unique anyway"]);
    let known = "these columns were said to be unique before";
    table(quote!(unique("b"), unique("b")), &[known]);
    table(quote!(unique()), &["there is nothing in the parentheses"]);
    let flagged: DeriveInput = parse_quote! {
        #[model(key("b"))]
        struct T { #[model(key)] a: i64, b: i64 }
    };
    check(flagged, &["the list of the key's columns lacks this one"]);
    let numbered: DeriveInput = parse_quote! {
        #[model(key("a", "b"))]
        struct T { #[model(auto_increment)] a: i64, b: i64 }
    };
    check(numbered, &["a column that is numbered is the whole key: say `key` too"]);
}

#[test]
fn lists_have_a_limit() {
    let names: Vec<_> = (0..17).map(|number| format!("c{number}")).collect();
    let fields: Vec<_> = names.iter().map(|name| Ident::new(name, Span::call_site())).collect();
    let most = "at most 16 columns stand together";
    check(parse_quote! { #[model(key(#(#names),*))] struct T { #(#fields: i64),* } }, &[most]);
    let keys: DeriveInput = parse_quote! { struct T { #(#[model(key)] #fields: i64),* } };
    check(keys, &["a key has at most 16 columns"]);
    let expressions: DeriveInput = parse_quote! {
        #[model(index(#(expression(#names)),*))]
        struct T { #(#fields: i64),* }
    };
    check(expressions, &["an index has at most 16 parts"]);
    let many = (0..1_018).map(|number| Ident::new(&format!("c{number}"), Span::call_site()));
    check(parse_quote! { struct T { #(#many: i64),* } }, &["a table has at most 1017 columns"]);
}

#[test]
fn indexes_are_told_apart() {
    let table = |attributes: proc_macro2::TokenStream, message: &str| {
        check_start(parse_quote! { #[model(#attributes)] struct T { a: i64, b: i64 } }, message);
    };
    use quote::quote;
    table(quote!(index(name = "T", "a")), "this is the name of the table");
    let name = "there is an index of this name already";
    table(quote!(index("a", name = "i"), index("b", name = "I")), name);
    let columns = "there is an index over these columns already: give one a name";
    table(quote!(index("a"), index(desc("a"), unique)), columns);
    table(quote!(index(unique)), "an index is over one column at least, or an expression");
    table(quote!(index()), "there is nothing in the parentheses");
    table(quote!(index("a", using = "gin")), "an index takes columns, `desc(…)`, ");
    table(quote!(index("a", asc("b"))), "a part of an index is a column, ");
    table(quote!(index(desc(desc("a")))), "this was said before");
    table(quote!(index(desc("a", "b"))), "one part stands here alone");
    table(quote!(index("a", method = "gin; x")), "a method is one word, such as `gin`");
    table(quote!(index("a", unique, unique)), "this was said before");
    parse(parse_quote! {
        #[model(index("a", "b"), index(expression("lower(a)")), index("a", name = "other"))]
        struct T { #[model(index)] a: String, b: i64 }
    });
}

#[test]
fn references_lead_somewhere() {
    let table = |attributes: proc_macro2::TokenStream, message: &str| {
        check_start(
            parse_quote! {
                #[model(#attributes)]
                struct T { #[model(key)] a: i64, b: i64, #[model(generated = "b")] c: i64 }
            },
            message,
        );
    };
    use quote::quote;
    let missing = "`references = \"table(column)\"` is missing";
    table(quote!(foreign_key("b")), missing);
    table(quote!(foreign_key("b", references = "u(x, y)")), "1 columns refer to 2");
    table(quote!(foreign_key("b", references = "u")), "a reference is `table(column)` or");
    let action = "an action is `cascade`, `no action`, ";
    table(quote!(foreign_key("b", references = "u(x)", on_delete = "none")), action);
    table(quote!(foreign_key("b", to = "u(x)")), "a foreign key takes columns, ");
    let twice = quote! {
        foreign_key("b", references = "u(x)"),
        foreign_key("b", references = "u(x)", on_delete = "cascade")
    };
    table(twice, "this reference is there already");
    let repeats = "a reference names a column of its target twice";
    table(quote!(foreign_key("a", "b", references = "u(x, x)")), repeats);
    let computed = "this action would change a column that is computed";
    table(quote!(foreign_key("c", references = "u(x)", on_update = "cascade")), computed);
    table(quote!(foreign_key("c", references = "u(x)", on_delete = "set null")), computed);
    table(quote!(foreign_key("b", references = "t(x)")), "there is no column \"x\"");
    let key = "a reference is to the key of a table, or to columns that are unique";
    table(quote!(foreign_key("a", references = "t(b)")), key);
    table(quote!(index("b", unique, where = "b > 0"), foreign_key("a", references = "t(b)")), key);
    parse(parse_quote! {
        #[model(schema = "s", index("b", "c", unique))]
        #[model(foreign_key("c", "b", references = "t(c, b)"))]
        #[model(foreign_key("c", "b", references = "s.t(b, c)"))]
        #[model(foreign_key("b", references = "other.t(x)"))]
        struct T {
            #[model(key)]
            a: i64,
            #[model(references = "t(a)")]
            b: i64,
            c: i64,
        }
    });
}

#[test]
fn checks_types_and_former_names_are_told_apart() {
    let table = |attributes: proc_macro2::TokenStream, message: &str| {
        check_start(parse_quote! { #[model(#attributes)] struct T { a: i64, b: i64 } }, message);
    };
    use quote::quote;
    table(quote!(check = "a > 0", check = "a > 0"), "this check is there already");
    let name = "there is a check of this name already";
    table(quote!(check("a > 0", name = "c"), check("a > 1", name = "C")), name);
    table(quote!(check(name = "c")), "a check is a condition in SQL");
    table(quote!(check("a", sql = "b")), "a check takes SQL and `name = \"…\"`");
    table(quote!(renamed_from = "t"), "this is the name that the table has");
    let fields = |fields: proc_macro2::TokenStream, message: &str| {
        check(parse_quote! { struct T { #fields } }, &[message]);
    };
    let there = "this is the name of a column that is there";
    fields(quote!(#[model(renamed_from = "b")] a: i64, b: i64), there);
    fields(
        quote!(#[model(renamed_from = "x")] a: i64, #[model(renamed_from = "x")] b: i64),
        "another column was renamed from this one",
    );
    let table_name = "this type would have the name of the table: say `enum_name`";
    fields(quote!(#[model(labels("x"), enum_name = "T")] a: String), table_name);
    let other = "there is another type \"e\" with other labels already";
    let one = quote!(#[model(labels("x"), enum_name = "e")] a: String);
    fields(quote!(#one, #[model(labels("y"), enum_name = "e")] b: String), other);
    parse(parse_quote! { struct T { #one, #[model(labels("x"), enum_name = "e")] b: String } });
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
    check(
        parse_quote! {
            #[model(unique("x"), index("y"))]
            struct S { #[model(auto_increment)] a: i64 }
        },
        &[
            "a column that is numbered is the whole key: say `key` too",
            "there is no column \"x\"",
            "there is no column \"y\"",
        ],
    );
}
