//! Tables whose columns line up.
//!
//! Guards that widths are those on the screen, for wide characters and coloured cells too.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use super::Paint;

/// A table under construction.
#[derive(Debug)]
pub(crate) struct Table {
    look: Look,
    columns: Vec<(Cell, Align)>,
    rows: Vec<Vec<Cell>>,
}

/// How columns are set apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// By a line, so that it is clear where a value ends.
    Lines,
    /// By space, behind a margin.
    Open,
}

/// To which side a column's cells go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// One cell. Its text has to be free of control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    paint: Paint,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, paint: Paint) -> Self {
        Self { text: text.into(), paint }
    }

    fn width(&self) -> usize {
        self.text.width()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Paint::Plain)
    }
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new<'a>(look: Look, columns: impl IntoIterator<Item = (&'a str, Align)>) -> Self {
        let header = |(text, align)| (Cell::new(text, Paint::Strong), align);
        Self { look, columns: columns.into_iter().map(header).collect(), rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty.
    pub(crate) fn push(&mut self, mut row: Vec<Cell>) {
        row.resize_with(self.columns.len(), || Cell::from(""));
        self.rows.push(row);
    }

    /// Writes header, rule and rows.
    pub(crate) fn write(&self, out: &mut impl Write, color: bool) -> io::Result<()> {
        let widths = self.widths();
        let headers: Vec<_> = self.columns.iter().map(|(header, _)| header.clone()).collect();
        self.write_row(out, &headers, &widths, color)?;
        let (before, after) = Paint::Dim.codes(color);
        writeln!(out, "{before}{}{after}", self.rule(&widths))?;
        for row in &self.rows {
            self.write_row(out, row, &widths, color)?;
        }
        Ok(())
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<_> = self.columns.iter().map(|(header, _)| header.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        widths
    }

    fn rule(&self, widths: &[usize]) -> String {
        let lines: Vec<_> = widths.iter().map(|&width| "─".repeat(width)).collect();
        match self.look {
            Look::Lines => format!("─{}─", lines.join("─┼─")),
            Look::Open => {
                let width = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
                format!("  {}", "─".repeat(width))
            }
        }
    }

    fn write_row(
        &self,
        out: &mut impl Write,
        cells: &[Cell],
        widths: &[usize],
        color: bool,
    ) -> io::Result<()> {
        let (margin, gap) = match self.look {
            Look::Lines => (" ", " │ "),
            Look::Open => ("  ", "  "),
        };
        let mut line = String::from(margin);
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                line.push_str(gap);
            }
            let pad = " ".repeat(widths[index].saturating_sub(cell.width()));
            let shown = cell.paint.show(&cell.text, color);
            match self.columns[index].1 {
                Align::Left => line.extend([shown, pad]),
                Align::Right => line.extend([pad, shown]),
            }
        }
        writeln!(out, "{}", line.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(look: Look, color: bool) -> String {
        let mut table = Table::new(look, [("city", Align::Left), ("n", Align::Right)]);
        table.push(vec!["東京".into(), "1".into()]);
        table.push(vec![Cell::new("Köln", Paint::Dim), "1,000".into()]);
        table.push(vec!["x".into()]);
        let mut out = Vec::new();
        table.write(&mut out, color).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_line_up_whatever_the_characters() {
        assert_eq!(
            written(Look::Lines, false),
            " city │     n\n──────┼───────\n 東京 │     1\n Köln │ 1,000\n x    │\n"
        );
        assert_eq!(
            written(Look::Open, false),
            "  city      n\n  ───────────\n  東京      1\n  Köln  1,000\n  x\n"
        );
    }

    #[test]
    fn colour_does_not_count_as_width() {
        assert!(written(Look::Lines, true).contains(" \u{1b}[2mKöln\u{1b}[0m │ 1,000\n"));
    }

    #[test]
    fn a_table_without_rows_has_a_header() {
        let mut out = Vec::new();
        Table::new(Look::Lines, [("a", Align::Left)]).write(&mut out, false).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), " a\n───\n");
    }
}
