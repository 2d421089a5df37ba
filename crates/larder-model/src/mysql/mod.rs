//! MySQL and MariaDB: how they write a schema, and what their types mean.
//!
//! A schema stands here as `SHOW CREATE TABLE` prints it, with four exceptions, so that what means
//! the same is written the same: parentheses around a whole expression are left out, constants are
//! quoted in one way, `RESTRICT` is `NO ACTION`, and MariaDB's `longtext` with a check that it is
//! JSON is `json`.

mod alter;
mod convert;
mod ddl;
mod lower;
mod order;
mod prepare;
mod probe;
mod rename;
mod statements;
mod steps;
mod types;

#[cfg(test)]
mod tests;

pub(crate) use convert::can_refer;
pub(crate) use ddl::create_table;
pub(crate) use lower::lower;
pub(crate) use steps::steps;
pub(crate) use types::holds;

use crate::ForeignKey;

/// Whether two references do the same. Descriptions have no `RESTRICT`, which is what the server
/// does anyway; whoever wrote one by hand may.
pub(crate) fn is_same_reference(one: &ForeignKey, other: &ForeignKey) -> bool {
    use crate::ReferentialAction::{NoAction, Restrict};
    let plain = |action| if action == Restrict { NoAction } else { action };
    let comparable = |key: &ForeignKey| ForeignKey {
        on_delete: plain(key.on_delete),
        on_update: plain(key.on_update),
        ..key.clone()
    };
    comparable(one) == comparable(other)
}
