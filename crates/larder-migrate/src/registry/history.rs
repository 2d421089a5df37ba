//! The history: one row for each migration.
//!
//! Invariants: a version stands there once, whatever its checksum; a row is changed only by what
//! wrote it, which `engine_version` tells.

use larder_model::Dialect;
use sha2::{Digest as _, Sha256};

use crate::{
    Cell, MigrateError, MigrationKind, MigrationRow, MigrationStatus, Param, Session, hex,
    registry::{
        FORMAT, Fields, Registry, RegistryTable,
        fields::{now_micros, now_readable},
        placeholder,
    },
};

/// How a migration ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Finish<'a> {
    pub(crate) to_fingerprint: Option<&'a str>,
    pub(crate) error: Option<&'a str>,
    pub(crate) error_sqlstate: Option<&'a str>,
}

/// The version under which the migration of a model stands in the history: the same text on every
/// replica, so that two of them collide instead of doing it twice.
pub(crate) fn model_version(application: &str, model: &str, number: i64) -> String {
    let qualified = match application {
        "" => format!("m:{model}"),
        _ => format!("m:{application}/{model}"),
    };
    let end = format!(":{number}");
    // The column holds 255 characters.
    if qualified.chars().count() + end.len() <= 255 {
        return qualified + &end;
    }
    let digest = hex(&Sha256::digest(&qualified));
    let short: String = qualified.chars().take(200).collect();
    format!("{short}~{}{end}", &digest[..16])
}

/// The number at the end of a model's version.
pub(crate) fn number_of(version: &str) -> Option<i64> {
    version.strip_prefix("m:")?.rsplit_once(':')?.1.parse().ok()
}

const HISTORY: RegistryTable = RegistryTable::Migrations;

impl Registry {
    /// Adds a row at the end of the history. It begins now; if its status says that it is done,
    /// it also ends now.
    ///
    /// # Errors
    /// [`SessionErrorKind::Exists`](crate::SessionErrorKind::Exists) or
    /// [`Conflict`](crate::SessionErrorKind::Conflict) if the version stands there already.
    pub(crate) async fn insert_migration(
        &self,
        session: &mut dyn Session,
        row: &MigrationRow,
    ) -> Result<(), MigrateError> {
        let doing = "write into the history";
        let table = self.table(HISTORY);
        let last = format!("SELECT COALESCE(MAX(seq), 0) FROM {table}");
        let last = session.fetch(&last, &[]).await.map_err(MigrateError::session(doing))?;
        let last = last.first().and_then(|row| row.first()).and_then(Cell::as_integer);
        let checksum = self.fitting_checksum(row);
        let now = now_micros(self.dialect());
        let name: String = row.name.chars().take(255).collect();
        let mut fields = Fields::new(self.dialect())
            .text("version", row.version.as_str())
            .text("name", name.as_str())
            .text("checksum", checksum.as_str())
            .text("kind", row.kind.map(MigrationKind::as_str))
            .text("application_id", row.application.as_str())
            .text("model_name", row.model.as_deref())
            .text("from_fingerprint", row.from_fingerprint.as_deref())
            .text("to_fingerprint", row.to_fingerprint.as_deref())
            .integer("steps_total", row.steps_total)
            .integer("steps_done", row.steps_done)
            .text("step_hashes", row.step_hashes.as_deref())
            .text("plan_json", row.plan_json.as_deref())
            .text("down_json", row.down_json.as_deref())
            .text("error", row.error.as_deref())
            .text("error_sqlstate", row.error_sqlstate.as_deref())
            .sql("started_us", now)
            .text("executor", row.executor.as_deref())
            .text("engine_version", env!("CARGO_PKG_VERSION"))
            .integer("format", FORMAT)
            .integer("lock_token", row.lock_token)
            .integer("seq", last.unwrap_or(0) + 1);
        fields = self.status_fields(fields, row.status);
        if row.status.is_done() {
            fields = fields.sql("finished_us", now).integer("duration_us", 0);
        }
        if self.shape.is_history_narrow() {
            fields = fields.text("checksum_full", row.checksum.as_str());
        }
        let (sql, params) = fields.insert(&table);
        session.execute(&sql, &params).await.map_err(MigrateError::session(doing))?;
        Ok(())
    }

    /// Says how many steps of a migration are done.
    pub(crate) async fn advance_migration(
        &self,
        session: &mut dyn Session,
        version: &str,
        steps_done: i64,
    ) -> Result<(), MigrateError> {
        let fields = Fields::new(self.dialect()).integer("steps_done", steps_done);
        self.write_migration(session, version, &fields).await
    }

