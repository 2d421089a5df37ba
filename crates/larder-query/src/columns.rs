//! The header that all rows of a result share.
//!
//! Guards that order and duplicate names survive: two columns of one name stay two columns.

use std::{collections::HashSet, fmt};

/// The columns of a result: names in order, duplicates kept, and the declared types.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// All names and types, one after the other: two allocations whatever the number of columns.
    text: String,
    ends: Vec<Ends>,
    /// Present only if a name occurs twice.
    unique: Option<Vec<String>>,
}

/// Where a column's name and type end; the next name begins where the type ends.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ends {
    name: usize,
    kind: usize,
}

impl Columns {
    /// Columns of these names and declared types.
    #[must_use]
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut header = Self::default();
        for (name, kind) in columns {
            header.text.push_str(name);
            let name = header.text.len();
            header.text.push_str(kind);
            let kind = header.text.len();
            header.ends.push(Ends { name, kind });
        }
        header.unique = unique_names(header.names().collect());
        header
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name at a position.
    #[must_use]
    pub fn name(&self, index: usize) -> Option<&str> {
        let end = self.ends.get(index)?.name;
        self.text.get(self.start(index)..end)
    }

    /// The type at a position as the database names it, such as `"INTEGER"`.
    ///
    /// It is what was declared. SQLite may store values of other types in the column, and has no
    /// declared type for an expression: then it is `"NULL"`.
    #[must_use]
    pub fn declared_type(&self, index: usize) -> Option<&str> {
        let Ends { name, kind } = *self.ends.get(index)?;
        self.text.get(name..kind)
    }

    /// The names in order, duplicates included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|index| self.name(index))
    }

    /// The position of the first column of a name; names are compared exactly.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names().position(|other| other == name)
    }

    /// A name that no other column of the result has, for formats whose objects can not repeat a
    /// key: the second `id` is `id:2`, the third `id:3`.
    #[must_use]
    pub fn unique_name(&self, index: usize) -> Option<&str> {
        match &self.unique {
            Some(names) => names.get(index).map(String::as_str),
            None => self.name(index),
        }
    }

    /// Whether an earlier column has the same name.
    pub(crate) fn repeats(&self, index: usize) -> bool {
        self.unique.is_some()
            && self
                .name(index)
                .and_then(|name| self.position(name))
                .is_some_and(|first| first < index)
    }

    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |ends| ends.kind)
    }
}

/// Numbers the repeated names; `None` if there is nothing to number.
fn unique_names(names: Vec<&str>) -> Option<Vec<String>> {
    // A name that occurs literally is taken, even if it stands further to the right: `id, id, id:2`
    // becomes `id, id:3, id:2`.
    let literal: HashSet<&str> = names.iter().copied().collect();
    if literal.len() == names.len() {
        return None;
    }
    let mut taken: HashSet<String> = literal.iter().map(|&name| name.to_owned()).collect();
    let mut first = HashSet::new();
    let unique = names.into_iter().map(|name| {
        if first.insert(name) {
            return name.to_owned();
        }
        let numbered = (2_u64..)
            .map(|number| format!("{name}:{number}"))
            .find(|candidate| !taken.contains(candidate))
            .unwrap_or_default();
        taken.insert(numbered.clone());
        numbered
    });
    Some(unique.collect())
}

impl fmt::Debug for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries((0..self.len()).map(|index| (self.name(index), self.declared_type(index))))
            .finish()
    }
}

/// How a column is named in a call: by position (`usize`) or by name (`&str`, first match).
pub trait ColumnIndex: fmt::Debug {
    /// The position, if there is such a column.
    fn position_in(&self, columns: &Columns) -> Option<usize>;
}

impl ColumnIndex for usize {
    fn position_in(&self, columns: &Columns) -> Option<usize> {
        (*self < columns.len()).then_some(*self)
    }
}

impl ColumnIndex for &str {
    fn position_in(&self, columns: &Columns) -> Option<usize> {
        columns.position(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unique(names: &[&str]) -> Vec<String> {
        let columns = Columns::new(names.iter().map(|&name| (name, "")));
        (0..columns.len())
            .filter_map(|index| columns.unique_name(index).map(str::to_owned))
            .collect()
    }

    #[test]
    fn names_and_types_keep_their_order() {
        let columns = Columns::new([("b", "INTEGER"), ("", ""), ("b", "TEXT")]);
        assert_eq!(columns.names().collect::<Vec<_>>(), ["b", "", "b"]);
        assert_eq!(columns.declared_type(0), Some("INTEGER"));
        assert_eq!(columns.declared_type(1), Some(""));
        assert_eq!(columns.declared_type(2), Some("TEXT"));
        assert_eq!(columns.name(3), None);
        assert_eq!(columns.declared_type(3), None);
    }

    #[test]
    fn the_first_of_equal_names_is_found() {
        let columns = Columns::new([("a", ""), ("b", ""), ("b", "")]);
        assert_eq!(columns.position("b"), Some(1));
        assert_eq!(columns.position("B"), None);
        assert_eq!([0, 1, 2].map(|index| columns.repeats(index)), [false, false, true]);
    }

    #[test]
    fn repeated_names_are_numbered_around_names_that_exist() {
        assert_eq!(unique(&["id", "id", "id"]), ["id", "id:2", "id:3"]);
        assert_eq!(unique(&["id", "id", "id:2"]), ["id", "id:3", "id:2"]);
        assert_eq!(unique(&["", ""]), ["", ":2"]);
        assert_eq!(unique(&["a", "b"]), ["a", "b"]);
    }
}
