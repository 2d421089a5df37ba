//! Other tools' histories, taken over.

use std::sync::Arc;

use larder_model::{Dialect, TableName};

use crate::{
    History, HistorySource, Import, ImportError, MigrateError, MigrationFiles, MigrationKind,
    MigrationRow, MigrationStatus, Migrator, Session,
    context::Context,
    files::version_of,
    lock::{Exclusion, Locked},
    match_history, read_history,
    registry::Registry,
};

use super::{FileNote, note::ImportNote, step::file_row};

impl Migrator {
    /// What taking over another tool's history would mean. Takes no lock and writes nothing.
    ///
    /// `table` is needed only if the tool was told to use another one than its own.
    ///
    /// # Errors
    /// [`ImportError::NoHistory`], [`ImportError::Dirty`], and what the database says.
    ///
    /// # Cancel safety
    /// Nothing changes, at whatever point the future is dropped.
    pub async fn plan_import(
        &self,
        files: &MigrationFiles,
        tool: HistorySource,
        table: Option<&TableName>,
    ) -> Result<Import, ImportError> {
        Ok(Box::pin(plan(self.context(), files, tool, table)).await?.1)
    }

    /// Takes over another tool's history: files that it applied count as applied here as well,
    /// with a row that says where that was read. Nothing is run, and the tool's table stays as it
    /// is.
    ///
    /// # Errors
    /// As [`Migrator::plan_import`]; [`ImportError::Changed`] if files are not what the tool
    /// applied. Nothing has been written then.
    ///
    /// # Cancel safety
    /// The history is taken over as a whole or not at all.
    pub async fn import(
        &self,
        files: &MigrationFiles,
        tool: HistorySource,
        table: Option<&TableName>,
    ) -> Result<Import, ImportError> {
        Box::pin(async {
            let (history, import) = plan(self.context(), files, tool, table).await?;
            if !import.changed.is_empty() {
                return Err(ImportError::Changed { tool, versions: import.changed });
            }
            if import.baseline.is_empty() {
                return Ok(import);
            }
            let mut locked = self.context().lock(Exclusion::Transaction).await?;
            match write(&mut locked, files, &history).await {
                Ok(import) => {
                    locked.commit().await?;
                    Ok(import)
                }
                Err(error) => {
                    // If this fails the connection is broken, and nothing was written.
                    let _ = locked.roll_back().await;
                    Err(error.into())
                }
            }
        })
        .await
    }
}

async fn plan(
    context: &Arc<Context>,
    files: &MigrationFiles,
    tool: HistorySource,
    table: Option<&TableName>,
) -> Result<(History, Import), ImportError> {
    let mut seat = context.work().await?;
    let session = &mut *seat.session;
    let history = read_history(session, tool, table).await?;
    let registry = Registry::inspect(session, &context.options).await?;
    let import = matched(session, &registry, files, &history).await?;
    seat.keep();
    Ok((history, import))
}

async fn matched(
    session: &mut dyn Session,
    registry: &Registry,
    files: &MigrationFiles,
    history: &History,
) -> Result<Import, MigrateError> {
    let rows = registry.migrations(session).await?;
    let application = &registry.names().application;
    let known: Vec<_> = rows.iter().filter_map(|row| version_of(row, application)).collect();
    Ok(match_history(history, files, session.dialect(), |version| known.contains(version)))
}

async fn write(
    locked: &mut Locked,
    files: &MigrationFiles,
    history: &History,
) -> Result<Import, MigrateError> {
    locked.announce().await?;
    let (session, registry) = locked.parts();
    let import = matched(session, registry, files, history).await?;
    let rows: Vec<_> = import
        .baseline
        .iter()
        .filter_map(|imported| {
            let file = files.get(&imported.version)?;
            let entry = history.entries.iter().find(|entry| entry.version == imported.version);
            let note = FileNote {
                path: file.up.path().to_owned(),
                imported: Some(ImportNote {
                    tool: history.tool.to_string(),
                    table: history.table.clone(),
                    applied_at: imported.applied_at.clone(),
                    checksum: entry.and_then(|entry| entry.checksum.clone()),
                }),
                ..FileNote::default()
            };
            Some(MigrationRow {
                status: MigrationStatus::Baseline,
                kind: Some(MigrationKind::Baseline),
                plan_json: note.to_json(),
                ..file_row(file, locked)
            })
        })
        .collect();
    let (session, registry) = locked.parts();
    let own = matches!(session.dialect(), Dialect::MariaDb | Dialect::MySql);
    let doing = "write the history that is taken over";
    if own {
        session.begin().await.map_err(MigrateError::session(doing))?;
    }
    for row in &rows {
        registry.insert_migration(session, row).await?;
    }
    if own {
        session.commit().await.map_err(MigrateError::session(doing))?;
    }
    Ok(import)
}
