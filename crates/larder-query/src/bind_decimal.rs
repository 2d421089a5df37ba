//! Parameters from `rust_decimal`. Guards that the scale survives: `1.10` is not `1.1`.

#![cfg(feature = "decimal")]

use rust_decimal::Decimal;

use crate::{Bind, ParamType, Slot};

impl Bind for Decimal {
    const TYPE: ParamType = ParamType::Decimal;

    fn bind(&self, slot: Slot<'_>) {
        slot.decimal(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Param, Params};

    #[test]
    fn every_digit_is_bound() {
        let mut params = Params::new();
        let long: Decimal = "79228162514264337593543950335".parse().unwrap();
        params.bind(Decimal::new(110, 2)).bind(long).bind(Decimal::new(-1, 28));
        assert_eq!(
            params.iter().collect::<Vec<_>>(),
            [
                Param::Decimal("1.10"),
                Param::Decimal("79228162514264337593543950335"),
                Param::Decimal("-0.0000000000000000000000000001"),
            ]
        );
    }
}
