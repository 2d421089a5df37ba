//! Which names are common table expressions at a given place in a statement.
//!
//! Invariant: a name counts as one only where the server certainly sees it so. In
//! `WITH airline AS (SELECT * FROM airline) …` the inner name is the table, and the outer is not.

use sqlparser::ast::Query;

use crate::Dialect;

/// The queries that surround the current place, innermost last.
#[derive(Debug, Default)]
pub(crate) struct Ctes {
    frames: Vec<Frame>,
}

#[derive(Debug)]
struct Frame {
    /// The expressions that can be referred to by now.
    visible: Vec<String>,
    /// All expressions of the query's `WITH`, by the address of their bodies: the visitor says
    /// which query it enters, not what the query is to its parent.
    bodies: Vec<(*const Query, String)>,
    /// Whether an expression can refer to itself.
    recursive: bool,
}

impl Ctes {
    /// Call when the walk enters a query.
    pub(crate) fn enter(&mut self, query: &Query, dialect: Dialect) {
        self.reveal(query, true);
        let mut frame = Frame {
            visible: Vec::new(),
            bodies: Vec::new(),
            // SQLite takes every WITH for a recursive one; a table of the expression's own name
            // can not be reached from its body there.
            recursive: dialect == Dialect::Sqlite,
        };
        if let Some(with) = &query.with {
            frame.recursive |= with.recursive;
            for cte in &with.cte_tables {
                let body: *const Query = &raw const *cte.query;
                frame.bodies.push((body, dialect.cte_key(&cte.alias.name)));
            }
        }
        self.frames.push(frame);
    }

    /// Call when the walk leaves a query.
    pub(crate) fn leave(&mut self, query: &Query) {
        self.frames.pop();
        self.reveal(query, false);
    }

    /// Whether an unqualified name refers to an expression here.
    pub(crate) fn contains(&self, key: &str) -> bool {
        self.frames.iter().any(|frame| frame.visible.iter().any(|name| name == key))
    }

    /// Makes an expression visible: at the start of its own body if it may be recursive, after
    /// its end otherwise.
    fn reveal(&mut self, query: &Query, entering: bool) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        if frame.recursive != entering {
            return;
        }
        let body = frame.bodies.iter().find(|(body, _)| std::ptr::eq(*body, query));
        if let Some((_, name)) = body {
            frame.visible.push(name.clone());
        }
    }
}