    /// Begins a migration again that stands in the history already, with new steps after those
    /// that are done. It begins now: what was ensured before does not settle it.
    pub(crate) async fn restart_migration(
        &self,
        session: &mut dyn Session,
        row: &MigrationRow,
    ) -> Result<(), MigrateError> {
        let mut fields = Fields::new(self.dialect())
            .integer("steps_total", row.steps_total)
            .integer("steps_done", row.steps_done)
            .text("step_hashes", row.step_hashes.as_deref())
            .text("plan_json", row.plan_json.as_deref())
            .text("down_json", row.down_json.as_deref())
            .text("error", None)
            .text("error_sqlstate", None)
            .sql("started_us", now_micros(self.dialect()))
            .text("executor", row.executor.as_deref())
            .integer("lock_token", row.lock_token);
        fields = self.status_fields(fields, MigrationStatus::Running);
        self.write_migration(session, &row.version, &fields).await
    }

    /// Ends a migration. Its duration is the time since it was begun, or was begun again.
    pub(crate) async fn finish_migration(
        &self,
        session: &mut dyn Session,
        version: &str,
        status: MigrationStatus,
        finish: Finish<'_>,
    ) -> Result<(), MigrateError> {
        let now = now_micros(self.dialect());
        let mut fields = Fields::new(self.dialect())
            .sql("finished_us", now)
            .sql("duration_us", format!("{now} - started_us"))
            .text("error", finish.error)
            .text("error_sqlstate", finish.error_sqlstate);
        if status.is_done() {
            // The last word may be that of a run which only found that nothing was left to do.
            fields = fields.sql("steps_done", "steps_total");
        }
        if finish.to_fingerprint.is_some() {
            fields = fields.text("to_fingerprint", finish.to_fingerprint);
        }
        fields = self.status_fields(fields, status);
        self.write_migration(session, version, &fields).await
    }

    /// The migration of a version.
    pub(crate) async fn migration(
        &self,
        session: &mut dyn Session,
        version: &str,
    ) -> Result<Option<MigrationRow>, MigrateError> {
        let on = format!("version = {}", placeholder(self.dialect(), 1));
        let rows = self.read_migrations(session, &on, &[Param::Text(version)]).await?;
        Ok(rows.into_iter().next())
    }

    /// The whole history, in the order in which it was written; what others wrote comes first.
    pub(crate) async fn migrations(
        &self,
        session: &mut dyn Session,
    ) -> Result<Vec<MigrationRow>, MigrateError> {
        self.read_migrations(session, "1 = 1", &[]).await
    }

    /// The migrations of an application's model, in their order.
    pub(crate) async fn migrations_of(
        &self,
        session: &mut dyn Session,
        model: &str,
    ) -> Result<Vec<MigrationRow>, MigrateError> {
        let dialect = self.dialect();
        let (one, other) = (placeholder(dialect, 1), placeholder(dialect, 2));
        let on = format!("model_name = {one} AND application_id = {other}");
        let params = [Param::Text(model), Param::Text(&self.names.application)];
        self.read_migrations(session, &on, &params).await
    }

    /// The next number for a migration of a model that has these.
    pub(crate) fn next_number(rows: &[MigrationRow]) -> i64 {
        rows.iter().filter_map(|row| number_of(&row.version)).max().unwrap_or(0) + 1
    }

    async fn write_migration(
        &self,
        session: &mut dyn Session,
        version: &str,
        fields: &Fields<'_>,
    ) -> Result<(), MigrateError> {
        let key = Fields::new(self.dialect()).text("version", version);
        let (sql, params) = fields.update(&self.table(HISTORY), &key);
        let sql = format!("{sql} AND engine_version IS NOT NULL");
        let changed = session.execute(&sql, &params).await;
        let changed = changed.map_err(MigrateError::session("write into the history"))?;
        // MySQL counts rows whose values changed, and there is always one that does, but for a
        // repetition within the resolution of its clock.
        if changed == 0
            && self.migration(session, version).await?.is_none_or(|row| row.is_foreign())
        {
            return Err(MigrateError::UnknownMigration { version: version.to_owned() });
        }
        Ok(())
    }

