//! What is said first on every connection: who we are, and what the server is.

use larder_core::{Clock, Tick};

use crate::{
    MemcachedConfig, ProtocolMode,
    codec::Line,
    connection::Connection,
    dialect::Dialect,
    error::Trouble,
    request::{Answer, Expect, Request, UNEXPECTED},
};

/// The first version whose meta commands are those of today.
const META_SINCE: [u32; 3] = [1, 6, 12];

/// What a server told about itself when the connection was made.
#[derive(Clone, Debug)]
pub(crate) struct ServerInfo {
    pub(crate) version: Box<str>,
    pub(crate) dialect: Dialect,
    /// The largest item, in bytes, with its name and the server's own records.
    pub(crate) item_bytes_max: usize,
    /// Whether the server asks for user and password.
    pub(crate) asks_for_password: bool,
    /// The server's clock in Unix seconds, with the moments at which it was asked and answered.
    pub(crate) time: (u64, Tick, Tick),
}

/// A list of what a server tells about itself.
#[derive(Clone, Debug)]
pub(crate) struct Stats(Vec<(Box<str>, Box<str>)>);

impl Stats {
    pub(crate) fn of(answer: Answer) -> Result<Self, Trouble> {
        match answer {
            Answer::Stats(stats) => Ok(Self(stats)),
            Answer::Line(Line::ServerError(message)) => Err(Trouble::server(&message)),
            _ => Err(UNEXPECTED),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }
}

/// Shows user and password, if there are any, and asks what the server is.
pub(crate) async fn shake_hands(
    connection: &Connection,
    config: &MemcachedConfig,
    clock: &dyn Clock,
) -> Result<ServerInfo, Trouble> {
    if let Some(credentials) = &config.credentials {
        let token = credentials.token().ok_or(Trouble::Authentication)?;
        // To a server that asks for no password this is an item like any other; it is expired
        // when it arrives.
        let request = Request::default()
            .with_data(format_args!("set larder 0 -1 {}", token.len()), &[token.as_bytes()]);
        match connection.call(&request).await.map_err(|failure| failure.trouble)?.next_line()? {
            Line::Stored => {}
            _ => return Err(Trouble::Authentication),
        }
    }
    let request = Request::default()
        .with_line(format_args!("version"), Expect::One)
        .with_line(format_args!("stats settings"), Expect::Stats)
        .with_line(format_args!("stats"), Expect::Stats);
    let sent = clock.now();
    let mut reply = connection.call(&request).await.map_err(|failure| failure.trouble)?;
    let received = clock.now();
    let Line::Version(version) = reply.next_line()? else { return Err(UNEXPECTED) };
    let settings = Stats::of(reply.next_answer()?)?;
    let stats = Stats::of(reply.next_answer()?)?;
    let seconds = stats.number("time").ok_or(UNEXPECTED)?;
    let item_bytes_max = settings.number("item_size_max").unwrap_or(ITEM_BYTES_DEFAULT);
    Ok(ServerInfo {
        dialect: dialect(&version, config.protocol),
        version,
        item_bytes_max: usize::try_from(item_bytes_max).unwrap_or(usize::MAX),
        asks_for_password: settings.text("auth_enabled_ascii") == Some("yes"),
        time: (seconds, sent, received),
    })
}

/// The largest item of a server that does not say.
const ITEM_BYTES_DEFAULT: u64 = 1 << 20;

fn dialect(version: &str, mode: ProtocolMode) -> Dialect {
    match mode {
        ProtocolMode::Classic => Dialect::Classic,
        ProtocolMode::Meta => Dialect::Meta,
        ProtocolMode::Auto => {
            let number = |part: &str| {
                let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
                part.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0)
            };
            let mut parts = version.split('.').map(number);
            let version: [u32; 3] = [(); 3].map(|()| parts.next().unwrap_or(0));
            if version >= META_SINCE { Dialect::Meta } else { Dialect::Classic }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_decides_about_the_dialect() {
        for (version, expected) in [
            ("1.6.12", Dialect::Meta),
            ("1.6.18", Dialect::Meta),
            ("1.6.45_beta1", Dialect::Meta),
            ("1.7.0", Dialect::Meta),
            ("2.0", Dialect::Meta),
            ("1.6.11", Dialect::Classic),
            ("1.5.22", Dialect::Classic),
            ("1.4", Dialect::Classic),
            ("unknown", Dialect::Classic),
            ("", Dialect::Classic),
        ] {
            assert_eq!(dialect(version, ProtocolMode::Auto), expected, "{version}");
            assert_eq!(dialect(version, ProtocolMode::Meta), Dialect::Meta);
            assert_eq!(dialect(version, ProtocolMode::Classic), Dialect::Classic);
        }
    }
}
