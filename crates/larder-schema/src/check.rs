//! The check of one table: look, compare, and where the policy says so, change.
//!
//! Invariants: nothing is changed unless every step only adds; the comparison on which a change
//! rests was made in the transaction that changes; the change is permanent only if the table is
//! as the model wants it afterwards.

use std::sync::Arc;

use larder_model::{Plan, TableModel};

use crate::{
    Ensured, Policy, SchemaError, SchemaStore, SchemaTransaction,
    observe::{Reader, observe},
};

/// Brings one table into the shape of its model.
pub(crate) async fn check(
    store: &dyn SchemaStore,
    policy: Policy,
    table: &TableModel,
) -> Result<Ensured, SchemaError> {
    // Most checks find nothing to do, and need no lock for that.
    let plan = plan(Reader::Store(store), store, table).await?;
    if plan.is_empty() {
        return Ok(Ensured::Verified);
    }
    match policy {
        Policy::Verify => Err(objection(plan)),
        Policy::Additive => migrate(store, table).await,
    }
}

/// What differs between a table and its model.
pub(crate) async fn plan(
    mut reader: Reader<'_>,
    store: &dyn SchemaStore,
    table: &TableModel,
) -> Result<Plan, SchemaError> {
    let dialect = store.dialect();
    let observed = observe(&mut reader, dialect, table).await?;
    Ok(Plan::between(dialect, table, observed.as_ref()))
}

fn objection(plan: Plan) -> SchemaError {
    let additive = plan.is_additive();
    let plan = Arc::new(plan);
    if additive { SchemaError::Pending { plan } } else { SchemaError::Refused { plan } }
}

async fn migrate(store: &dyn SchemaStore, table: &TableModel) -> Result<Ensured, SchemaError> {
    let store_error = |source| SchemaError::store(table.name(), source);
    let mut transaction = store.begin().await.map_err(store_error)?;
    // Somebody else may have been faster, here or in another process.
    let planned = plan(Reader::Transaction(&mut *transaction), store, table).await?;
    if planned.is_empty() {
        return Ok(Ensured::Verified);
    }
    if !planned.is_additive() {
        return Err(objection(planned));
    }
    apply(&mut *transaction, &planned).await?;
    let left = plan(Reader::Transaction(&mut *transaction), store, table).await?;
    if !left.is_empty() {
        return Err(SchemaError::NotConverged { plan: Arc::new(left) });
    }
    transaction.commit().await.map_err(store_error)?;
    Ok(Ensured::Migrated { plan: Arc::new(planned) })
}

async fn apply(transaction: &mut dyn SchemaTransaction, plan: &Plan) -> Result<(), SchemaError> {
    for statement in plan.statements() {
        let executed = transaction.execute(statement).await;
        executed.map_err(|source| SchemaError::store(plan.table(), source))?;
    }
    Ok(())
}
