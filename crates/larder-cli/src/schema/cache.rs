//! `larder schema cache`: what a schema cache of a running database would know.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use larder::{
    CachedTable, Schema, SchemaError, SchemaMetrics, SchemaOptions, TableState,
    model::{ModelEntry, Policy},
};
use serde_json::{Value, json};

use super::{answer::AnswerArgs, command::PENDING, models::ModelsArgs, place::Place, report};
use crate::{
    failure::{Failure, chain},
    output::{Paint, counted, escape, share},
};

/// Fill a schema cache from a running database, and show its tables and metrics
///
/// A schema cache lives in the memory of a service, and nobody sees it from outside. This command
/// has one of its own: every model is looked at as a service does on first use, and then used a
/// second time. What it shows is what a service that started now would know, and not what one that
/// runs has counted: that is for the service to tell, by `Schema::metrics`.
///
/// Nothing is written and no lock is taken. The exit code is 0 if all tables are as their models
/// want them, 3 if one is not, and 1 if the database failed.
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
    let migrator = args.place.migrator()?;
    // Each entry lives as long as the process, which ends with this command.
    let entries: Vec<&'static ModelEntry> =
        models.into_iter().map(|model| ModelEntry::leaked(&model.name, model.table)).collect();
    let options =
        SchemaOptions::default().with_policy(Policy::Verify).with_models(entries.iter().copied());
    let schema = Schema::new(Arc::new(migrator), options);
    let mut found = Vec::new();
    for entry in entries {
        let first = schema.ensure_entry(entry).await;
        if first.is_ok() {
            // The second use, which asks nobody.
            schema.ensure_entry(entry).await.map_err(|error| Failure::Schema(Box::new(error)))?;
        }
        found.push(Found { entry, error: first.err().map(first_cause) });
    }
    if let Some(error) = found.iter().find_map(Found::trouble) {
        return Err(Failure::Schema(Box::new(error.clone())));
    }
    let (tables, metrics) = (schema.cached_tables(), schema.metrics());
    let document = document(&found, &tables, &metrics);
    args.answer.print(&document, |out, color| text(out, &found, &metrics, color))?;
    let is_fine = found.iter().all(|one| one.error.is_none());
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::from(PENDING) })
}

/// A model, and why its table does not count as ensured.
struct Found {
    entry: &'static ModelEntry,
    error: Option<SchemaError>,
}

impl Found {
    fn is_of(&self, table: &CachedTable) -> bool {
        self.entry.name() == table.model && self.entry.table().name() == table.table
    }

    /// An error that says nothing about the table.
    fn trouble(&self) -> Option<&SchemaError> {
        self.error.as_ref().filter(|error| error.plan().is_none())
    }
}

/// The failure itself, and not that it is too early to try again: one pass looks at all tables.
fn first_cause(error: SchemaError) -> SchemaError {
    match error {
        SchemaError::BackingOff { cause, .. } => first_cause((*cause).clone()),
        other => other,
    }
}

fn document(found: &[Found], tables: &[CachedTable], metrics: &SchemaMetrics) -> Value {
    let table = |of: &CachedTable| {
        let error = found.iter().find(|one| one.is_of(of));
        let error = error.and_then(|one| one.error.as_ref());
        json!({
            "model": of.model,
            "table": of.table.as_str(),
            "is_ensured": matches!(of.state, TableState::Ensured),
            "verified_at_ms": of.verified_at_ms,
            "verifications": of.verifications,
            "error": error.map(|error| chain(error)),
            "plan": error.and_then(SchemaError::plan),
        })
    };
    json!({
        "tables": tables.iter().map(table).collect::<Vec<_>>(),
        "metrics": {
            "hits": metrics.hits,
            "misses": metrics.misses,
            "hit_rate": metrics.hit_rate(),
            "cached_tables": metrics.cached_tables,
            "max_size": metrics.max_size,
            "evictions": metrics.evictions,
            "expired": metrics.expired,
            "checks": metrics.checks,
            "migrations": metrics.migrations,
            "failures": metrics.failures,
            "backed_off": metrics.backed_off,
            "drifts": metrics.drifts,
        },
    })
}

fn text(
    out: &mut dyn Write,
    found: &[Found],
    metrics: &SchemaMetrics,
    color: bool,
) -> io::Result<()> {
    if found.is_empty() {
        return report::settled(out, 0, color);
    }
    for one in found {
        let name = escape::controls(one.entry.name());
        match one.error.as_ref().and_then(SchemaError::plan) {
            None => {
                let table = escape::controls(one.entry.table().name().as_str());
                writeln!(out, "{}  {name}, {table}", Paint::Good.show("ensured", color))?;
            }
            Some(plan) => {
                writeln!(out, "{}  {name}", Paint::Bad.show("differs", color))?;
                report::difference(out, plan, color)?;
            }
        }
    }
    let count = |number: u64, what| counted(usize::try_from(number).unwrap_or(usize::MAX), what);
    let SchemaMetrics { cached_tables, max_size, hits, misses, .. } = *metrics;
    writeln!(out, "\n{} cached, of at most {max_size}", counted(cached_tables, "table"))?;
    writeln!(
        out,
        "{}, of which {hits} asked nobody ({}); {} at the database",
        count(hits.saturating_add(misses), "use"),
        share(metrics.hit_rate().unwrap_or_default()),
        count(metrics.checks, "look"),
    )
}
