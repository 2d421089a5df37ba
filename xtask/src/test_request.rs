//! What `cargo xtask test` was asked to run.
//!
//! A word is the name of a package, or of a setup, or part of the names of tests, in this order.

use std::env;

use larder_services::Setup;

use crate::{failure::Failure, metadata::Workspace};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// All of them if none is named.
    pub(crate) packages: Vec<String>,
    /// If any is named, only the live tests that need one of them are run.
    pub(crate) setups: Vec<Setup>,
    /// If any is given, only tests whose names contain one of them are run.
    pub(crate) filters: Vec<String>,
    /// Whether a service that can not be had is a failure.
    pub(crate) requires_services: bool,
}

impl Request {
    pub(crate) fn parse(args: &[String], workspace: &Workspace) -> Result<Self, Failure> {
        let mut request = Self { requires_services: is_ci(), ..Self::default() };
        for arg in args {
            if arg == "--require-services" {
                request.requires_services = true;
            } else if arg.starts_with('-') {
                return Err(Failure::usage(format!("\"test\" has no option \"{arg}\"")));
            } else if workspace.member(arg).is_some() {
                request.packages.push(arg.clone());
            } else if let Ok(setup) = arg.parse() {
                request.setups.push(setup);
            } else {
                request.filters.push(arg.clone());
            }
        }
        Ok(request)
    }

    /// Whether everything is to be run.
    pub(crate) const fn is_for_all(&self) -> bool {
        self.packages.is_empty() && self.setups.is_empty() && self.filters.is_empty()
    }

    /// The arguments of cargo that select the packages.
    pub(crate) fn selection(&self) -> Vec<&str> {
        let mut selection = vec!["test", "--all-features"];
        if self.packages.is_empty() {
            selection.push("--workspace");
        }
        selection.extend(self.packages.iter().flat_map(|name| ["--package", name]));
        selection
    }

    /// Whether a live test is among those that are wanted.
    pub(crate) fn wants(&self, name: &str, setups: &[Setup]) -> bool {
        let by_setup =
            self.setups.is_empty() || setups.iter().any(|setup| self.setups.contains(setup));
        let by_name =
            self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter));
        by_setup && by_name
    }
}

/// Whether this runs where a missing service must not go unnoticed.
fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Request {
        let workspace = Workspace::load().expect("the tests run inside the workspace");
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        Request::parse(&args, &workspace).expect("the words are known")
    }

    #[test]
    fn words_are_packages_then_setups_then_filters() {
        let request = parse(&["larder-core", "redis_tls", "redis_", "--require-services"]);
        assert_eq!(request.packages, ["larder-core"]);
        assert_eq!(request.setups, [Setup::RedisTls]);
        assert_eq!(request.filters, ["redis_"]);
        assert!(request.requires_services && !request.is_for_all());
        assert_eq!(request.selection(), ["test", "--all-features", "--package", "larder-core"]);
        assert!(parse(&[]).is_for_all());
    }

    #[test]
    fn a_live_test_is_wanted_for_its_setup_and_its_name() {
        let test = ("redis::core::hit", &[Setup::Redis][..]);
        assert!(parse(&[]).wants(test.0, test.1));
        assert!(parse(&["redis", "core::"]).wants(test.0, test.1));
        assert!(!parse(&["mysql"]).wants(test.0, test.1));
        assert!(!parse(&["redis", "ttl::"]).wants(test.0, test.1));
    }
}
