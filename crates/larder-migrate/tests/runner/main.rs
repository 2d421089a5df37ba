//! The migrator on real databases.
//!
//! What is known to go wrong elsewhere, by topic, and where the right outcome is tested:
//!
//! - **Start of many replicas at once:** `CREATE TABLE IF NOT EXISTS` that fails in the catalog,
//!   runs that fail although another replica did the work, histories with one row for each
//!   replica: `storm`.
//! - **Locks:** a lock that stays behind after a failure and makes the next run hang, a lock
//!   without an owner or an end, a lease that is taken over while its holder works, a wait that
//!   returns at once and whose answer nobody reads, a wait that blocks an index in the making:
//!   `cases::locks`. A lock that a pooler gives to somebody else: `pooler`.
//! - **Interrupted runs:** half a migration that nobody can go on with, a history that says
//!   "pending" of what was done, a row that has to be removed by hand: `killed`, `cases::failures`.
//! - **What goes for a while:** references, checks and indexes that no model declares, and that
//!   are gone for good when the run ends between their going and their coming: `kept`.
//! - **Histories:** equal checksums that forbid the way back from B to A, versions made of the
//!   time, rows that are overwritten, registries of older programs: `cases::registry`.
//! - **What is not asked for:** other tables and indexes that look dropped, columns that vanish,
//!   changes on every start: `cases::ensure`.
//! - **Roles without rights:** a check that begins with `CREATE TABLE`: `cases::rights`.
//!
//! Databases of one's own are made for every test and dropped after it.

mod cases;
mod child;
mod kept;
mod killed;
mod mariadb;
mod mysql;
mod pooler;
mod postgres;
mod sqlite;
mod storm;
mod support;
