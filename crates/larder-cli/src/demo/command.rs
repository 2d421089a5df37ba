//! The subcommand: its options, and the order of things.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
    sync::Arc,
};

use clap::Args;
use larder::{DatabaseUrl, FarUrl, Larder, OpenError};
use percent_encoding::percent_decode_str;

use crate::{
    failure::Failure,
    output::wants_color,
    target::{FAR_TIME_LIMIT, sqlite_url},
};

use super::{
    figures::Figures,
    measure::Bench,
    progress::Progress,
    questions, report,
    sample::{Spec, default_path, file, server},
    statistics::Statistics,
};

/// Build a sample database and time queries on it with and without the cache
///
/// The sample is an airport's: airlines, airports, flights, passengers and bookings. It is built
/// once, from a seed, and used again by the next demo.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The file of the sample, or the URL of a database that takes its tables [default:
    /// larder/airport.db in the user's directory for caches]
    ///
    /// On PostgreSQL, MySQL and MariaDB the tables are called larder_demo_…. A file or tables that
    /// exist and are no sample are left alone.
    #[arg(long, value_name = "PATH|URL")]
    database: Option<String>,

    /// The far tier, or none [default: a SQLite file beside the sample, or in the user's directory
    /// for caches]
    #[arg(long, value_name = "URL")]
    cache: Option<String>,

    /// How many bookings the sample has; the number of flights and passengers follows
    #[arg(long, value_name = "N", default_value_t = Spec::BOOKINGS_DEFAULT)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=20_000_000))]
    bookings: u32,

    /// What the sample is made from: the same seed makes the same rows everywhere
    #[arg(long, value_name = "N", default_value_t = Spec::SEED_DEFAULT)]
    seed: u64,

    /// Remove the sample instead, and do nothing else
    #[arg(long)]
    clean: bool,

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
    let place = match &args.database {
        Some(text) => Place::parse(text)?,
        None => Place::File(default_path()?),
    };
    if args.clean {
        return clean(&place).await;
    }
    if let Some(cache) = &args.cache {
        // Before the sample is built, which takes its time.
        cache.parse::<FarUrl>().map_err(OpenError::FarUrl)?;
    }
    let spec = Spec { seed: args.seed, bookings: args.bookings };
    let mut progress = Progress::on_stderr();
    let sample = match &place {
        Place::File(path) => file::open(path, spec, &mut progress).await?,
        Place::Server(url) => Box::pin(server::open(url, spec, &mut progress)).await?,
    };
    let beside = sample.cache.as_ref().map(|path| sqlite_url(path, ""));
    let cache = args.cache.clone().or(beside).unwrap_or_else(|| "none".to_owned());

    let open = || {
        let builder = Larder::builder().database(sample.url()).namespace(NAMESPACE);
        builder.far_time_limit(FAR_TIME_LIMIT)
    };
    let service = open().far(&cache).build().await?;
    let neighbour = match service.cache().far() {
        Some(far) => Some(open().far_backend(Arc::clone(far)).without_near().build().await?),
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
    sample.release().await;
    Ok(())
}

async fn clean(place: &Place) -> Result<(), Failure> {
    let progress = Progress::on_stderr();
    let was_there = match place {
        Place::File(path) => file::clean(path, &progress).await?,
        Place::Server(url) => server::clean(url, &progress).await?,
    };
    let line = if was_there { "The sample is removed." } else { "There is no sample." };
    writeln!(io::stdout(), "{line}").map_err(Failure::output)
}

/// Where the sample lies.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    /// The URL, with its password.
    Server(String),
}

impl Place {
    /// Reads a path or a URL. What looks like a URL and is none that is known is refused without
    /// an echo, as it may hold a password.
    fn parse(text: &str) -> Result<Self, Failure> {
        let usage = |message: &str| Err(Failure::Usage(message.to_owned()));
        // A single letter is a drive.
        let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme))
        else {
            return Ok(Self::File(text.into()));
        };
        match text.parse::<DatabaseUrl>() {
            Ok(url) if server::is_server(url.engine()) => Ok(Self::Server(text.to_owned())),
            Ok(_sqlite) if scheme.eq_ignore_ascii_case("sqlite") => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                let path = path.split('?').next().unwrap_or_default();
                if path.starts_with(':') {
                    return usage("--database takes a file here: the sample is kept");
                }
                Ok(Self::File(percent_decode_str(path).decode_utf8_lossy().into_owned().into()))
            }
            _ => usage("--database takes the path of a file, or the URL of a database"),
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
}

/// A cache URL as it may be shown.
fn shown(cache: &str) -> String {
    cache.parse::<FarUrl>().map_or_else(|_| "…".to_owned(), |url| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_file_and_a_url_a_server() {
        for path in ["airport.db", "/a/b.db", "C:\\a.db", "./a:b.db", ":memory:"] {
            assert_eq!(Place::parse(path).unwrap(), Place::File(path.into()));
        }
        assert_eq!(
            Place::parse("sqlite://a%20b.db?mode=rwc").unwrap(),
            Place::File("a b.db".into())
        );
        for url in ["postgres://u:hunter2@h/d", "MySQL://h/d", "mariadb://h/d"] {
            assert_eq!(Place::parse(url).unwrap(), Place::Server(url.to_owned()));
        }
        for url in
            ["postgress:hunter2", "sqlite::memory:", "redis://:hunter2@h", "postgres:hunter2"]
        {
            let refused = Place::parse(url).unwrap_err();
            assert!(matches!(refused, Failure::Usage(_)), "{url}");
            assert!(!refused.to_string().contains("hunter2"), "{refused}");
        }
    }
}
