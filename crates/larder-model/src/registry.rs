//! The models of the program by the type of their rows.
//!
//! Invariant: every derived model that is linked into the program is found by its type from the
//! start, whether it was used or not.

use std::{any::TypeId, collections::HashMap, sync::OnceLock};

use crate::{Model, ModelEntry};

/// A model that the program has; [`register_model!`](crate::register_model) hands it in.
#[derive(Debug)]
#[doc(hidden)]
pub struct Registration {
    type_id: fn() -> TypeId,
    entry: fn() -> &'static ModelEntry,
}

impl Registration {
    /// The registration of a model.
    #[must_use]
    pub const fn of<T: Model>() -> Self {
        Self { type_id: TypeId::of::<T>, entry: T::entry }
    }
}

inventory::collect!(Registration);

/// The model whose rows are of this type, if there is one.
///
/// Costs the hash of a number; only the first call of the program puts the table together. Models
/// that were implemented by hand are found if [`register_model!`](crate::register_model) was told
/// of them.
///
/// ```
/// use std::any::TypeId;
///
/// use larder_model::{Model, model_of};
///
/// #[derive(Model)]
/// struct Airline {
///     iata: String,
/// }
///
/// let found = model_of(TypeId::of::<Airline>()).expect("it is derived");
/// assert!(std::ptr::eq(found, Airline::entry()));
/// assert!(model_of(TypeId::of::<String>()).is_none());
/// ```
#[must_use]
pub fn model_of(row: TypeId) -> Option<&'static ModelEntry> {
    static MODELS: OnceLock<HashMap<TypeId, &'static ModelEntry>> = OnceLock::new();
    let of = |registration: &Registration| ((registration.type_id)(), (registration.entry)());
    let models = MODELS.get_or_init(|| inventory::iter::<Registration>().map(of).collect());
    models.get(&row).copied()
}

/// Lets a model that was implemented by hand be found by its type; the derive macro does it by
/// itself. It stands where an item stands.
///
/// ```
/// use larder_model::{ColumnModel, Identifier, Model, ModelEntry, TableModel, model_of};
///
/// struct Airline;
///
/// impl Model for Airline {
///     fn entry() -> &'static ModelEntry {
///         static ENTRY: ModelEntry = ModelEntry::new("Airline", || {
///             let iata = ColumnModel::of::<String>(Identifier::from_static("iata"));
///             let table = TableModel::builder(Identifier::from_static("airline"));
///             table.column(iata).build().expect("one column of its own name")
///         });
///         &ENTRY
///     }
/// }
///
/// larder_model::register_model!(Airline);
///
/// assert!(model_of(std::any::TypeId::of::<Airline>()).is_some());
/// ```
#[macro_export]
macro_rules! register_model {
    ($model:ty) => {
        $crate::derive::inventory::submit! {
            $crate::derive::Registration::of::<$model>()
        }
    };
}
