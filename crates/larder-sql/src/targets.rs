//! What each kind of statement does, and to which tables.
//!
//! Invariant: a statement that is not listed here writes everything.

use sqlparser::ast::{
    AlterTable, AlterTableOperation, Assignment, AssignmentTarget, CopySource, CreateTable, Delete,
    DropBehavior, FromTable, Ident, Insert, Merge, ObjectName, ObjectNamePart, ObjectType,
    OutputClause, RenameTableNameKind, Set, Statement, TableFactor, TableObject, TableWithJoins,
    Truncate, Update, UpdateTableFromKind,
};

use crate::{Dialect, StatementKind};

/// What a statement does by itself; statements and queries inside it are visited on their own.
#[derive(Debug)]
pub(crate) struct Effect<'a> {
    pub(crate) kind: StatementKind,
    /// Tables that are changed.
    pub(crate) tables: Vec<&'a ObjectName>,
    /// Names that the visitor announces as tables and that are aliases.
    pub(crate) aliases: Vec<&'a ObjectName>,
    /// Tables that are read and that the visitor does not announce.
    pub(crate) sources: Vec<&'a ObjectName>,
    /// Whether anything else may be changed too.
    pub(crate) everything: bool,
    /// The temporary table that is created.
    pub(crate) temporary: Option<&'a ObjectName>,
}

impl<'a> Effect<'a> {
    const fn new(kind: StatementKind) -> Self {
        Self {
            kind,
            tables: Vec::new(),
            aliases: Vec::new(),
            sources: Vec::new(),
            everything: false,
            temporary: None,
        }
    }

    fn on(kind: StatementKind, tables: impl IntoIterator<Item = &'a ObjectName>) -> Self {
        let mut effect = Self::new(kind);
        effect.tables.extend(tables);
        effect
    }

    const fn everything(kind: StatementKind) -> Self {
        let mut effect = Self::new(kind);
        effect.everything = true;
        effect
    }

    const fn and_everything_if(mut self, condition: bool) -> Self {
        self.everything |= condition;
        self
    }

    fn temporary_if(mut self, condition: bool, name: &'a ObjectName) -> Self {
        self.temporary = condition.then_some(name);
        self
    }
}

pub(crate) fn effect(statement: &Statement, dialect: Dialect) -> Effect<'_> {
    use StatementKind::{Read, Schema, Transaction, Write};

    match statement {
        Statement::Query(_) => Effect::new(Read),

        Statement::Insert(insert) => inserted(insert),
        Statement::Update(update) => updated(update, dialect),
        Statement::Delete(delete) => deleted(delete, dialect),
        Statement::Merge(merge) => merged(merge),
        Statement::Truncate(truncate) => truncated(truncate),
        Statement::Copy { source, to, .. } => copied(source, *to),
        Statement::LoadData { table_name, .. } => Effect::on(Write, [table_name]),
        Statement::Call(_) | Statement::Execute { .. } => Effect::everything(Write),

        Statement::CreateTable(table) => created(table),
        Statement::CreateView(view) => {
            Effect::on(Schema, [&view.name]).temporary_if(view.temporary, &view.name)
        }
        Statement::CreateVirtualTable { name, .. } | Statement::AlterView { name, .. } => {
            Effect::on(Schema, [name])
        }
        Statement::CreateIndex(index) => Effect::on(Schema, [&index.table_name]),
        Statement::AlterTable(alter) => altered(alter),
        Statement::RenameTable(renames) => {
            let names = renames.iter().flat_map(|one| [&one.old_name, &one.new_name]);
            Effect::on(Schema, names)
        }
        Statement::Drop { object_type, names, cascade, table, .. } => {
            dropped(*object_type, names, *cascade, table.as_ref())
        }
        Statement::Comment { .. } => Effect::new(Schema),

        Statement::StartTransaction { .. }
        | Statement::Commit { .. }
        | Statement::Rollback { .. }
        | Statement::Savepoint { .. }
        | Statement::ReleaseSavepoint { .. }
        | Statement::Set(Set::SetTransaction { .. }) => Effect::new(Transaction),

        // SQLite's VACUUM may give the rows of a table without an integer key new row ids.
        Statement::Vacuum(_) => {
            Effect::new(StatementKind::Session).and_everything_if(dialect == Dialect::Sqlite)
        }
        _ if is_about_the_session(statement) => Effect::new(StatementKind::Session),
        _ => Effect::everything(Schema),
    }
}

