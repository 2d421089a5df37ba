//! PostgreSQL.

/// Whether a statement may make its connection unlike the others.
pub(super) fn makes_private(sql: &str) -> bool {
    !sql.is_empty()
}
