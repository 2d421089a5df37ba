//! Migrations that were begun and are not done.
//!
//! Guards that they can be asked for without the lock, by a role that may only read, and where there
//! is no registry.

use crate::{
    Cell, MigrateError, MigrationRow, MigrationStatus, Param, Session, SessionErrorKind,
    registry::{Names, RegistryTable, placeholder},
};

impl Names {
    /// The migrations of the application's models that failed or did not end, the last one first,
    /// with their plans and nothing that is not needed to judge these. None where there is no
    /// registry that could be read.
    ///
    /// To be called outside of a transaction unless the registry is known to be there: PostgreSQL
    /// ends a transaction in which a table was not found.
    pub(crate) async fn unfinished(
        &self,
        session: &mut dyn Session,
    ) -> Result<Vec<MigrationRow>, MigrateError> {
        use SessionErrorKind::{Permission, UndefinedColumn, UndefinedTable};
        // An older table has one of these words where ours is another one of them.
        let sql = format!(
            "SELECT version, model_name, steps_total, steps_done, started_us, plan_json FROM {} \
             WHERE application_id = {} AND status IN ('failed', 'pending', 'running') \
             AND model_name IS NOT NULL AND plan_json IS NOT NULL AND engine_version IS NOT NULL \
             ORDER BY seq DESC",
            self.quoted(RegistryTable::Migrations),
            placeholder(self.dialect, 1)
        );
        match session.fetch(&sql, &[Param::Text(&self.application)]).await {
            Ok(rows) => Ok(rows.iter().map(|row| decode(row)).collect()),
            Err(error) if matches!(error.kind(), Permission | UndefinedColumn | UndefinedTable) => {
                Ok(Vec::new())
            }
            Err(error) => Err(MigrateError::session("read the history")(error)),
        }
    }
}

fn decode(row: &[Cell]) -> MigrationRow {
    let text = |at: usize| row.get(at).and_then(Cell::as_text).map(str::to_owned);
    let integer = |at: usize| row.get(at).and_then(Cell::as_integer);
    MigrationRow {
        version: text(0).unwrap_or_default(),
        model: text(1),
        status: MigrationStatus::Running,
        steps_total: integer(2).unwrap_or(0),
        steps_done: integer(3).unwrap_or(0),
        started_us: integer(4),
        plan_json: text(5),
        ..MigrationRow::default()
    }
}
