//! `cargo xtask bench`: runs the benches and lists the ratios that they print.
//!
//! A bench judges by ratios, as absolute times belong to one machine. It says
//! `ratio <what>: <number>x (limit <number>x)`, or `(at least <number>x)`, or leaves the limit
//! out; a ratio holds while it is not beyond its limit.
//!
//! A bench whose name begins with that of a setup, such as `redis_far_hit`, gets its servers.

use std::{collections::BTreeSet, fmt};

use larder_services::{Services, Setup};

use crate::{
    failure::Failure,
    live,
    metadata::Workspace,
    process::{cargo, stream},
    summary::{Outcome, write_table},
};

pub(crate) fn run(args: &[String]) -> Result<Outcome, Failure> {
    let request = Request::parse(args)?;
    let workspace = Workspace::load()?;
    let known = bench_names(&workspace);
    if let Some(unknown) = request.names.iter().find(|name| !known.contains(name)) {
        return Err(Failure::usage(format!(
            "there is no bench \"{unknown}\" among: {}",
            known.join(", ")
        )));
    }
    if known.is_empty() {
        println!("the workspace has no bench");
        return Ok(Outcome::Passed);
    }

    let mut command = cargo(&workspace.root, ["bench", "--workspace", "--all-features"]);
    let names = if request.names.is_empty() { known } else { request.names };
    for name in &names {
        command.args(["--bench", name]);
    }
    let services = Services::start(names.iter().filter_map(|name| setup_of(name)))?;
    for (setup, error) in services.missing() {
        println!("\n{setup} is missing: {error}");
    }
    command.envs(live::environment(&services)?);
    let mut ratios = Vec::new();
    let succeeded = stream(&mut command, |line| ratios.extend(Ratio::parse(line)))?;
    show(&ratios);
    let exceeded = ratios.iter().any(|ratio| ratio.holds() == Some(false));
    Ok(if succeeded && !(request.enforce && exceeded) { Outcome::Passed } else { Outcome::Failed })
}

/// The benches that are wanted, all of them if none is named.
#[derive(Debug, PartialEq, Eq)]
struct Request<'a> {
    names: Vec<&'a str>,
    enforce: bool,
}

impl<'a> Request<'a> {
    fn parse(args: &'a [String]) -> Result<Self, Failure> {
        let (options, names): (Vec<&str>, Vec<&str>) =
            args.iter().map(String::as_str).partition(|arg| arg.starts_with('-'));
        match options.iter().find(|option| **option != "--enforce") {
            None => Ok(Self { names, enforce: !options.is_empty() }),
            Some(unknown) => Err(Failure::usage(format!("\"bench\" has no option \"{unknown}\""))),
        }
    }
}

