//! What the macro writes.

use super::*;

fn expanded(input: TokenStream) -> String {
    derive(input, "::larder_model").to_string().replace(' ', "")
}

#[track_caller]
fn contains(code: &str, parts: &[&str]) {
    for part in parts {
        assert!(code.contains(&part.replace([' ', '\n'], "")), "{part} in {code}");
    }
}

#[test]
fn every_attribute_of_a_field_reaches_its_column() {
    let code = expanded(quote! {
        struct Airline {
            #[model(key, auto_increment, rename = "no", renamed_from = "number")]
            id: i64,
            #[model(unique, default = "'LH'", fixed_length = 2, collation = "C")]
            iata: String,
            #[model(default = now, digits = 3)]
            founded: Time,
            #[model(default_sql = "random()", comment = "luck")]
            luck: f64,
            #[model(generated = "lower(name)", length = 20)]
            lower: String,
            #[model(precision = 10, scale = 2)]
            price: Decimal,
            #[model(labels("a", "b"))]
            fare: String,
            #[model(native(postgres = "citext", sqlite = "TEXT"))]
            name: String,
            #[model(skip)]
            cached: Cache,
        }
    });
    let name =
        |name: &str| format!("(const {{ ::larder_model::Identifier::from_static(\"{name}\") }})");
    contains(
        &code,
        &[
            "impl ::larder_model::Model for Airline",
            "::larder_model::register_model!(Airline);",
            &format!("::larder_model::TableModel::builder{}", name("airline")),
            &format!(
                "::larder_model::ColumnModel::of::<i64>{}.with_key().with_auto_increment()\
             .with_renamed_from{}",
                name("no"),
                name("number"),
            ),
            ".with_type(::larder_model::DataType::Char { length: 2u32 }).with_unique()\
         .with_default(::larder_model::DefaultValue::Text(::std::borrow::Cow::Borrowed(\"LH\")))\
         .with_collation(\"C\")",
            "::larder_model::DataType::Temporal { kind: \
         <Time as ::larder_model::ColumnType>::KIND, digits: 3u8 }",
            ".with_default(::larder_model::DefaultModel::Now)",
            ".with_default(::larder_model::DefaultModel::Sql(\
         ::std::borrow::Cow::Borrowed(\"random()\"))).with_comment(\"luck\")",
            "::larder_model::DataType::Varchar { length: 20u32 }).with_generated(\"lower(name)\")",
            "::larder_model::DataType::Decimal { precision: 10u16, scale: 2u16 }",
            "::larder_model::DataType::Enum { name: const { \
         ::larder_model::Identifier::from_static(\"airline_fare\") }, labels: ::std::vec![\
         ::std::string::String::from(\"a\"), ::std::string::String::from(\"b\")], }",
            "mysql: ::core::option::Option::None, postgres: ::core::option::Option::Some(\
         ::std::string::String::from(\"citext\")), sqlite: ::core::option::Option::Some(",
        ],
    );
    assert!(!code.contains("cached") && !code.contains("Cache>"), "{code}");
}

#[test]
fn every_attribute_of_the_struct_reaches_the_table() {
    let code = expanded(quote! {
        #[model(table = "leg", schema = "app", comment = "legs", renamed_from = "flight")]
        #[model(key("flight", "no"), unique("no", "flight"), check = "no > 0")]
        #[model(index("no", desc("flight"), desc(expression("no + 1")),
            name = "i", unique, where = "no < 9", method = "btree"))]
        #[model(foreign_key("flight", "no", references = "app.flight(id, no)",
            on_delete = "CASCADE", on_update = "set default"))]
        #[model(check("no < 9", name = "few"))]
        struct FlightLeg {
            flight: i64,
            #[model(index, references = "number(no)", on_delete = "restrict")]
            no: i32,
        }
    });
    let name =
        |name: &str| format!("const {{ ::larder_model::Identifier::from_static(\"{name}\") }}");
    let (flight, no) = (name("flight"), name("no"));
    contains(
        &code,
        &[
            &format!(".schema({})", name("app")),
            &format!(".key(::std::vec![{flight}, {no}])"),
            &format!(".unique(::std::vec![{no}, {flight}])"),
            &format!(
                ".index(::larder_model::IndexModel::of_parts(::std::vec![\
             ::larder_model::IndexPartModel::column({no}), \
             ::larder_model::IndexPartModel::column({flight}).descending(), \
             ::larder_model::IndexPartModel::expression(\"no + 1\").descending()])\
             .with_name({}).with_unique().with_predicate(\"no < 9\").with_method(\"btree\"))",
                name("i"),
            ),
            &format!(
                ".index(::larder_model::IndexModel::of_parts(::std::vec![\
             ::larder_model::IndexPartModel::column({no})]))"
            ),
            &format!(
                ".foreign_key(::larder_model::ForeignKeyModel::over(::std::vec![{flight}, {no}], \
             {flight}, ::std::vec![{}, {no}]).with_target_schema({})\
             .with_on_delete(::larder_model::ReferentialAction::Cascade)\
             .with_on_update(::larder_model::ReferentialAction::SetDefault))",
                name("id"),
                name("app"),
            ),
            &format!(
                "::larder_model::ForeignKeyModel::over(::std::vec![{no}], {}, ::std::vec![{no}])\
             .with_on_delete(::larder_model::ReferentialAction::Restrict)",
                name("number"),
            ),
            ".check(::larder_model::CheckModel { name: ::core::option::Option::None, \
         expression: ::std::string::String::from(\"no > 0\") })",
            &format!("name: ::core::option::Option::Some({})", name("few")),
            ".comment(\"legs\")",
            &format!(".renamed_from({flight})"),
        ],
    );
}

#[test]
fn what_only_types_can_tell_is_asked() {
    let code = expanded(quote! {
        struct A {
            #[model(key, auto_increment)]
            id: I,
            #[model(default = "1")]
            n: N,
            #[model(references = "a(id)", on_delete = "set null")]
            parent: P,
        }
    });
    contains(
        &code,
        &[
            "assert!(!<I as ::larder_model::ColumnType>::NULLABLE, ",
            "assert!(::larder_model::derive::is_integer(<I as ::larder_model::ColumnType>::KIND), ",
            "::larder_model::derive::fits(DEFAULT, <N as ::larder_model::ColumnType>::KIND)",
            "assert!(<P as ::larder_model::ColumnType>::NULLABLE, ",
            "::larder_model::derive::is_same(<P as ::larder_model::ColumnType>::KIND, \
         <I as ::larder_model::ColumnType>::KIND)",
        ],
    );
}

#[test]
fn the_crate_can_be_elsewhere() {
    let input = quote! {
        #[model(crate = "my::model")]
        struct A { a: i64 }
    };
    let code = expanded(input);
    contains(&code, &["impl my::model::Model for A", "my::model::register_model!(A);"]);
    assert!(!code.contains("larder"), "{code}");
    let input = quote! {
        struct A { a: i64 }
    };
    let code = derive(input, "::larder::model").to_string().replace(' ', "");
    contains(&code, &["impl ::larder::model::Model for A"]);
}

#[test]
fn an_error_becomes_an_error_of_the_compiler() {
    let no_struct = quote! {
        enum E { A }
    };
    assert!(expanded(no_struct).contains("compile_error!"));
    let no_type = quote! {
        fn f() {}
    };
    assert!(expanded(no_type).contains("compile_error!"));
}
