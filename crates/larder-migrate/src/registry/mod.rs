//! The registry: what a database knows of its migrations.

mod migration_row;
mod model_row;

pub use migration_row::{MigrationKind, MigrationRow, MigrationStatus};
pub use model_row::ModelRow;