/// Statements that change no row. What `EXPLAIN` and `PREPARE` hold is visited on its own, so
/// that `EXPLAIN ANALYZE DELETE …` counts as the write that it is.
const fn is_about_the_session(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Analyze(_)
            | Statement::Close { .. }
            | Statement::Deallocate { .. }
            | Statement::Declare { .. }
            | Statement::Discard { .. }
            | Statement::Explain { .. }
            | Statement::ExplainTable { .. }
            | Statement::Fetch { .. }
            | Statement::Flush { .. }
            | Statement::Kill { .. }
            | Statement::LISTEN { .. }
            | Statement::Lock(_)
            | Statement::LockTables { .. }
            | Statement::NOTIFY { .. }
            | Statement::Pragma { .. }
            | Statement::Prepare { .. }
            | Statement::Reset(_)
            | Statement::Set(_)
            | Statement::ShowCharset(_)
            | Statement::ShowCollation { .. }
            | Statement::ShowColumns { .. }
            | Statement::ShowCreate { .. }
            | Statement::ShowDatabases { .. }
            | Statement::ShowFunctions { .. }
            | Statement::ShowProcessList { .. }
            | Statement::ShowSchemas { .. }
            | Statement::ShowStatus { .. }
            | Statement::ShowTables { .. }
            | Statement::ShowVariable { .. }
            | Statement::ShowVariables { .. }
            | Statement::ShowViews { .. }
            | Statement::UNLISTEN { .. }
            | Statement::UnlockTables
            | Statement::Use(_)
    )
}

fn inserted(insert: &Insert) -> Effect<'_> {
    let table = match &insert.table {
        TableObject::TableName(name) => Some(name),
        TableObject::TableFunction(_) | TableObject::TableQuery(_) => None,
    };
    let foreign = insert.multi_table_insert_type.is_some() || writes_output(insert.output.as_ref());
    Effect::on(StatementKind::Write, table).and_everything_if(table.is_none() || foreign)
}

fn updated(update: &Update, dialect: Dialect) -> Effect<'_> {
    let sources = sources([&update.table]);
    let written = if dialect.is_mysql_family() && sources.len() > 1 {
        assigned(&update.assignments, &sources)
    } else {
        sources.iter().map(|source| source.name).collect()
    };
    let foreign = matches!(update.from, Some(UpdateTableFromKind::BeforeSet(_)))
        || writes_output(update.output.as_ref());
    let nothing_known = written.is_empty();
    Effect::on(StatementKind::Write, written).and_everything_if(nothing_known || foreign)
}

/// The tables whose columns are assigned; all of them unless every column says whose it is.
fn assigned<'a>(assignments: &[Assignment], sources: &[Source<'a>]) -> Vec<&'a ObjectName> {
    let qualified = assignments.iter().map(|assignment| match &assignment.target {
        AssignmentTarget::ColumnName(column) => {
            let qualifier = column.0.iter().rev().nth(1)?.as_ident()?;
            find(sources, qualifier)
        }
        AssignmentTarget::Tuple(_) => None,
    });
    let all = || sources.iter().map(|source| source.name).collect();
    qualified.collect::<Option<Vec<_>>>().unwrap_or_else(all)
}

fn deleted(delete: &Delete, dialect: Dialect) -> Effect<'_> {
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let from = sources(from);
    let using = sources(delete.using.iter().flatten());
    let written = if !delete.tables.is_empty() {
        resolved(&delete.tables, &from)
    } else if delete.using.is_some() && dialect.is_mysql_family() {
        resolved(from.iter().map(|source| source.name), &using)
    } else {
        from.iter().map(|source| source.name).collect()
    };
    let nothing_known = written.is_empty() || writes_output(delete.output.as_ref());
    let mut effect = Effect::on(StatementKind::Write, written).and_everything_if(nothing_known);
    if delete.tables.is_empty() {
        // Each is written, as itself or as the table that it stands for.
        effect.aliases.extend(from.iter().map(|source| source.name));
    }
    effect
}

/// The tables that the targets of a delete from several tables stand for: each is a table or an
/// alias among the sources. One that is neither may be any of them.
fn resolved<'a>(
    targets: impl IntoIterator<Item = &'a ObjectName>,
    sources: &[Source<'a>],
) -> Vec<&'a ObjectName> {
    let mut tables = Vec::new();
    for target in targets {
        let found = target.0.last().and_then(ObjectNamePart::as_ident);
        match found.and_then(|ident| find(sources, ident)) {
            Some(table) => tables.push(table),
            None => {
                tables.push(target);
                tables.extend(sources.iter().map(|source| source.name));
            }
        }
    }
    tables
}

fn merged(merge: &Merge) -> Effect<'_> {
    let table = match &merge.table {
        TableFactor::Table { name, .. } => Some(name),
        _ => None,
    };
    let foreign = writes_output(merge.output.as_ref());
    Effect::on(StatementKind::Write, table).and_everything_if(table.is_none() || foreign)
}

fn truncated(truncate: &Truncate) -> Effect<'_> {
    let names = truncate.table_names.iter().map(|target| &target.name);
    let cascades = matches!(truncate.cascade, Some(sqlparser::ast::CascadeOption::Cascade));
    Effect::on(StatementKind::Write, names).and_everything_if(cascades)
}

