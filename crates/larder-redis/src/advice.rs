//! What will not work well with a server, and how to mend it.

use crate::{
    Deployment, RedisConfig,
    server::{Info, Product, Server, Version},
};

/// What there is to say about these masters, each thing once.
pub(crate) fn advice<'a>(
    config: &RedisConfig,
    masters: impl Iterator<Item = &'a Info>,
) -> Vec<String> {
    let mut all = transport(config);
    for info in masters {
        let found = [memory(info), replication(info, &config.deployment), vulnerability(info)];
        for advice in found.into_iter().flatten() {
            if !all.contains(&advice) {
                all.push(advice);
            }
        }
    }
    all
}

fn transport(config: &RedisConfig) -> Vec<String> {
    let is_local = config.deployment.addresses().iter().all(|address| address.is_local());
    let has_password = config.credentials.password.is_some();
    let mut all = Vec::new();
    if !is_local && !config.tls && has_password {
        all.push("password and data cross the network in plain text: use rediss://".into());
    } else if !is_local && !config.tls {
        all.push(
            "whoever reaches the server can read and write the cache: use rediss:// and a password"
                .into(),
        );
    } else if !is_local && !has_password {
        all.push("whoever reaches the server can read and write the cache: set a password".into());
    }
    all
}

fn memory(info: &Info) -> Option<String> {
    let policy = info.text("maxmemory_policy")?;
    let is_limited = info.number("maxmemory").is_some_and(|bytes| bytes > 0);
    if !is_limited {
        Some(
            "the server takes memory without a limit: CONFIG SET maxmemory <bytes> and \
             maxmemory-policy volatile-lru"
                .into(),
        )
    } else if policy == "noeviction" {
        Some(
            "a full server refuses to store: CONFIG SET maxmemory-policy volatile-lru (everything \
             that larder stores expires, but for one key of a few bytes)"
                .into(),
        )
    } else if policy.starts_with("allkeys") {
        Some(format!(
            "{policy} may evict the namespace's generation, which empties the cache at once: \
             CONFIG SET maxmemory-policy volatile-lru"
        ))
    } else {
        None
    }
}

fn replication(info: &Info, deployment: &Deployment) -> Option<String> {
    let replicas = info.number("connected_slaves").unwrap_or_default();
    let is_bounded = info.text("min_slaves_good_slaves").is_some();
    // In a cluster a node that is cut off stops by itself.
    let is_single = !matches!(deployment, Deployment::Cluster(_));
    (replicas > 0 && !is_bounded && is_single).then(|| {
        "a master that is cut off from its replicas goes on answering after one of them was \
         promoted: CONFIG SET min-replicas-to-write 1 (and min-replicas-max-lag 10)"
            .into()
    })
}

/// The first versions of each branch without CVE-2025-49844, by which a script breaks out of its
/// sandbox.
const PATCHED_REDIS: [Version; 5] =
    [Version(6, 2, 20), Version(7, 2, 11), Version(7, 4, 6), Version(8, 0, 4), Version(8, 2, 2)];
const PATCHED_VALKEY: [Version; 3] = [Version(7, 2, 11), Version(8, 0, 6), Version(8, 1, 4)];

fn vulnerability(info: &Info) -> Option<String> {
    let server = Server::from_info(info).ok()?;
    let patched: &[Version] = match server.product {
        Product::Redis => &PATCHED_REDIS,
        Product::Valkey => &PATCHED_VALKEY,
    };
    let branch = |version: &Version| (version.0, version.1);
    let is_patched = match patched.iter().find(|fix| branch(fix) == branch(&server.version)) {
        Some(fix) => server.version >= *fix,
        // A branch that was never mended is older than the newest that was.
        None => patched.last().is_some_and(|newest| server.version > *newest),
    };
    (!is_patched).then(|| {
        format!(
            "{server} lets scripts of logged-in users break out of their sandbox (CVE-2025-49844), \
             unless its distributor has mended it: update it"
        )
    })
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use crate::Address;

    use super::*;

    fn info(text: &str) -> Info {
        let mut info = Info::default();
        info.absorb(&Value::BulkString(text.into())).unwrap();
        info
    }

    fn says(text: &str, word: &str) -> bool {
        let config = RedisConfig::default();
        advice(&config, [info(text)].iter()).iter().any(|advice| advice.contains(word))
    }

    #[test]
    fn memory_without_a_limit_or_with_the_wrong_policy_is_named() {
        let memory = |max, policy| format!("maxmemory:{max}\r\nmaxmemory_policy:{policy}\r\n");
        assert!(says(&memory(0, "noeviction"), "without a limit"));
        assert!(says(&memory(100, "noeviction"), "refuses to store"));
        assert!(says(&memory(100, "allkeys-lru"), "allkeys-lru"));
        for policy in ["volatile-lru", "volatile-lfu", "volatile-ttl", "volatile-random"] {
            assert!(!says(&memory(100, policy), "maxmemory"), "{policy}");
        }
    }

    #[test]
    fn replicas_without_a_bound_are_named() {
        assert!(says("connected_slaves:1\r\n", "min-replicas-to-write"));
        assert!(!says("connected_slaves:0\r\n", "min-replicas-to-write"));
        let bounded = "connected_slaves:1\r\nmin_slaves_good_slaves:1\r\n";
        assert!(!says(bounded, "min-replicas-to-write"));
    }

    #[test]
    fn versions_with_the_hole_are_named_branch_by_branch() {
        let info = |versions: &str| format!("{versions}\r\nrun_id:a\r\nmaster_replid:b\r\n");
        for (version, is_affected) in [
            ("6.2.19", true),
            ("6.2.20", false),
            ("7.0.15", true),
            ("7.2.10", true),
            ("7.2.11", false),
            ("7.4.6", false),
            ("8.0.3", true),
            ("8.0.4", false),
            ("8.1.0", true),
            ("8.2.1", true),
            ("8.2.2", false),
            ("8.4.0", false),
        ] {
            let text = info(&format!("redis_version:{version}"));
            assert_eq!(says(&text, "CVE-2025-49844"), is_affected, "Redis {version}");
        }
        for (version, is_affected) in
            [("7.2.10", true), ("8.0.1", true), ("8.0.6", false), ("8.1.3", true), ("9.0.0", false)]
        {
            let text = info(&format!("redis_version:7.2.4\r\nvalkey_version:{version}"));
            assert_eq!(says(&text, "CVE-2025-49844"), is_affected, "Valkey {version}");
        }
    }

    #[test]
    fn an_open_server_on_the_network_is_named() {
        let on = |host| RedisConfig::new(Deployment::Single(Address::tcp(host, 6379)));
        let says = |config: RedisConfig| advice(&config, std::iter::empty()).join("\n");
        assert_eq!(says(on("localhost")), "");
        assert!(says(on("10.0.0.1")).contains("rediss:// and a password"));
        assert!(says(on("10.0.0.1").with_password("x")).contains("plain text"));
        assert!(says(on("10.0.0.1").with_tls(true)).contains("set a password"));
        assert_eq!(says(on("10.0.0.1").with_tls(true).with_password("x")), "");
    }

    #[test]
    fn what_is_true_of_all_masters_is_said_once() {
        let masters = ["maxmemory_policy:noeviction\r\n"; 3].map(info);
        assert_eq!(advice(&RedisConfig::default(), masters.iter()).len(), 1);
    }
}
