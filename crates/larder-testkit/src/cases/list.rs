//! The cases as values, from the same list of names as the generated tests.

use crate::Case;

/// The names of all groups, in the order in which they are explained.
pub const GROUPS: [&str; 9] =
    ["core", "ttl", "batch", "add", "touch", "clear", "watch", "shared", "persistent"];

/// The cases of one group; none for a name that is not in [`GROUPS`].
#[must_use]
pub fn group(name: &str) -> Vec<Case> {
    macro_rules! list {
        ({} $group:ident $($case:ident)+) => {
            vec![$(Case::new(stringify!($group), stringify!($case), |fixture| {
                Box::pin(super::$group::$case(fixture))
            })),+]
        };
    }
    match name {
        "core" => crate::__cases!([list] {} core),
        "ttl" => crate::__cases!([list] {} ttl),
        "batch" => crate::__cases!([list] {} batch),
        "add" => crate::__cases!([list] {} add),
        "touch" => crate::__cases!([list] {} touch),
        "clear" => crate::__cases!([list] {} clear),
        "watch" => crate::__cases!([list] {} watch),
        "shared" => crate::__cases!([list] {} shared),
        "persistent" => crate::__cases!([list] {} persistent),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// The names of the public async functions below a path, read from the sources.
    fn written(path: &Path, names: &mut BTreeSet<String>) {
        if path.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                written(&entry.unwrap().path(), names);
            }
            return;
        }
        let source = fs::read_to_string(path).unwrap();
        let lines = source.lines().filter_map(|l| l.strip_prefix("pub async fn "));
        names.extend(lines.filter_map(|l| l.split_once('(')).map(|(name, _)| name.to_owned()));
    }

    #[test]
    fn no_case_is_forgotten_in_the_list() {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cases");
        for name in GROUPS {
            let (mut expected, mut listed) = (BTreeSet::new(), BTreeSet::new());
            let file = cases.join(format!("{name}.rs"));
            written(&if file.exists() { file } else { cases.join(name) }, &mut expected);
            listed.extend(group(name).iter().map(|case| case.name.to_owned()));
            assert_eq!(listed, expected, "group {name}");
        }
        assert!(group("no such group").is_empty());
    }
}
