//! What may be secret is echoed nowhere, whatever place it was put in.

use super::*;

#[test]
fn no_password_is_echoed_wherever_it_stands() {
    let place = migrated(Release::First);
    write(&place, "migrations/1_gate.sql", "CREATE TABLE gate (id INTEGER);");
    let seen = |ran: Ran| {
        assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
        assert!(!format!("{ran:?}").contains(CANARY), "{ran:?}");
    };
    for url in [
        "postgres://u:hunter2@127.0.0.1:1/d",
        "postgres://u:hunter2@127.0.0.1:port/d",
        "postgress://u:hunter2@h/d",
        "mysql://u:a/hunter2@h/d",
        "mariadb://u:hunter2@127.0.0.1:1/d",
        "postgres:hunter2",
        "sqlite://a.db?key=hunter2",
    ] {
        for command in ["plan", "apply", "verify", "status", "adopt", "dump", "up", "cache"] {
            seen(schema(&place, url, &[command]));
        }
        seen(place.run_with(&[("DATABASE_URL", url)], &["schema", "plan"]));
        for args in [
            &["plan", url][..],
            &["plan", "--models", url],
            &["plan", "--schema", url],
            &["plan", "--prefix", url],
            &["plan", "--application", url],
            &["apply", "--plan", url],
            &["verify", "--lock", url, "--write-lock"],
            &["status", "--dir", url],
            &["new", url],
            &["new", "x", "--dir", url],
            &["repair", url],
            &["up", "--to", url],
            &["down", url],
            &["lint", url],
            &["lint", "--dialect", url],
            &["fanout", url],
            &["fanout", "databases", "--run", url],
            &["fanout", "databases", "--run", "r", "--state", url],
            &[url],
        ] {
            seen(place.run(&[&["schema"], args].concat()));
        }
        for line in [url.to_owned(), format!("{url} a"), format!("a {url}")] {
            write(&place, "databases", &line);
            let ran = place.run(&["schema", "fanout", "databases"]);
            seen(ran);
        }
    }
    let is_leaked = |path: &Path| path.to_string_lossy().contains(CANARY);
    let entries =
        fs::read_dir(&place).unwrap().chain(fs::read_dir(place.path("migrations")).unwrap());
    assert!(!entries.map(|entry| entry.unwrap().path()).any(|path| is_leaked(&path)));
}
