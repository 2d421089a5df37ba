//! Places where callers find their replies. A place is used again only after every reply that
//! belongs to it has come.

use std::task::Waker;

use smallvec::SmallVec;

use super::Wakers;
use crate::{
    error::Trouble,
    request::{Answer, Item, Reply},
};

#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Slot {
    state: State,
    /// Replies that are still to come: one per command, one for all reads.
    outstanding: usize,
    reply: Reply,
    waker: Option<Waker>,
}

#[derive(Debug)]
enum State {
    /// The caller has gone.
    Abandoned,
    Done,
    Failed(Trouble),
    Free,
    Waiting,
}

impl Slots {
    /// A place for a request of so many commands and reads.
    pub(super) fn open(&mut self, commands: usize, reads: usize, waker: &Waker) -> usize {
        let slot = Slot {
            state: State::Waiting,
            outstanding: commands + usize::from(reads > 0),
            reply: Reply { answers: Vec::new(), items: SmallVec::from_elem(None, reads) },
            waker: Some(waker.clone()),
        };
        let index = self.free.pop().unwrap_or(self.slots.len());
        match self.slots.get_mut(index) {
            Some(free) => *free = slot,
            None => self.slots.push(slot),
        }
        index
    }

    /// How many places are taken.
    pub(super) fn taken(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn item(&mut self, slot: usize, position: usize, item: Option<Item>) {
        let items = self.slots.get_mut(slot).map(|slot| &mut slot.reply.items);
        if let Some(place) = items.and_then(|items| items.get_mut(position)) {
            *place = item;
        }
    }

    pub(super) fn answer(&mut self, slot: usize, answer: Answer, wakers: &mut Wakers) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.reply.answers.push(answer);
        }
        self.part_done(slot, wakers);
    }

    /// One of the replies is complete.
    pub(super) fn part_done(&mut self, index: usize, wakers: &mut Wakers) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.outstanding = slot.outstanding.saturating_sub(1);
        if slot.outstanding > 0 {
            return;
        }
        match slot.state {
            State::Abandoned => self.release(index),
            State::Waiting => {
                slot.state = State::Done;
                wakers.extend(slot.waker.take());
            }
            State::Failed(_) => wakers.extend(slot.waker.take()),
            State::Done | State::Free => {}
        }
    }

    /// One of the replies is a refusal; the others still come.
    pub(super) fn part_failed(&mut self, index: usize, trouble: &Trouble, wakers: &mut Wakers) {
        if let Some(slot) = self.slots.get_mut(index)
            && matches!(slot.state, State::Waiting)
        {
            slot.state = State::Failed(trouble.clone());
        }
        self.part_done(index, wakers);
    }

    /// Nothing more will come for anybody.
    pub(super) fn fail_all(&mut self, trouble: &Trouble, wakers: &mut Wakers) {
        for index in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(index) else { continue };
            slot.outstanding = 0;
            match slot.state {
                State::Abandoned => self.release(index),
                State::Waiting => {
                    slot.state = State::Failed(trouble.clone());
                    wakers.extend(slot.waker.take());
                }
                State::Failed(_) => wakers.extend(slot.waker.take()),
                State::Done | State::Free => {}
            }
        }
    }

    /// The reply, if it is complete; the place is free then.
    pub(super) fn take(&mut self, index: usize) -> Option<Result<Reply, Trouble>> {
        let slot = self.slots.get_mut(index)?;
        if slot.outstanding > 0 {
            return None;
        }
        let reply = std::mem::take(&mut slot.reply);
        let result = match std::mem::replace(&mut slot.state, State::Free) {
            State::Failed(trouble) => Err(trouble),
            State::Abandoned | State::Done | State::Free | State::Waiting => Ok(reply),
        };
        self.release(index);
        Some(result)
    }

    /// Whom to wake when the reply has come; nobody from now on.
    pub(super) fn take_waker(&mut self, index: usize) -> Option<Waker> {
        self.slots.get_mut(index)?.waker.take()
    }

    /// Whom to wake when the reply has come.
    pub(super) fn set_waker(&mut self, index: usize, known: Option<Waker>, waker: &Waker) {
        if let Some(slot) = self.slots.get_mut(index) {
            let known = known.filter(|known| known.will_wake(waker));
            slot.waker = Some(known.unwrap_or_else(|| waker.clone()));
        }
    }

    /// Nobody waits for the reply any more.
    pub(super) fn abandon(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        if slot.outstanding == 0 {
            self.release(index);
        } else {
            slot.state = State::Abandoned;
            slot.waker = None;
            slot.reply = Reply::default();
        }
    }

    fn release(&mut self, index: usize) {
        if let Some(slot) = self.slots.get_mut(index) {
            slot.state = State::Free;
            slot.waker = None;
            slot.reply = Reply::default();
            self.free.push(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::codec::Line;

    use super::*;

    fn answer(slots: &mut Slots, slot: usize) -> usize {
        let mut wakers = Wakers::new();
        slots.answer(slot, Answer::Line(Line::MetaNoop), &mut wakers);
        wakers.len()
    }

    #[test]
    fn a_reply_is_complete_when_all_its_parts_are() {
        let mut slots = Slots::default();
        let slot = slots.open(2, 3, Waker::noop());
        assert_eq!((answer(&mut slots, slot), answer(&mut slots, slot)), (0, 0));
        assert!(slots.take(slot).is_none());
        let mut wakers = Wakers::new();
        slots.part_done(slot, &mut wakers);
        assert_eq!(wakers.len(), 1);
        let reply = slots.take(slot).unwrap().unwrap();
        assert_eq!((reply.answers.len(), reply.items.len(), slots.taken()), (2, 3, 0));
    }

    #[test]
    fn an_abandoned_place_is_kept_until_its_reply_has_come() {
        let mut slots = Slots::default();
        let gone = slots.open(1, 0, Waker::noop());
        slots.abandon(gone);
        let next = slots.open(1, 0, Waker::noop());
        assert_ne!(gone, next, "the reply of the first would go to the second");
        assert_eq!(answer(&mut slots, gone), 0);
        assert_eq!(slots.open(1, 0, Waker::noop()), gone);
        assert_eq!(slots.taken(), 2);
    }

    #[test]
    fn whoever_waits_hears_of_the_end_and_whoever_left_does_not() {
        let mut slots = Slots::default();
        let (waits, left) = (slots.open(1, 0, Waker::noop()), slots.open(1, 0, Waker::noop()));
        slots.abandon(left);
        let mut wakers = Wakers::new();
        slots.fail_all(&Trouble::Timeout, &mut wakers);
        assert_eq!(wakers.len(), 1);
        assert!(matches!(slots.take(waits), Some(Err(Trouble::Timeout))));
        assert_eq!(slots.taken(), 0);
    }
}
