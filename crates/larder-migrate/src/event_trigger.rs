//! PostgreSQL says by itself what was changed, to whoever listens.
//!
//! Guards that nobody's statement fails because of it: what can not be said is not said. It is an
//! offer for databases whose role may have it; nothing in this crate depends on it.

use larder_model::Dialect;

/// The statements that have a PostgreSQL tell of changes of its schema at once.
///
/// The database's own counters tell of them about a second late, and not by whom. An event trigger
/// notifies whoever listens when the change is committed, with the command and the object:
/// `{"command": "ALTER TABLE", "object": "public.airline"}`. It takes a superuser, or what a managed
/// service has in its place, and each statement of DDL a few milliseconds longer. Notifications
/// do not pass a pooler that gives each transaction another connection.
///
/// Listen with a connection of your own, for instance sqlx's `PgListener`, and look around in the
/// schema cache at every notification, and at every reconnection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTrigger {
    schema: String,
    channel: String,
}

impl EventTrigger {
    /// A trigger whose function lives in this schema, and whose channel is `larder_ddl`.
    #[must_use]
    pub fn new(schema: impl Into<String>) -> Self {
        Self { schema: schema.into(), channel: "larder_ddl".to_owned() }
    }

    /// Sets the channel: at most 63 bytes.
    #[must_use]
    pub fn with_channel(mut self, channel: impl Into<String>) -> Self {
        self.channel = channel.into();
        self
    }

    /// The channel.
    #[must_use]
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// The statements that install it, or put it right; to be run in one transaction.
    #[must_use]
    pub fn install(&self) -> Vec<String> {
        let (function, channel) = (self.function(), Dialect::Postgres.text(&self.channel));
        let mut statements = vec![format!(
            "CREATE OR REPLACE FUNCTION {function}() RETURNS event_trigger LANGUAGE plpgsql \
             SET search_path = pg_catalog, pg_temp AS $larder$\n\
             DECLARE changed record;\n\
             BEGIN\n\
             IF tg_event = 'sql_drop' THEN\n\
             FOR changed IN SELECT DISTINCT o.object_identity AS object \
             FROM pg_event_trigger_dropped_objects() AS o WHERE NOT o.is_temporary AND o.original LOOP\n\
             PERFORM pg_notify({channel}, json_build_object('command', tg_tag, \
             'object', left(changed.object, 1000))::text);\n\
             END LOOP;\n\
             ELSE\n\
             FOR changed IN SELECT DISTINCT c.object_identity AS object \
             FROM pg_event_trigger_ddl_commands() AS c \
             WHERE c.schema_name IS DISTINCT FROM 'pg_temp' LOOP\n\
             PERFORM pg_notify({channel}, json_build_object('command', tg_tag, \
             'object', left(changed.object, 1000))::text);\n\
             END LOOP;\n\
             END IF;\n\
             EXCEPTION WHEN OTHERS THEN\n\
             RAISE LOG 'larder: a change of the schema is not told: %', SQLERRM;\n\
             END $larder$"
        )];
        for (name, event) in TRIGGERS {
            statements.push(format!("DROP EVENT TRIGGER IF EXISTS {name}"));
            statements.push(format!(
                "CREATE EVENT TRIGGER {name} ON {event} EXECUTE FUNCTION {function}()"
            ));
        }
        statements
    }

    /// The statements that take it away again, whether or not it is there.
    #[must_use]
    pub fn uninstall(&self) -> Vec<String> {
        let triggers = TRIGGERS.iter();
        let mut statements: Vec<_> =
            triggers.map(|(name, _)| format!("DROP EVENT TRIGGER IF EXISTS {name}")).collect();
        statements.push(format!("DROP FUNCTION IF EXISTS {}()", self.function()));
        statements
    }

    /// The statement by which a connection listens.
    #[must_use]
    pub fn listen(&self) -> String {
        format!("LISTEN {}", Dialect::Postgres.quoted(&self.channel))
    }

    fn function(&self) -> String {
        format!("{}.larder_tell_ddl", Dialect::Postgres.quoted(&self.schema))
    }
}

/// The triggers and their events. A drop has an event of its own.
const TRIGGERS: [(&str, &str); 2] =
    [("larder_ddl_end", "ddl_command_end"), ("larder_ddl_drop", "sql_drop")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_channels_are_quoted() {
        let trigger = EventTrigger::new("my \"app\"").with_channel("it's");
        let statements = trigger.install().join(";\n");
        assert!(statements.contains("\"my \"\"app\"\"\".larder_tell_ddl()"), "{statements}");
        assert!(statements.contains("pg_notify('it''s', "), "{statements}");
        assert_eq!(trigger.listen(), "LISTEN \"it's\"");
    }

    #[test]
    fn what_is_installed_is_uninstalled() {
        let trigger = EventTrigger::new("public");
        let uninstall = trigger.uninstall().join(";\n");
        for (name, _) in TRIGGERS {
            assert!(uninstall.contains(name), "{uninstall}");
        }
        assert!(uninstall.contains("DROP FUNCTION IF EXISTS \"public\".larder_tell_ddl()"));
    }
}
