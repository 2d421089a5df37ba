//! Building the sample in a file of its own.

use std::path::Path;

use larder::{Database, DatabaseOptions, Params};

use super::{
    checksum::Checksum,
    generate::{Generator, Rows},
    open::Spec,
    tables,
};
use crate::{demo::progress::Progress, failure::Failure, target::sqlite_url};

/// Rows for each statement: enough that the statement's own cost disappears, and with nine
/// columns far below SQLite's limit of 32,766 parameters.
const ROWS_PER_STATEMENT: u64 = 400;

/// Makes tables, rows and indexes in a new file, and closes it. Returns the rows' checksum.
pub(crate) async fn build(
    path: &Path,
    spec: Spec,
    progress: &mut Progress,
) -> Result<Checksum, Failure> {
    // One connection, so that the settings hold for everything; no log that could stay behind.
    let options = DatabaseOptions::default().with_connections_max(1).with_wal(false);
    let url = sqlite_url(path, "?mode=rwc").parse().map_err(larder::QueryError::from)?;
    let database = Database::connect(&url, &options).await?;
    // The file counts only once it is complete, flushed and renamed.
    database.execute("PRAGMA synchronous = OFF", &Params::new()).await?;
    let checksum = Box::pin(fill(&database, spec, progress)).await;
    database.close().await;
    progress.clear();
    checksum
}

async fn fill(
    database: &Database,
    spec: Spec,
    progress: &mut Progress,
) -> Result<Checksum, Failure> {
    let generator = Generator::new(spec);
    let tables = generator.tables();
    let total = tables.iter().map(Rows::total).sum();
    let (mut checksum, mut done) = (Checksum::new(), 0);
    let mut transaction = database.begin().await?;
    for mut rows in tables {
        transaction.execute(rows.table.create, &Params::new()).await?;
        loop {
            let mut params = Params::new();
            let added = rows.fill(ROWS_PER_STATEMENT, &mut params);
            if added == 0 {
                break;
            }
            checksum.add(&params);
            let statement = insert(rows.table, added);
            transaction.execute(&statement, &params).await?;
            done += added;
            progress.draw(done, total);
        }
    }
    for statement in tables::INDEXES {
        transaction.execute(statement, &Params::new()).await?;
    }
    transaction.execute(tables::ORIGIN, &Params::new()).await?;
    let mut origin = Params::new();
    origin.bind(Spec::VERSION).bind(spec.seed.to_string()).bind(spec.bookings);
    origin.bind(checksum.text());
    transaction.execute("INSERT INTO larder_sample VALUES (?, ?, ?, ?)", &origin).await?;
    transaction.commit().await?;
    Ok(checksum)
}

fn insert(table: &tables::Table, rows: u64) -> String {
    let row = format!("({})", vec!["?"; table.columns].join(","));
    let rows = usize::try_from(rows).unwrap_or_default();
    format!("INSERT INTO {} VALUES {}", table.name, vec![row; rows].join(","))
}
