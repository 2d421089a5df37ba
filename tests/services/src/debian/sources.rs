//! The mirror and the keys that the machine trusts, read from its own lists of sources.
//!
//! Guards that only the distribution's archive is taken, never that of a third party that happens
//! to end its address in the same word.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::debian::release::{Distribution, Release};

/// One archive of packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    uri: String,
    suites: Vec<String>,
    components: Vec<String>,
    /// The path of a keyring, or a key, as the lists write it.
    signed_by: Option<String>,
}

impl Source {
    /// The archive that this machine has its own packages from.
    pub(crate) fn of_host(release: &Release) -> Option<Self> {
        let sources: Vec<Self> = files().iter().flat_map(|path| read(path)).collect();
        choose(&sources, release).cloned()
    }

    /// The text of a list with these suites of the archive.
    pub(crate) fn list(&self, suites: &[&str], components: &str) -> String {
        let mut list = format!(
            "Types: deb\nURIs: {}\nSuites: {}\nComponents: {components}\n",
            self.uri,
            suites.join(" ")
        );
        if let Some(signed_by) = &self.signed_by {
            list.push_str(&format!("Signed-By: {signed_by}\n"));
        }
        list
    }

    fn has_main(&self) -> bool {
        self.components.iter().any(|component| component == "main")
    }

    fn is_for(&self, suite: &str) -> bool {
        self.suites.iter().any(|own| own == suite)
    }
}

/// The archive with an address as the distribution's mirrors have it, otherwise the first one
/// that has the machine's own release.
fn choose<'a>(sources: &'a [Source], release: &Release) -> Option<&'a Source> {
    let ends: &[&str] = match release.distribution {
        Distribution::Debian => &["/debian"],
        Distribution::Ubuntu(_) => &["/ubuntu", "/ubuntu-ports"],
    };
    let is_mirror = |source: &&Source| {
        let uri = source.uri.trim_end_matches('/');
        ends.iter().any(|end| uri.ends_with(end)) && !uri.contains("//ppa.")
    };
    let fitting = || sources.iter().filter(|source| source.has_main());
    let own = |source: &&Source| source.is_for(&release.codename);
    let mirrors = || fitting().filter(is_mirror);
    mirrors().find(own).or_else(|| mirrors().next()).or_else(|| fitting().find(own))
}

/// The lists in the order in which they are believed: the distribution's own come first. Files
/// that somebody has switched off have another ending.
fn files() -> Vec<PathBuf> {
    let own = ["sources.list", "sources.list.d/debian.sources", "sources.list.d/ubuntu.sources"];
    let mut files: Vec<PathBuf> = own.iter().map(|name| Path::new("/etc/apt").join(name)).collect();
    let entries = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten();
    let mut others: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    others.sort();
    for path in others {
        let is_list = path.extension().is_some_and(|end| end == "list" || end == "sources");
        if is_list && !files.contains(&path) {
            files.push(path);
        }
    }
    files
}

fn read(path: &Path) -> Vec<Source> {
    let text = fs::read_to_string(path).unwrap_or_default();
    if path.extension().is_some_and(|end| end == "sources") {
        paragraphs(&text)
    } else {
        text.lines().filter_map(line).collect()
    }
}

