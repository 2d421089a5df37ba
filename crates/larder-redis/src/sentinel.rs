//! Sentinels: who knows where the master is.
//!
//! Guards that what a Sentinel says is checked: the server that it names has to be a master.

use std::sync::Arc;

use redis::Value;

use crate::{
    Address,
    error::Trouble,
    link::Link,
    settings::{Deadline, Settings},
    wire::Wire,
};

/// The Sentinels of one master.
#[derive(Debug)]
pub(crate) struct Sentinels {
    pub(crate) addresses: Vec<Address>,
    pub(crate) master: String,
}

impl Sentinels {
    /// Asks one Sentinel after the other, until one of them names a server that is a master.
    ///
    /// # Cancel safety
    /// What was opened is closed.
    pub(crate) async fn open_master(
        &self,
        settings: &Arc<Settings>,
        deadline: Deadline<'_>,
    ) -> Result<Link, Trouble> {
        let mut trouble = Trouble::NoNode;
        for (asked, sentinel) in self.addresses.iter().enumerate() {
            // Each gets its share of the time that is left, so that one that hangs is survived.
            let left = u32::try_from(self.addresses.len() - asked).unwrap_or(u32::MAX);
            let share = deadline.remaining() / left;
            let attempt = self.open_named(settings, sentinel);
            match tokio::time::timeout(share, attempt).await.unwrap_or(Err(Trouble::Timeout)) {
                Ok(link) => return Ok(link),
                Err(next) => trouble = next,
            }
        }
        Err(trouble)
    }

    async fn open_named(
        &self,
        settings: &Arc<Settings>,
        sentinel: &Address,
    ) -> Result<Link, Trouble> {
        let address = self.ask(settings, sentinel).await?;
        Link::open(settings, &address).await
    }

    async fn ask(&self, settings: &Settings, sentinel: &Address) -> Result<Address, Trouble> {
        let credentials = &settings.config.sentinel_credentials;
        let wire = Wire::open(settings, sentinel, credentials, None).await?;
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.master);
        match wire.connection().send_packed_command(&question).await? {
            Value::Array(answer) => match &answer[..] {
                [Value::BulkString(host), Value::BulkString(port)] => {
                    let port = std::str::from_utf8(port).ok().and_then(|port| port.parse().ok());
                    let port = port.ok_or(Trouble::Answer("a Sentinel names no port"))?;
                    Ok(Address::tcp(String::from_utf8_lossy(host), port))
                }
                _ => Err(Trouble::Answer("a Sentinel does not say where the master is")),
            },
            Value::Nil => Err(Trouble::Deployment("the Sentinels know no master of this name")),
            Value::ServerError(error) => Err(Trouble::Server(error)),
            _ => Err(Trouble::Answer("a Sentinel does not say where the master is")),
        }
    }
}
