//! Plain entries: the bytes and nothing else, under the names of other programs.

use bytes::Bytes;
use larder_core::Ttl;

use super::Site;
use crate::{
    dialect::{Change, Condition, Stored},
    error::Trouble,
    name::Name,
    node::Repeat,
    request::Request,
};

impl Site<'_> {
    pub(crate) async fn plain_get(&self, name: Name<'_>) -> Result<Option<Bytes>, Trouble> {
        let reply = self.node.call(&Request::read(name), Repeat::Once).await?;
        let item = reply.items.into_iter().next().flatten();
        Ok(item.map(|item| item.data.into_bytes()))
    }

    pub(crate) async fn plain_set(
        &self,
        name: Name<'_>,
        value: &Bytes,
        ttl: Ttl,
    ) -> Result<(), Trouble> {
        let dialect = self.node.dialect().await?;
        let exptime = self.node.exptime_of_seconds(ttl.as_secs_ceil()).await?;
        let content = Stored { flags: 0, exptime, data: &[value] };
        let request = dialect.store(Request::default(), &name, Condition::Always, content);
        match Change::of(self.node.call(&request, Repeat::Once).await?.next_line()?)? {
            Change::Done { .. } => Ok(()),
            _ => Err(Trouble::Protocol("a store without a condition was refused")),
        }
    }

    pub(crate) async fn plain_delete(&self, name: Name<'_>) -> Result<bool, Trouble> {
        let dialect = self.node.dialect().await?;
        let request = dialect.delete(Request::default(), &name);
        let line = self.node.call(&request, Repeat::Once).await?.next_line()?;
        Ok(matches!(Change::of(line)?, Change::Done { .. }))
    }
}
