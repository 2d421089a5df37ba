//! Sessions, descriptions and plans on MySQL and MariaDB, on live servers.

#![cfg(feature = "mysql")]

mod counting;
#[path = "../convergence/mysql_family/databases.rs"]
mod databases;
mod describing;
mod injection;
mod models;
mod random;
mod renaming;
mod rows;
mod sessions;
mod watching;

/// Makes a test of each function on both servers; it gets the variable that names the server.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod mysql {
            $(
                #[tokio::test]
                #[ignore = "needs a live service"]
                async fn $name() {
                    super::$name("LARDER_MYSQL_URL").await;
                }
            )+
        }

        mod mariadb {
            $(
                #[tokio::test]
                #[ignore = "needs a live service"]
                async fn $name() {
                    super::$name("LARDER_MARIADB_URL").await;
                }
            )+
        }
    };
}

pub(crate) use on_both;
