//! The statement of each change, what it costs, and how it is taken back.
//!
//! Guards that a class promises only what its statement asks the server for.

use super::{
    alter::{Altered, Judgement, is_fulltext},
    convert::Cost,
    ddl::{column_check, create_table, is_of_column},
    order::Work,
    steps::{Draft, Planner, Way},
};
use crate::{
    Change, Check, Class, Column, Dialect, ForeignKey, Identity, Index, LockLevel, Table,
    TableName, Undo, Unique,
};

const RENAMED: &str = "programs that use the former name fail from then on: add the new one beside \
                       it, move them over, and drop the former one";
const COPIED: &str = "the server copies the table, and whoever writes to it waits meanwhile";

impl Planner<'_> {
    pub(super) fn create(&self, table: &Table) -> Draft {
        let statement = create_table(self.dialect, table).concat();
        let undo = format!("DROP TABLE {}", self.dialect.quoted_table(&table.name));
        Draft::metadata(statement, undo).of(Class::Additive, LockLevel::None)
    }

    pub(super) fn drop_table(&self, table: &Table) -> Draft {
        let statement = format!("DROP TABLE {}", self.dialect.quoted_table(&table.name));
        let rows = self.before.all_rows(&table.name, format!("rows in {}", table.name));
        Draft::metadata(statement, String::new())
            .after(rows)
            .of(Class::Destructive, LockLevel::Everybody)
            .irreversible()
    }

    pub(super) fn rename_table(&self, from: &TableName, to: &TableName) -> Draft {
        let quoted = |name| self.dialect.quoted_table(name);
        let rename = |from, to| format!("RENAME TABLE {} TO {}", quoted(from), quoted(to));
        Draft::metadata(rename(from, to), rename(to, from)).because(RENAMED)
    }

    pub(super) fn rename_column(&self, table: &TableName, from: &str, to: &str) -> Draft {
        let rename = |from, to| {
            let clause = format!("RENAME COLUMN {} TO {}", self.ddl.name(from), self.ddl.name(to));
            self.alter(table, &[clause], Way::InPlace)
        };
        Draft::metadata(rename(from, to), rename(to, from)).because(RENAMED)
    }

    pub(super) fn rename_index(&self, table: &TableName, from: &str, to: &str) -> Draft {
        let rename = |from, to| {
            let clause = format!("RENAME INDEX {} TO {}", self.ddl.name(from), self.ddl.name(to));
            self.alter(table, &[clause], Way::InPlace)
        };
        Draft::metadata(rename(from, to), rename(to, from))
            .because("another index is to have its name")
    }

    fn has_fulltext(&self, table: &TableName) -> bool {
        self.found(table).is_some_and(|table| table.indexes.iter().any(is_fulltext))
    }

    pub(super) fn add_column(&self, table: &TableName, column: &Column) -> Draft {
        let clause = format!("ADD COLUMN {}", self.ddl.column(column, None));
        let drop = format!("DROP COLUMN {}", self.ddl.name(&column.name));
        let undo = self.alter(table, &[drop], Way::Any);
        let computed = column.generated.as_ref();
        let default = column.default.as_deref();
        let is_stored = computed.is_some_and(|of| of.stored);
        let rewrites = is_stored
            || default.is_some_and(|sql| !is_constant(self.dialect, sql))
            || self.has_fulltext(table);
        let needs_value = !column.nullable && default.is_none() && computed.is_none();
        // Where there is no value to begin with, MySQL reads the table for some types.
        let way = if rewrites || needs_value { Way::Any } else { Way::Instant };
        let draft = Draft::metadata(self.alter(table, &[clause], way), undo);
        let draft = match rewrites {
            true => draft.of(Class::Rewrite, LockLevel::Writers).because(COPIED),
            false => draft.of(Class::Additive, LockLevel::None),
        };
        if !needs_value {
            return draft;
        }
        // The server makes up a zero or an empty text, in a strict mode as well.
        let what = format!("rows without a value for {}", self.ddl.name(&column.name));
        draft.after(self.before.all_rows(table, what)).because(
            "it may not be NULL and has no default: rows that are there would get a value that \
             nobody chose",
        )
    }

    pub(super) fn drop_column(&self, table: &TableName, column: &Column) -> Draft {
        let name = self.ddl.name(&column.name);
        let statement = self.alter(table, &[format!("DROP COLUMN {name}")], Way::Any);
        if let Some(computed) = &column.generated {
            let add = format!("ADD COLUMN {}", self.ddl.column(column, None));
            let draft = Draft::metadata(statement, self.alter(table, &[add], Way::Any));
            return match computed.stored {
                true => draft.of(Class::Rewrite, LockLevel::Writers),
                false => draft,
            };
        }
        let condition = format!("{name} IS NOT NULL");
        let what = format!("rows with a value in {name}");
        let columns = [column.name.as_str()];
        Draft::metadata(statement, String::new())
            .after(self.before.rows_where(table, columns, &condition, what))
            .of(Class::Destructive, LockLevel::Writers)
            .irreversible()
    }

    pub(super) fn alter_column(
        &self,
        table: &TableName,
        from: &Column,
        to: &Column,
        all: &[Work],
    ) -> Draft {
        let Some(altered) = self.altered(table, from, to) else {
            // The comparison names columns of tables that are on both sides only.
            return Draft::metadata(self.modify(table, to, None, Way::Any), String::new())
                .of(Class::Destructive, LockLevel::Writers)
                .irreversible();
        };
        let judgement = self.judge(&altered);
        let check = self.kept_check(&altered, all);
        let (statement, undo) = match judgement.is_replaced {
            true => (self.replace(table, to), self.replace(table, from)),
            false => (
                self.modify(table, to, check, way(judgement.cost)),
                self.modify(table, from, check, Way::Any),
            ),
        };
        draft_of(judgement, statement, undo)
    }

    fn modify(&self, table: &TableName, to: &Column, check: Option<&Check>, way: Way) -> String {
        self.alter(table, &[format!("MODIFY COLUMN {}", self.ddl.column(to, check))], way)
    }

    /// A computed column goes and comes back, with the indexes that stay.
    fn replace(&self, table: &TableName, to: &Column) -> String {
        let mut clauses = vec![
            format!("DROP COLUMN {}", self.ddl.name(&to.name)),
            format!("ADD COLUMN {}", self.ddl.column(to, None)),
        ];
        let (Some(found), Some(wanted)) = (self.found(table), self.wanted(table)) else {
            return self.alter(table, &clauses, Way::Any);
        };
        for index in wanted.indexes.iter().filter(|index| found.indexes.contains(index)) {
            if index.parts.iter().any(|part| part.text == to.name) {
                clauses.push(format!("DROP INDEX {}", self.ddl.name(&index.name)));
                clauses.push(format!("ADD {}", self.ddl.index(index)));
            }
        }
        for unique in wanted.uniques.iter().filter(|unique| unique.columns.contains(&to.name)) {
            let same = found.uniques.iter().find(|found| found.columns == unique.columns);
            if let Some(Unique { name: Some(name), .. }) = same {
                clauses.push(format!("DROP INDEX {}", self.ddl.name(name)));
                clauses.push(format!("ADD {}", self.ddl.unique(unique)));
            }
        }
        self.alter(table, &clauses, Way::Any)
    }

    /// MariaDB's check of the column, which would go if it were not named again.
    fn kept_check<'a>(&self, altered: &'a Altered<'_>, all: &[Work]) -> Option<&'a Check> {
        let check = column_check(self.dialect, altered.found, altered.from)?;
        let is_dropped = all.iter().flat_map(Work::changes).any(|change| {
            matches!(change, Change::DropCheck(table, of) if table == altered.table && of == check)
        });
        (!is_dropped).then_some(check)
    }

    /// The comment, and the collation with all texts.
    pub(super) fn alter_options(
        &self,
        from: &Table,
        to: &Table,
        all: &[Work],
    ) -> Result<Draft, (Class, Option<String>)> {
        let comment = |of: &Table| {
            let text = of.comment.as_deref().unwrap_or_default();
            format!("COMMENT={}", self.dialect.text(text))
        };
        if from.collation == to.collation {
            let alter = |of| self.alter(&to.name, &[comment(of)], Way::InPlace);
            return Ok(Draft::metadata(alter(to), alter(from)));
        }
        let (Some(_), Some(collation)) = (&from.collation, &to.collation) else {
            let reason = "the collation of the table is to be, or was, that of the database, which \
                          has no name here";
            if to.collation.is_none() {
                return Err((Class::Unsupported, Some(reason.to_owned())));
            }
            return Ok(self.recollate(from, to, to.collation.as_deref().unwrap_or_default(), all));
        };
        Ok(self.recollate(from, to, collation, all))
    }

    fn recollate(&self, from: &Table, to: &Table, collation: &str, all: &[Work]) -> Draft {
        let mut clauses = vec![format!("COLLATE={}", self.ddl.collation(collation))];
        if from.comment != to.comment {
            let text = to.comment.as_deref().unwrap_or_default();
            clauses.push(format!("COMMENT={}", self.dialect.text(text)));
        }
        let mut class = Class::Metadata;
        let mut questions = Vec::new();
        for altered in self.texts(from, to) {
            let judgement = self.judge(&altered);
            class = class.max(judgement.class);
            questions.extend(judgement.questions);
            let named = Column {
                // The table's own collation changes by the same statement.
                collation: altered.to.collation.clone().or_else(|| Some(collation.to_owned())),
                ..altered.to.clone()
            };
            let check = self.kept_check(&altered, all);
            clauses.push(format!("MODIFY COLUMN {}", self.ddl.column(&named, check)));
        }
        let lock = if class > Class::Metadata { LockLevel::Writers } else { LockLevel::None };
        let statement = self.alter(&to.name, &clauses, Way::Any);
        let draft = Draft::metadata(statement, String::new()).of(class, lock).irreversible();
        Draft { questions, ..draft }
    }

    pub(super) fn add_check(&self, table: &TableName, check: &Check) -> Draft {
        let wanted = self.wanted(table);
        let column = wanted.filter(|table| is_of_column(self.dialect, table, check));
        let column = column.and_then(|table| table.column(check.name.as_deref()?));
        let name = self.ddl.name(check.name.as_deref().unwrap_or_default());
        let way = if check.validated { Way::Copy } else { Way::Any };
        let draft = match column {
            Some(column) => Draft::metadata(
                self.modify(table, column, Some(check), way),
                self.modify(table, column, None, Way::Any),
            ),
            None => Draft::metadata(
                self.alter(table, &[format!("ADD {}", self.ddl.check(check))], way),
                self.alter(table, &[format!("DROP CONSTRAINT {name}")], Way::Any),
            ),
        };
        if !check.validated {
            return draft;
        }
        let columns = wanted.iter().flat_map(|table| &table.columns);
        let columns = columns.map(|column| column.name.as_str());
        let columns = columns.filter(|name| mentions(&check.expression, name));
        let what = format!("rows that break the check ({})", check.expression);
        let condition = format!("NOT ({})", check.expression);
        draft
            .of(Class::DataDependent, LockLevel::Writers)
            .after(self.before.rows_where(table, columns, &condition, what))
            .because(COPIED)
    }

    pub(super) fn drop_check(&self, table: &TableName, check: &Check) -> Option<Draft> {
        let name = check.name.as_deref()?;
        let found = self.found(table)?;
        if is_of_column(self.dialect, found, check) {
            let column = found.column(name)?;
            return Some(Draft::metadata(
                self.modify(table, column, None, Way::Any),
                self.modify(table, column, Some(check), Way::Any),
            ));
        }
        let drop = format!("DROP CONSTRAINT {}", self.ddl.name(name));
        let add = format!("ADD {}", self.ddl.check(check));
        Some(Draft::metadata(
            self.alter(table, &[drop], Way::Instant),
            self.alter(table, &[add], Way::Any),
        ))
    }

    /// A new reference of a table that was created just now has nothing to check.
    pub(super) fn add_foreign_key(
        &self,
        table: &TableName,
        key: &ForeignKey,
        all: &[Work],
    ) -> Draft {
        let mut draft = self.resume(table, key);
        if let (Some(name), true) = (&key.name, self.makes_index(table, key, all)) {
            let name = self.ddl.name(name);
            let drop = [format!("DROP FOREIGN KEY {name}"), format!("DROP INDEX {name}")];
            draft.undo = Undo::Statements(vec![self.alter(table, &drop, Way::Any)]);
        }
        if self.before.is_created(table) {
            return Draft { reason: None, ..draft.of(Class::Additive, LockLevel::None) };
        }
        draft
            .of(Class::DataDependent, LockLevel::Writers)
            .after(self.before.orphans(table, key))
            .because(COPIED)
    }

    /// The rows kept to the reference until it went.
    pub(super) fn resume(&self, table: &TableName, key: &ForeignKey) -> Draft {
        let way = if self.before.is_created(table) { Way::Any } else { Way::Copy };
        let statement = self.alter(table, &[format!("ADD {}", self.ddl.foreign_key(key))], way);
        let undo = match &key.name {
            Some(name) => {
                let drop = format!("DROP FOREIGN KEY {}", self.ddl.name(name));
                Undo::Statements(vec![self.alter(table, &[drop], Way::Any)])
            }
            None => Undo::Irreversible,
        };
        let draft = Draft::metadata(statement, String::new()).because(COPIED);
        Draft { undo, ..draft.of(Class::Rewrite, LockLevel::Writers) }
    }

    /// Whether the server makes an index for a new reference.
    fn makes_index(&self, table: &TableName, key: &ForeignKey, all: &[Work]) -> bool {
        let sides = [self.found(table), self.wanted(table)];
        let mut there = Table::new(table.clone());
        for side in sides.into_iter().flatten() {
            there.primary_key = side.primary_key.clone().or(there.primary_key);
            there.uniques.extend(side.uniques.iter().cloned());
            there.indexes.extend(side.indexes.iter().cloned());
        }
        there.foreign_keys.extend(self.references(table, all));
        let added = all.iter().flat_map(Work::changes).map_while(|change| match change {
            Change::AddForeignKey(of, other) if of == table && other == key => None,
            Change::AddForeignKey(of, other) if of == table => Some(Some(other.clone())),
            _ => Some(None),
        });
        there.foreign_keys.extend(added.flatten());
        has_implicit_index(&there, key)
    }

    /// The references of a table that stay.
    fn references(&self, table: &TableName, all: &[Work]) -> Vec<ForeignKey> {
        let is_dropped = |key: &ForeignKey| {
            all.iter().flat_map(Work::changes).any(|change| {
                matches!(change, Change::DropForeignKey(of, gone)
                    if of == table && gone.name == key.name)
            })
        };
        let found = self.found(table).into_iter();
        let keys = found.flat_map(|found| &found.foreign_keys).filter(|key| !is_dropped(key));
        keys.cloned().collect()
    }

    /// What takes an index away again. The server drops the index that it made for a reference as
    /// soon as another one will do, and wants it back.
    fn undo_index(
        &self,
        table: &TableName,
        name: &str,
        columns: &[String],
        all: &[Work],
    ) -> String {
        let mut clauses = vec![format!("DROP INDEX {}", self.ddl.name(name))];
        if let Some(found) = self.found(table) {
            let keys = self.references(table, all);
            let is_swallowed = |key: &&ForeignKey| {
                columns.starts_with(&key.columns) && has_implicit_index(found, key)
            };
            clauses.extend(keys.iter().filter(is_swallowed).filter_map(|key| {
                let name = self.ddl.name(key.name.as_deref()?);
                Some(format!("ADD KEY {name} ({})", self.ddl.names(&key.columns)))
            }));
        }
        self.alter(table, &clauses, Way::Any)
    }

    pub(super) fn suspend(&self, table: &TableName, key: &ForeignKey) -> Option<Draft> {
        let drop = format!("DROP FOREIGN KEY {}", self.ddl.name(key.name.as_deref()?));
        let add = format!("ADD {}", self.ddl.foreign_key(key));
        let statement = self.alter(table, &[drop], Way::InPlace);
        let draft = Draft::metadata(statement, self.alter(table, &[add], Way::Any));
        Some(draft.because("its columns can not be changed while it is there"))
    }

    /// With a reference goes the index that the server made for it.
    pub(super) fn drop_foreign_key(&self, table: &TableName, key: &ForeignKey) -> Option<Draft> {
        let name = self.ddl.name(key.name.as_deref()?);
        let mut clauses = vec![format!("DROP FOREIGN KEY {name}")];
        let found = self.found(table);
        if found.is_some_and(|found| has_implicit_index(found, key)) {
            clauses.push(format!("DROP INDEX {name}"));
        }
        let add = format!("ADD {}", self.ddl.foreign_key(key));
        Some(Draft::metadata(
            self.alter(table, &clauses, Way::InPlace),
            self.alter(table, &[add], Way::Any),
        ))
    }

    pub(super) fn add_unique(&self, table: &TableName, unique: &Unique, all: &[Work]) -> Draft {
        let name = unique.name.as_deref().unwrap_or_default();
        let way = if self.has_fulltext(table) { Way::Any } else { Way::InPlace };
        let statement = self.alter(table, &[format!("ADD {}", self.ddl.unique(unique))], way);
        let undo = self.undo_index(table, name, &unique.columns, all);
        let draft = Draft::metadata(statement, undo).after(self.before.duplicates(
            table,
            &unique.columns,
            None,
        ));
        if unique.name.is_some() { draft } else { draft.irreversible() }
    }

    pub(super) fn add_index(&self, table: &TableName, index: &Index, all: &[Work]) -> Draft {
        let way = if self.has_fulltext(table) || !is_plain(index) {
            Way::Any
        } else if index.method.is_some() {
            Way::InPlaceShared
        } else {
            Way::InPlace
        };
        let (class, lock) = match way {
            Way::InPlace => (Class::Online, LockLevel::None),
            _ => (Class::Rewrite, LockLevel::Writers),
        };
        let statement = self.alter(table, &[format!("ADD {}", self.ddl.index(index))], way);
        let undo = self.undo_index(table, &index.name, &whole_columns(index), all);
        let draft = Draft::metadata(statement, undo).of(class, lock);
        match index.unique {
            true => draft.of(Class::DataDependent, lock).after(self.before.duplicate_parts(
                table,
                self.wanted(table),
                index,
            )),
            false => draft,
        }
    }

    pub(super) fn drop_index(&self, table: &TableName, index: &Index, all: &[Work]) -> Draft {
        let columns: Vec<_> = index.parts.iter().map(|part| part.text.clone()).collect();
        let add = format!("ADD {}", self.ddl.index(index));
        let keeps_order = index.unique && !self.has_key(table);
        let way = if is_plain(index) && !keeps_order { Way::InPlace } else { Way::Any };
        self.drop_named(table, (&index.name, way), &columns, add, all)
    }

    pub(super) fn drop_unique(
        &self,
        table: &TableName,
        unique: &Unique,
        all: &[Work],
    ) -> Option<Draft> {
        let add = format!("ADD {}", self.ddl.unique(unique));
        let name = unique.name.as_deref()?;
        let way = if self.has_key(table) { Way::InPlace } else { Way::Any };
        Some(self.drop_named(table, (name, way), &unique.columns, add, all))
    }

    /// Without a primary key the rows may be kept in the order of a unique one.
    fn has_key(&self, table: &TableName) -> bool {
        self.found(table).is_some_and(|found| found.primary_key.is_some())
    }

    /// Drops an index. A reference that stays and has no other one gets one of its own.
    fn drop_named(
        &self,
        table: &TableName,
        (name, way): (&str, Way),
        columns: &[String],
        add: String,
        all: &[Work],
    ) -> Draft {
        let mut clauses = vec![format!("DROP INDEX {}", self.ddl.name(name))];
        clauses.extend(self.supports(table, columns, all));
        Draft::metadata(self.alter(table, &clauses, way), self.alter(table, &[add], Way::Any))
    }

    /// What adds an index for each reference that is left without one.
    pub(super) fn supports(
        &self,
        table: &TableName,
        columns: &[String],
        all: &[Work],
    ) -> Vec<String> {
        let Some(found) = self.found(table) else { return Vec::new() };
        let dropped: Vec<_> = all.iter().flat_map(Work::changes).collect();
        let stays = |key: &&ForeignKey| {
            let is_dropped = dropped.iter().any(|change| {
                matches!(change, Change::DropForeignKey(of, gone)
                    if of == table && gone.name == key.name)
            });
            let is_suspended = all.iter().any(|work| {
                matches!(work, Work::Suspend(of, gone) if of == table && gone.name == key.name)
            });
            columns.starts_with(&key.columns) && !is_dropped && !is_suspended
        };
        let is_left = |key: &&ForeignKey| {
            !index_columns(found).any(|(name, covering)| {
                let goes = dropped.iter().any(|change| match change {
                    Change::DropIndex(of, index) => of == table && Some(&*index.name) == name,
                    Change::DropUnique(of, unique) => of == table && unique.name.as_deref() == name,
                    Change::DropPrimaryKey(of, _) => of == table && name.is_none(),
                    _ => false,
                });
                !goes && covering.starts_with(&key.columns)
            })
        };
        let left = found.foreign_keys.iter().filter(stays).filter(is_left);
        left.filter_map(|key| {
            let name = self.ddl.name(key.name.as_deref()?);
            Some(format!("ADD KEY {name} ({})", self.ddl.names(&key.columns)))
        })
        .collect()
    }

    /// Everything around the key of a table by one statement.
    pub(super) fn rekey(&self, table: &TableName, changes: &[Change], all: &[Work]) -> Draft {
        let mut clauses = Vec::new();
        let mut class = Class::Metadata;
        let mut questions = Vec::new();
        let mut is_irreversible = false;
        for change in changes {
            match change {
                Change::AddColumn(_, column) => {
                    clauses.push(format!("ADD COLUMN {}", self.ddl.column(column, None)));
                    class = class.max(Class::Rewrite);
                }
                Change::AddPrimaryKey(_, key) => {
                    clauses.push(format!("ADD PRIMARY KEY ({})", self.ddl.names(&key.columns)));
                    if !self.is_numbered(table, &key.columns, changes) {
                        class = class.max(Class::DataDependent);
                        questions.extend(self.before.duplicates(table, &key.columns, None));
                    }
                }
                Change::AddUnique(_, unique) => {
                    clauses.push(format!("ADD {}", self.ddl.unique(unique)));
                }
                Change::AlterColumn { from, to, .. } => {
                    let mut check = None;
                    let mut is_replaced = false;
                    let altered = self.altered(table, from, to);
                    if let Some(altered) = &altered {
                        let judgement = self.judge(altered);
                        class = class.max(judgement.class);
                        questions.extend(judgement.questions);
                        is_irreversible |= !judgement.is_reversible;
                        is_replaced = judgement.is_replaced;
                        check = self.kept_check(altered, all);
                    }
                    if is_replaced {
                        clauses.push(format!("DROP COLUMN {}", self.ddl.name(&from.name)));
                        clauses.push(format!("ADD COLUMN {}", self.ddl.column(to, check)));
                    } else {
                        clauses.push(format!("MODIFY COLUMN {}", self.ddl.column(to, check)));
                    }
                }
                Change::DropColumn(_, column) => {
                    clauses.push(format!("DROP COLUMN {}", self.ddl.name(&column.name)));
                    questions.extend(self.drop_column(table, column).questions);
                    class = Class::Destructive;
                    is_irreversible = true;
                }
                Change::DropPrimaryKey(_, key) => {
                    clauses.push("DROP PRIMARY KEY".to_owned());
                    clauses.extend(self.supports(table, &key.columns, all));
                    class = class.max(Class::Rewrite);
                }
                _ => {}
            }
        }
        let undo = self.undo_rekey(table, changes);
        let statement = self.alter(table, &clauses, Way::Any);
        let draft = Draft::metadata(statement, undo).of(class, LockLevel::Writers).because(COPIED);
        let draft = if is_irreversible { draft.irreversible() } else { draft };
        Draft { questions, ..draft }
    }

    /// Whether the server numbers the rows of a key that is new, so that no two are equal.
    fn is_numbered(&self, table: &TableName, columns: &[String], changes: &[Change]) -> bool {
        changes.iter().any(|change| {
            matches!(change, Change::AddColumn(of, column)
                if of == table
                    && column.identity == Some(Identity::AutoIncrement)
                    && columns.contains(&column.name))
        })
    }

    fn undo_rekey(&self, table: &TableName, changes: &[Change]) -> String {
        let mut clauses = Vec::new();
        for change in changes {
            clauses.push(match change {
                Change::AddColumn(_, column) => {
                    format!("DROP COLUMN {}", self.ddl.name(&column.name))
                }
                Change::AddPrimaryKey(..) => "DROP PRIMARY KEY".to_owned(),
                Change::AddUnique(_, Unique { name: Some(name), .. }) => {
                    format!("DROP INDEX {}", self.ddl.name(name))
                }
                Change::AlterColumn { from, .. } => {
                    format!("MODIFY COLUMN {}", self.ddl.column(from, None))
                }
                Change::DropPrimaryKey(_, key) => {
                    format!("ADD PRIMARY KEY ({})", self.ddl.names(&key.columns))
                }
                _ => continue,
            });
        }
        self.alter(table, &clauses, Way::Any)
    }
}

