//! Streams of bytes: to a host, over TLS to a host, to a socket file.

use std::{io, sync::Arc, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use crate::{Address, error::Trouble, settings::Settings};

/// Bytes in both directions, over whatever.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects. Without a limit in time, which is the caller's affair.
///
/// # Cancel safety
/// The connection is then closed.
pub(crate) async fn connect(
    settings: &Settings,
    address: &Address,
) -> Result<Box<dyn Stream>, Trouble> {
    let failed = |error| Trouble::Connect(Arc::new(error));
    match address {
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((&**host, *port)).await.map_err(failed)?;
            prepare(&stream, settings.config.time_limit).map_err(failed)?;
            match &settings.tls {
                Some(tls) => Ok(Box::new(tls.connect(host, stream).await?)),
                None => Ok(Box::new(stream)),
            }
        }
        #[cfg(unix)]
        Address::Unix(path) => {
            Ok(Box::new(tokio::net::UnixStream::connect(path).await.map_err(failed)?))
        }
        #[cfg(not(unix))]
        Address::Unix(_) => Err(failed(io::ErrorKind::Unsupported.into())),
    }
}

/// Sends small packets at once, and notices a peer that is gone although nobody asks it anything.
fn prepare(stream: &TcpStream, time_limit: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_RETRIES);
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(any(target_os = "android", target_os = "linux"))]
    socket.set_tcp_user_timeout(Some(time_limit.max(KEEPALIVE_IDLE)))?;
    #[cfg(not(any(target_os = "android", target_os = "linux")))]
    let _ = time_limit;
    Ok(())
}

const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;
