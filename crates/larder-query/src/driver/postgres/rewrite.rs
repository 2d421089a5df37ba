//! A statement whose parameters are converted by the server.
//!
//! Guards that nothing but placeholders is changed.

use smallvec::SmallVec;

use super::{
    encode::{Fit, own_type},
    scan::Placeholder,
};

/// How each parameter fits; it tells the forms of one statement apart.
pub(super) type Fits = SmallVec<[Fit; 8]>;

/// Whether the statement may stay as it is.
pub(super) fn is_direct(fits: &Fits) -> bool {
    fits.iter().all(|fit| *fit == Fit::Direct)
}

/// Writes the conversions into the text: `$1` becomes `($1::text::inet)`. The names are those of
/// the types that the server inferred.
pub(super) fn rewrite(
    sql: &str,
    placeholders: &[Placeholder],
    fits: &Fits,
    types: &[String],
) -> String {
    let mut text = String::with_capacity(sql.len() + 24 * placeholders.len());
    let mut done = 0;
    for Placeholder { text: place, number } in placeholders {
        let index = number.wrapping_sub(1);
        let conversion = match fits.get(index) {
            None | Some(Fit::Direct) => continue,
            Some(Fit::Own(kind)) => format!("::{}", own_type(*kind)),
            Some(Fit::OwnList(kind)) => format!("::{}[]", own_type(*kind)),
            Some(fit @ (Fit::Text | Fit::Texts)) => {
                let Some(name) = types.get(index) else { continue };
                let list = if *fit == Fit::Texts { "[]" } else { "" };
                format!("::text{list}::{name}")
            }
        };
        text.push_str(sql.get(done..place.start).unwrap_or_default());
        text.push('(');
        text.push_str(sql.get(place.clone()).unwrap_or_default());
        text.push_str(&conversion);
        text.push(')');
        done = place.end;
    }
    text.push_str(sql.get(done..).unwrap_or_default());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ParamType, driver::postgres::scan::scan};

    #[test]
    fn only_placeholders_change() {
        let sql = "SELECT $1, '$2', $2, $3, $1 FROM \"a$1\" WHERE x = $4";
        let fits =
            Fits::from_iter([Fit::Text, Fit::Direct, Fit::OwnList(ParamType::I64), Fit::Texts]);
        let types = ["inet", "text", "int8[]", "my.\"T\"[]"].map(str::to_owned);
        assert_eq!(
            rewrite(sql, &scan(sql).placeholders, &fits, &types),
            "SELECT ($1::text::inet), '$2', $2, ($3::int8[]), ($1::text::inet) FROM \"a$1\" \
             WHERE x = ($4::text[]::my.\"T\"[])"
        );
        assert!(!is_direct(&fits));
    }
}
