//! The same for programs: parts of JSON documents.
//!
//! Guards that a moment is written in one way, with its milliseconds and in UTC, and that a figure
//! is a number.

use larder::clusters::{CachedCluster, Event, FileInfo, SharedInfo, Statistics};
use serde_json::{Value, json};

use crate::moment;

pub(super) fn time(at_ms: Option<i64>) -> Value {
    at_ms.map(moment::utc).into()
}

pub(super) fn statistics(found: &Statistics) -> Value {
    json!({
        "total_clusters": found.total_clusters,
        "active_clusters": found.active_clusters,
        "expired_clusters": found.expired_clusters,
        "total_accesses": found.total_accesses,
        "shared_clusters": found.shared_clusters,
        "cache_file_size": found.cache_file_bytes,
    })
}

pub(super) fn cluster(cluster: &CachedCluster, now_ms: i64) -> Value {
    json!({
        "cluster_id": cluster.cluster_id,
        "cluster_name": cluster.cluster_name,
        "host": cluster.host,
        "num_workers": cluster.num_workers,
        "status": cluster.status.as_str(),
        "created_at": time(cluster.created_at_ms),
        "expiry_time": time(cluster.expires_at_ms),
        "last_accessed": time(cluster.last_accessed_ms),
        "access_count": cluster.access_count,
        "is_active": cluster.is_active,
        "is_shared": cluster.is_shared,
        "is_valid": cluster.is_valid_at(now_ms),
        "remaining_seconds": cluster.time_remaining(now_ms).as_secs(),
        "config_hash": cluster.config_hash,
    })
}

pub(super) fn file(info: &FileInfo) -> Value {
    json!({
        "database_path": info.path,
        "database_exists": info.database_bytes.is_some(),
        "database_size": info.database_bytes.unwrap_or_default(),
        "wal_exists": info.wal_bytes.is_some(),
        "wal_size": info.wal_bytes.unwrap_or_default(),
        "shm_exists": info.shm_bytes.is_some(),
        "shm_size": info.shm_bytes.unwrap_or_default(),
    })
}

pub(super) fn event(event: &Event) -> Value {
    json!({
        "at": time(Some(event.at_ms)),
        "kind": event.kind,
        "key": event.key,
        "fence": event.fence,
        "event": event.event,
        "detail": event.detail,
        "pid": event.pid,
    })
}

pub(super) fn shared(info: &SharedInfo) -> Value {
    let holders: Vec<_> = info
        .holders
        .iter()
        .map(|holder| {
            json!({
                "id": holder.id.as_str(),
                "pid": holder.process.pid,
                "joined_at": time(Some(holder.joined_at_ms)),
                "heartbeat_at": time(Some(holder.heartbeat_at_ms)),
            })
        })
        .collect();
    json!({
        "kind": info.kind.as_str(),
        "config_hash": info.key,
        "cluster_id": info.resource_id,
        "status": info.state.as_str(),
        "worker_pid": info.owner.as_ref().map(|owner| owner.pid),
        "is_abandoned": info.is_abandoned,
        "fence": info.fence.number(),
        "lease_until": time(info.lease_until_ms),
        "usage_count": info.usage,
        "strangers": info.strangers,
        "holders": holders,
        "creation_time": time(Some(info.created_at_ms)),
        "changed_at": time(Some(info.changed_at_ms)),
        "error_message": info.error,
    })
}