fn copied(source: &CopySource, to: bool) -> Effect<'_> {
    match (source, to) {
        (CopySource::Table { table_name, .. }, false) => {
            Effect::on(StatementKind::Write, [table_name])
        }
        (CopySource::Table { table_name, .. }, true) => {
            let mut effect = Effect::new(StatementKind::Session);
            effect.sources.push(table_name);
            effect
        }
        (CopySource::Query(_), _) => Effect::new(StatementKind::Session),
    }
}

fn created(table: &CreateTable) -> Effect<'_> {
    // A new partition or child may bring rows into the table above it.
    let above = table.inherits.iter().flatten().chain(&table.partition_of);
    let names = std::iter::once(&table.name).chain(above);
    Effect::on(StatementKind::Schema, names).temporary_if(table.temporary, &table.name)
}

fn altered(alter: &AlterTable) -> Effect<'_> {
    let mut effect = Effect::on(StatementKind::Schema, [&alter.name]);
    for operation in &alter.operations {
        match operation {
            AlterTableOperation::RenameTable {
                table_name: RenameTableNameKind::As(name) | RenameTableNameKind::To(name),
            } => effect.tables.push(name),
            _ => effect.everything |= !stays_within_its_table(operation),
        }
    }
    effect
}

/// Whether an operation changes the named table alone. A cascade drops views too.
const fn stays_within_its_table(operation: &AlterTableOperation) -> bool {
    match operation {
        AlterTableOperation::DropColumn { drop_behavior, .. }
        | AlterTableOperation::DropConstraint { drop_behavior, .. }
        | AlterTableOperation::DropForeignKey { drop_behavior, .. }
        | AlterTableOperation::DropPrimaryKey { drop_behavior } => {
            !matches!(drop_behavior, Some(DropBehavior::Cascade))
        }
        AlterTableOperation::AddColumn { .. }
        | AlterTableOperation::AddConstraint { .. }
        | AlterTableOperation::Algorithm { .. }
        | AlterTableOperation::AlterColumn { .. }
        | AlterTableOperation::AutoIncrement { .. }
        | AlterTableOperation::ChangeColumn { .. }
        | AlterTableOperation::DisableRowLevelSecurity
        | AlterTableOperation::DropIndex { .. }
        | AlterTableOperation::EnableRowLevelSecurity
        | AlterTableOperation::ForceRowLevelSecurity
        | AlterTableOperation::Lock { .. }
        | AlterTableOperation::ModifyColumn { .. }
        | AlterTableOperation::NoForceRowLevelSecurity
        | AlterTableOperation::OwnerTo { .. }
        | AlterTableOperation::RenameColumn { .. }
        | AlterTableOperation::RenameConstraint { .. }
        | AlterTableOperation::ValidateConstraint { .. } => true,
        _ => false,
    }
}

fn dropped<'a>(
    object: ObjectType,
    names: &'a [ObjectName],
    cascade: bool,
    table: Option<&'a ObjectName>,
) -> Effect<'a> {
    match (object, table) {
        (ObjectType::Table | ObjectType::View | ObjectType::MaterializedView, _) => {
            Effect::on(StatementKind::Schema, names).and_everything_if(cascade)
        }
        (ObjectType::Index, Some(table)) => Effect::on(StatementKind::Schema, [table]),
        _ => Effect::everything(StatementKind::Schema),
    }
}

/// A table that a `FROM` or a multi-table `UPDATE` names directly, outside any subquery.
#[derive(Clone, Copy, Debug)]
struct Source<'a> {
    name: &'a ObjectName,
    alias: Option<&'a Ident>,
}

fn sources<'a>(tables: impl IntoIterator<Item = &'a TableWithJoins>) -> Vec<Source<'a>> {
    let mut found = Vec::new();
    for table in tables {
        let joined = table.joins.iter().map(|join| &join.relation);
        for factor in std::iter::once(&table.relation).chain(joined) {
            match factor {
                TableFactor::Table { name, alias, .. } => {
                    found.push(Source { name, alias: alias.as_ref().map(|alias| &alias.name) })
                }
                TableFactor::NestedJoin { table_with_joins, .. } => {
                    found.extend(sources([&**table_with_joins]))
                }
                _ => {}
            }
        }
    }
    found
}

/// The table that an alias, or a name without one, stands for.
fn find<'a>(sources: &[Source<'a>], wanted: &Ident) -> Option<&'a ObjectName> {
    let matching = |source: &&Source<'a>| {
        let own = source.name.0.last().and_then(ObjectNamePart::as_ident);
        let called = source.alias.or(own);
        called.is_some_and(|ident| ident.value.eq_ignore_ascii_case(&wanted.value))
    };
    let mut found = sources.iter().filter(matching);
    let first = found.next()?.name;
    // Two tables of one name in two schemas: the caller has to take both.
    found.next().is_none().then_some(first)
}

const fn writes_output(output: Option<&OutputClause>) -> bool {
    matches!(output, Some(OutputClause::Output { into_table: Some(_), .. }))
}
