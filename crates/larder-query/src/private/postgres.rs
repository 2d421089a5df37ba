//! PostgreSQL: the driver keeps every connection of the pool like the others.
//!
//! A connection whose settings, temporary tables, locks, cursors or subscriptions may be its own
//! after a statement is closed as soon as the statement or its transaction ends. What was set for
//! a session is gone then, and nothing becomes private. `SET LOCAL`, and `set_config` with `true`
//! as its last argument, end with their transaction and cost nothing.

/// Whether a statement may make its connection unlike the others.
pub(super) const fn makes_private(_sql: &str) -> bool {
    false
}
