//! Deterministic functions that every dialect brings along.

/// Alphabetical.
#[rustfmt::skip]
pub(super) const DETERMINISTIC: &[&str] = &[
    "abs", "acos", "asin", "atan", "atan2", "avg", "ceil", "ceiling", "coalesce", "cos", "count",
    "cume_dist", "degrees", "dense_rank", "exp", "first_value", "floor", "lag", "last_value",
    "lead", "length", "ln", "log", "log10", "lower", "ltrim", "max", "min", "mod", "nth_value",
    "ntile", "nullif", "percent_rank", "pi", "pow", "power", "radians", "rank", "replace", "round",
    "row_number", "rtrim", "sign", "sin", "sqrt", "substr", "substring", "sum", "tan", "trim",
    "upper",
];