/// Whether an expression may mention a column; it need not, because more than what it mentions does
/// no harm.
pub(super) fn mentions(expression: &str, column: &str) -> bool {
    let expression = expression.replace("``", "`").to_lowercase();
    expression.contains(&column.to_lowercase())
}

const fn way(cost: Cost) -> Way {
    match cost {
        Cost::Instant => Way::Instant,
        Cost::InPlace => Way::InPlace,
        Cost::Any => Way::Any,
        Cost::Copy => Way::Copy,
    }
}

fn draft_of(judgement: Judgement, statement: String, undo: String) -> Draft {
    let lock = judgement.lock();
    let draft = Draft::metadata(statement, undo).of(judgement.class, lock);
    let draft = if judgement.is_reversible { draft } else { draft.irreversible() };
    let is_copied = matches!(judgement.cost, Cost::Any | Cost::Copy);
    let reason = judgement.reason.or_else(|| is_copied.then(|| COPIED.to_owned()));
    Draft { questions: judgement.questions, reason, ..draft }
}

/// Whether the server has the value before it looks at a row, so that it need not look at any.
fn is_constant(dialect: Dialect, default: &str) -> bool {
    if dialect == Dialect::MySql {
        // Expressions stand in parentheses.
        return !default.starts_with('(');
    }
    let is_literal =
        default.starts_with(['\'', '-']) || default.starts_with(|c: char| c.is_ascii_digit());
    let known = ["b'", "curdate()", "current_timestamp(", "curtime(", "unhex('"];
    is_literal || known.iter().any(|start| default.starts_with(start))
}

