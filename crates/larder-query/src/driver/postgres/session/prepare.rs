//! Statements as the server prepares them.
//!
//! Guards that a statement is prepared once for each way in which its parameters are converted.

use std::sync::Arc;

use sqlx::{
    AssertSqlSafe, Column as _, Either, Executor as _, SqlSafeStr as _, Statement as _,
    TypeInfo as _, postgres::PgTypeInfo,
};

use super::{FORMS_MAX, Prepared, Scope, Session};
use crate::{
    Columns, Params, QueryError,
    driver::postgres::{
        arguments, error,
        kind::Kind,
        rewrite::{self, Fits},
        scan::Scan,
        unknown,
    },
};

impl Session {
    /// The statement in the form that takes these parameters.
    pub(super) async fn prepared(
        &mut self,
        sql: &str,
        scan: &Scan,
        params: &Params,
        scope: Scope,
    ) -> Result<Arc<Prepared>, QueryError> {
        let inferred = match self.known.get(sql).and_then(|known| known.inferred.clone()) {
            Some(inferred) => inferred,
            None => match self.prepare(sql).await {
                Ok(inferred) => inferred,
                Err(undetermined)
                    if scope == Scope::Alone
                        && !params.is_empty()
                        && error::is_undetermined_type(&undetermined) =>
                {
                    // With types of their own, the parameters may determine what nothing else
                    // does.
                    let fits = arguments::own_fits(params);
                    let form = self.converted(sql, scan, fits, &[]).await;
                    return form.map_err(|_| undetermined);
                }
                Err(failed) => return Err(failed),
            },
        };
        if let Some(known) = self.known.get_mut(sql) {
            known.inferred = Some(Arc::clone(&inferred));
        }
        let fits = arguments::fits(params, &inferred, scan)?;
        if rewrite::is_direct(&fits) {
            return Ok(inferred);
        }
        self.converted(sql, scan, fits, &inferred.parameters).await
    }

    /// The statement with conversions of some parameters.
    async fn converted(
        &mut self,
        sql: &str,
        scan: &Scan,
        fits: Fits,
        parameters: &[PgTypeInfo],
    ) -> Result<Arc<Prepared>, QueryError> {
        let known = self.known.get(sql);
        let form = known.and_then(|known| known.converted.iter().find(|(of, _)| *of == fits));
        if let Some((_, prepared)) = form {
            return Ok(Arc::clone(prepared));
        }
        let names = unknown::type_names(&mut self.connection, parameters, &fits).await?;
        let text = rewrite::rewrite(sql, &scan.placeholders, &fits, &names);
        let prepared = self.prepare(&text).await?;
        if let Some(known) = self.known.get_mut(sql) {
            if known.converted.len() >= FORMS_MAX {
                known.converted.clear();
            }
            known.converted.push((fits, Arc::clone(&prepared)));
        }
        Ok(prepared)
    }

    async fn prepare(&mut self, sql: &str) -> Result<Arc<Prepared>, QueryError> {
        // The statement is the caller's, who is as free to write it as with any driver; values
        // come as parameters.
        let text = AssertSqlSafe(sql).into_sql_str();
        let statement = self.connection.prepare(text).await.map_err(error::map)?;
        let columns = statement.columns();
        let header = columns.iter().map(|column| (column.name(), column.type_info().name()));
        let parameters = match statement.parameters() {
            Some(Either::Left(parameters)) => parameters.to_vec(),
            _ => Vec::new(),
        };
        Ok(Arc::new(Prepared {
            columns: Columns::new(header),
            column_kinds: columns.iter().map(|column| Kind::of(column.type_info())).collect(),
            parameter_kinds: parameters.iter().map(Kind::of).collect(),
            parameters,
            statement,
        }))
    }
}
