//! SQLite's functions, reviewed against its documentation and the flags of its function list.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, ObjectName, Value, ValueWithSpan,
    Visit as _, Visitor,
};

/// Alphabetical. Date functions are here because [`reads_the_clock`] sees to their arguments.
#[rustfmt::skip]
pub(super) const DETERMINISTIC: &[&str] = &[
    "acosh", "asinh", "atanh", "bm25", "char", "concat", "concat_ws", "cosh", "date", "datetime",
    "format", "generate_series", "glob", "group_concat", "hex", "highlight", "if", "ifnull", "iif",
    "instr", "json", "json_array", "json_array_length", "json_each", "json_error_position",
    "json_extract", "json_group_array", "json_group_object", "json_insert", "json_object",
    "json_patch", "json_pretty", "json_quote", "json_remove", "json_replace", "json_set",
    "json_tree", "json_type", "json_valid", "jsonb", "jsonb_array", "jsonb_each", "jsonb_extract",
    "jsonb_group_array", "jsonb_group_object", "jsonb_insert", "jsonb_object", "jsonb_patch",
    "jsonb_remove", "jsonb_replace", "jsonb_set", "jsonb_tree", "julianday", "like", "likelihood",
    "likely", "log2", "matchinfo", "median", "octet_length", "offsets", "percentile",
    "percentile_cont", "percentile_disc", "printf", "quote", "sinh", "snippet", "soundex",
    "strftime", "string_agg", "tanh", "time", "timediff", "total", "trunc", "typeof", "unhex",
    "unicode", "unistr", "unistr_quote", "unixepoch", "unlikely", "zeroblob",
];

/// Alphabetical.
#[rustfmt::skip]
pub(super) const SESSION: &[&str] = &[
    "changes", "last_insert_rowid", "load_extension", "sqlite_compileoption_get",
    "sqlite_compileoption_used", "sqlite_source_id", "sqlite_version", "total_changes",
];

/// Alphabetical.
#[rustfmt::skip]
pub(super) const VOLATILE: &[&str] = &[
    "current_date", "current_time", "current_timestamp", "random", "randomblob", "sqlite_offset",
];

/// Alphabetical.
pub(super) const WORDS: &[&str] = &["current_date", "current_time", "current_timestamp"];

/// Words that make a date function look at the clock, or at the machine's time zone.
const CLOCK_WORDS: [&str; 5] = ["localtime", "now", "subsec", "subsecond", "utc"];

/// Whether a date function may look at the clock: without a time it does, and a parameter may
/// be bound to `'now'`.
pub(super) fn reads_the_clock(name: &str, arguments: &[FunctionArg]) -> bool {
    let needed = match name {
        "date" | "datetime" | "julianday" | "time" | "unixepoch" => 1,
        "strftime" | "timediff" => 2,
        _ => return false,
    };
    arguments.len() < needed || arguments.iter().any(|argument| !is_fixed(argument))
}

fn is_date_function(name: &ObjectName) -> bool {
    let name = name.to_string().to_ascii_lowercase();
    ["date", "datetime", "julianday", "strftime", "time", "unixepoch"].contains(&&*name)
}

fn is_fixed(argument: &FunctionArg) -> bool {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => expr.visit(&mut Fixed).is_continue(),
        _ => false,
    }
}

/// Breaks at whatever may put a clock word together.
struct Fixed;

impl Fixed {
    fn check(&self, word: &str) -> ControlFlow<()> {
        let word = word.trim();
        if CLOCK_WORDS.iter().any(|clock| clock.eq_ignore_ascii_case(word)) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

impl Visitor for Fixed {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::BinaryOp { op: BinaryOperator::StringConcat, .. } => ControlFlow::Break(()),
            // What a function makes of its arguments may be any word; a date is not.
            Expr::Function(function) if !is_date_function(&function.name) => ControlFlow::Break(()),
            // A quoted name that is no column is a string.
            Expr::Identifier(ident) if ident.quote_style.is_some() => self.check(&ident.value),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
        match &value.value {
            Value::Placeholder(_) => ControlFlow::Break(()),
            other => match other.clone().into_string() {
                Some(text) => self.check(&text),
                None => ControlFlow::Continue(()),
            },
        }
    }
}
