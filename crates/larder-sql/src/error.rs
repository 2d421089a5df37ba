//! Why a statement could not be analysed. Each variant means: execute it, do not cache it, and
//! unless it [looks like a read](crate::looks_like_read), invalidate the whole database.

/// Why a statement could not be analysed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnalyzeError {
    /// A keyword stands where the parser took it for a name, so its reading is not trusted.
    #[error("the keyword {word} was read as a name")]
    Ambiguous {
        /// The keyword, in upper case.
        word: String,
    },
    /// The text holds a comment that MySQL or MariaDB executes, depending on its version.
    #[error("an executable comment means different things to different server versions")]
    ExecutableComment,
    /// A backslash stands before a quote, so where the string ends depends on `sql_mode`.
    #[error("where a string ends depends on the server's sql_mode")]
    SqlMode,
    /// The text is longer than the analysis takes.
    #[error("the statement has {bytes} bytes, the limit is {limit}")]
    TooLong {
        /// The length, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The statement nests, joins or chains more than the analysis takes.
    #[error("the statement has more {what} than the limit of {limit}")]
    TooComplex {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The parser does not know this syntax.
    #[error("the statement can not be parsed")]
    Unparsable {
        /// What the parser says; it quotes a word of the statement.
        #[from]
        source: sqlparser::parser::ParserError,
    },
    /// The operating system gave no thread for a deeply nested statement.
    #[error("there is no thread for a deeply nested statement")]
    NoThread,
}
