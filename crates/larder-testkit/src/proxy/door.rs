//! Where clients connect, and how it is shut without giving the port away.
//!
//! Invariant: the port stays bound for as long as the proxy lives. A socket that is bound and does
//! not listen refuses connections, and keeps the port for when the door is opened again.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, TcpSocket, TcpStream};

#[derive(Debug)]
pub(super) struct Door {
    address: SocketAddr,
    state: State,
}

#[derive(Debug)]
enum State {
    Open(TcpListener),
    Shut(TcpSocket),
    /// In between, and if the port could not be bound again.
    Lost,
}

const BACKLOG: u32 = 1_024;

impl Door {
    pub(super) fn open(address: SocketAddr) -> io::Result<Self> {
        let listener = bound(address)?.listen(BACKLOG)?;
        Ok(Self { address: listener.local_addr()?, state: State::Open(listener) })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shuts or opens the door; nothing happens if it is so already.
    pub(super) fn set_shut(&mut self, shut: bool) -> io::Result<()> {
        self.state = match std::mem::replace(&mut self.state, State::Lost) {
            State::Open(listener) if shut => {
                drop(listener);
                State::Shut(bound(self.address)?)
            }
            State::Shut(socket) if !shut => State::Open(socket.listen(BACKLOG)?),
            State::Lost if shut => State::Shut(bound(self.address)?),
            State::Lost => State::Open(bound(self.address)?.listen(BACKLOG)?),
            unchanged => unchanged,
        };
        Ok(())
    }

    /// The next client. Never returns while the door is shut.
    pub(super) async fn accept(&self) -> io::Result<TcpStream> {
        match &self.state {
            State::Open(listener) => Ok(listener.accept().await?.0),
            State::Shut(_) | State::Lost => std::future::pending().await,
        }
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections of the listener before may still be there.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
