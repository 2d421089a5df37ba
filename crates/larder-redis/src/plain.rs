//! Plain entries, as programs store them that are not larder: `SETEX query:<digest> <seconds>`.

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{Key, Operation, PlainStore, Result, Ttl};
use redis::Value;

use crate::{
    RedisBackend,
    error::Trouble,
    fleet::Effect,
    keys::WireKey,
    store::{Store, delete},
    unit::Unit,
};

impl Store {
    async fn plain_get(&self, key: &Key) -> std::result::Result<Option<Bytes>, Trouble> {
        let name = name(key);
        let unit = Unit::one(name.clone(), crate::mark::get(&name));
        match self.fleet.run_one(unit, Effect::Read).await?.first() {
            Value::BulkString(value) => Ok(Some(value.into())),
            Value::Nil => Ok(None),
            _ => Err(Trouble::Answer("GET was not answered with a value")),
        }
    }

    async fn plain_set(
        &self,
        key: &Key,
        value: &Bytes,
        ttl: Ttl,
    ) -> std::result::Result<(), Trouble> {
        let name = name(key);
        let mut command = redis::cmd("SET");
        command.arg(&name[..]).arg(&value[..]).arg("EX").arg(ttl.as_secs_ceil());
        self.fleet.run_one(Unit::one(name, command), Effect::Repeatable).await.map(drop)
    }

    async fn plain_delete(&self, key: &Key) -> std::result::Result<bool, Trouble> {
        let name = name(key);
        let removal = delete(&name);
        let mut reply = self.fleet.run_one(Unit::one(name, removal), Effect::Once).await?;
        Ok(matches!(reply.first(), Value::Int(1)))
    }
}

/// The name that people see is the name on the wire: a word and hexadecimal digits.
fn name(key: &Key) -> WireKey {
    key.visible().to_string().into_bytes().into()
}

#[async_trait]
impl PlainStore for RedisBackend {
    async fn plain_get(&self, key: &Key) -> Result<Option<Bytes>> {
        self.observed(Operation::Read, self.store.plain_get(key)).await
    }

    async fn plain_set(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<()> {
        self.check_size(Operation::Put, &value)?;
        self.observed(Operation::Put, self.store.plain_set(key, &value, ttl)).await
    }

    async fn plain_delete(&self, key: &Key) -> Result<bool> {
        self.observed(Operation::Remove, self.store.plain_delete(key)).await
    }
}
