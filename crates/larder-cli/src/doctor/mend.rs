//! What to do about an error.
//!
//! Guards that every error of a connection comes with a next step.

use larder::{
    DatabaseErrorKind, Engine, FarUrlError, OpenError, QueryError,
    core::{Error, ErrorKind},
    query::UrlError,
};

use super::finding::Trouble;
use crate::failure::{Failure, chain};

/// What does not work about a database.
pub(crate) fn database(error: &QueryError, engine: Engine) -> Trouble {
    let QueryError::Database(failed) = error else {
        let (kind, mend) = match error {
            QueryError::EngineNotCompiled { .. } => {
                ("not_compiled", "install larder-cli with its default features")
            }
            QueryError::Url(_) => ("url", "correct the URL"),
            _ => ("other", "the words of the database say more"),
        };
        return Trouble::new(kind, &chain(error), mend);
    };
    let (name, mend) = match failed.kind() {
        DatabaseErrorKind::MissingDatabase => ("no_database", NO_DATABASE),
        DatabaseErrorKind::Authentication => ("authentication", refused(engine)),
        DatabaseErrorKind::Connection => ("connection", unreachable(engine)),
        DatabaseErrorKind::Busy => {
            ("busy", "somebody holds a lock for long: find the statement that does")
        }
        DatabaseErrorKind::Corrupt => {
            ("corrupt", "name the file of a database; if this is one, restore it from a backup")
        }
        DatabaseErrorKind::NoSpace => ("no_space", "make room on the server's disk"),
        DatabaseErrorKind::PoolTimeout | DatabaseErrorKind::Timeout => (
            "timeout",
            "is the server overloaded, are all of its connections taken? A limit of \
              the role or of the database counts too",
        ),
        _ => ("other", "the words of the database say more"),
    };
    Trouble::new(name, &chain(error), mend)
}

const NO_DATABASE: &str = "create the database, or correct its name in the URL";

const fn refused(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => {
            "check user, password and database name (a password in a URL is percent-encoded), and \
             whether pg_hba.conf lets this user in from here"
        }
        Engine::MariaDb | Engine::MySql => {
            "check user and password (in a URL it is percent-encoded), and that the user is \
             allowed from this host and has rights on this database: SHOW GRANTS"
        }
        _ => "check the rights of the file and of its directory",
    }
}

const fn unreachable(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => {
            "is the server running, and at this host and port (5432 unless told otherwise)? does \
             listen_addresses include this way in?"
        }
        Engine::MariaDb | Engine::MySql => {
            "is the server running, and at this host and port (3306 unless told otherwise)? does \
             bind_address include this way in?"
        }
        _ => "does the file exist? mode=rwc in the URL creates it",
    }
}

/// What does not work about a cache.
pub(crate) fn cache(error: &OpenError) -> Trouble {
    match error {
        OpenError::Far { source, .. } => call(source),
        OpenError::FarUrl(FarUrlError::NotCompiled { .. }) => {
            let mend = "install larder-cli with its default features";
            Trouble::new("not_compiled", &chain(error), mend)
        }
        _ => Trouble::new("url", &chain(error), "correct the URL"),
    }
}

/// What does not work about a call to a cache.
pub(crate) fn call(error: &Error) -> Trouble {
    let (kind, mend) = match error.kind() {
        ErrorKind::Authentication => (
            "authentication",
            "check user and password (in a URL they are percent-encoded), and that this user may \
             run the commands that a cache needs",
        ),
        ErrorKind::Busy => ("busy", "the server is loading or locked: try again in a while"),
        ErrorKind::Corrupt => {
            ("corrupt", "this is no cache of larder's: name another file, or remove it")
        }
        ErrorKind::InvalidInput => ("invalid_input", "correct the URL or the settings"),
        ErrorKind::NoSpace => {
            ("no_space", "the server is full: give it more memory, or let it evict (volatile-lru)")
        }
        ErrorKind::Protocol => (
            "protocol",
            "something else answers there: is this port another server's, is TLS on at one end \
             only?",
        ),
        ErrorKind::ReadOnly => {
            ("read_only", "this is a replica or a read-only file: name the primary")
        }
        ErrorKind::Timeout => (
            "timeout",
            "it takes connections and does not answer: is the server stopped or overloaded, is \
             there a firewall in between, is TLS on at one end only?",
        ),
        ErrorKind::Unavailable => {
            ("unavailable", "is the server running, and at this host and port?")
        }
        _ => ("other", "the words of the server say more"),
    };
    Trouble::new(kind, &chain(error), mend)
}

/// What does not work about the settings.
pub(crate) fn settings(failure: &Failure) -> Trouble {
    let mend = match failure {
        Failure::DatabaseUnknown | Failure::Open(OpenError::DatabaseUrl(UrlError::Scheme)) => {
            "name it by a URL such as postgres://user:password@host/name, or by an existing file"
        }
        Failure::Open(OpenError::NoDatabase) => {
            "use --database, DATABASE_URL or DB_ENGINE; all of them also from a file .env"
        }
        _ => "correct the URL",
    };
    Trouble::new("url", &chain(failure), mend)
}
