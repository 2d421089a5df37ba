//! The text of a file as statements: read by ourselves, without understanding SQL.
//!
//! Guards that a text is cut where the database's own client would cut it, or not at all.

mod body;
mod error;
mod lexer;
mod position;
mod split;

pub use error::{Construct, SplitError};
pub(crate) use lexer::{Lexer, Token, TokenKind, significant};
pub use position::Position;
pub use split::{Statement, Statements, split};
