//! What the registry knows of models: what they declared, and what their tables were like then.
//!
//! Invariant: a row that another program wrote names no table, and is neither taken for one of
//! ours nor written.

use crate::{
    Cell, MigrateError, ModelRow, Param, Session, SessionErrorKind,
    registry::{
        Fields, Names, Registry, RegistryTable,
        fields::{now_micros, now_readable},
        placeholder,
    },
};

const MODELS: RegistryTable = RegistryTable::Models;

const COLUMNS: &str = "application_id, schema_name, model_name, table_name, status, \
                       version, model_checksum, schema_fingerprint, catalog_token, \
                       verified_us";

impl Names {
    /// The models of the application, with their declarations if those are asked for. `None`:
    /// there is no registry that could be read, because it is not there, is an older one, or is
    /// not for this role.
    ///
    /// To be called outside of a transaction: PostgreSQL ends a transaction in which a table was
    /// not found.
    pub(crate) async fn known_models(
        &self,
        session: &mut dyn Session,
        with_definitions: bool,
    ) -> Result<Option<Vec<ModelRow>>, MigrateError> {
        use SessionErrorKind::{Permission, UndefinedColumn, UndefinedTable};
        let sql = format!(
            "SELECT {COLUMNS}, {} FROM {} WHERE application_id = {} AND table_name IS NOT NULL",
            if with_definitions { "definition_json" } else { "NULL" },
            self.quoted(MODELS),
            placeholder(self.dialect, 1)
        );
        match session.fetch(&sql, &[Param::Text(&self.application)]).await {
            Ok(rows) => Ok(Some(rows.iter().map(|row| decode(row)).collect())),
            Err(error) if matches!(error.kind(), Permission | UndefinedColumn | UndefinedTable) => {
                Ok(None)
            }
            Err(error) => Err(MigrateError::session("read the registry of models")(error)),
        }
    }
}

impl Registry {
    /// The models of the application, with their declarations.
    pub(crate) async fn models(
        &self,
        session: &mut dyn Session,
    ) -> Result<Vec<ModelRow>, MigrateError> {
        let one = placeholder(self.dialect(), 1);
        let on = format!("application_id = {one} AND table_name IS NOT NULL");
        self.read_models(session, &on, &[Param::Text(&self.names.application)]).await
    }

    /// The models of all applications, also those that others wrote.
    pub(crate) async fn all_models(
        &self,
        session: &mut dyn Session,
    ) -> Result<Vec<ModelRow>, MigrateError> {
        if !self.has(MODELS) {
            return Ok(Vec::new());
        }
        if self.shape.has_column(MODELS, "table_name") {
            return self.read_models(session, "1 = 1", &[]).await;
        }
        let sql = format!(
            "SELECT NULL, NULL, model_name, NULL, status, version, model_checksum, NULL, NULL, \
             NULL, NULL FROM {} ORDER BY model_name",
            self.table(MODELS)
        );
        let rows = session.fetch(&sql, &[]).await;
        let rows = rows.map_err(MigrateError::session("read the registry of models"))?;
        Ok(rows.iter().map(|row| decode(row)).collect())
    }

