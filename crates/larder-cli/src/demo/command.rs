//! The subcommand: its options, and the order of things.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use larder::{FarUrl, Larder, OpenError};

use crate::{failure::Failure, output::wants_color, target::sqlite_url};

use super::{
    figures::Figures,
    measure::Bench,
    progress::Progress,
    questions, report,
    sample::{Sample, Spec, default_path},
    statistics::Statistics,
};

/// Build a sample database and time queries on it with and without the cache
///
/// The sample is an airport's: airlines, airports, flights, passengers and bookings. It is built
/// once, from a seed, and used again by the next demo.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The file of the sample [default: larder/airport.db in the user's directory for caches]
    ///
    /// A file that exists and is no sample is left alone.
    #[arg(long, value_name = "PATH")]
    database: Option<PathBuf>,

    /// The far tier, or none [default: a SQLite file beside the sample]
    #[arg(long, value_name = "URL")]
    cache: Option<String>,

    /// How many bookings the sample has; the number of flights and passengers follows
    #[arg(long, value_name = "N", default_value_t = Spec::BOOKINGS_DEFAULT)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=20_000_000))]
    bookings: u32,

    /// What the sample is made from: the same seed makes the same rows everywhere
    #[arg(long, value_name = "N", default_value_t = Spec::SEED_DEFAULT)]
    seed: u64,

    /// Print one JSON document instead of tables
    #[arg(long)]
    json: bool,

    /// Use colour also where output does not go to a terminal
    #[arg(long, conflicts_with = "no_color")]
    color: bool,

    /// Use no colour [env: NO_COLOR]
    #[arg(long)]
    no_color: bool,
}

/// Keeps the demonstration's entries apart from those of services on the same far tier.
const NAMESPACE: &str = "larder-demo";

pub(crate) async fn run(args: DemoArgs) -> Result<(), Failure> {
    let path = match &args.database {
        Some(path) => file_path(path)?,
        None => default_path()?,
    };
    if let Some(cache) = &args.cache {
        // Before the sample is built, which takes its time.
        cache.parse::<FarUrl>().map_err(OpenError::FarUrl)?;
    }
    let spec = Spec { seed: args.seed, bookings: args.bookings };
    let sample = Sample::open(&path, spec, &mut Progress::on_stderr()).await?;
    let cache = args.cache.clone().unwrap_or_else(|| sqlite_url(&sample.cache_path(), ""));

    let service = Larder::builder()
        .database(&sqlite_url(sample.path(), ""))
        .far(&cache)
        .namespace(NAMESPACE)
        .build()
        .await?;
    let neighbour = match service.cache().far() {
        Some(far) => {
            let builder = Larder::builder().database(&sqlite_url(sample.path(), ""));
            let builder = builder.far_backend(Arc::clone(far)).without_near();
            Some(builder.namespace(NAMESPACE).build().await?)
        }
        None => None,
    };

    let asked = if args.color || args.no_color { Some(args.color) } else { None };
    let stdout = io::stdout();
    let color = wants_color(asked, &stdout);
    let mut out = BufWriter::new(stdout.lock());
    let bench = Bench { service, neighbour };
    let mut figures = Figures::new(&sample, shown(&cache));
    if !args.json {
        report::opening(&mut out, &figures, color).map_err(Failure::output)?;
    }
    for question in questions::all(&sample) {
        let answer = bench.examine(&question).await?;
        if !args.json {
            report::question(&mut out, &answer, color).map_err(Failure::output)?;
        }
        figures.questions.push(answer);
    }
    figures.service = Some(Statistics::of(&bench.service));
    figures.neighbour = bench.neighbour.as_ref().map(Statistics::of);
    if args.json {
        serde_json::to_writer_pretty(&mut out, &figures).map_err(Failure::json)?;
        writeln!(out).map_err(Failure::output)?;
    } else {
        report::closing(&mut out, &figures, color).map_err(Failure::output)?;
    }
    out.flush().map_err(Failure::output)?;
    bench.close().await;
    Ok(())
}

/// A path; a URL is refused without an echo, as it may hold a password.
fn file_path(path: &Path) -> Result<PathBuf, Failure> {
    let text = path.to_string_lossy();
    if path.to_str().is_none() {
        return Err(Failure::Usage("--database is not valid UTF-8".to_owned()));
    }
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    // A single letter is a drive.
    if scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = "--database takes the path of a file here, not a URL";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(path.to_owned())
}

/// A cache URL as it may be shown.
fn shown(cache: &str) -> String {
    cache.parse::<FarUrl>().map_or_else(|_| "…".to_owned(), |url| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_no_path() {
        for path in ["airport.db", "/a/b.db", "C:\\a.db", "./a:b.db", ":memory:"] {
            assert!(file_path(Path::new(path)).is_ok(), "{path}");
        }
        for url in ["postgres://u:hunter2@h/d", "postgress:hunter2", "sqlite::memory:"] {
            assert!(matches!(file_path(Path::new(url)), Err(Failure::Usage(_))), "{url}");
        }
    }
}
