//! PostgreSQL says by itself what was changed.
#![cfg(feature = "postgres")]

mod postgres {
    use std::time::Duration;

    use larder_migrate::{Connector as _, EventTrigger, UrlConnector};
    use sqlx::postgres::PgListener;

    async fn run(url: &str, statements: impl IntoIterator<Item = String>) {
        let mut session = UrlConnector::new(url).connect().await.unwrap();
        for statement in statements {
            session.run(&statement).await.unwrap();
        }
        session.close().await;
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn who_listens_hears_of_changes_and_of_nothing_temporary() {
        let server = std::env::var("LARDER_POSTGRES_URL").unwrap_or_else(|_| {
            panic!("LARDER_POSTGRES_URL is not set; `cargo xtask test` starts the servers")
        });
        let name = format!("larder_event_{}", std::process::id());
        run(&server, [format!("CREATE DATABASE {name}")]).await;
        // Only a superuser may make event triggers; who that is, the servers of the tests say.
        let mut url = url::Url::parse(&server).unwrap();
        url.set_username("postgres").unwrap();
        url.set_password(Some("larder")).unwrap();
        url.set_path(&name);
        let url = url.to_string();
        let trigger = EventTrigger::new("public");
        run(&url, trigger.install()).await;
        run(&url, trigger.install()).await;

        let mut listener = PgListener::connect(&url).await.unwrap();
        listener.listen(trigger.channel()).await.unwrap();
        let somebody = [
            "CREATE TEMPORARY TABLE unseen (x int)",
            "DROP TABLE unseen",
            "CREATE TABLE airline (id int8)",
            "ALTER TABLE airline ADD COLUMN name text",
            "ALTER TABLE airline DROP COLUMN name",
            "BEGIN; DROP TABLE airline; ROLLBACK",
            "DROP TABLE airline",
        ];
        run(&url, somebody.map(str::to_owned)).await;
        let mut heard = Vec::new();
        while heard.last().is_none_or(|last: &String| !last.contains("DROP TABLE")) {
            let next = tokio::time::timeout(Duration::from_secs(60), listener.recv()).await;
            heard.push(next.expect("it was not told").unwrap().payload().to_owned());
        }
        let all = heard.join("\n");
        for (command, object) in [
            ("CREATE TABLE", "public.airline"),
            ("ALTER TABLE", "public.airline"),
            ("ALTER TABLE", "public.airline.name"),
            ("DROP TABLE", "public.airline"),
        ] {
            let said = format!("{{\"command\" : \"{command}\", \"object\" : \"{object}\"}}");
            assert!(heard.contains(&said), "{said} in {all}");
        }
        assert!(!all.contains("unseen"), "{all}");
        let drops = heard.iter().filter(|said| said.contains("DROP TABLE")).count();
        assert_eq!(drops, 1, "what was rolled back is not told");

        run(&url, trigger.uninstall()).await;
        run(&url, ["CREATE TABLE quiet (x int)".to_owned()]).await;
        drop(listener);
        run(&server, [format!("DROP DATABASE {name} WITH (FORCE)")]).await;
    }
}
