//! `larder query`: one statement through the cache.
//!
//! Guards that standard output holds the answer and nothing else; where it came from and how long
//! it took goes to standard error.

use std::{
    io::{self, BufWriter, IsTerminal as _, StdoutLock, Write},
    time::Duration,
};

use clap::{Args, ValueEnum};
use larder::{
    Dynamic, Engine, Larder, Query, RowSet, Source, Ttl, Value,
    query::larder_sql::{Analysis, Dialect, StatementKind, analyze, looks_like_read},
};
use serde::Serialize;

use crate::{
    bind,
    failure::Failure,
    output::{Align, Cell, Look, Paint, Table, count, escape, latency, wants_color, write_csv},
    target::Target,
};

/// Run one statement through the cache
///
/// The answer goes to standard output; where it came from and how long it took goes to standard
/// error. A statement that writes runs and invalidates what depends on the tables that it writes.
///
/// Options go before the environment, and the environment goes before a file `.env` in the
/// current directory.
#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// The statement, with ? for its parameters; $1, $2 and so on for PostgreSQL
    sql: String,

    #[command(flatten)]
    target: Target,

    /// How long the answer lives, in whole seconds [env: CACHE_TTL] [default: 3600]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    ttl: Option<Duration>,

    /// The next parameter; repeatable
    ///
    /// int:5, real:1.5, text:LH, bool:true, hex:00ff, json:{"a":1}, decimal:1.10, date:2024-02-29,
    /// time:12:30:00, timestamp:2024-02-29T12:30:00 (with a Z for UTC), uuid:… or null. Without a
    /// kind it is an integer if it is written as one (5, but not 007), a real number if it is
    /// written as one (1.5, 1e3), and text otherwise.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    bind: Vec<String>,

    /// A tag for the answer, besides those of its tables; repeatable
    #[arg(long)]
    tag: Vec<String>,

    /// Ask the database whatever is stored, and store the answer
    #[arg(long)]
    refresh: bool,

    /// Invalidate the stored answer before running
    #[arg(long)]
    invalidate: bool,

    /// How often to run; each run tells its source and latency
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,

    /// How to write the answer
    ///
    /// table shows NULL as NULL and the empty text as nothing. json is an array of objects;
    /// integers are exact, but for those inside of a JSON document, and of two columns `id` the
    /// second is `id:2`. csv has a header; NULL is an empty field and the empty text is "".
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a whole number of seconds".to_owned())?;
    Ttl::try_from_secs(seconds).map(Ttl::as_duration).map_err(|error| error.to_string())
}

pub(crate) async fn run(args: QueryArgs) -> Result<(), Failure> {
    let mut params = Vec::with_capacity(args.bind.len());
    for (index, text) in args.bind.iter().enumerate() {
        let complaint = |reason| Failure::Usage(format!("--bind number {}: {reason}", index + 1));
        params.push(bind::parse(text).map_err(complaint)?);
    }
    let larder = args.target.builder()?.build().await?;
    let call = Call { larder: &larder, args: &args, params: &params };
    let nature = Nature::of(&args.sql, larder.database().engine());
    if nature.writes && args.repeat > 1 {
        return Err(Failure::Usage("a statement that may write is not repeated".to_owned()));
    }
    let outcome = if nature.answers { call.fetch().await } else { call.execute().await };
    // The last connection takes SQLite's log along.
    larder.database().close().await;
    outcome
}

/// What has to be known of a statement to call it the right way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Nature {
    /// It may change something, so that it is not to be repeated.
    writes: bool,
    /// It may answer with rows.
    answers: bool,
}

impl Nature {
    fn of(sql: &str, engine: Engine) -> Self {
        let dialect = match engine {
            Engine::Postgres => Dialect::PostgreSql,
            Engine::MariaDb => Dialect::MariaDb,
            Engine::MySql => Dialect::MySql,
            _ => Dialect::Sqlite,
        };
        let mut words = sql.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let may_return = words.any(|word| word.eq_ignore_ascii_case("returning"));
        match analyze(sql, dialect) {
            Ok(Analysis { kind: StatementKind::Write | StatementKind::Schema, .. }) => {
                Self { writes: true, answers: may_return }
            }
            Ok(analysis) => Self { writes: !analysis.writes.is_empty(), answers: true },
            Err(_unknown) => Self { writes: !looks_like_read(sql, dialect), answers: true },
        }
    }
}

struct Call<'a> {
    larder: &'a Larder,
    args: &'a QueryArgs,
    params: &'a [Value],
}