/// The bench targets by name, each once. They are passed to cargo one by one, because it would
/// otherwise start the unit tests' binaries too, which have nothing to measure.
fn bench_names(workspace: &Workspace) -> Vec<&str> {
    let packages = workspace.packages.iter();
    let mut names: Vec<_> = packages
        .flat_map(|package| &package.targets)
        .filter(|target| target.is_bench())
        .map(|target| target.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The setup that a bench is named after.
fn setup_of(bench: &str) -> Option<Setup> {
    let named: BTreeSet<Setup> = Setup::ALL
        .iter()
        .filter(|setup| bench.strip_prefix(setup.name()).is_some_and(|rest| rest.starts_with('_')))
        .copied()
        .collect();
    // `redis_unix_hit` is of `redis_unix` and not of `redis`.
    named.into_iter().max_by_key(|setup| setup.name().len())
}

/// One comparison that a bench printed.
#[derive(Debug, PartialEq)]
struct Ratio {
    what: String,
    value: f64,
    limit: Option<Limit>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Ratio {
    fn parse(line: &str) -> Option<Self> {
        let (what, figures) = line.trim().strip_prefix("ratio ")?.rsplit_once(": ")?;
        let (value, limit) = match figures.split_once(" (") {
            Some((value, limit)) => (value, Some(Limit::parse(limit.strip_suffix(')')?)?)),
            None => (figures, None),
        };
        Some(Self { what: what.to_owned(), value: multiple(value)?, limit })
    }

    /// Whether it is within its limit, if it has one.
    fn holds(&self) -> Option<bool> {
        self.limit.map(|limit| match limit {
            Limit::AtLeast(limit) => self.value >= limit,
            Limit::AtMost(limit) => self.value <= limit,
        })
    }
}

impl Limit {
    fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("limit ") {
            Some(limit) => multiple(limit).map(Self::AtMost),
            None => multiple(text.strip_prefix("at least ")?).map(Self::AtLeast),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(limit) => write!(f, "≥ {limit}x"),
            Self::AtMost(limit) => write!(f, "≤ {limit}x"),
        }
    }
}

/// A finite number followed by `x`.
fn multiple(text: &str) -> Option<f64> {
    let number: f64 = text.strip_suffix('x')?.parse().ok()?;
    number.is_finite().then_some(number)
}

fn show(ratios: &[Ratio]) {
    if ratios.is_empty() {
        println!("\nno bench printed a ratio");
    } else {
        println!("\n{}", Table(ratios));
    }
}

struct Table<'a>(&'a [Ratio]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |ratio: &Ratio| {
            let verdict = match ratio.holds() {
                None => "no limit",
                Some(false) => "MISSED",
                Some(true) => "holds",
            };
            let limit = ratio.limit.map_or_else(String::new, |limit| limit.to_string());
            [ratio.what.clone(), verdict.to_owned(), limit, format!("{:.2}x", ratio.value)]
        };
        let rows: Vec<_> = self.0.iter().map(row).collect();
        write_table(f, ["ratio", "verdict", "limit", "value"], &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(what: &str, value: f64, at_most: Option<f64>) -> Option<Ratio> {
        let limit = at_most.map(Limit::AtMost);
        Some(Ratio { what: what.to_owned(), value, limit })
    }

    #[test]
    fn a_bench_is_named_after_its_setup() {
        assert_eq!(setup_of("redis_far_hit"), Some(Setup::Redis));
        assert_eq!(setup_of("redis_unix_hit"), Some(Setup::RedisUnix));
        assert_eq!(setup_of("near_hit"), None);
        assert_eq!(setup_of("redistribution"), None);
    }

    #[test]
    fn ratios_are_read_with_and_without_a_limit() {
        assert_eq!(
            Ratio::parse("ratio near hit to a bare map: 1.23x (limit 2x)"),
            ratio("near hit to a bare map", 1.23, Some(2.0))
        );
        let at_least = Some(Limit::AtLeast(1.7));
        assert_eq!(
            Ratio::parse("ratio two threads to one: 1.8x (at least 1.7x)"),
            Some(Ratio { what: "two threads to one".to_owned(), value: 1.8, limit: at_least })
        );
        assert_eq!(
            Ratio::parse("  ratio read: sqlite to a bare select: 1.5x"),
            ratio("read: sqlite to a bare select", 1.5, None)
        );
    }

    #[test]
    fn other_lines_are_no_ratios() {
        for line in [
            "",
            "ratio",
            "ratio of what",
            "ratio hit: 1.2",
            "ratio hit: NaNx",
            "ratio hit: infx",
            "ratio hit: 1.2x (limit 2)",
            "ratio hit: 1.2x (about 2x)",
            "ratio hit: 1.2x (limit 2x) and more",
            "the ratio hit: 1.2x",
        ] {
            assert_eq!(Ratio::parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_ratio_holds_up_to_its_limit() {
        let holds = |value, limit| ratio("hit", value, limit).and_then(|ratio| ratio.holds());
        assert_eq!(holds(2.0, Some(2.0)), Some(true));
        assert_eq!(holds(2.01, Some(2.0)), Some(false));
        assert_eq!(holds(9.0, None), None);
        let at_least = |value| Ratio {
            what: "two threads".to_owned(),
            value,
            limit: Some(Limit::AtLeast(1.7)),
        };
        assert_eq!((at_least(1.7).holds(), at_least(1.6).holds()), (Some(true), Some(false)));
    }

    #[test]
    fn the_table_shows_what_was_missed() {
        let ratios: Vec<_> = [ratio("hit", 1.234, Some(2.0)), ratio("miss", 3.0, Some(2.5))]
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(
            Table(&ratios).to_string(),
            "ratio  verdict  limit   value\n\
             hit    holds    ≤ 2x    1.23x\n\
             miss   MISSED   ≤ 2.5x  3.00x\n"
        );
    }

    #[test]
    fn names_and_the_option_are_told_apart() {
        let args = ["near", "--enforce", "query"].map(str::to_owned);
        assert_eq!(
            Request::parse(&args).expect("both are known"),
            Request { names: vec!["near", "query"], enforce: true }
        );
    }
}
