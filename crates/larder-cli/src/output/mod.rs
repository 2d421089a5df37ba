//! How answers and figures are shown.

mod color;
mod csv;
pub(crate) mod escape;
mod table;
mod units;

pub(crate) use color::{Paint, wants_color};
pub(crate) use csv::write_csv;
pub(crate) use table::{Align, Cell, Look, Table};
pub(crate) use units::{bytes, count, counted, factor, latency, share};
