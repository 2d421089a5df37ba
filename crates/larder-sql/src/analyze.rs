//! The one entry: bounds first, then tokens, the parser, and the walk over the tree.

use std::{io, thread};

use sqlparser::{ast::Visit as _, parser::Parser, tokenizer::Tokenizer};

use crate::{
    Analysis, AnalyzeError, Dialect, StatementKind, Uncacheable,
    guard::{self, Size},
    normalize::{self, Normalized},
    reserved,
    walk::Walk,
};

/// Says which tables a text reads and writes, and whether its answer may be cached.
///
/// Several statements are analysed together: the tables of all of them, and
/// [`Uncacheable::MultipleStatements`]. A text without a statement reads and writes nothing.
///
/// The result depends on the text and the dialect alone, so keep it next to the text: an
/// analysis takes tens of microseconds, most of it in the parser. A statement that nests deeply
/// is analysed on a thread of its own, whose stack is made for it.
///
/// # Errors
/// [`AnalyzeError`]: the text is not understood. Execute it, do not cache its answer, and unless
/// it [looks like a read](crate::looks_like_read), invalidate everything of its database.
///
/// ```
/// use larder_sql::{Dialect, TableName, Uncacheable, analyze};
///
/// let sql = "WITH late AS (SELECT * FROM flight WHERE delay > ?) SELECT count(*) FROM late";
/// let analysis = analyze(sql, Dialect::Sqlite)?;
/// assert!(analysis.cacheability.is_ok());
/// assert!(analysis.writes.is_empty());
/// assert!(analysis.reads.iter().map(TableName::as_str).eq(["flight"]));
///
/// let analysis = analyze("SELECT random()", Dialect::Sqlite)?;
/// assert!(matches!(analysis.cacheability, Err(Uncacheable::Volatile { .. })));
/// # Ok::<(), larder_sql::AnalyzeError>(())
/// ```
pub fn analyze(sql: &str, dialect: Dialect) -> Result<Analysis, AnalyzeError> {
    guard::check_text(sql, dialect)?;
    let tokens = Tokenizer::new(dialect.parser(), sql)
        .tokenize_with_location()
        .map_err(sqlparser::parser::ParserError::from)?;
    let normalized = normalize::normalize(tokens, dialect);
    if guard::measure(&normalized.tokens)?.fits_anywhere() {
        return build(normalized, dialect);
    }
    let thread = thread::Builder::new()
        .name("larder-sql".to_owned())
        .stack_size(Size::STACK_BYTES)
        .spawn(move || build(normalized, dialect))
        .map_err(|_refused: io::Error| AnalyzeError::NoThread)?;
    match thread.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn build(normalized: Normalized, dialect: Dialect) -> Result<Analysis, AnalyzeError> {
    let free = reserved::free_places(&normalized.tokens);
    let statements = Parser::new(dialect.parser())
        .with_tokens_with_locations(normalized.tokens)
        .parse_statements()?;

    let mut walk = Walk::new(dialect, &free);
    if normalized.share_lock {
        walk.forbid(Uncacheable::Locking);
    }
    if let Some(name) = normalized.variable {
        walk.forbid(Uncacheable::SessionState { name });
    }
    if let std::ops::ControlFlow::Break(word) = statements.visit(&mut walk) {
        return Err(AnalyzeError::Ambiguous { word });
    }
    Ok(conclude(walk, statements.len()))
}

/// What the statement is decides first; what was found in it comes second.
fn conclude(walk: Walk<'_>, statements: usize) -> Analysis {
    let kind = walk.kind.unwrap_or(StatementKind::Session);
    let instability = walk.forbidden.clone();
    let cacheability = if statements > 1 {
        Err(Uncacheable::MultipleStatements)
    } else if let Some(Uncacheable::Temporary { table }) = walk.forbidden {
        Err(Uncacheable::Temporary { table })
    } else if kind >= StatementKind::Write || !walk.writes.is_empty() {
        Err(Uncacheable::Writes)
    } else if kind != StatementKind::Read {
        Err(Uncacheable::NotARead)
    } else {
        walk.forbidden.map_or(Ok(()), Err)
    };
    Analysis {
        kind,
        reads: walk.reads,
        writes: walk.writes,
        cacheability,
        instability,
        calls: walk.calls,
        calls_unknown: walk.calls_unknown,
    }
}
