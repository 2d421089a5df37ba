//! What stands on a server, seen with the eyes of another client.

use larder_core::Key;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, Value};

/// The name of an entry, as it is documented.
pub(crate) fn entry(namespace: &str, key: &Key) -> String {
    format!("L:{namespace}:{{{}:{}}}:e", key.space().as_str(), base64(key.digest()))
}

/// How long a key has yet to live, in milliseconds; as `PTTL` says it. `None` where a plain
/// connection does not lead.
pub(crate) async fn time_left(url: &str, name: &str) -> Option<i64> {
    let mut question = redis::cmd("PTTL");
    question.arg(name);
    match ask(url, &question).await? {
        Value::Int(millis) => Some(millis),
        other => panic!("PTTL: {other:?}"),
    }
}

/// Sends one command over a connection of its own, and once more to where a cluster says.
pub(crate) async fn ask(url: &str, command: &redis::Cmd) -> Option<Value> {
    let answer = ask_at(connection_info(url)?, command).await;
    if let Value::ServerError(error) = &answer
        && error.code() == "MOVED"
    {
        let (host, port) = error.details()?.split(' ').nth(1)?.rsplit_once(':')?;
        let address = ConnectionAddr::Tcp(host.to_owned(), port.parse().ok()?);
        return Some(ask_at(address.into_connection_info().ok()?, command).await);
    }
    Some(answer)
}

async fn ask_at(info: ConnectionInfo, command: &redis::Cmd) -> Value {
    let client = redis::Client::open(info).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    connection.send_packed_command(command).await.unwrap()
}

/// What the crate's own URLs mean to the other client.
fn connection_info(url: &str) -> Option<ConnectionInfo> {
    let (scheme, rest) = url.split_once("://")?;
    if scheme.ends_with("+sentinel") {
        return None;
    }
    let rest = rest.split('?').next()?;
    let first = rest.split(',').next()?;
    let scheme = if scheme.ends_with("+unix") { "redis+unix" } else { "redis" };
    if scheme == "redis+unix" {
        // The other client takes user and password as parameters.
        let (userinfo, path) = first.rsplit_once('@').unwrap_or(("", first));
        let mut redis = RedisConnectionInfo::default();
        if let Some((user, password)) = userinfo.split_once(':') {
            redis = redis.set_username(user).set_password(password);
        }
        let address = ConnectionAddr::Unix(path.into()).into_connection_info().ok()?;
        return Some(address.set_redis_settings(redis));
    }
    format!("{scheme}://{first}").into_connection_info().ok()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 6 {
            count -= 6;
            text.push(ALPHABET[(bits >> count & 0x3f) as usize].into());
        }
    }
    if count > 0 {
        text.push(ALPHABET[(bits << (6 - count) & 0x3f) as usize].into());
    }
    text
}
