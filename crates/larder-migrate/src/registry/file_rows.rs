//! Rows of files: what the history needs for them beyond what it has for models.
//!
//! Invariant: a file that runs again stands at the end of the history, where it ran.

use crate::{
    MigrateError, MigrationRow, Param, Session,
    registry::{Fields, Registry, RegistryTable, placeholder},
};

const HISTORY: RegistryTable = RegistryTable::Migrations;

impl Registry {
    /// Writes a file's row at the end of the history, in the place of the one that it may have.
    pub(crate) async fn put_file(
        &self,
        session: &mut dyn Session,
        row: &MigrationRow,
    ) -> Result<(), MigrateError> {
        let one = placeholder(self.dialect(), 1);
        let sql = format!(
            "DELETE FROM {} WHERE version = {one} AND engine_version IS NOT NULL",
            self.table(HISTORY)
        );
        let deleted = session.execute(&sql, &[Param::Text(&row.version)]).await;
        deleted.map_err(MigrateError::session("write into the history"))?;
        self.insert_migration(session, row).await
    }

    /// Gives a file's row another checksum.
    pub(crate) async fn put_file_checksum(
        &self,
        session: &mut dyn Session,
        version: &str,
        checksum: &str,
    ) -> Result<(), MigrateError> {
        // What the narrow column has belongs to the version, and is no checksum by itself.
        let column = if self.shape.is_history_narrow() { "checksum_full" } else { "checksum" };
        let key = Fields::new(self.dialect()).text("version", version);
        let fields = Fields::new(self.dialect()).text(column, checksum);
        let (sql, params) = fields.update(&self.table(HISTORY), &key);
        let sql = format!("{sql} AND engine_version IS NOT NULL");
        let written = session.execute(&sql, &params).await;
        written.map_err(MigrateError::session("write into the history"))?;
        Ok(())
    }
}
