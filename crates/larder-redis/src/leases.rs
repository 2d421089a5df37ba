//! Leases: one loader per key, and the only way to fill it.
//!
//! Guards that a lease ends with the mark that it was granted under, and with the epoch of the
//! node that granted it.

use std::time::Duration;

use bytes::Bytes;
use larder_core::{FillOutcome, Key, Lease, LeaseOutcome, LeaseRequest, LeaseToken, Ttl};
use redis::{Cmd, Value};

use crate::{
    counters::add,
    error::Trouble,
    fleet::Effect,
    keys::WireKey,
    mark::Mark,
    scripts,
    server::{DeleteIfEqual, Natives},
    store::{ATTEMPTS_MAX, CLEARED, Store, Verdict, marked, verdict, with_marks},
    unit::Unit,
};

/// What the holder of a lease wants.
#[derive(Clone, Copy, Debug)]
enum Hold<'a> {
    Fill { value: &'a Bytes, ttl: Ttl },
    Release,
    Renew { millis: u64 },
}

impl Store {
    pub(crate) async fn lease(
        &self,
        key: &Key,
        request: LeaseRequest,
    ) -> Result<LeaseOutcome, Trouble> {
        let realm = self.realm(key);
        let (entry, lease) = (self.names().entry(key), self.names().lease(key));
        let token = LeaseToken::random();
        let dead_entry = request.dead.as_ref().map_or(&[][..], |id| id.as_bytes());
        let mut dead: Vec<Mark> = Vec::new();
        for _ in 0..ATTEMPTS_MAX {
            let mark = realm.mark().await?;
            let mut command = scripts::TAKE.call(&entry, &lease, 4 + dead.len());
            command.arg(&mark.as_bytes()[..]).arg(&token.as_bytes()[..]);
            command.arg(millis(request.time)).arg(dead_entry);
            with_marks(&mut command, &dead);
            let units = [realm.question(), Unit::one(entry.clone(), command)];
            // Twice is as good as once: a lease that is held under this token is won.
            let (current, mut answer) = self.fleet.run_pair(units, Effect::Repeatable).await?;
            let current = realm.learn(current);
            match (verdict(answer.first())?, current == Some(mark)) {
                (Verdict::Found(stored), true) => return Ok(LeaseOutcome::Found(unmarked(stored))),
                (Verdict::Word(word), true) if word == b"won" => {
                    return Ok(LeaseOutcome::Won(Lease { token, epoch: answer.epoch() }));
                }
                (Verdict::Word(_), true) => return Ok(LeaseOutcome::Held),
                (Verdict::Unknown(found), _) if current != Some(found) => dead.push(found),
                (Verdict::Unknown(_), _) => {}
                // What was found or granted under the old mark counts no more.
                (Verdict::Found(_) | Verdict::Word(_), false) => dead.push(mark),
            }
            dead.retain(|dead| current != Some(*dead));
        }
        Err(Trouble::Stubborn(CLEARED))
    }

    pub(crate) async fn fill(
        &self,
        key: &Key,
        lease: &Lease,
        value: &Bytes,
        ttl: Ttl,
    ) -> Result<FillOutcome, Trouble> {
        if self.hold(key, lease, Hold::Fill { value, ttl }).await? {
            add(&self.counters.fills, 1);
            Ok(FillOutcome::Stored)
        } else {
            add(&self.counters.refused, 1);
            Ok(FillOutcome::Refused)
        }
    }

    pub(crate) async fn renew(
        &self,
        key: &Key,
        lease: &Lease,
        time: Duration,
    ) -> Result<bool, Trouble> {
        let millis = millis(time.max(LeaseRequest::MIN_TIME));
        self.hold(key, lease, Hold::Renew { millis }).await
    }

    pub(crate) async fn release(&self, key: &Key, lease: &Lease) -> Result<bool, Trouble> {
        self.hold(key, lease, Hold::Release).await
    }

