//! Single-flight: at most one pass over the tables of a database at a time, in this process.
//!
//! Invariants: nobody joins a pass that began before a clear that they must see; a pass whose
//! leader went away is led by one of those who waited; an outcome reaches all who waited for it.

use std::sync::Arc;

use larder_model::{ModelEntry, Policy};
use tokio::sync::watch;

use crate::{Outcome, database::Database, slot::SlotGeneration};

/// What a pass may do, and what its outcome means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To look in the background whether tables are what they were. What it finds wrong is left
    /// to the next use.
    Look,
    /// To bring tables into shape for those who wait.
    Use(Policy),
}

/// A table of a pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) entry: &'static ModelEntry,
    pub(crate) generation: SlotGeneration,
    /// Whether it was ensured before somebody may have changed it.
    pub(crate) was_doubted: bool,
}

/// The outcomes of a pass, in the order of its members.
pub(crate) type Outcomes = Arc<[Outcome]>;

/// The end of a pass, as those see it who wait for it.
pub(crate) type Landing = watch::Receiver<Option<Outcomes>>;

/// A pass under way, as those see it who come meanwhile.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) purpose: Purpose,
    pub(crate) members: Arc<[Member]>,
    pub(crate) landing: Landing,
}

/// The part that a caller has in the check of a table.
#[derive(Debug)]
pub(crate) enum Boarding {
    /// To do without: it could not be ensured a short while ago.
    BackingOff(crate::SchemaError),
    /// None: somebody has checked it meanwhile.
    Ensured,
    /// To wait for another's pass over these tables, in which it has this place.
    Join(Landing, Arc<[Member]>, usize),
    /// To make a pass, in which it has this place.
    Lead(Pilot, usize),
    /// To wait until another's pass is over, and then to ask again.
    Wait(Landing),
}

/// The right, and the duty, to make a pass. Dropped without landing, it leaves the database to
/// the next, and those who wait notice that the channel is closed.
#[derive(Debug)]
pub(crate) struct Pilot {
    pub(crate) database: Arc<Database>,
    pub(crate) purpose: Purpose,
    pub(crate) members: Arc<[Member]>,
    /// Empty once landed.
    landing: Option<watch::Sender<Option<Outcomes>>>,
}

impl Member {
    /// The place of a table among members, which are sorted by slot.
    pub(crate) fn find(members: &[Self], entry: &'static ModelEntry) -> Option<usize> {
        members.binary_search_by(|member| member.entry.slot().cmp(&entry.slot())).ok()
    }
}

impl Flight {
    /// A pass over these tables, and the right to make it.
    pub(crate) fn new(
        database: Arc<Database>,
        purpose: Purpose,
        members: Vec<Member>,
    ) -> (Self, Pilot) {
        let members: Arc<[Member]> = members.into();
        let (sender, landing) = watch::channel(None);
        let flight = Self { purpose, members: Arc::clone(&members), landing };
        (flight, Pilot { database, purpose, members, landing: Some(sender) })
    }

    /// The place of a table in it, if it began in this generation.
    pub(crate) fn place(
        &self,
        entry: &'static ModelEntry,
        generation: SlotGeneration,
    ) -> Option<usize> {
        let place = Member::find(&self.members, entry)?;
        (self.members[place].generation == generation).then_some(place)
    }
}

impl Pilot {
    /// Tells everybody who waits. The database must have ended the flight before.
    pub(crate) fn tell(mut self, outcomes: Outcomes) {
        if let Some(landing) = self.landing.take() {
            landing.send_replace(Some(outcomes));
        }
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        if self.landing.is_some() {
            self.database.end_flight();
        }
    }
}

/// Waits for the end of another's pass; `None` if its leader went away.
pub(crate) async fn landed(mut landing: Landing) -> Option<Outcomes> {
    let landed = landing.wait_for(Option::is_some).await.ok()?;
    landed.clone()
}