/// The indexes of a table that are over columns, with their names; the primary key has none.
fn index_columns(table: &Table) -> impl Iterator<Item = (Option<&str>, Vec<String>)> {
    let key = table.primary_key.iter().map(|key| (None, key.columns.clone()));
    let uniques =
        table.uniques.iter().map(|unique| (unique.name.as_deref(), unique.columns.clone()));
    let plain = table.indexes.iter().filter(|index| index.method.is_none());
    let indexes = plain.map(|index| (Some(index.name.as_str()), whole_columns(index)));
    key.chain(uniques).chain(indexes)
}

/// The columns that an index begins with, as far as they are whole.
fn whole_columns(index: &Index) -> Vec<String> {
    let whole = index.parts.iter().take_while(|part| !part.is_expression && part.prefix.is_none());
    whole.map(|part| part.text.clone()).collect()
}

/// Whether an index is over columns. MySQL keeps an expression in a column of its own, which it
/// adds and drops together with nothing else; MariaDB does so for what it keeps as a hash.
fn is_plain(index: &Index) -> bool {
    let is_hash = index.method.as_deref() == Some("hash");
    !is_hash && index.parts.iter().all(|part| !part.is_expression)
}

/// Whether the server made an index for a reference: no other one would do, also none that it made
/// for another reference.
fn has_implicit_index(table: &Table, key: &ForeignKey) -> bool {
    let is_covered = index_columns(table).any(|(_, columns)| columns.starts_with(&key.columns));
    let is_shared = table.foreign_keys.iter().any(|other| {
        other.name != key.name
            && (other.columns.starts_with(&key.columns) || key.columns.starts_with(&other.columns))
    });
    !is_covered && !is_shared
}