    /// Does something if the lease is held; whether it was.
    async fn hold(&self, key: &Key, lease: &Lease, what: Hold<'_>) -> Result<bool, Trouble> {
        let realm = self.realm(key);
        let names = (self.names().entry(key), self.names().lease(key));
        for _ in 0..ATTEMPTS_MAX {
            let mark = realm.mark().await?;
            let link = self.fleet.link_of(&names.0).await?;
            if link.epoch() != lease.epoch {
                return Ok(false);
            }
            let held = [&mark.as_bytes()[..], &lease.token.as_bytes()[..]].concat();
            let command = command(&names, &held, mark, what, link.server().natives());
            let units = [realm.question(), Unit::one(names.0.clone(), command)];
            let (current, mut answer) = self.fleet.run_pair(units, Effect::Once).await?;
            let is_done = matches!(answer.first(), Value::Int(1) | Value::Okay);
            let is_current = realm.learn(current) == Some(mark);
            // What was done on a node that took another's place, or under a mark that is over,
            // left nothing behind that counts.
            if is_current || is_done || answer.epoch() != lease.epoch {
                return Ok(is_current && is_done && answer.epoch() == lease.epoch);
            }
        }
        Err(Trouble::Stubborn(CLEARED))
    }
}

/// The script, or the server's own command where it has one for a single key.
fn command(
    (entry, lease): &(WireKey, WireKey),
    held: &[u8],
    mark: Mark,
    what: Hold<'_>,
    natives: Natives,
) -> Cmd {
    match (what, natives.delete_if_equal) {
        (Hold::Renew { millis }, _) if natives.set_if_equal => {
            let mut command = redis::cmd("SET");
            command.arg(&lease[..]).arg(held).arg("IFEQ").arg(held).arg("PX").arg(millis);
            command
        }
        (Hold::Release, Some(DeleteIfEqual::Delex)) => {
            let mut command = redis::cmd("DELEX");
            command.arg(&lease[..]).arg("IFEQ").arg(held);
            command
        }
        (Hold::Release, Some(DeleteIfEqual::Delifeq)) => {
            let mut command = redis::cmd("DELIFEQ");
            command.arg(&lease[..]).arg(held);
            command
        }
        (what, _) => {
            let mut command = scripts::HOLD.call(entry, lease, 4);
            command.arg(held);
            match what {
                Hold::Fill { value, ttl } => {
                    command.arg("fill").arg(ttl.as_millis()).arg(marked(mark, value));
                }
                Hold::Release => {
                    command.arg("release");
                }
                Hold::Renew { millis } => {
                    command.arg("renew").arg(millis);
                }
            }
            command
        }
    }
}

/// A lease's time as servers take it: whole milliseconds, rounded up.
fn millis(time: Duration) -> u64 {
    Ttl::new(time).unwrap_or(Ttl::MAX).as_millis()
}

fn unmarked(stored: Vec<u8>) -> Bytes {
    Bytes::from(stored).slice(Mark::LEN..)
}

#[cfg(test)]
mod tests {
    use larder_core::{Epoch, Generation};

    use super::*;

    #[test]
    fn newer_servers_renew_and_release_without_a_script() {
        let names = (WireKey::from_slice(b"e"), WireKey::from_slice(b"l"));
        let mark = Mark::of(Generation::random(), Epoch::random());
        let first_word = |what, set_if_equal, delete_if_equal| {
            let natives = Natives { set_if_equal, delete_if_equal };
            let packed = command(&names, b"held", mark, what, natives).get_packed_command();
            String::from_utf8_lossy(&packed).lines().nth(2).unwrap().to_owned()
        };
        let value = Bytes::from_static(b"value");
        let fill = Hold::Fill { value: &value, ttl: Ttl::MIN };
        let renew = Hold::Renew { millis: 1 };
        let (delex, delifeq) = (Some(DeleteIfEqual::Delex), Some(DeleteIfEqual::Delifeq));
        for (what, set, delete, word) in [
            (fill, true, delex, "EVALSHA"),
            (renew, false, None, "EVALSHA"),
            (renew, true, None, "SET"),
            (Hold::Release, true, None, "EVALSHA"),
            (Hold::Release, true, delex, "DELEX"),
            (Hold::Release, true, delifeq, "DELIFEQ"),
        ] {
            assert_eq!(first_word(what, set, delete), word, "{what:?}");
        }
    }

    #[test]
    fn lease_times_are_rounded_up_and_bounded() {
        assert_eq!(millis(Duration::from_micros(1_001)), 2);
        assert_eq!(millis(Duration::MAX), Ttl::MAX.as_millis());
    }
}
