//! Parameters from `uuid`. Guards that an identifier is bound as its 16 bytes, not as a text.

#![cfg(feature = "uuid")]

use uuid::Uuid;

use crate::{Bind, Param, ParamType, Slot};

impl Bind for Uuid {
    const TYPE: ParamType = ParamType::Uuid;

    fn bind(&self, slot: Slot<'_>) {
        slot.put(Param::Uuid(self.into_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;

    #[test]
    fn an_identifier_is_not_its_text_or_its_bytes() {
        let id = Uuid::from_u128(7);
        let (mut one, mut text, mut bytes) = (Params::new(), Params::new(), Params::new());
        one.bind(id);
        text.bind(id.to_string());
        bytes.bind(id.into_bytes());
        assert_eq!(one.iter().next(), Some(Param::Uuid(id.into_bytes())));
        assert_ne!(one, text);
        assert_ne!(one, bytes);
    }
}