/// The sources of a file whose paragraphs have fields.
fn paragraphs(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    // The empty line at the end closes the last paragraph.
    for line in text.lines().chain([""]) {
        if line.starts_with('#') {
            continue;
        }
        if line.trim().is_empty() {
            sources.extend(source(&fields));
            fields.clear();
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    sources
}

fn source(fields: &[(String, String)]) -> Option<Source> {
    let field = |name: &str| {
        let found = fields.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    };
    let words = |name: &str| -> Vec<String> {
        field(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    let is_off = field("enabled").is_some_and(|value| value.eq_ignore_ascii_case("no"));
    if is_off || !words("types").iter().any(|kind| kind == "deb") {
        return None;
    }
    Some(Source {
        uri: words("uris").into_iter().next()?,
        suites: words("suites"),
        components: words("components"),
        signed_by: field("signed-by").map(str::to_owned),
    })
}

/// The source of a line such as `deb [signed-by=/keys] http://mirror/debian bookworm main`.
fn line(line: &str) -> Option<Source> {
    let rest = line.trim().strip_prefix("deb")?;
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let mut words = rest.split_whitespace().map(str::to_owned);
    let (uri, suite) = (words.next()?, words.next()?);
    let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
    Some(Source {
        uri,
        suites: vec![suite],
        components: words.collect(),
        signed_by: signed_by.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(distribution: Distribution, codename: &str) -> Release {
        Release { distribution, codename: codename.to_owned() }
    }

    #[test]
    fn the_archive_is_told_from_its_neighbours() {
        let text = "# snapshot\nTypes: deb\n\
                    # http://snapshot.example/debian\n\
                    URIs: http://deb.example/debian-security\nSuites: bookworm-security\n\
                    Components: main\nSigned-By: /keys/a.gpg\n\
                    \n\
                    Types: deb deb-src\nURIs: http://deb.example/debian/\n\
                    Suites: bookworm bookworm-updates\nComponents: main contrib\n\
                    Signed-By: /keys/b.gpg\n\
                    \n\
                    Types: deb\nEnabled: no\nURIs: http://off.example/debian\n\
                    Suites: bookworm\nComponents: main\n\
                    \n\
                    Types: deb-src\nURIs: http://source.example/debian\nSuites: bookworm\n\
                    Components: main\n";
        let sources = paragraphs(text);
        assert_eq!(sources.len(), 2, "{sources:?}");
        let chosen = choose(&sources, &release(Distribution::Debian, "bookworm"));
        let chosen = chosen.expect("the second one is the archive");
        assert_eq!(
            chosen.list(&["sid"], "main"),
            "Types: deb\nURIs: http://deb.example/debian/\nSuites: sid\nComponents: main\n\
             Signed-By: /keys/b.gpg\n"
        );
    }

    #[test]
    fn lines_have_options_and_comments() {
        let parsed =
            line("deb [arch=amd64 signed-by=/keys/c.gpg] https://m.example/debian sid main # x");
        let expected = Source {
            uri: "https://m.example/debian".to_owned(),
            suites: vec!["sid".to_owned()],
            components: vec!["main".to_owned()],
            signed_by: Some("/keys/c.gpg".to_owned()),
        };
        assert_eq!(parsed, Some(expected));
        for other in [
            "# deb http://m.example/debian sid main",
            "deb-src http://m/debian sid",
            "deb http://m",
        ] {
            assert_eq!(line(other), None, "{other}");
        }
    }

    #[test]
    fn third_parties_are_not_taken_for_the_archive() {
        let lines = [
            "deb https://download.example/linux/debian bookworm stable",
            "deb https://packages.example/apt cloud-sdk-bookworm main",
        ];
        let sources: Vec<Source> = lines.into_iter().filter_map(line).collect();
        assert_eq!(choose(&sources, &release(Distribution::Debian, "bookworm")), None);
        let lines = [
            "deb https://ppa.example.net/somebody/ppa/ubuntu noble main",
            "deb http://archive.example/ubuntu noble main universe",
        ];
        let sources: Vec<Source> = lines.into_iter().filter_map(line).collect();
        let noble = release(Distribution::Ubuntu("noble".to_owned()), "noble");
        assert_eq!(choose(&sources, &noble), sources.last());
    }

    #[test]
    fn a_list_of_mirrors_is_taken_if_it_has_the_release() {
        let sources = paragraphs(
            "Types: deb\nURIs: mirror+file:/etc/apt/mirrors.txt\nSuites: noble noble-updates\n\
             Components: main universe\nSigned-By:\n -----BEGIN-----\n .\n abc\n",
        );
        let noble = release(Distribution::Ubuntu("noble".to_owned()), "noble");
        let chosen = choose(&sources, &noble).expect("it has the release");
        assert!(
            chosen.list(&["noble"], "main").ends_with("Signed-By: \n -----BEGIN-----\n .\n abc\n")
        );
    }
}
