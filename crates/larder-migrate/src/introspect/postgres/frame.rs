//! The transaction, or the part of one, in which the catalog is looked at.
//!
//! Invariant: whatever is set or made in a frame is gone after it, and a transaction that the
//! caller is in goes on.

use crate::{Session, SessionError, SessionErrorKind};

/// With these settings a type or an expression is printed in one way only. Names stand without
/// their schemas only if they are PostgreSQL's own.
const SETTINGS: &str = "\
    SET LOCAL search_path = pg_catalog; \
    SET LOCAL timezone = 'UTC'; \
    SET LOCAL datestyle = 'ISO, MDY'; \
    SET LOCAL intervalstyle = 'postgres'; \
    SET LOCAL extra_float_digits = 1; \
    SET LOCAL bytea_output = 'hex'; \
    SET LOCAL standard_conforming_strings = on; \
    SET LOCAL quote_all_identifiers = off";

/// What may be done in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Nothing is changed.
    Read,
    /// Something is made that is gone after the frame.
    Scratch,
}

/// An open frame.
#[derive(Debug)]
pub(super) struct Frame {
    is_nested: bool,
    /// The schema in which the session makes tables whose schema nobody names.
    pub(super) schema: Option<String>,
    /// The session's `search_path`, as a list for one.
    pub(super) search_path: String,
    /// The server's version: 150004 for 15.4.
    pub(super) version: i64,
}

impl Frame {
    /// Opens a frame: a transaction, or a savepoint within the caller's.
    pub(super) async fn open(
        session: &mut dyn Session,
        access: Access,
    ) -> Result<Self, SessionError> {
        // A local setting outlives its statement only within a transaction, and nothing else
        // tells a session that it is in one without an error in the server's log.
        session.run("SELECT set_config('larder.frame', '1', true)").await?;
        let rows = session
            .fetch(
                "SELECT coalesce(current_setting('larder.frame', true), '') = '1', \
                   current_schema()::text, current_setting('search_path'), \
                   current_setting('server_version_num')::int8",
                &[],
            )
            .await?;
        let [is_nested, schema, search_path, version] =
            rows.first().and_then(|row| row.first_chunk::<4>()).ok_or_else(unexpected)?;
        let frame = Self {
            is_nested: is_nested.is_true(),
            schema: schema.as_text().map(str::to_owned),
            search_path: search_path.as_text().unwrap_or_default().to_owned(),
            version: version.as_integer().unwrap_or_default(),
        };
        let begin = match (frame.is_nested, access) {
            (true, _) => "SAVEPOINT larder_frame",
            (false, Access::Read) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            (false, Access::Scratch) => "BEGIN",
        };
        session.run(&format!("{begin}; {SETTINGS}")).await?;
        Ok(frame)
    }

    /// Closes the frame and undoes what happened in it, also after an error.
    pub(super) async fn close(self, session: &mut dyn Session) -> Result<(), SessionError> {
        if self.is_nested {
            session.run("ROLLBACK TO SAVEPOINT larder_frame; RELEASE SAVEPOINT larder_frame").await
        } else {
            session.rollback().await
        }
    }
}

/// The server answered otherwise than it does.
pub(super) fn unexpected() -> SessionError {
    SessionError::new(SessionErrorKind::Statement, None, Some("unexpected answer".into()))
}
