//! The registry's tables and their columns.
//!
//! Guards that there is one list from which tables are created and older ones completed.

use larder_model::Dialect;

/// A table of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RegistryTable {
    /// Who migrates.
    Lock,
    /// What holds for the whole database.
    Meta,
    /// The history.
    Migrations,
    /// The models.
    Models,
}

/// A column of such a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RegistryColumn {
    pub(crate) name: &'static str,
    ty: Ty,
    /// Whether it may not be NULL in a table that we create; texts are then empty by default.
    required: bool,
}

/// What a column holds.
#[derive(Clone, Copy, Debug)]
enum Ty {
    Integer,
    /// A text without a limit.
    Long,
    /// A moment for people, in UTC.
    Readable,
    /// A text of up to so many characters.
    Text(u16),
}

use Ty::{Integer, Long, Readable, Text};

const fn required(name: &'static str, ty: Ty) -> RegistryColumn {
    RegistryColumn { name, ty, required: true }
}

const fn optional(name: &'static str, ty: Ty) -> RegistryColumn {
    RegistryColumn { name, ty, required: false }
}

/// Times that programs read are microseconds since 1970 UTC and end in `_us`; those beside them
/// are for people. The sizes of the keys keep MySQL's limit of 3072 bytes.
const MIGRATIONS: &[RegistryColumn] = &[
    required("version", Text(255)),
    required("name", Text(255)),
    required("checksum", Text(128)),
    required("status", Text(50)),
    optional("applied_at", Readable),
    optional("kind", Text(20)),
    optional("application_id", Text(255)),
    optional("model_name", Text(255)),
    optional("from_fingerprint", Text(128)),
    optional("to_fingerprint", Text(128)),
    optional("steps_total", Integer),
    optional("steps_done", Integer),
    optional("step_hashes", Long),
    optional("plan_json", Long),
    optional("down_json", Long),
    optional("error", Long),
    optional("error_sqlstate", Text(20)),
    optional("started_us", Integer),
    optional("finished_us", Integer),
    optional("applied_us", Integer),
    optional("duration_us", Integer),
    optional("executor", Text(255)),
    optional("engine_version", Text(50)),
    optional("format", Integer),
    optional("lock_token", Integer),
    optional("seq", Integer),
];

/// What a history that others began has besides, because its own columns are too narrow.
const MIGRATIONS_BESIDES: &[RegistryColumn] =
    &[optional("checksum_full", Text(128)), optional("state", Text(50))];

const MODELS: &[RegistryColumn] = &[
    required("application_id", Text(255)),
    required("schema_name", Text(64)),
    required("model_name", Text(255)),
    required("table_name", Text(64)),
    required("status", Text(50)),
    required("version", Integer),
    required("model_checksum", Text(255)),
    optional("schema_fingerprint", Text(128)),
    optional("catalog_token", Text(128)),
    optional("definition_json", Long),
    optional("verified_at", Readable),
    optional("verified_us", Integer),
    optional("updated_at", Readable),
];

const LOCK: &[RegistryColumn] = &[
    required("lock_name", Text(255)),
    required("owner", Text(64)),
    optional("host", Text(255)),
    optional("pid", Integer),
    optional("application_id", Text(255)),
    optional("session_id", Text(64)),
    optional("acquired_at", Readable),
    optional("acquired_us", Integer),
    optional("heartbeat_us", Integer),
    optional("expires_us", Integer),
    required("token", Integer),
];

const META: &[RegistryColumn] = &[required("key", Text(255)), optional("value", Long)];