    async fn read_models(
        &self,
        session: &mut dyn Session,
        on: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<ModelRow>, MigrateError> {
        let sql = format!(
            "SELECT {COLUMNS}, definition_json FROM {} WHERE {on} \
             ORDER BY application_id, schema_name, model_name, table_name",
            self.table(MODELS)
        );
        let rows = session.fetch(&sql, params).await;
        let rows = rows.map_err(MigrateError::session("read the registry of models"))?;
        Ok(rows.iter().map(|row| decode(row)).collect())
    }

    /// Writes what is known of a model now.
    pub(crate) async fn put_model(
        &self,
        session: &mut dyn Session,
        row: &ModelRow,
    ) -> Result<(), MigrateError> {
        let doing = "write into the registry of models";
        let table = self.table(MODELS);
        let key = self.model_key(row);
        let (sql, params) = self.model_values(row).update(&table, &key);
        let changed = session.execute(&sql, &params).await.map_err(MigrateError::session(doing))?;
        // MySQL counts rows whose values changed, and the time of the check always does, but for
        // a repetition within the resolution of its clock.
        if changed > 0 || self.has_model(session, row).await? {
            return Ok(());
        }
        let mut fields = self
            .model_values(row)
            .text("application_id", row.application.as_str())
            .text("schema_name", row.schema.as_str())
            .text("model_name", row.model.as_str())
            .text("table_name", row.table.as_str());
        if self.shape.has_column(MODELS, "model_definitions") {
            // Of type JSON in some registries that others made, and a literal fits every type.
            let definition = row.definition_json.as_deref().unwrap_or("{}");
            fields = fields.sql("model_definitions", self.dialect().text(definition));
        }
        let (sql, params) = fields.insert(&table);
        session.execute(&sql, &params).await.map_err(MigrateError::session(doing))?;
        Ok(())
    }

    /// Removes what is known of a model under another table's name, because its table was
    /// renamed.
    pub(crate) async fn forget_model(
        &self,
        session: &mut dyn Session,
        row: &ModelRow,
    ) -> Result<(), MigrateError> {
        let dialect = self.dialect();
        let one = |number| placeholder(dialect, number);
        let sql = format!(
            "DELETE FROM {} WHERE application_id = {} AND schema_name = {} AND model_name = {} \
             AND table_name = {}",
            self.table(MODELS),
            one(1),
            one(2),
            one(3),
            one(4)
        );
        let params = [&row.application, &row.schema, &row.model, &row.table];
        let params = params.map(|text| Param::Text(text));
        let gone = session.execute(&sql, &params).await;
        gone.map_err(MigrateError::session("write into the registry of models"))?;
        Ok(())
    }

    /// Forgets what tells that the tables of a model are as they were.
    pub(crate) async fn doubt_model(
        &self,
        session: &mut dyn Session,
        schema: &str,
        model: &str,
    ) -> Result<(), MigrateError> {
        let key = Fields::new(self.dialect())
            .text("application_id", self.names.application.as_str())
            .text("schema_name", schema)
            .text("model_name", model);
        let fields = Fields::new(self.dialect()).text("catalog_token", None);
        let (sql, params) = fields.update(&self.table(MODELS), &key);
        let done = session.execute(&sql, &params).await;
        done.map_err(MigrateError::session("write into the registry of models"))?;
        Ok(())
    }

    async fn has_model(
        &self,
        session: &mut dyn Session,
        row: &ModelRow,
    ) -> Result<bool, MigrateError> {
        let known = self.names.known_models(session, false).await?.unwrap_or_default();
        Ok(known.iter().any(|known| {
            known.schema == row.schema && known.model == row.model && known.table == row.table
        }))
    }

    fn model_key<'a>(&self, row: &'a ModelRow) -> Fields<'a> {
        Fields::new(self.dialect())
            .text("application_id", row.application.as_str())
            .text("schema_name", row.schema.as_str())
            .text("model_name", row.model.as_str())
            .text("table_name", row.table.as_str())
    }

    fn model_values<'a>(&self, row: &'a ModelRow) -> Fields<'a> {
        let dialect = self.dialect();
        // Others made the column as long as their digests are; ours is known by its beginning.
        let width = self.shape.width(MODELS, "model_checksum").unwrap_or(usize::MAX);
        let checksum = row.model_checksum.get(..width).unwrap_or(&row.model_checksum);
        Fields::new(dialect)
            .text("status", row.status.as_str())
            .integer("version", row.version)
            .text("model_checksum", checksum)
            .text("schema_fingerprint", row.schema_fingerprint.as_deref())
            .text("catalog_token", row.catalog_token.as_deref())
            .text("definition_json", row.definition_json.as_deref())
            .sql("verified_at", now_readable(dialect))
            .sql("verified_us", now_micros(dialect))
            .sql("updated_at", now_readable(dialect))
    }
}

fn decode(row: &[Cell]) -> ModelRow {
    let text = |at: usize| row.get(at).and_then(Cell::as_text).map(str::to_owned);
    let integer = |at: usize| row.get(at).and_then(Cell::as_integer);
    ModelRow {
        application: text(0).unwrap_or_default(),
        schema: text(1).unwrap_or_default(),
        model: text(2).unwrap_or_default(),
        table: text(3).unwrap_or_default(),
        status: text(4).unwrap_or_default(),
        version: integer(5).unwrap_or(0),
        model_checksum: text(6).unwrap_or_default(),
        schema_fingerprint: text(7),
        catalog_token: text(8),
        verified_us: integer(9),
        definition_json: text(10),
    }
}
