//! The schema of the Python tool, and statements that do to it what its methods are documented to
//! do.

/// The schema, as its documentation has it.
pub(super) const SCHEMA: &str = "
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
CREATE INDEX idx_cluster_id ON clusters(cluster_id);
CREATE INDEX idx_expiry_time ON clusters(expiry_time);
CREATE INDEX idx_is_active ON clusters(is_active);
CREATE INDEX idx_config_hash ON shared_cluster_registry(config_hash);
CREATE INDEX idx_registry_status ON shared_cluster_registry(status);
CREATE INDEX idx_registry_usage_count ON shared_cluster_registry(usage_count);
";

/// Local time as `datetime.now().isoformat()` writes it, an hour before and after now.
pub(super) const LOCAL_TIMES: &str = "SELECT \
    strftime('%Y-%m-%dT%H:%M:%f', 'now', '-1 hour', 'localtime') || '000', \
    strftime('%Y-%m-%dT%H:%M:%f', 'now', '+1 hour', 'localtime') || '000'";

pub(super) const DEACTIVATE: &str = "UPDATE clusters SET is_active = 0 WHERE is_active <> 0";

pub(super) const SAVE: &str = "REPLACE INTO clusters (cluster_id, cluster_name, host, num_workers, \
    status, created_at, expiry_time, is_active, is_shared) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8)";

pub(super) const LOAD: &str = "SELECT cluster_id, access_count FROM clusters \
    WHERE expiry_time > datetime('now') AND is_active ORDER BY created_at DESC LIMIT 1";

pub(super) const ACCESS: &str = "UPDATE clusters SET access_count = access_count + 1, \
    last_accessed = CURRENT_TIMESTAMP WHERE is_active AND cluster_id = ?1";

pub(super) const ALL: &str = "SELECT cluster_id FROM clusters ORDER BY created_at DESC, id";

pub(super) const CLEANUP: &str = "DELETE FROM clusters WHERE NOT expiry_time > datetime('now')";

pub(super) const STATISTICS: &str =
    "SELECT count(*), sum(is_active = 1), sum(access_count), sum(is_shared = 1) FROM clusters";

pub(super) const REMOVE: &str = "DELETE FROM clusters WHERE cluster_id = ?1";

pub(super) const REGISTER: &str = "INSERT INTO shared_cluster_registry \
    (config_hash, worker_pid, usage_count) VALUES (?1, ?2, 1)";

pub(super) const FINISH: &str = "UPDATE shared_cluster_registry \
    SET (status, cluster_id, error_message) = (?1, ?2, ?3) WHERE config_hash = ?4";

pub(super) const INCREMENT: &str = "UPDATE shared_cluster_registry \
    SET usage_count = 1 + usage_count WHERE config_hash = ?1";
