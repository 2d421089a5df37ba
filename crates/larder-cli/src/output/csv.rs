//! Rows as comma-separated values.
//!
//! Guards that NULL and the empty text stay two values: NULL is an empty field, the empty text is
//! a pair of quotes.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use larder::{RowSet, Value};

use super::escape;

/// Writes a header and the rows. Names that occur twice are written twice.
///
/// For a terminal, control characters are shown instead of sent; otherwise every byte of a text
/// is written as it is.
///
/// # Source
/// RFC 4180, but for lines that end in a line feed alone.
pub(crate) fn write_csv(out: &mut impl Write, rows: &RowSet, for_terminal: bool) -> io::Result<()> {
    let line = |out: &mut dyn Write, fields: &mut dyn Iterator<Item = String>| {
        for (index, field) in fields.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let field = if for_terminal { escape::controls(&field) } else { Cow::from(&*field) };
            write!(out, "{comma}{field}")?;
        }
        writeln!(out)
    };
    line(out, &mut rows.columns().names().map(quoted))?;
    for row in rows {
        line(out, &mut row.values().iter().map(field))?;
    }
    Ok(())
}

fn field(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) | Value::Json(text) => quoted(text),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use larder::query::Columns;

    use super::*;

    fn csv(for_terminal: bool) -> String {
        let mut rows = RowSet::new(Columns::new([("id", ""), ("id", ""), ("a,b", "")]));
        rows.push(vec![Value::Int(i64::MAX), Value::Null, Value::Text(String::new())]);
        rows.push(vec![Value::Text("\u{1b}\"x\ny\"".into()), Value::Float(0.1), Value::Bool(true)]);
        let mut out = Vec::new();
        write_csv(&mut out, &rows, for_terminal).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn null_differs_from_the_empty_text_and_names_repeat() {
        let expected =
            "id,id,\"a,b\"\n9223372036854775807,,\"\"\n\"\u{1b}\"\"x\ny\"\"\",0.1,true\n";
        assert_eq!(csv(false), expected);
    }

    #[test]
    fn a_terminal_gets_no_control_characters() {
        assert!(csv(true).ends_with("\"\\u{1b}\"\"x\\ny\"\"\",0.1,true\n"));
    }
}
