//! A unit on its way: where it goes next and what goes with it.
//!
//! Guards that a unit gets its own answers, whatever else was sent with it.

use redis::{Cmd, Value};

use crate::{Address, scripts, unit::Unit};

/// A unit on its way.
#[derive(Debug)]
pub(crate) struct Journey {
    pub(crate) index: usize,
    pub(crate) unit: Unit,
    /// Where a server said that it should go.
    pub(crate) redirection: Option<Redirection>,
    pub(crate) loads_scripts: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Redirection {
    pub(crate) address: Address,
    pub(crate) is_asking: bool,
}

impl Journey {
    pub(crate) const fn new(index: usize, unit: Unit) -> Self {
        Self { index, unit, redirection: None, loads_scripts: false }
    }

    /// Has the next round send it elsewhere.
    pub(crate) fn redirect(&mut self, address: Option<Address>, is_asking: bool) {
        self.redirection = address.map(|address| Redirection { address, is_asking });
    }

    fn is_asking(&self) -> bool {
        self.redirection.as_ref().is_some_and(|redirection| redirection.is_asking)
    }

    /// How many answers there are beside those of the unit.
    fn extra_answers(&self) -> usize {
        let scripts = if self.loads_scripts { scripts::LOADS } else { 0 };
        let asking = match (self.is_asking(), self.unit.is_atomic) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => self.unit.commands.len(),
        };
        scripts + asking
    }

    pub(crate) fn answers(&self) -> usize {
        self.extra_answers() + self.unit.answers()
    }

    /// What is sent: before the unit the scripts, if they were missing, and the word that a slot
    /// which is moving is meant. The word counts for one command, or for one transaction.
    pub(crate) fn to_commands(&self) -> impl Iterator<Item = Cmd> + '_ {
        let scripts = self.loads_scripts.then(scripts::load_all).into_iter().flatten();
        let unit = self.unit.to_commands().enumerate().flat_map(|(number, command)| {
            let is_first = number == 0 || !self.unit.is_atomic;
            let asking = (self.is_asking() && is_first).then(|| redis::cmd("ASKING"));
            asking.into_iter().chain([command])
        });
        scripts.chain(unit)
    }

    /// The answers of the unit alone.
    pub(crate) fn own(&self, mut answers: Vec<Value>) -> Vec<Value> {
        if self.loads_scripts {
            answers = answers.split_off(scripts::LOADS.min(answers.len()));
        }
        match (self.is_asking(), self.unit.is_atomic) {
            (false, _) => answers,
            (true, true) => answers.split_off(1.min(answers.len())),
            (true, false) => answers.into_iter().skip(1).step_by(2).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::keys::WireKey;

    use super::*;

    fn words(journey: &Journey) -> Vec<String> {
        let word = |command: Cmd| {
            let packed = command.get_packed_command();
            String::from_utf8_lossy(&packed).lines().nth(2).unwrap_or_default().to_owned()
        };
        journey.to_commands().map(word).collect()
    }

    #[test]
    fn a_journey_takes_along_what_its_unit_needs_and_gives_back_the_units_answers() {
        let commands = || ["GET", "DEL"].map(redis::cmd);
        let address = Address::tcp("target", 1);
        for (is_atomic, is_asking, loads_scripts, sent, own) in [
            (false, false, false, "GET DEL", [0, 1].as_slice()),
            (true, false, false, "MULTI GET DEL EXEC", &[0, 1, 2, 3]),
            (false, true, false, "ASKING GET ASKING DEL", &[1, 3]),
            (true, true, false, "ASKING MULTI GET DEL EXEC", &[1, 2, 3, 4]),
            (false, true, true, "SCRIPT SCRIPT SCRIPT ASKING GET ASKING DEL", &[4, 6]),
        ] {
            let unit = Unit { is_atomic, ..Unit::several(WireKey::new(), commands()) };
            let mut journey = Journey { index: 0, unit, redirection: None, loads_scripts };
            journey.redirect(is_asking.then(|| address.clone()), true);
            let words = words(&journey);
            assert_eq!((words.join(" ").as_str(), words.len()), (sent, journey.answers()));
            let answers = (0..).map(Value::Int).take(words.len()).collect();
            let expected: Vec<_> = own.iter().copied().map(Value::Int).collect();
            assert_eq!(journey.own(answers), expected, "{sent}");
        }
    }
}
