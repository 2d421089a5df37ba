//! SQL as the server prints it, cut to what a description has of it.
//!
//! Guards that parentheses are only taken off if they belong together.

/// An expression without parentheses around it.
pub(super) fn bare(expression: &str) -> &str {
    let mut bare = expression.trim();
    while let Some(inner) = inner(bare) {
        bare = inner.trim();
    }
    bare
}

/// What is between the first parenthesis and the last character, if that one closes it. Within
/// quotes the server prints a quote as two, so that each of them ends and begins a text again.
fn inner(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('(')?.strip_suffix(')')?;
    let (mut depth, mut quote) = (0_usize, None);
    for letter in inside.chars() {
        match (quote, letter) {
            (Some(open), letter) => quote = (open != letter).then_some(open),
            (None, '\'' | '"') => quote = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    Some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parentheses_that_belong_together_come_off() {
        for (printed, expected) in [
            ("(a > 0)", "a > 0"),
            ("((a > 0) AND (b > 0))", "(a > 0) AND (b > 0)"),
            ("(a > 0) AND (b > 0)", "(a > 0) AND (b > 0)"),
            ("(((a + b)))", "a + b"),
            ("lower(a)", "lower(a)"),
            ("flag", "flag"),
            ("(a <> ')('::text)", "a <> ')('::text"),
            ("(a = '''('::text) OR (b = ')'::text)", "(a = '''('::text) OR (b = ')'::text)"),
            ("(\"(\" > 0)", "\"(\" > 0"),
            ("(\")\"\"\" > 0)", "\")\"\"\" > 0"),
        ] {
            assert_eq!(bare(printed), expected, "{printed}");
        }
    }
}
