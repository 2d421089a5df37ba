//! The limits of a backend: plain data, every one of them a bound that can be read here.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use larder_core::{Clock, SystemClock};
use larder_sqlite_file::Synchronous;

/// Where the cache lies and what it may use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqliteConfig {
    /// The most writes that go into one transaction. Default: 128.
    pub batch_max: usize,
    /// How long a write waits for another process's write. Default: 5 s.
    ///
    /// A read waits only while a log is being recovered or removed, and for a second at most.
    pub busy_timeout: Duration,
    /// The most bytes of entries: each counts its value and 128 bytes. Default: 256 MiB.
    ///
    /// What would expire first makes room. The file itself can become up to half as large
    /// again, because pages are seldom full; it never exceeds twice this size and 128 bytes for
    /// each of [`tags_max`](Self::tags_max).
    pub bytes_max: u64,
    /// The page cache of each connection, in bytes. Default: 8 MiB.
    pub cache_bytes: u32,
    /// Where the time comes from. Default: [`SystemClock`].
    ///
    /// Expiry uses its wall clock, the only one that the processes share.
    pub clock: Arc<dyn Clock>,
    /// The file. Its directory has to exist.
    pub path: PathBuf,
    /// The most writes that wait for their transaction; further callers wait for a place.
    /// Default: 1,024.
    pub queue_max: usize,
    /// The most connections for reading, opened as they are needed. Default: the number of
    /// processors, at least 2 and at most 16.
    pub readers_max: usize,
    /// Where reads run. Default: [`ReadMode::Inline`].
    pub reads: ReadMode,
    /// How often dead entries are looked for, and whether the file is still there.
    /// Default: 1 s.
    pub sweep_interval: Duration,
    /// What is flushed to the disk, and when. Default: [`Synchronous::Normal`].
    ///
    /// With [`Synchronous::Normal`] a cache is empty after the machine was restarted, because a
    /// power cut may have taken invalidations back; with [`Synchronous::Full`] it is not.
    pub synchronous: Synchronous,
    /// The most tags whose generation is remembered. Default: 262,144.
    ///
    /// The one that was written longest ago is forgotten; its entries become misses.
    pub tags_max: u64,
    /// The largest value, in bytes. Default: 16 MiB.
    pub value_bytes_max: usize,
    /// How often `watch` looks for bumped tags. Default: 100 ms.
    pub watch_interval: Duration,
}

/// Where reads run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadMode {
    /// On the calling thread: a read of what is in memory takes a small part of what a change of
    /// threads costs (bench `far_hit`).
    #[default]
    Inline,
    /// On the runtime's blocking threads: for slow disks and for large values. Needs a tokio
    /// runtime.
    Offload,
}

impl SqliteConfig {
    /// A cache in this file, with the defaults.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            batch_max: 128,
            busy_timeout: Duration::from_secs(5),
            bytes_max: 256 << 20,
            cache_bytes: 8 << 20,
            clock: Arc::new(SystemClock::new()),
            path: path.as_ref().to_owned(),
            queue_max: 1_024,
            readers_max: processors.clamp(2, 16),
            reads: ReadMode::default(),
            sweep_interval: Duration::from_secs(1),
            synchronous: Synchronous::default(),
            tags_max: 262_144,
            value_bytes_max: 16 << 20,
            watch_interval: Duration::from_millis(100),
        }
    }

    /// Sets the most writes in one transaction.
    #[must_use]
    pub fn with_batch_max(mut self, batch_max: usize) -> Self {
        self.batch_max = batch_max;
        self
    }

    /// Sets how long a write waits for another process's write.
    #[must_use]
    pub fn with_busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.busy_timeout = busy_timeout;
        self
    }

    /// Sets the most bytes of entries.
    #[must_use]
    pub fn with_bytes_max(mut self, bytes_max: u64) -> Self {
        self.bytes_max = bytes_max;
        self
    }

    /// Sets the page cache of each connection, in bytes.
    #[must_use]
    pub fn with_cache_bytes(mut self, cache_bytes: u32) -> Self {
        self.cache_bytes = cache_bytes;
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the most writes that wait.
    #[must_use]
    pub fn with_queue_max(mut self, queue_max: usize) -> Self {
        self.queue_max = queue_max;
        self
    }

    /// Sets the most connections for reading.
    #[must_use]
    pub fn with_readers_max(mut self, readers_max: usize) -> Self {
        self.readers_max = readers_max;
        self
    }

    /// Sets where reads run.
    #[must_use]
    pub fn with_reads(mut self, reads: ReadMode) -> Self {
        self.reads = reads;
        self
    }

    /// Sets how often dead entries are looked for.
    #[must_use]
    pub fn with_sweep_interval(mut self, sweep_interval: Duration) -> Self {
        self.sweep_interval = sweep_interval;
        self
    }

    /// Sets what is flushed to the disk, and when.
    #[must_use]
    pub fn with_synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Sets the most tags whose generation is remembered.
    #[must_use]
    pub fn with_tags_max(mut self, tags_max: u64) -> Self {
        self.tags_max = tags_max;
        self
    }

    /// Sets the largest value, in bytes.
    #[must_use]
    pub fn with_value_bytes_max(mut self, value_bytes_max: usize) -> Self {
        self.value_bytes_max = value_bytes_max;
        self
    }

    /// Sets how often `watch` looks for bumped tags.
    #[must_use]
    pub fn with_watch_interval(mut self, watch_interval: Duration) -> Self {
        self.watch_interval = watch_interval;
        self
    }

    /// What makes no sense, if anything does not.
    pub(crate) fn objection(&self) -> Option<&'static str> {
        let values_fit = u64::try_from(self.value_bytes_max)
            .is_ok_and(|bytes| bytes.saturating_add(1 << 16) <= self.bytes_max);
        if self.batch_max == 0 || self.queue_max == 0 || self.readers_max == 0 {
            Some("batch_max, queue_max and readers_max are at least 1")
        } else if self.tags_max == 0 {
            Some("tags_max is at least 1")
        } else if self.sweep_interval.is_zero() || self.watch_interval.is_zero() {
            Some("sweep_interval and watch_interval are not zero")
        } else if !values_fit || self.bytes_max > 1 << 43 {
            Some("bytes_max is at least value_bytes_max and 64 KiB, and at most 8 TiB")
        } else if self.value_bytes_max > 1 << 29 {
            // SQLite's own limit for a row is a billion bytes.
            Some("value_bytes_max is at most 512 MiB")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense_and_each_absurdity_is_named() {
        let config = || SqliteConfig::new("x.db");
        assert_eq!(config().objection(), None);
        for absurd in [
            config().with_batch_max(0),
            config().with_queue_max(0),
            config().with_readers_max(0),
            config().with_tags_max(0),
            config().with_sweep_interval(Duration::ZERO),
            config().with_watch_interval(Duration::ZERO),
            config().with_bytes_max(16 << 20),
            config().with_bytes_max(u64::MAX),
            config().with_value_bytes_max(1 << 30).with_bytes_max(1 << 40),
        ] {
            assert!(absurd.objection().is_some(), "{absurd:?}");
        }
    }
}