impl Call<'_> {
    async fn execute(&self) -> Result<(), Failure> {
        let statement = self.larder.execute(&self.args.sql);
        let statement = self.params.iter().fold(statement, |call, value| call.bind(value));
        let clock = self.larder.cache().clock();
        let started = clock.now();
        let written = statement.run().await?;
        note(&format!("written in {}", latency(clock.now().since(started))));
        let report =
            Report { rows_affected: written.rows_affected, last_insert_id: written.last_insert_id };
        report.write(&mut stdout(), self.args.format)?;
        // Last, so that the outcome of the write is told in any case.
        Ok(written.invalidation.applied()?)
    }

    async fn fetch(&self) -> Result<(), Failure> {
        if self.args.invalidate {
            self.query().invalidate().await?.applied()?;
        }
        let mut answer = None;
        for _ in 0..self.args.repeat {
            let query = self.query();
            let query = if self.args.refresh { query.force_refresh() } else { query };
            let cached = query.fetch_all().await?;
            note(&self.origin(cached.source(), cached.latency(), cached.len()));
            answer = Some(cached);
        }
        // A statement that answers with nothing, not even columns, has nothing to write.
        let Some(rows) = answer.filter(|rows| !rows.columns().is_empty()) else { return Ok(()) };
        let mut out = stdout();
        write_rows(&mut out, &rows, self.args.format)?;
        out.flush().map_err(Failure::output)
    }

    fn query(&self) -> Query<'_, Dynamic> {
        let query = self.larder.query(&self.args.sql);
        let query = self.params.iter().fold(query, |query, value| query.bind(value));
        let query = self.args.tag.iter().fold(query, |query, tag| query.tag(tag));
        match self.args.ttl {
            Some(ttl) => query.ttl(ttl),
            None => query,
        }
    }

    /// One line about one run.
    fn origin(&self, source: Source, took: Duration, rows: usize) -> String {
        let tier = match source.tier() {
            Some(tier) => format!(" ({})", format!("{tier:?}").to_lowercase()),
            None => String::new(),
        };
        let s = if rows == 1 { "" } else { "s" };
        let line = format!("{source}{tier} in {}, {} row{s}", latency(took), count(rows as u64));
        match self.query().uncacheable() {
            Some(reason) if source == Source::Bypass => format!("{line}: {reason}"),
            _ => line,
        }
    }
}

/// What a write did.
#[derive(Debug, Serialize)]
struct Report {
    rows_affected: u64,
    last_insert_id: Option<i64>,
}

impl Report {
    fn write(&self, out: &mut impl Write, format: Format) -> Result<(), Failure> {
        let Self { rows_affected, last_insert_id } = self;
        match format {
            Format::Table => {
                let s = if *rows_affected == 1 { "" } else { "s" };
                writeln!(out, "{} row{s} affected", count(*rows_affected))
            }
            Format::Csv => {
                let id = last_insert_id.map(|id| id.to_string()).unwrap_or_default();
                writeln!(out, "rows_affected,last_insert_id\n{rows_affected},{id}")
            }
            Format::Json => {
                serde_json::to_writer(&mut *out, self).map_err(Failure::json)?;
                writeln!(out)
            }
        }
        .and_then(|()| out.flush())
        .map_err(Failure::output)
    }
}

fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::new(io::stdout().lock())
}

/// Tells something beside the answer. Nobody may be listening any more.
fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{}", escape::controls(line));
}

fn write_rows(out: &mut impl Write, rows: &RowSet, format: Format) -> Result<(), Failure> {
    let stdout = io::stdout();
    match format {
        Format::Table => {
            table(rows).write(out, wants_color(None, &stdout)).map_err(Failure::output)
        }
        Format::Csv => write_csv(out, rows, stdout.is_terminal()).map_err(Failure::output),
        Format::Json => {
            serde_json::to_writer(&mut *out, rows).map_err(Failure::json)?;
            writeln!(out).map_err(Failure::output)
        }
    }
}

fn table(rows: &RowSet) -> Table {
    let names: Vec<_> = rows.columns().names().map(escape::controls).collect();
    let align = |index| {
        let is_number = |value: &Value| {
            matches!(value, Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Decimal(_))
        };
        let mut known = rows.into_iter().filter_map(|row| row.value(index));
        let mut known = known.by_ref().filter(|value| !value.is_null()).peekable();
        let numbers = known.peek().is_some() && known.all(is_number);
        if numbers { Align::Right } else { Align::Left }
    };
    let header = names.iter().enumerate().map(|(index, name)| (&**name, align(index)));
    let mut table = Table::new(Look::Lines, header);
    for row in rows {
        table.push(row.values().iter().map(cell).collect());
    }
    table
}

fn cell(value: &Value) -> Cell {
    let text = value.to_string();
    let paint = if value.is_null() { Paint::Dim } else { Paint::Plain };
    Cell::new(escape::controls(&text), paint)
}

#[cfg(test)]
mod tests {
    use larder::query::Columns;

    use super::*;

    #[test]
    fn the_call_follows_from_the_statement() {
        for (sql, writes, answers) in [
            ("SELECT 1", false, true),
            ("UPDATE a SET b = 1", true, false),
            ("CREATE TABLE a (b)", true, false),
            ("INSERT INTO a VALUES (1) RETURNING id", true, true),
            ("EXPLAIN QUERY PLAN SELECT 1", false, true),
            ("SELEC 1", true, true),
        ] {
            assert_eq!(Nature::of(sql, Engine::Sqlite), Nature { writes, answers }, "{sql}");
        }
    }

    #[test]
    fn a_table_tells_null_from_empty_and_sends_no_escape_sequence() {
        let mut rows = RowSet::new(Columns::new([("n", ""), ("\u{1b}", ""), ("n", "")]));
        rows.push(vec![Value::Int(1), Value::Text("\u{1b}[31m".into()), Value::Null]);
        rows.push(vec![Value::Null, Value::Text(String::new()), Value::Null]);
        let mut out = Vec::new();
        table(&rows).write(&mut out, false).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "    n │ \\u{1b}     │ n\n──────┼────────────┼──────\n    1 │ \\u{1b}[31m │ NULL\n NULL │            │ NULL\n"
        );
    }

    #[test]
    fn lifetimes_are_whole_positive_seconds() {
        assert_eq!(seconds("60"), Ok(Duration::from_secs(60)));
        for text in ["0", "-1", "1.5", "", "1h", "999999999999"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
