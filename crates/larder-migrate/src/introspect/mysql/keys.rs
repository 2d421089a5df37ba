//! Keys and references out of their lines.

use larder_model::{
    ForeignKey, Index, IndexPart, PrimaryKey, ReferentialAction, Table, TableName, Unique,
};

use super::parse::{NotUnderstood, Parsed, Parser};

impl Parser<'_> {
    /// A key of any kind.
    pub(super) fn key(&mut self) -> Parsed<()> {
        if self.words(&["PRIMARY", "KEY"]) {
            return self.primary_key();
        }
        let unique = self.word("UNIQUE");
        let mut method = None;
        for kind in ["FULLTEXT", "SPATIAL"] {
            if self.word(kind) {
                method = Some(kind.to_ascii_lowercase());
            }
        }
        self.expect_word("KEY")?;
        let mut index = Index { unique, method, ..Index::new(self.name()?, &[]) };
        self.parts(&mut index)?;
        while self.key_option(&mut index)? {}
        self.table.add_index(index);
        Ok(())
    }

    /// Its name is always the same, and its order is of no consequence for a key.
    fn primary_key(&mut self) -> Parsed<()> {
        let mut index = Index::new("PRIMARY", &[]);
        self.parts(&mut index)?;
        while self.key_option(&mut index)? {}
        if index.parts.iter().any(|part| part.prefix.is_some() || part.is_expression) {
            self.opaque("its primary key has parts of columns".to_owned());
        }
        let columns = index.parts.into_iter().map(|part| part.text).collect();
        self.table.primary_key = Some(PrimaryKey { name: None, columns });
        Ok(())
    }

    fn parts(&mut self, index: &mut Index) -> Parsed<()> {
        self.expect('(')?;
        loop {
            let mut part = match self.name() {
                Ok(name) => IndexPart::column(name),
                Err(NotUnderstood) => IndexPart::expression(self.expression()?),
            };
            if !part.is_expression && self.symbol('(') {
                part.prefix = Some(self.number()?);
                self.expect(')')?;
            }
            part.descending = self.word("DESC");
            index.parts.push(part);
            if !self.symbol(',') {
                return self.expect(')');
            }
        }
    }

    /// One option; `false` if there is none.
    fn key_option(&mut self, index: &mut Index) -> Parsed<bool> {
        if self.word("USING") {
            if !self.any_word()?.eq_ignore_ascii_case("BTREE") {
                index.method = Some("hash".to_owned());
            }
        } else if self.word("COMMENT") {
            self.text()?;
        } else if self.word("KEY_BLOCK_SIZE") {
            self.symbol('=');
            self.number()?;
        } else if self.words(&["WITH", "PARSER"]) {
            let parser = self.name()?;
            index.method = index.method.take().map(|method| format!("{method} {parser}"));
        } else if self.word("INVISIBLE") || self.word("IGNORED") {
            index.valid = false;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// What follows the name of a reference.
    pub(super) fn foreign_key(&mut self, name: String) -> Parsed<()> {
        let columns = self.name_list()?;
        self.expect_word("REFERENCES")?;
        let first = self.name()?;
        let target = match self.symbol('.') || self.word(".") {
            true => TableName::in_schema(first, self.name()?),
            false => TableName::new(first),
        };
        let target_columns = self.name_list()?;
        let (mut on_delete, mut on_update) = Default::default();
        while self.word("ON") {
            if self.word("DELETE") {
                on_delete = self.action()?;
            } else {
                self.expect_word("UPDATE")?;
                on_update = self.action()?;
            }
        }
        self.table.foreign_keys.push(ForeignKey {
            name: Some(name),
            columns,
            target,
            target_columns,
            on_delete,
            on_update,
            deferrable: None,
            validated: true,
        });
        Ok(())
    }

    fn action(&mut self) -> Parsed<ReferentialAction> {
        if self.word("CASCADE") {
            Ok(ReferentialAction::Cascade)
        } else if self.words(&["SET", "NULL"]) {
            Ok(ReferentialAction::SetNull)
        } else if self.words(&["SET", "DEFAULT"]) {
            Ok(ReferentialAction::SetDefault)
        } else if self.word("RESTRICT") || self.words(&["NO", "ACTION"]) {
            // The same here, and MySQL prints the one or the other as it was declared.
            Ok(ReferentialAction::NoAction)
        } else {
            Err(NotUnderstood)
        }
    }
}

/// What a table does with an index.
trait Indexed {
    fn add_index(&mut self, index: Index);
}

impl Indexed for Table {
    /// A unique index is a unique constraint if it can be written as one.
    fn add_index(&mut self, index: Index) {
        let is_plain = index.unique && index.method.is_none() && index.valid;
        let is_column = |part: &IndexPart| *part == IndexPart::column(part.text.clone());
        if !is_plain || !index.parts.iter().all(is_column) {
            self.indexes.push(index);
            return;
        }
        self.uniques.push(Unique {
            name: Some(index.name),
            columns: index.parts.into_iter().map(|part| part.text).collect(),
            nulls_not_distinct: false,
            deferrable: None,
            include: Vec::new(),
        });
    }
}

/// Takes out the indexes that the server made for references: each has the name and the columns of
/// one. An index that somebody made with both is not told from them, and does the same.
pub(super) fn without_implicit_indexes(table: &mut Table) {
    let keys = &table.foreign_keys;
    let is_implicit = |index: &Index| {
        keys.iter().any(|key| {
            let columns: Vec<_> = key.columns.iter().map(String::as_str).collect();
            key.name.as_ref() == Some(&index.name)
                && *index == Index::new(index.name.clone(), &columns)
        })
    };
    table.indexes.retain(|index| !is_implicit(index));
}
