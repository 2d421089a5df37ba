//! A connection of the `redis` crate, for what is not on the way of a hit: the feed, Sentinels, and
//! a cluster's map.
//!
//! Guards that a connection ends with its user: its task is aborted when the [`Wire`] is dropped,
//! whatever the server still owes.

use redis::{
    AsyncConnectionConfig, ProtocolVersion, PushInfo, RedisConnectionInfo,
    aio::MultiplexedConnection,
};
use tokio::task::AbortHandle;

use crate::{Address, error::Trouble, net, secret::Credentials, settings::Settings};

/// Takes what a server pushes.
pub(crate) type Push = Box<dyn Fn(PushInfo) + Send + Sync>;

/// An open connection.
#[derive(Debug)]
pub(crate) struct Wire {
    connection: MultiplexedConnection,
    driver: AbortHandle,
}

impl Wire {
    /// Connects and logs in; with a taker of pushes, the third version of the protocol is spoken.
    /// Without a limit in time, which is the caller's affair.
    ///
    /// # Cancel safety
    /// The connection is then closed.
    pub(crate) async fn open(
        settings: &Settings,
        address: &Address,
        credentials: &Credentials,
        push: Option<Push>,
    ) -> Result<Self, Trouble> {
        let stream = net::connect(settings, address).await?;
        let mut config =
            AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        // The database makes no difference to what is asked here.
        let mut info = RedisConnectionInfo::default().set_skip_set_lib_name();
        if let Some(username) = &credentials.username {
            info = info.set_username(username);
        }
        if let Some(password) = &credentials.password {
            info = info.set_password(password.reveal());
        }
        if let Some(push) = push {
            info = info.set_protocol(ProtocolVersion::RESP3);
            config = config.set_push_sender(move |pushed: PushInfo| {
                push(pushed);
                Ok::<(), redis::aio::SendError>(())
            });
        }
        let (connection, driver) =
            MultiplexedConnection::new_with_config(&info, stream, config).await?;
        let driver = tokio::spawn(driver).abort_handle();
        Ok(Self { connection, driver })
    }

    /// What requests are sent through.
    pub(crate) fn connection(&self) -> MultiplexedConnection {
        self.connection.clone()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
