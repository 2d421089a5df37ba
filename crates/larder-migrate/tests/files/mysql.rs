//! MySQL.

use crate::{adoption::adoptions, mysql_family::mysql_family, place::Place, scenarios::scenarios};

async fn place() -> Place {
    Place::on_server("LARDER_MYSQL_URL", "CREATE DATABASE name", "DROP DATABASE name").await
}

scenarios!(place(), #[ignore = "needs a live service"]);
adoptions!(place(), #[ignore = "needs a live service"]);
mysql_family!(place());
