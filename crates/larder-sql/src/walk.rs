//! The walk over a parsed text: it collects tables and the reasons against caching.
//!
//! The visitor comes from the parser and goes everywhere, so a subquery can not hide in a clause
//! that this file does not name. What it does name are the exceptions: names that are no tables,
//! tables that are not read, and tables that the visitor does not announce.

use std::{
    collections::{BTreeSet, HashSet},
    ops::ControlFlow,
};

use sqlparser::{
    ast::{
        Expr, Ident, ObjectName, ObjectNamePart, Query, Select, SetExpr, Statement, TableFactor,
        TableSample, TableSampleKind, Value, ValueWithSpan, Visitor,
    },
    tokenizer::Location,
};

use crate::{
    Dialect, StatementKind, TableName, Uncacheable, Writes,
    ctes::Ctes,
    functions, reserved,
    system::{self, Special},
    targets,
};

/// What has been found so far.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    dialect: Dialect,
    free: &'a HashSet<Location>,
    ctes: Ctes,
    /// Names, by their address, that the visitor announces as relations and that are not read.
    not_read: HashSet<*const ObjectName>,
    pub(crate) kind: Option<StatementKind>,
    pub(crate) reads: BTreeSet<TableName>,
    pub(crate) writes: Writes,
    /// The first reason against caching.
    pub(crate) forbidden: Option<Uncacheable>,
    /// The functions that are called.
    pub(crate) calls: BTreeSet<Box<str>>,
    pub(crate) calls_unknown: bool,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(dialect: Dialect, free: &'a HashSet<Location>) -> Self {
        Self {
            dialect,
            free,
            ctes: Ctes::default(),
            not_read: HashSet::new(),
            kind: None,
            reads: BTreeSet::new(),
            writes: Writes::default(),
            forbidden: None,
            calls: BTreeSet::new(),
            calls_unknown: false,
        }
    }

    pub(crate) fn forbid(&mut self, reason: Uncacheable) {
        self.forbidden.get_or_insert(reason);
    }

    /// Notes a call, and what is to be said against it.
    fn call(&mut self, name: &ObjectName, judgement: Option<Uncacheable>) {
        if let Some(last) = name.0.last().and_then(ObjectNamePart::as_ident) {
            self.calls.insert(last.value.to_lowercase().into());
        }
        self.calls_unknown |= matches!(judgement, Some(Uncacheable::UnknownFunction { .. }));
        self.forbid_if(judgement);
    }

    fn forbid_if(&mut self, reason: Option<Uncacheable>) {
        if let Some(reason) = reason {
            self.forbid(reason);
        }
    }

    fn read(&mut self, name: &ObjectName) {
        if self.is_cte(name) || self.is_dual(name) {
            return;
        }
        let Some(table) = TableName::from_object(name, self.dialect) else {
            self.forbid(Uncacheable::Unsupported { construct: "a table name that is computed" });
            return;
        };
        match system::special(name, &table, self.dialect) {
            Some(Special::System) => self.forbid(Uncacheable::SystemTable { table: table.clone() }),
            Some(Special::Temporary) => {
                self.forbid(Uncacheable::Temporary { table: table.clone() })
            }
            None => {}
        }
        self.reads.insert(table);
    }

    fn write(&mut self, name: &ObjectName) {
        match TableName::from_object(name, self.dialect) {
            Some(table) => self.writes.add(table),
            None => self.writes = Writes::Everything,
        }
    }

    fn is_cte(&self, name: &ObjectName) -> bool {
        match name.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] => self.ctes.contains(&self.dialect.cte_key(ident)),
            _ => false,
        }
    }

    /// MySQL's table without rows and columns.
    fn is_dual(&self, name: &ObjectName) -> bool {
        match name.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] => {
                self.dialect.is_mysql_family()
                    && ident.quote_style.is_none()
                    && ident.value.eq_ignore_ascii_case("dual")
            }
            _ => false,
        }
    }

    /// `TABLE airline` in place of a query: the one table that the visitor does not announce.
    /// The parser drops the name's quotes and skips two tokens after it, which may be a lock.
    fn read_table_commands(&mut self, body: &SetExpr) {
        match body {
            SetExpr::SetOperation { left, right, .. } => {
                self.read_table_commands(left);
                self.read_table_commands(right);
            }
            SetExpr::Table(table) => {
                self.forbid(Uncacheable::Unsupported { construct: "TABLE in place of a query" });
                if let Some(name) = &table.table_name {
                    let unquoted = Ident::new(name.clone());
                    self.reads.insert(TableName::from_ident(&unquoted, self.dialect));
                    self.reads.insert(TableName::from_catalog(name, self.dialect));
                }
            }
            _ => {}
        }
    }

    fn sample(&mut self, sample: Option<&TableSample>) {
        if sample.is_some_and(|sample| sample.seed.is_none()) {
            self.forbid(Uncacheable::Volatile { name: "TABLESAMPLE".to_owned() });
        }
    }
}

