//! `larder clusters add`: a cluster that somebody made.

use std::{
    fs,
    io::{self, Read as _},
    path::PathBuf,
    time::Duration,
};

use clap::Args;
use larder::clusters::ClusterConfig;
use serde_json::{Value, json};

use super::{documents, environment::Environment, place::Place, report};
use crate::{
    answer::AnswerArgs,
    failure::Failure,
    output::escape,
    plain::{name, path},
};

/// Cache a cluster, and make it the active one
///
/// The file is made if it is not there. Of the configuration, all is stored but what has a name
/// that speaks of a token, a password or a secret.
#[derive(Debug, Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    place: Place,

    /// The cluster's id [env: DATABRICKS_CLUSTER_ID]
    #[arg(value_name = "CLUSTER_ID", value_parser = name)]
    cluster_id: Option<String>,

    /// Its configuration: a file with a JSON object, or - for standard input
    #[arg(long, value_name = "FILE", value_parser = path)]
    config: Option<PathBuf>,

    /// Its name
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,

    /// Its workspace [env: DATABRICKS_HOST]
    #[arg(long, value_name = "HOST")]
    host: Option<String>,

    /// The kind of its machines
    #[arg(long, value_name = "TYPE", value_parser = name)]
    node_type: Option<String>,

    /// Its version of Spark
    #[arg(long, value_name = "VERSION", value_parser = name)]
    spark_version: Option<String>,

    /// The number of its workers
    #[arg(long, value_name = "COUNT")]
    workers: Option<u32>,

    /// Several processes use it
    #[arg(long)]
    shared: bool,

    /// After how many hours it expires
    #[arg(long, value_name = "HOURS", default_value = "1", value_parser = hours)]
    expiry_hours: Duration,

    #[command(flatten)]
    answer: AnswerArgs,
}

impl AddArgs {
    /// What the file says, and over that what the command line says; the environment names the
    /// workspace if neither of them does.
    fn configuration(&self, environment: &Environment) -> Result<ClusterConfig, Failure> {
        let mut config = match &self.config {
            Some(path) => read(path)?,
            None => ClusterConfig::new(),
        };
        let host = self.host.clone().or_else(|| match config.host() {
            None | Some("") => environment.host.clone(),
            Some(_) => None,
        });
        for (field, value) in [
            ("cluster_name", &self.name),
            ("host", &host),
            ("node_type_id", &self.node_type),
            ("spark_version", &self.spark_version),
        ] {
            if let Some(value) = value {
                config = config.with(field, value.as_str());
            }
        }
        if let Some(workers) = self.workers {
            config = config.with_num_workers(workers);
        }
        Ok(if self.shared { config.with_shared(true) } else { config })
    }
}

pub(super) fn run(args: &AddArgs) -> Result<(), Failure> {
    let environment = Environment::read();
    let cluster_id = args.cluster_id.clone().or_else(|| environment.cluster_id.clone());
    let cluster_id = cluster_id.filter(|id| !id.is_empty()).ok_or_else(|| {
        Failure::Usage("which cluster: name its id, or set DATABRICKS_CLUSTER_ID".to_owned())
    })?;
    let config = args.configuration(&environment)?;
    environment.refuse_token(&json!([cluster_id, config.stored().to_json()]))?;
    let cache = args.place.open_or_create(|options| options)?;
    let cached = cache.cache_new_cluster_for(&cluster_id, &config, args.expiry_hours)?;
    let document = json!({ "cached": documents::cluster(&cached, cache.now_ms()) });
    args.answer.print(&document, |out, _| {
        let until = report::moment(cached.expires_at_ms);
        writeln!(out, "Cached cluster {} until {until}", escape::controls(&cached.cluster_id))
    })
}

fn read(path: &PathBuf) -> Result<ClusterConfig, Failure> {
    let failed = |source| Failure::File { path: path.clone(), action: "read", source };
    let text = if path.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    let invalid = |source: Box<dyn std::error::Error + Send + Sync>| Failure::Models {
        path: path.clone(),
        source,
    };
    match serde_json::from_str(&text.map_err(failed)?) {
        Ok(Value::Object(fields)) => Ok(fields.into()),
        Ok(_) => Err(invalid("it is JSON, but no object".into())),
        Err(error) => Err(invalid(error.into())),
    }
}

/// More than nothing, and no more than a year.
fn hours(text: &str) -> Result<Duration, &'static str> {
    const HOURS_MAX: f64 = 8_784.0;
    match text.parse::<f64>() {
        Ok(hours) if hours > 0.0 && hours <= HOURS_MAX => {
            Ok(Duration::from_secs_f64(hours * 3_600.0))
        }
        _ => Err("expected a number of hours above 0 and up to 8784"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_may_have_a_fraction_and_are_bounded() {
        assert_eq!(hours("1"), Ok(Duration::from_secs(3_600)));
        assert_eq!(hours("0.5"), Ok(Duration::from_secs(1_800)));
        for text in ["0", "-1", "", "1h", "nan", "inf", "9000"] {
            assert!(hours(text).is_err(), "{text}");
        }
    }
}
