//! Clusters, figures and moments as people read them.
//!
//! Guards that no text from the file reaches a terminal with control characters in it.

use std::{
    io::{self, Write},
    time::Duration,
};

use larder::clusters::{CachedCluster, Statistics};

use crate::{
    moment,
    output::{Paint, counted, escape},
};

/// A heading, set apart by an empty line.
pub(super) fn heading(out: &mut dyn Write, text: &str, color: bool) -> io::Result<()> {
    writeln!(out, "\n{}", Paint::Strong.show(&format!("=== {text} ==="), color))
}

/// Lines of a name and a value.
pub(super) fn fields(out: &mut dyn Write, fields: &[(&str, String)]) -> io::Result<()> {
    for (name, value) in fields {
        writeln!(out, "  {name}: {}", escape::controls(value))?;
    }
    Ok(())
}

pub(super) fn statistics(out: &mut dyn Write, found: &Statistics) -> io::Result<()> {
    fields(
        out,
        &[
            ("Total Clusters", found.total_clusters.to_string()),
            ("Active Clusters", found.active_clusters.to_string()),
            ("Expired Clusters", found.expired_clusters.to_string()),
            ("Total Accesses", found.total_accesses.to_string()),
            ("Shared Clusters", found.shared_clusters.to_string()),
            ("Cache File Size", size(Some(found.cache_file_bytes))),
        ],
    )
}

/// The active cluster, or that there is none.
pub(super) fn active(
    out: &mut dyn Write,
    cluster: Option<&CachedCluster>,
    now_ms: i64,
    color: bool,
) -> io::Result<()> {
    let Some(cluster) = cluster else {
        return writeln!(out, "\nNo active cached cluster");
    };
    heading(out, "Active Cached Cluster", color)?;
    fields(
        out,
        &[
            ("Cluster ID", cluster.cluster_id.clone()),
            ("Created At", moment(cluster.created_at_ms)),
            ("Expires At", moment(cluster.expires_at_ms)),
            ("Is Valid", yes_no(cluster.is_valid_at(now_ms))),
            ("Access Count", cluster.access_count.to_string()),
            ("Is Shared", yes_no(cluster.is_shared)),
            ("Last Accessed", moment(cluster.last_accessed_ms)),
            ("Time Remaining", remaining(cluster, now_ms)),
        ],
    )
}

/// One cluster of a list.
pub(super) fn cluster(
    out: &mut dyn Write,
    number: usize,
    cluster: &CachedCluster,
    now_ms: i64,
    color: bool,
) -> io::Result<()> {
    writeln!(out, "\n{}", Paint::Strong.show(&format!("Cluster {number}:"), color))?;
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "N/A".to_owned());
    fields(
        out,
        &[
            ("ID", cluster.cluster_id.clone()),
            ("Name", text(&cluster.cluster_name)),
            ("Status", cluster.status.to_string()),
            ("Created", moment(cluster.created_at_ms)),
            ("Expires", moment(cluster.expires_at_ms)),
            ("Active", yes_no(cluster.is_active)),
            ("Access Count", cluster.access_count.to_string()),
            ("Is Shared", yes_no(cluster.is_shared)),
            ("Last Accessed", moment(cluster.last_accessed_ms)),
            ("Time Remaining", remaining(cluster, now_ms)),
        ],
    )
}

pub(super) fn yes_no(is_so: bool) -> String {
    if is_so { "Yes" } else { "No" }.to_owned()
}

pub(super) fn size(bytes: Option<u64>) -> String {
    format!("{} bytes", bytes.unwrap_or_default())
}

/// To the second, as people read it.
pub(super) fn moment(at_ms: Option<i64>) -> String {
    at_ms.map_or_else(|| "N/A".to_owned(), |at_ms| moment::utc(at_ms - at_ms.rem_euclid(1_000)))
}

fn remaining(cluster: &CachedCluster, now_ms: i64) -> String {
    if !cluster.is_valid_at(now_ms) {
        return "expired".to_owned();
    }
    span(cluster.time_remaining(now_ms))
}

/// In minutes, and in seconds below one.
pub(super) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (number, unit) = if seconds < 60 { (seconds, "second") } else { (seconds / 60, "minute") };
    counted(usize::try_from(number).unwrap_or(usize::MAX), unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_remains_is_told_in_whole_minutes() {
        for (seconds, shown) in [
            (0, "0 seconds"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (2_759, "45 minutes"),
            (3_600_000, "60,000 minutes"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), shown);
        }
    }

    #[test]
    fn moments_are_told_to_the_second() {
        assert_eq!(moment(Some(1_705_314_600_999)), "2024-01-15T10:30:00Z");
        assert_eq!(moment(None), "N/A");
    }

    #[test]
    fn no_text_of_the_file_moves_the_cursor() {
        let mut out = Vec::new();
        fields(&mut out, &[("Name", "\u{1b}[2J\n".to_owned())]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "  Name: \\u{1b}[2J\\n\n");
    }
}
