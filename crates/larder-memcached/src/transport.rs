//! The socket underneath: plain, behind a file, or encrypted.
//!
//! Invariant: an address that asks for encryption gets it or an error, never plain text.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use crate::{ServerAddress, error::Trouble, tls::Tls};

#[derive(Debug)]
pub(crate) enum Transport {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    #[cfg(unix)]
    Unix(tokio::net::UnixStream),
}

impl Transport {
    /// Connects. The caller limits the time.
    pub(crate) async fn connect(
        address: &ServerAddress,
        tls: Option<&Tls>,
    ) -> Result<Self, Trouble> {
        match address {
            ServerAddress::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                // Requests are small and each is waited for.
                stream.set_nodelay(true)?;
                match tls {
                    Some(tls) => Ok(Self::Tls(Box::new(tls.handshake(host, stream).await?))),
                    None => Ok(Self::Tcp(stream)),
                }
            }
            #[cfg(unix)]
            ServerAddress::Unix { path } => {
                Ok(Self::Unix(tokio::net::UnixStream::connect(path).await?))
            }
            #[cfg(not(unix))]
            ServerAddress::Unix { .. } => Err(Trouble::Config("this system has no socket files")),
        }
    }

    pub(crate) const fn is_encrypted(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Reads into the room; zero bytes are the end.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(room);
        let polled = match self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
        };
        polled.map_ok(|()| buffer.filled().len())
    }

    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    /// Hands over what encryption holds back; the others hold nothing.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            _ => Poll::Ready(Ok(())),
        }
    }
}
