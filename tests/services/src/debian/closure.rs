//! What a package needs besides itself, and which of that a server needs to run.

/// One package file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deb {
    name: String,
    version: String,
    architecture: String,
}

impl Deb {
    /// How `apt-get download` wants it named.
    pub(crate) fn request(&self) -> String {
        match self.architecture.as_str() {
            "all" => format!("{}={}", self.name, self.version),
            own => format!("{}:{own}={}", self.name, self.version),
        }
    }

    /// The name of the file that this downloads.
    pub(crate) fn file(&self) -> String {
        let version = self.version.replace(':', "%3a");
        format!("{}_{version}_{}.deb", self.name, self.architecture)
    }

    /// Whether a server needs it at run time: the libraries, and what belongs to the server.
    /// The rest is for scripts that run at installation. The compiler that PostgreSQL can load
    /// is as big as everything else together, and is not switched on.
    pub(crate) fn is_needed(&self, package: &str) -> bool {
        let family = package.split('-').next().unwrap_or(package);
        let is_library = self.name.starts_with("lib") || self.name.starts_with("zlib");
        let is_left_out = self.name.contains("-client")
            || self.name.starts_with("libllvm")
            || self.name.starts_with("libclang")
            || self.name.ends_with("-perl")
            || self.name.starts_with("libperl");
        (self.name.starts_with(family) || is_library) && !is_left_out
    }
}

/// The packages that a simulated installation names, each in a line such as
/// `Inst libc6 (2.36-9 Debian:12.1/stable [amd64]) []`.
pub(crate) fn parse(simulation: &str) -> Vec<Deb> {
    simulation.lines().filter_map(installed).collect()
}

fn installed(line: &str) -> Option<Deb> {
    let (name, rest) = line.strip_prefix("Inst ")?.split_once(" (")?;
    let (facts, _) = rest.split_once(')')?;
    let (version, _) = facts.split_once(' ')?;
    let (_, architecture) = facts.rsplit_once('[')?;
    let name = name.split(':').next()?;
    Some(Deb {
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: architecture.strip_suffix(']')?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_installation_names_its_packages() {
        let simulation = "NOTE: this is only a simulation\n\
            Inst gcc-12-base (12.2.0-14 Debian:12.11/oldstable [amd64])\n\
            Inst libcrypt1 (1:4.4.33-2 Debian:12.11/oldstable, Debian:12.2/x [amd64]) [libc6:amd64 ]\n\
            Inst redis-server (5:7.0.15-1 Debian:12.11/oldstable [amd64])\n\
            Inst adduser (3.134 Debian:12.11/oldstable [all])\n\
            Conf redis-server (5:7.0.15-1 Debian:12.11/oldstable [amd64])\n";
        let debs = parse(simulation);
        let files: Vec<String> = debs.iter().map(Deb::file).collect();
        assert_eq!(
            files,
            [
                "gcc-12-base_12.2.0-14_amd64.deb",
                "libcrypt1_1%3a4.4.33-2_amd64.deb",
                "redis-server_5%3a7.0.15-1_amd64.deb",
                "adduser_3.134_all.deb",
            ]
        );
        assert_eq!(debs[1].request(), "libcrypt1:amd64=1:4.4.33-2");
        assert_eq!(debs[3].request(), "adduser=3.134");
        let needed: Vec<bool> = debs.iter().map(|deb| deb.is_needed("redis-server")).collect();
        assert_eq!(needed, [false, true, true, false]);
    }

    #[test]
    fn the_compiler_and_the_scripts_of_a_database_stay_away() {
        let needed = |name: &str| {
            let deb =
                Deb { name: name.to_owned(), version: "1".into(), architecture: "all".into() };
            deb.is_needed("postgresql-15")
        };
        assert!(needed("postgresql-15") && needed("postgresql-common") && needed("libpq5"));
        assert!(
            !needed("postgresql-client-15")
                && !needed("libllvm14")
                && !needed("libjson-perl")
                && !needed("perl-base")
        );
    }
}