impl RegistryTable {
    pub(crate) const ALL: [Self; 4] = [Self::Lock, Self::Meta, Self::Migrations, Self::Models];

    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Lock => "migration_lock",
            Self::Meta => "meta",
            Self::Migrations => "migrations",
            Self::Models => "model_registry",
        }
    }

    const fn columns(self) -> &'static [RegistryColumn] {
        match self {
            Self::Lock => LOCK,
            Self::Meta => META,
            Self::Migrations => MIGRATIONS,
            Self::Models => MODELS,
        }
    }

    const fn key(self) -> &'static [&'static str] {
        match self {
            Self::Lock => &["lock_name"],
            Self::Meta => &["key"],
            Self::Migrations => &["version"],
            Self::Models => &["application_id", "schema_name", "model_name", "table_name"],
        }
    }

    const fn uniques(self) -> &'static [&'static str] {
        match self {
            Self::Migrations => &["seq"],
            Self::Lock | Self::Meta | Self::Models => &[],
        }
    }

    /// The columns that a table which others made must have for rows of ours to fit in.
    pub(crate) const fn expected(self) -> &'static [&'static str] {
        match self {
            Self::Lock => &["lock_name", "owner", "token"],
            Self::Meta => &["key", "value"],
            Self::Migrations => &["version", "checksum", "status"],
            Self::Models => &["model_name", "model_checksum", "status", "version"],
        }
    }

    /// The statement that creates it.
    pub(crate) fn create(self, dialect: Dialect, quoted: &str) -> String {
        let columns = self.columns().iter().map(|column| column.definition(dialect));
        let list = |names: &[&str]| {
            let quoted: Vec<_> = names.iter().map(|name| dialect.quoted(name)).collect();
            quoted.join(", ")
        };
        let key = std::iter::once(format!("PRIMARY KEY ({})", list(self.key())));
        let uniques = self.uniques().iter().map(|name| format!("UNIQUE ({})", list(&[name])));
        let parts: Vec<_> = columns.chain(key).chain(uniques).collect();
        let options = match dialect {
            Dialect::MariaDb | Dialect::MySql => {
                " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC"
            }
            _ => "",
        };
        format!("CREATE TABLE {quoted} ({}){options}", parts.join(", "))
    }

    /// The statements that add to a table which others made what it has not.
    pub(crate) fn complete(
        self,
        dialect: Dialect,
        quoted: &str,
        has: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let besides = match self {
            Self::Migrations if !has("seq") => MIGRATIONS_BESIDES,
            _ => &[],
        };
        // In this order, because a run that ended halfway is told by the last one of ours.
        let columns = besides.iter().chain(self.columns());
        let missing = columns.filter(|column| !has(column.name));
        // One column a statement, because that is all that SQLite can do.
        let add = missing.map(|column| {
            let definition = RegistryColumn { required: false, ..*column }.definition(dialect);
            format!("ALTER TABLE {quoted} ADD COLUMN {definition}")
        });
        add.collect()
    }
}

impl RegistryColumn {
    fn definition(self, dialect: Dialect) -> String {
        let mysql = matches!(dialect, Dialect::MariaDb | Dialect::MySql);
        // Told for each column, because the table may be another program's.
        let collation = if mysql { " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" } else { "" };
        let ty = match (self.ty, mysql) {
            (Integer, _) => "BIGINT".to_owned(),
            (Long, true) => format!("LONGTEXT{collation}"),
            (Long, false) => "TEXT".to_owned(),
            // MySQL's TIMESTAMP ends in 2038 and follows the session's time zone.
            (Readable, true) => "DATETIME(6)".to_owned(),
            (Readable, false) => "TIMESTAMP".to_owned(),
            (Text(length), _) => format!("VARCHAR({length}){collation}"),
        };
        let null = match (self.required, self.ty) {
            (false, _) => " NULL",
            (true, Text(_)) => " NOT NULL DEFAULT ''",
            (true, _) => " NOT NULL DEFAULT 0",
        };
        format!("{} {ty}{null}", dialect.quoted(self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a key of these columns takes at most in MySQL, of 4 bytes a character.
    fn key_bytes(table: RegistryTable) -> u32 {
        let bytes = |name: &&str| {
            let column = table.columns().iter().find(|column| column.name == *name).unwrap();
            match column.ty {
                Text(length) => u32::from(length) * 4,
                Integer => 8,
                Long | Readable => panic!("{name} is no key"),
            }
        };
        table.key().iter().map(bytes).sum()
    }

    #[test]
    fn keys_fit_into_an_index_of_mysql() {
        for table in RegistryTable::ALL {
            assert!(key_bytes(table) <= 3072, "{table:?}");
        }
    }

    #[test]
    fn what_others_must_have_is_among_the_columns() {
        for table in RegistryTable::ALL {
            for name in table.expected() {
                assert!(table.columns().iter().any(|column| column.name == *name), "{name}");
            }
        }
    }

    #[test]
    fn a_foreign_table_is_only_added_to_and_only_what_may_be_null() {
        let seed = ["version", "checksum", "status", "applied_at"];
        for dialect in [Dialect::Postgres, Dialect::MySql, Dialect::MariaDb, Dialect::Sqlite] {
            let missing =
                RegistryTable::Migrations.complete(dialect, "t", |name| seed.contains(&name));
            assert_eq!(missing.len(), MIGRATIONS.len() - seed.len() + MIGRATIONS_BESIDES.len());
            for statement in &missing {
                assert!(statement.starts_with("ALTER TABLE t ADD COLUMN "), "{statement}");
                assert!(!statement.contains("NOT NULL"), "{statement}");
            }
        }
    }

    #[test]
    fn a_table_of_ours_lacks_nothing() {
        for table in RegistryTable::ALL {
            let has = |name: &str| table.columns().iter().any(|column| column.name == name);
            assert!(table.complete(Dialect::Postgres, "t", has).is_empty(), "{table:?}");
        }
    }
}