    async fn read_migrations(
        &self,
        session: &mut dyn Session,
        on: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<MigrationRow>, MigrateError> {
        if !self.has(HISTORY) {
            return Ok(Vec::new());
        }
        let columns: Vec<_> = COLUMNS.iter().map(|column| self.expression(column)).collect();
        let order = match self.shape.has_column(HISTORY, "seq") {
            true => "CASE WHEN seq IS NULL THEN 0 ELSE 1 END, seq, version",
            false => "version",
        };
        let sql = format!(
            "SELECT {} FROM {} WHERE {on} ORDER BY {order}",
            columns.join(", "),
            self.table(HISTORY)
        );
        let rows = session.fetch(&sql, params).await;
        let rows = rows.map_err(MigrateError::session("read the history"))?;
        Ok(rows.into_iter().map(|row| decode(&row)).collect())
    }

    /// A column as it is read; NULL where a table that others made has not been completed yet.
    fn expression(&self, column: &str) -> String {
        let dialect = self.dialect();
        let has = |name: &str| self.shape.has_column(HISTORY, name);
        let of_narrow = match column {
            "checksum" if has("checksum_full") => Some("COALESCE(checksum_full, checksum)"),
            "status" if has("state") => Some("COALESCE(state, status)"),
            _ => None,
        };
        match (of_narrow, column, has(column)) {
            (Some(sql), ..) => sql.to_owned(),
            (None, _, false) => "NULL".to_owned(),
            (None, "applied_at", true) => match dialect {
                Dialect::MariaDb | Dialect::MySql => "CAST(applied_at AS CHAR(40))".to_owned(),
                _ => "CAST(applied_at AS text)".to_owned(),
            },
            (None, _, true) => dialect.quoted(column),
        }
    }

    fn status_fields<'a>(&self, mut fields: Fields<'a>, status: MigrationStatus) -> Fields<'a> {
        let narrow = self.shape.is_history_narrow();
        let word = if narrow { status.as_narrow_str() } else { status.as_str() };
        fields = fields.text("status", word);
        if narrow {
            fields = fields.text("state", status.as_str());
        }
        if status.is_done() {
            let dialect = self.dialect();
            fields = fields
                .sql("applied_us", now_micros(dialect))
                .sql("applied_at", now_readable(dialect));
        }
        fields
    }

    /// The checksum as the column takes it. In a history that others began it may be unique among
    /// what was applied, so there it belongs to the version as well.
    fn fitting_checksum(&self, row: &MigrationRow) -> String {
        if !self.shape.is_history_narrow() {
            return row.checksum.clone();
        }
        let digest = Sha256::digest(format!("{}\0{}", row.version, row.checksum));
        hex(&digest)[..32].to_owned()
    }
}

const COLUMNS: [&str; 25] = [
    "version",
    "name",
    "checksum",
    "status",
    "kind",
    "application_id",
    "model_name",
    "from_fingerprint",
    "to_fingerprint",
    "steps_total",
    "steps_done",
    "step_hashes",
    "plan_json",
    "down_json",
    "error",
    "error_sqlstate",
    "started_us",
    "finished_us",
    "applied_us",
    "applied_at",
    "executor",
    "engine_version",
    "lock_token",
    "seq",
    "format",
];

fn decode(row: &[Cell]) -> MigrationRow {
    let at =
        |name: &str| COLUMNS.iter().position(|column| *column == name).and_then(|at| row.get(at));
    let text = |name: &str| at(name).and_then(Cell::as_text).map(str::to_owned);
    let integer = |name: &str| at(name).and_then(Cell::as_integer);
    MigrationRow {
        version: text("version").unwrap_or_default(),
        name: text("name").unwrap_or_default(),
        checksum: text("checksum").unwrap_or_default(),
        status: MigrationStatus::parse(&text("status").unwrap_or_default()),
        kind: text("kind").and_then(|kind| MigrationKind::parse(&kind)),
        application: text("application_id").unwrap_or_default(),
        model: text("model_name"),
        from_fingerprint: text("from_fingerprint"),
        to_fingerprint: text("to_fingerprint"),
        steps_total: integer("steps_total").unwrap_or(0),
        steps_done: integer("steps_done").unwrap_or(0),
        step_hashes: text("step_hashes"),
        plan_json: text("plan_json"),
        down_json: text("down_json"),
        error: text("error"),
        error_sqlstate: text("error_sqlstate"),
        started_us: integer("started_us"),
        finished_us: integer("finished_us"),
        applied_us: integer("applied_us"),
        applied_at: text("applied_at"),
        executor: text("executor"),
        engine_version: text("engine_version"),
        lock_token: integer("lock_token"),
        seq: integer("seq"),
    }
}

impl MigrationRow {
    /// Whether another program wrote it, so that it is only read.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        self.engine_version.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_models_are_told_apart_and_fit() {
        assert_eq!(model_version("", "Airline", 3), "m:Airline:3");
        assert_eq!(model_version("shop", "Airline", 3), "m:shop/Airline:3");
        let long = "ä".repeat(300);
        let (one, other) = (model_version("", &long, 1), model_version("", &(long + "x"), 1));
        assert_ne!(one, other);
        assert!(one.chars().count() <= 255);
        assert_eq!(number_of(&one), Some(1));
    }

    #[test]
    fn numbers_go_on_after_the_highest() {
        let row = |version: &str| MigrationRow { version: version.into(), ..Default::default() };
        assert_eq!(Registry::next_number(&[]), 1);
        let rows = [row("m:A:2"), row("m:A:10"), row("20250101_000000"), row("m:A:x")];
        assert_eq!(Registry::next_number(&rows), 11);
    }

    #[test]
    fn every_status_survives_its_word() {
        for word in
            ["applied", "baseline", "failed", "pending", "rolled_back", "running", "skipped"]
        {
            assert_eq!(MigrationStatus::parse(word).as_str(), word);
            let narrow = MigrationStatus::parse(word).as_narrow_str();
            assert!(["pending", "applied", "failed", "rolled_back"].contains(&narrow));
        }
        assert_eq!(MigrationStatus::parse("frozen"), MigrationStatus::Unknown);
    }
}
