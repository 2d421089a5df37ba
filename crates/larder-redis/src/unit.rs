//! Units: commands on keys of one slot that travel together, and what came back for them.

use std::sync::Arc;

use larder_core::Epoch;
use redis::{Cmd, ServerError, Value};
use smallvec::{SmallVec, smallvec};

use crate::{error::Trouble, keys::WireKey, link::Link};

/// Commands that go to one node together.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// Any of the keys; in a cluster it leads to the node.
    pub(crate) key: WireKey,
    pub(crate) commands: SmallVec<[Cmd; 2]>,
    /// Whether the commands take effect as one.
    pub(crate) is_atomic: bool,
}

/// What came back for a unit: one value for each command, none of them an error.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) values: Vec<Value>,
    /// Who answered.
    pub(crate) link: Arc<Link>,
}

impl Reply {
    pub(crate) fn epoch(&self) -> Epoch {
        self.link.epoch()
    }

    /// The next value; [`Value::Nil`] if there is none.
    pub(crate) fn first(&mut self) -> Value {
        self.values.first_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl Unit {
    pub(crate) fn one(key: WireKey, command: Cmd) -> Self {
        Self { key, commands: smallvec![command], is_atomic: false }
    }

    pub(crate) fn several(key: WireKey, commands: impl IntoIterator<Item = Cmd>) -> Self {
        Self { key, commands: commands.into_iter().collect(), is_atomic: false }
    }

    /// Commands that take effect as one: all of them, or none.
    pub(crate) fn atomic(key: WireKey, commands: impl IntoIterator<Item = Cmd>) -> Self {
        Self { is_atomic: true, ..Self::several(key, commands) }
    }

    /// How many answers the unit has.
    pub(crate) fn answers(&self) -> usize {
        self.commands.len() + if self.is_atomic { 2 } else { 0 }
    }

    /// What is sent, in its order.
    pub(crate) fn to_commands(&self) -> impl Iterator<Item = Cmd> + '_ {
        let (begin, end) = if self.is_atomic {
            (Some(redis::cmd("MULTI")), Some(redis::cmd("EXEC")))
        } else {
            (None, None)
        };
        begin.into_iter().chain(self.commands.iter().cloned()).chain(end)
    }

    /// Makes one value for each command of what came back, or finds the error among it.
    pub(crate) fn judge(&self, mut answers: Vec<Value>) -> Result<Vec<Value>, Trouble> {
        if let Some(error) = first_error(&answers) {
            return Err(Trouble::Server(error));
        }
        if self.is_atomic {
            answers = match answers.pop() {
                Some(Value::Array(answers)) => answers,
                _ => return Err(Trouble::Answer("EXEC was not answered with a list")),
            };
            if let Some(error) = first_error(&answers) {
                return Err(Trouble::Server(error));
            }
        }
        if answers.len() == self.commands.len() {
            Ok(answers)
        } else {
            Err(Trouble::Answer("the number of answers is not that of the commands"))
        }
    }
}

/// The first error; of a transaction that was refused, it says more than the last one.
fn first_error(answers: &[Value]) -> Option<ServerError> {
    answers.iter().find_map(|answer| match answer {
        Value::ServerError(error) => Some(error.clone()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(reply: &str) -> Value {
        redis::parse_redis_value(reply.as_bytes()).unwrap()
    }

    fn unit(is_atomic: bool) -> Unit {
        let commands = [redis::cmd("GET"), redis::cmd("DEL")];
        let unit = Unit::several(WireKey::new(), commands);
        Unit { is_atomic, ..unit }
    }

    #[test]
    fn a_transaction_answers_like_its_commands() {
        let plain = unit(false).judge(vec![value("$-1\r\n"), value(":1\r\n")]);
        let transaction = ["+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n$-1\r\n:1\r\n"];
        let atomic = unit(true).judge(transaction.map(value).into());
        assert_eq!(plain.unwrap(), atomic.unwrap());
    }

    #[test]
    fn the_reason_is_found_rather_than_its_consequence() {
        let moved = "-MOVED 1 10.0.0.1:1\r\n";
        let refused = ["+OK\r\n", moved, "+QUEUED\r\n", "-EXECABORT because of errors\r\n"];
        let trouble = unit(true).judge(refused.map(value).into()).unwrap_err();
        assert_eq!(trouble.code(), Some("MOVED"));
        let inside = ["+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n$-1\r\n-OOM x\r\n"];
        let trouble = unit(true).judge(inside.map(value).into()).unwrap_err();
        assert_eq!(trouble.code(), Some("OOM"));
    }
}
