//! What an item holds: an entry, perhaps with a lease behind it, or a lease alone.
//!
//! The client flags say how long the entry is, plus one; zero stands for no entry, so an empty
//! value is found and a lease never is. Behind the entry come records of 16 bytes: leases, of
//! which the last one counts, and the moment of expiry for servers that can not be asked for it.
//! Invariant: bytes that do not have this form are neither an entry nor a lease.

use bytes::Bytes;

/// The length of a record, in bytes.
pub(crate) const RECORD_LEN: usize = 16;

/// The most records behind an entry before it is rewritten without the old ones.
pub(crate) const RECORDS_MAX: usize = 8;

const TAG_LEASE: u8 = 1;
const TAG_EXPIRY: u8 = 2;

/// A lease on an entry that is there, or the name of the one who holds a lease alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeaseRecord {
    /// Who holds it; zero is nobody.
    pub(crate) id: u32,
    /// When it is over by the server's time, in Unix milliseconds. A lease alone ends with its
    /// item, and has zero here.
    pub(crate) deadline_ms: u64,
}

impl LeaseRecord {
    /// A record after which nobody holds a lease.
    pub(crate) const RELEASED: Self = Self { id: 0, deadline_ms: 0 };

    pub(crate) fn encode(self) -> [u8; RECORD_LEN] {
        record(TAG_LEASE, self.id, self.deadline_ms)
    }
}

/// The moment of expiry, in Unix seconds of the server.
pub(crate) fn encode_expiry(seconds: u64) -> [u8; RECORD_LEN] {
    record(TAG_EXPIRY, 0, seconds)
}

fn record(tag: u8, id: u32, number: u64) -> [u8; RECORD_LEN] {
    let mut bytes = [0; RECORD_LEN];
    let (head, tail) = bytes.split_at_mut(8);
    tail.copy_from_slice(&number.to_be_bytes());
    let (head, middle) = head.split_at_mut(4);
    head.copy_from_slice(&[tag, 0, 0, 0]);
    middle.copy_from_slice(&id.to_be_bytes());
    bytes
}

/// The client flags of an entry; `None` for one that is too long to be described.
pub(crate) fn flags_of(value_len: usize) -> Option<u32> {
    u32::try_from(value_len).ok()?.checked_add(1)
}

/// What an item was recognised as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Entry(Entry),
    /// Bytes of another program, or damage.
    Foreign,
    /// A lease and no entry. The record is missing while the server alone knows of it.
    Lease(Option<LeaseRecord>),
}

/// A stored entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) value: Bytes,
    pub(crate) lease: Option<LeaseRecord>,
    pub(crate) expiry_seconds: Option<u64>,
    pub(crate) records: usize,
}

impl Content {
    pub(crate) fn parse(flags: u32, data: Bytes) -> Self {
        let Some(value_len) = flags.checked_sub(1) else {
            return Self::parse_lease(&data);
        };
        let Some(value_len) = usize::try_from(value_len).ok().filter(|len| *len <= data.len())
        else {
            return Self::Foreign;
        };
        let mut entry = Entry {
            lease: None,
            expiry_seconds: None,
            records: (data.len() - value_len) / RECORD_LEN,
            value: data.slice(..value_len),
        };
        let (records, rest) = data.get(value_len..).unwrap_or_default().as_chunks::<RECORD_LEN>();
        if !rest.is_empty() {
            return Self::Foreign;
        }
        for record in records {
            match parse_record(record) {
                Some((TAG_LEASE, lease)) => entry.lease = (lease.id != 0).then_some(lease),
                Some((TAG_EXPIRY, expiry)) => entry.expiry_seconds = Some(expiry.deadline_ms),
                _ => return Self::Foreign,
            }
        }
        Self::Entry(entry)
    }

    fn parse_lease(data: &[u8]) -> Self {
        if data.is_empty() {
            return Self::Lease(None);
        }
        match data.try_into().ok().and_then(parse_record) {
            Some((TAG_LEASE, lease)) => Self::Lease(Some(lease)),
            _ => Self::Foreign,
        }
    }

    /// The entry's value, for readers to whom everything else is a miss.
    pub(crate) fn value(flags: u32, data: Bytes) -> Option<Bytes> {
        // Nearly every entry has no records; it needs no second look.
        if flags_of(data.len()) == Some(flags) {
            return Some(data);
        }
        match Self::parse(flags, data) {
            Self::Entry(entry) => Some(entry.value),
            Self::Foreign | Self::Lease(_) => None,
        }
    }
}

fn parse_record(record: &[u8; RECORD_LEN]) -> Option<(u8, LeaseRecord)> {
    let (head, number) = record.split_at(8);
    let (tag, id) = head.split_at(4);
    let id = u32::from_be_bytes(id.try_into().ok()?);
    let deadline_ms = u64::from_be_bytes(number.try_into().ok()?);
    match tag {
        [tag, 0, 0, 0] => Some((*tag, LeaseRecord { id, deadline_ms })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: LeaseRecord = LeaseRecord { id: 7, deadline_ms: 1_735_689_600_123 };

    fn item(value: &[u8], records: &[[u8; RECORD_LEN]]) -> Content {
        let data = [value, &records.concat()].concat();
        Content::parse(flags_of(value.len()).unwrap(), data.into())
    }

    #[test]
    fn an_empty_value_is_an_entry_and_an_empty_item_a_lease() {
        let Content::Entry(entry) = item(b"", &[]) else { panic!("no entry") };
        assert_eq!((entry.value, entry.lease, entry.records), (Bytes::new(), None, 0));
        assert_eq!(Content::parse(0, Bytes::new()), Content::Lease(None));
    }

    #[test]
    fn values_that_look_like_records_are_values() {
        let value = [LEASE.encode(), encode_expiry(9)].concat();
        let Content::Entry(entry) = item(&value, &[]) else { panic!("no entry") };
        assert_eq!((&entry.value[..], entry.lease), (&value[..], None));
        assert_eq!(Content::value(33, value.clone().into()).as_deref(), Some(&value[..]));
    }

    #[test]
    fn the_last_lease_counts_and_a_release_ends_it() {
        let other = LeaseRecord { id: 8, deadline_ms: 5 };
        let leases = [other.encode(), encode_expiry(9), LEASE.encode()];
        let Content::Entry(entry) = item(b"value", &leases) else { panic!("no entry") };
        assert_eq!((entry.lease, entry.expiry_seconds, entry.records), (Some(LEASE), Some(9), 3));
        let released = [LEASE.encode(), LeaseRecord::RELEASED.encode()];
        let Content::Entry(entry) = item(b"value", &released) else { panic!("no entry") };
        assert_eq!(entry.lease, None);
    }

    #[test]
    fn what_has_another_form_is_foreign() {
        for (flags, data) in [
            (0, &b"counter"[..]),
            (0, &[9; RECORD_LEN]),
            (9, b"short"),
            (1, b"trailing bytes"),
            (1, &[9; RECORD_LEN]),
            (u32::MAX, b""),
        ] {
            assert_eq!(Content::parse(flags, Bytes::from_static(data)), Content::Foreign);
            assert_eq!(Content::value(flags, Bytes::from_static(data)), None);
        }
        let lease = Bytes::copy_from_slice(&LEASE.encode());
        assert_eq!(Content::parse(0, lease), Content::Lease(Some(LEASE)));
    }
}
