//! Filling an empty database with the sample.

use larder::{Database, Params, query::RowLimit};

use super::{
    checksum::Checksum,
    dialect::{Dialect, Kind},
    generate::{Generator, Rows},
    spec::Spec,
    tables,
};
use crate::{demo::progress::Progress, failure::Failure};

/// Rows for each statement: enough that the statement's own cost disappears, and with nine
/// columns far below SQLite's limit of 32,766 parameters, which is the lowest of all.
const ROWS_PER_STATEMENT: u64 = 400;

/// Makes tables, rows and indexes. Returns the rows' checksum.
///
/// The table that tells of the origin is made first and filled last, so that what was interrupted
/// is known for a sample, and for an incomplete one.
pub(super) async fn fill(
    database: &Database,
    dialect: Dialect,
    spec: Spec,
    progress: &mut Progress,
) -> Result<Checksum, Failure> {
    let none = Params::new();
    let generator = Generator::new(spec);
    let tables = generator.tables();
    let total = tables.iter().map(Rows::total).sum();
    let (mut checksum, mut done) = (Checksum::new(), 0);
    database.execute(&tables::create_origin(dialect), &none).await?;
    for mut rows in tables {
        database.execute(&rows.table.create(dialect), &none).await?;
        let mut transaction = database.begin().await?;
        loop {
            let mut params = Params::new();
            let added = rows.fill(ROWS_PER_STATEMENT, &mut params);
            if added == 0 {
                break;
            }
            checksum.add(&params);
            transaction.execute(&rows.table.insert(dialect, added), &params).await?;
            done += added;
            progress.draw(done, total);
        }
        transaction.commit().await?;
    }
    for statement in tables::indexes(dialect) {
        // MySQL answers with rows to some of them.
        database.fetch(&statement, &none, RowLimit::All).await?;
    }
    let mut origin = Params::new();
    origin.bind(Spec::VERSION).bind(spec.seed.to_string()).bind(i64::from(spec.bookings));
    origin.bind(checksum.text());
    let places: Vec<_> = (1..=4).map(|number| dialect.parameter(number, Kind::Integer)).collect();
    let insert = format!("INSERT INTO {} VALUES ({})", tables::origin(dialect), places.join(", "));
    database.execute(&insert, &origin).await?;
    Ok(checksum)
}
