//! Models are found by the type of their rows.

use std::any::TypeId;

use larder_model::{
    ColumnModel, Identifier, Model, ModelEntry, TableModel, model_of, registered_models,
};

#[derive(Model)]
#[expect(dead_code, reason = "the table counts")]
struct NeverUsed {
    id: i64,
}

mod inner {
    /// The same name as another one, in another module.
    #[derive(larder_model::Model)]
    #[expect(dead_code, reason = "the table counts")]
    pub(crate) struct NeverUsed {
        pub(crate) name: String,
    }
}

struct ByHand;

impl Model for ByHand {
    fn entry() -> &'static ModelEntry {
        static ENTRY: ModelEntry = ModelEntry::new("ByHand", || {
            let column = ColumnModel::of::<String>(Identifier::from_static("a"));
            let table = TableModel::builder(Identifier::from_static("by_hand"));
            table.column(column).build().unwrap()
        });
        &ENTRY
    }
}

larder_model::register_model!(ByHand);

/// Asks for a row type that says nothing of models.
fn found<T: 'static>() -> Option<&'static ModelEntry> {
    model_of(TypeId::of::<T>())
}

#[test]
fn a_model_is_found_before_it_is_used() {
    let entry = found::<NeverUsed>().expect("it is derived");
    assert!(std::ptr::eq(entry, NeverUsed::entry()));
    assert_eq!(entry.table().columns()[0].name.as_str(), "id");
    let inner = found::<inner::NeverUsed>().expect("it is derived");
    assert_eq!(inner.table().columns()[0].name.as_str(), "name");
}

#[test]
fn a_model_within_a_function_is_found() {
    #[derive(Model)]
    #[expect(dead_code, reason = "the table counts")]
    struct Local {
        a: i64,
    }
    assert!(std::ptr::eq(found::<Local>().unwrap(), Local::entry()));
}

#[test]
fn a_model_by_hand_is_found_once_it_is_told_of() {
    assert!(std::ptr::eq(found::<ByHand>().unwrap(), ByHand::entry()));
}

#[test]
fn what_is_no_model_is_not_found() {
    assert!(found::<String>().is_none());
    assert!(found::<Option<NeverUsed>>().is_none());
}

#[test]
fn being_found_is_not_being_used() {
    #[derive(Model)]
    #[expect(dead_code, reason = "the table counts")]
    struct Idle {
        a: i64,
    }
    let entry = found::<Idle>().unwrap();
    let is_used = || registered_models().iter().any(|used| std::ptr::eq(*used, entry));
    assert!(!is_used());
    let _slot = entry.slot();
    assert!(is_used());
}
