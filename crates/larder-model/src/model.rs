//! The trait that ties a Rust struct to its table, and the process's list of all models.
//!
//! Invariant: every model has a slot of its own for as long as the process runs, and the slots are
//! numbered without gaps, so that a table of slots needs no hashing.

use std::sync::{
    Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use crate::{Checksum, TableModel};

/// A Rust struct whose rows live in a table. Derive it with `#[derive(Model)]`.
///
/// What no table can be is an error of the compiler, at the place in the source where it is: a key
/// that may be NULL, a default of another type, a type that no column holds, a name that is no
/// column's.
///
/// ```compile_fail,E0080
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(key)]
///     id: Option<i64>,
/// }
/// ```
///
/// ```compile_fail,E0080
/// #[derive(larder_model::Model)]
/// struct Airline {
///     #[model(default = "1")]
///     name: String,
/// }
/// ```
///
/// ```compile_fail,E0277
/// #[derive(larder_model::Model)]
/// struct Airline {
///     fleet: std::collections::HashMap<String, u32>,
/// }
/// ```
///
/// ```compile_fail
/// #[derive(larder_model::Model)]
/// #[model(index("name"))]
/// struct Airline {
///     iata: String,
/// }
/// ```
///
/// ```compile_fail,E0080
/// #[derive(larder_model::Model)]
/// struct Leg {
///     #[model(references = "airline(id)", on_delete = "set null")]
///     airline: i64,
/// }
/// ```
///
/// The code that the macro writes has nothing that a strict crate forbids:
///
/// ```
/// #![forbid(unsafe_code)]
/// #![deny(warnings)]
///
/// #[derive(larder_model::Model)]
/// #[model(index("iata", name = "by_iata"))]
/// pub struct Airline {
///     #[model(key)]
///     pub id: i64,
///     pub iata: String,
/// }
/// # fn main() {}
/// ```
///
/// By hand, it takes one `static`, and [`register_model!`](crate::register_model) if it is to be
/// found by its type:
///
/// ```
/// use larder_model::{ColumnModel, Identifier, Model, ModelEntry, TableModel};
///
/// struct Airline;
///
/// impl Model for Airline {
///     fn entry() -> &'static ModelEntry {
///         static ENTRY: ModelEntry = ModelEntry::new("Airline", || {
///             let iata = ColumnModel::of::<String>(Identifier::from_static("iata"));
///             TableModel::builder(Identifier::from_static("airline"))
///                 .column(iata.with_key())
///                 .build()
///                 .expect("one column of its own name")
///         });
///         &ENTRY
///     }
/// }
/// assert_eq!(Airline::table().name().as_str(), "airline");
/// ```
pub trait Model: 'static {
    /// The model's place in the process. Two models never share one.
    fn entry() -> &'static ModelEntry;

    /// What the table must look like.
    #[must_use]
    fn table() -> &'static TableModel {
        Self::entry().table()
    }
}

/// A model's place in the process: its table and its slot.
#[derive(Debug)]
pub struct ModelEntry {
    name: &'static str,
    build: fn() -> TableModel,
    table: OnceLock<TableModel>,
    checksum: OnceLock<Checksum>,
    slot: AtomicUsize,
}

const UNREGISTERED: usize = usize::MAX;

/// All models that were given a slot, by slot.
static REGISTRY: Mutex<Vec<&'static ModelEntry>> = Mutex::new(Vec::new());

impl ModelEntry {
    /// The entry of a model; `name` is the name of the Rust struct, and `build` puts its table
    /// together when it is first asked for.
    #[must_use]
    pub const fn new(name: &'static str, build: fn() -> TableModel) -> Self {
        Self {
            name,
            build,
            table: OnceLock::new(),
            checksum: OnceLock::new(),
            slot: AtomicUsize::new(UNREGISTERED),
        }
    }

    /// The entry of a table that is known at run time only. It lives as long as the process, so
    /// make one for each table and not for each use.
    #[must_use]
    pub fn leaked(name: &str, table: TableModel) -> &'static Self {
        let entry = Self {
            name: String::leak(name.to_owned()),
            build: || unreachable!("the table is there from the start"),
            table: OnceLock::from(table),
            checksum: OnceLock::new(),
            slot: AtomicUsize::new(UNREGISTERED),
        };
        Box::leak(Box::new(entry))
    }

    /// The name of the Rust struct.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What the table must look like.
    #[must_use]
    pub fn table(&self) -> &TableModel {
        self.table.get_or_init(self.build)
    }

    /// The digest of what the model declares, computed once.
    #[must_use]
    pub fn checksum(&self) -> &Checksum {
        self.checksum.get_or_init(|| self.table().checksum())
    }

    /// The model's number in this process, assigned at the first call: 0, 1, 2 and so on.
    ///
    /// Every later call is one relaxed atomic load.
    #[inline]
    #[must_use]
    pub fn slot(&'static self) -> usize {
        // The number stands for itself: nothing else is published with it.
        match self.slot.load(Ordering::Relaxed) {
            UNREGISTERED => self.register(),
            slot => slot,
        }
    }

    #[cold]
    fn register(&'static self) -> usize {
        let mut registry = registry();
        let slot = self.slot.load(Ordering::Relaxed);
        if slot != UNREGISTERED {
            return slot;
        }
        let slot = registry.len();
        registry.push(self);
        self.slot.store(slot, Ordering::Relaxed);
        slot
    }
}

/// All models that were used in this process so far, by slot.
#[must_use]
pub fn registered_models() -> Vec<&'static ModelEntry> {
    registry().clone()
}

fn registry() -> MutexGuard<'static, Vec<&'static ModelEntry>> {
    // Every critical section leaves the list whole.
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnModel, Identifier};

    fn table() -> TableModel {
        let a = Identifier::from_static("a");
        TableModel::builder(a.clone()).column(ColumnModel::of::<String>(a)).build().unwrap()
    }

    #[test]
    fn slots_are_dense_and_stay() {
        static ENTRIES: [ModelEntry; 8] = [const { ModelEntry::new("A", table) }; 8];
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| ENTRIES.iter().map(ModelEntry::slot).max());
            }
        });
        let models = registered_models();
        for entry in &ENTRIES {
            assert!(std::ptr::eq(models[entry.slot()], entry));
        }
        let mut slots: Vec<_> = ENTRIES.iter().map(ModelEntry::slot).collect();
        slots.sort_unstable();
        slots.dedup();
        assert_eq!(slots.len(), ENTRIES.len());
    }
}
