//! `larder schema cache`: what a running database's services know of its tables.

use std::process::ExitCode;

use clap::Args;
use larder::{
    Schema, SchemaOptions,
    migrate::Migrator,
    model::{ModelEntry, Policy},
};
use serde_json::json;
use std::sync::Arc;

use super::{answer::AnswerArgs, command::PENDING, models::ModelsArgs, place::Place};
use crate::{
    failure::{Failure, chain},
    output::{Align, Cell, Look, Paint, Table, escape, share},
};

/// Fill a schema cache from a running database, and show its tables and metrics
///
/// Every model is looked at as a service does on first use, and then used a second time. Nothing
/// is written and no lock is taken. The exit code is 3 if a table is not as its model wants it.
#[derive(Debug, Args)]
pub(super) struct CacheArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    models: ModelsArgs,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) async fn run(args: CacheArgs) -> Result<ExitCode, Failure> {
    let models = args.models.read()?;
    let migrator: Migrator = args.place.migrator()?;
    let options = SchemaOptions::default().with_policy(Policy::Verify).with_hit_count(true);
    let schema = Schema::new(Arc::new(migrator), options);
    let entries: Vec<&'static ModelEntry> =
        models.into_iter().map(|model| ModelEntry::leaked(&model.name, model.table)).collect();
    for entry in &entries {
        schema.register_entry(entry);
    }
    let outcomes = schema.ensure_all().await;
    let differing: Vec<_> = outcomes
        .iter()
        .filter_map(|(entry, outcome)| Some((entry.name(), outcome.as_ref().err()?)))
        .map(|(name, error)| (name, chain(error)))
        .collect();
    for (entry, outcome) in &outcomes {
        if outcome.is_ok() {
            // The second use, which asks nobody.
            schema.ensure_entry(entry).await.map_err(|error| Failure::Schema(Box::new(error)))?;
        }
    }
    let (tables, metrics) = (schema.cached_tables(), schema.metrics());
    let document = json!({
        "tables": tables.iter().map(|table| json!({
            "model": table.model,
            "table": table.table.as_str(),
        })).collect::<Vec<_>>(),
        "differing": differing.iter().map(|(model, error)| json!({
            "model": model,
            "error": error,
        })).collect::<Vec<_>>(),
        "metrics": {
            "hits": metrics.hits,
            "misses": metrics.misses,
            "hit_rate": metrics.hit_rate(),
            "checks": metrics.checks,
            "migrations": metrics.migrations,
            "failures": metrics.failures,
            "evictions": metrics.evictions,
            "cached_tables": metrics.cached_tables,
        },
    });
    args.answer.print(&document, |out, color| {
        let mut out = out;
        let mut table = Table::new(
            Look::Open,
            [("model", Align::Left), ("table", Align::Left), ("", Align::Left)],
        );
        for found in &tables {
            table.push(vec![
                Cell::from(escape::controls(found.model).into_owned()),
                Cell::from(escape::controls(found.table.as_str()).into_owned()),
                Cell::new("ensured", Paint::Good),
            ]);
        }
        for (model, error) in &differing {
            table.push(vec![
                Cell::from(escape::controls(model).into_owned()),
                Cell::from(""),
                Cell::new(error.clone(), Paint::Bad),
            ]);
        }
        table.write(&mut out, color)?;
        writeln!(
            out,
            "{} hits, {} misses ({} hits), {} checks, {} failures, {} evictions",
            metrics.hits.unwrap_or_default(),
            metrics.misses,
            share(metrics.hit_rate().unwrap_or_default()),
            metrics.checks,
            metrics.failures,
            metrics.evictions,
        )
    })?;
    Ok(if differing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(PENDING) })
}
