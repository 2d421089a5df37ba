//! The tables of the file: those of the former tool, and ours beside them.
//!
//! Invariant: the former tables are never altered. The Python tool reads and writes the same
//! file, so what it has to see is projected into its tables, and all else lies in ours.

/// `PRAGMA application_id` of a file that has our tables: "LRDC".
pub(crate) const APPLICATION_ID: i32 = 0x4c52_4443;

/// `PRAGMA user_version` of such a file.
pub(crate) const VERSION: i32 = 1;

/// The two tables of the former tool, word for word.
pub(crate) const FORMER_TABLES: &str = "\
CREATE TABLE clusters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster_id TEXT UNIQUE NOT NULL,
    cluster_name TEXT,
    host TEXT,
    num_workers INTEGER,
    status TEXT DEFAULT 'RUNNING',
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    expiry_time TIMESTAMP NOT NULL,
    last_accessed TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    access_count INTEGER DEFAULT 1,
    is_active BOOLEAN DEFAULT 1,
    is_shared BOOLEAN DEFAULT 0
);

CREATE TABLE shared_cluster_registry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    config_hash TEXT UNIQUE NOT NULL,
    cluster_id TEXT,
    status TEXT DEFAULT 'creating',
    worker_pid INTEGER,
    creation_time TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    usage_count INTEGER DEFAULT 0,
    error_message TEXT,
    FOREIGN KEY (cluster_id) REFERENCES clusters(cluster_id)
);
";

/// Its six indexes. A file that lacks one gets it.
pub(crate) const FORMER_INDEXES: &str = "\
CREATE INDEX IF NOT EXISTS idx_cluster_id ON clusters(cluster_id);
CREATE INDEX IF NOT EXISTS idx_expiry_time ON clusters(expiry_time);
CREATE INDEX IF NOT EXISTS idx_is_active ON clusters(is_active);
CREATE INDEX IF NOT EXISTS idx_config_hash ON shared_cluster_registry(config_hash);
CREATE INDEX IF NOT EXISTS idx_registry_status ON shared_cluster_registry(status);
CREATE INDEX IF NOT EXISTS idx_registry_usage_count ON shared_cluster_registry(usage_count);
";

/// Our tables. Times are milliseconds since 1970 UTC.
pub(crate) const OWN: &str = "\
CREATE TABLE larder_cluster(
    cluster_id TEXT PRIMARY KEY,
    row_id INTEGER NOT NULL,
    config BLOB NOT NULL,
    encoding TEXT NOT NULL,
    config_bytes INTEGER NOT NULL,
    config_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX larder_cluster_hash ON larder_cluster(config_hash);

CREATE TABLE larder_shared(
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('creating', 'draining', 'failed', 'gone', 'ready')),
    fence INTEGER NOT NULL,
    resource_id TEXT,
    error TEXT,
    owner_boot TEXT,
    owner_pid INTEGER,
    owner_start INTEGER,
    lease_until INTEGER,
    strangers INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    former_status TEXT,
    former_usage INTEGER,
    former_cluster_id TEXT,
    former_pid INTEGER,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX larder_shared_gone ON larder_shared(changed_at) WHERE state = 'gone';

CREATE TABLE larder_holder(
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    fence INTEGER NOT NULL,
    boot TEXT,
    pid INTEGER NOT NULL,
    process_start INTEGER,
    joined_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX larder_holder_of ON larder_holder(kind, key);

CREATE TABLE larder_fence(id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL) STRICT;
INSERT INTO larder_fence VALUES (1, 0);

CREATE TABLE larder_event(
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    fence INTEGER,
    event TEXT NOT NULL,
    detail TEXT,
    pid INTEGER
) STRICT;
CREATE INDEX larder_event_of ON larder_event(kind, key, id);
";
