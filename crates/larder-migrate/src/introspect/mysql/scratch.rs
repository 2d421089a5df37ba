//! Models as the server itself prints them.
//!
//! Temporary tables are the only scratch that nobody else sees, that no replica needs and that the
//! end of the session takes away whatever happens; they need no right to create databases. What
//! they can not have is taken out before and put back after: references, which are compared part
//! by part anyway, and indexes over texts and places, which have no expressions in them.
//!
//! Guards that nothing is left behind, also if a model can not be created.

use larder_model::{Catalog, Dialect, Index, Lowered, Table, TableName};

use super::{
    parse,
    read::{list, show},
};
use crate::{Session, SessionError, SessionErrorKind};

/// How many tables are made at once, so that no text grows beyond what the server takes.
const TABLES_AT_ONCE: usize = 100;

pub(in crate::introspect) async fn normalise(
    session: &mut dyn Session,
    models: Vec<Lowered>,
) -> Result<Catalog, SessionError> {
    let (environment, _) = list(session, Some(&[])).await?;
    let mut tables: Vec<_> = models.into_iter().map(|model| model.table).collect();
    for chunk in tables.chunks_mut(TABLES_AT_ONCE) {
        let scratches: Vec<_> = chunk.iter().map(Scratch::new).collect();
        let made = make(session, &scratches).await;
        let dropped = session.run(&drop_all(session.dialect(), &scratches)).await;
        match made {
            Ok(definitions) => {
                let context = environment.context(session);
                for ((table, scratch), sql) in chunk.iter_mut().zip(scratches).zip(definitions) {
                    *table = scratch.read(table, &sql, context);
                }
                dropped?;
            }
            // Whoever may not make them may not drop them either.
            Err(error) if may_not(&error) => {}
            Err(error) => return Err(error),
        }
    }
    tables.iter_mut().for_each(|table| environment.fold(table));
    Ok(Catalog { enums: Vec::new(), tables })
}

/// Whether the role may not make temporary tables, or nobody may here.
fn may_not(error: &SessionError) -> bool {
    const READ_ONLY: [&str; 2] = ["1290", "1792"];
    error.kind() == SessionErrorKind::Permission
        || error.code().is_some_and(|code| READ_ONLY.contains(&code))
}

async fn make(
    session: &mut dyn Session,
    scratches: &[Scratch],
) -> Result<Vec<String>, SessionError> {
    let dialect = session.dialect();
    let statements: Vec<_> =
        scratches.iter().flat_map(|scratch| scratch.statements(dialect)).collect();
    session.run(&statements.join("; ")).await?;
    let names: Vec<_> = scratches.iter().map(|scratch| scratch.table.name.name.as_str()).collect();
    show(session, &names).await
}

fn drop_all(dialect: Dialect, scratches: &[Scratch]) -> String {
    let names: Vec<_> =
        scratches.iter().map(|scratch| dialect.quoted(&scratch.table.name.name)).collect();
    format!("DROP TEMPORARY TABLE IF EXISTS {}", names.join(", "))
}

/// A model under a random name, without what a temporary table can not have.
struct Scratch {
    table: Table,
    /// Indexes that a temporary table can not have, and where they stood.
    indexes: Vec<(usize, Index)>,
}

impl Scratch {
    fn new(model: &Table) -> Self {
        let name = format!("larder_{:032x}", rand::random::<u128>());
        let mut table = Table { name: TableName::new(name), ..model.clone() };
        table.foreign_keys.clear();
        let is_special = |index: &Index| {
            let method = index.method.as_deref().unwrap_or_default();
            method.starts_with("fulltext") || method.starts_with("spatial")
        };
        let indexes = model.indexes.iter().cloned().enumerate();
        let indexes = indexes.filter(|(_, index)| is_special(index)).collect();
        table.indexes.retain(|index| !is_special(index));
        Self { table, indexes }
    }

    fn statements(&self, dialect: Dialect) -> Vec<String> {
        let statements = dialect.create_table(&self.table).into_iter();
        let temporary = |sql: String| sql.replacen("CREATE TABLE", "CREATE TEMPORARY TABLE", 1);
        statements.map(temporary).collect()
    }

    /// The model as the server printed it, with what only a model knows.
    fn read(self, model: &Table, sql: &str, context: parse::Context<'_>) -> Table {
        let mut read = parse::table(&model.name.name, sql, context);
        for column in &mut read.columns {
            if let Some(of_model) = model.column(&column.name) {
                column.kind = of_model.kind;
                column.renamed_from.clone_from(&of_model.renamed_from);
            }
        }
        for (at, index) in self.indexes {
            read.indexes.insert(at.min(read.indexes.len()), index);
        }
        let made_up = |name: &String| name.starts_with(&self.table.name.name);
        for check in &mut read.checks {
            check.name = check.name.take().filter(|name| !made_up(name));
        }
        read.foreign_keys.clone_from(&model.foreign_keys);
        read.renamed_from.clone_from(&model.renamed_from);
        read
    }
}