impl Visitor for Walk<'_> {
    /// The keyword that was taken for a name.
    type Break = String;

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<String> {
        let effect = targets::effect(statement, self.dialect);
        self.kind = self.kind.max(Some(effect.kind));
        for name in effect.tables {
            self.not_read.insert(&raw const *name);
            self.write(name);
        }
        for name in effect.aliases {
            self.not_read.insert(&raw const *name);
        }
        for name in effect.sources {
            self.read(name);
        }
        if effect.everything {
            self.writes = Writes::Everything;
        }
        if let Some(name) = effect.temporary
            && let Some(table) = TableName::from_object(name, self.dialect)
        {
            self.forbidden = Some(Uncacheable::Temporary { table });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        self.ctes.enter(query, self.dialect);
        if !query.locks.is_empty() {
            self.forbid(Uncacheable::Locking);
        }
        if query.for_clause.is_some() || !query.pipe_operators.is_empty() {
            self.forbid(Uncacheable::Unsupported { construct: "a clause of another dialect" });
        }
        self.read_table_commands(&query.body);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        self.ctes.leave(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
        if select.select_modifiers.as_ref().is_some_and(|modifiers| modifiers.sql_calc_found_rows) {
            self.forbid(Uncacheable::SessionState { name: "SQL_CALC_FOUND_ROWS".to_owned() });
        }
        for target in select.into.iter().flat_map(|into| &into.targets) {
            match target {
                // A variable of MySQL, which was noticed among the tokens.
                Expr::Identifier(ident) if ident.value.starts_with('@') => {}
                Expr::Identifier(ident) => {
                    self.kind = self.kind.max(Some(StatementKind::Schema));
                    self.writes.add(TableName::from_ident(ident, self.dialect));
                }
                Expr::CompoundIdentifier(parts) => {
                    self.kind = self.kind.max(Some(StatementKind::Schema));
                    self.write(&ObjectName::from(parts.clone()));
                }
                _ => self.writes = Writes::Everything,
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<String> {
        match factor {
            TableFactor::Table { name, args, sample, .. } => {
                if let Some(call) = args {
                    self.not_read.insert(&raw const *name);
                    self.call(name, functions::judge_call(name, &call.args, self.dialect));
                }
                self.sample(sample.as_ref().map(sample_of));
            }
            TableFactor::Derived { sample, .. } => self.sample(sample.as_ref().map(sample_of)),
            TableFactor::Function { name, args, .. } => {
                self.call(name, functions::judge_call(name, args, self.dialect));
            }
            TableFactor::SemanticView { .. } => {
                self.forbid(Uncacheable::Unsupported { construct: "a semantic view" })
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<String> {
        if !self.not_read.contains(&(&raw const *relation)) {
            self.read(relation);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
        let reason = match expr {
            Expr::Function(function) => {
                self.call(&function.name, functions::judge(function, self.dialect));
                None
            }
            Expr::Identifier(ident) => functions::judge_word(ident, self.dialect),
            Expr::BinaryOp { op, .. }
            | Expr::AnyOp { compare_op: op, .. }
            | Expr::AllOp { compare_op: op, .. } => functions::judge_operator(op, self.dialect),
            Expr::RLike { .. } => functions::judge_regexp(self.dialect),
            _ => None,
        };
        self.forbid_if(reason);
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<String> {
        if !matches!(value.value, Value::Placeholder(_))
            && let Some(text) = value.value.clone().into_string()
        {
            self.forbid_if(functions::judge_literal(&text, self.dialect));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_ident(&mut self, ident: &Ident) -> ControlFlow<String> {
        match reserved::misread(ident, self.free, self.dialect) {
            Some(word) => ControlFlow::Break(word),
            None => ControlFlow::Continue(()),
        }
    }
}

const fn sample_of(kind: &TableSampleKind) -> &TableSample {
    match kind {
        TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample) => {
            sample
        }
    }
}
