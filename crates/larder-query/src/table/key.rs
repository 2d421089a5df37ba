//! Keys of rows.
//!
//! Guards that a key has as many parts as the model's.

use crate::{Bind, Params};

/// A value of a primary key: one value, or a tuple of up to four for a key of several columns, in
/// the order of the key.
pub trait ModelKey {
    /// How many columns it has.
    #[doc(hidden)]
    const COLUMNS: usize;

    #[doc(hidden)]
    fn bind_to(&self, params: &mut Params);
}

impl<T: Bind> ModelKey for T {
    const COLUMNS: usize = 1;

    fn bind_to(&self, params: &mut Params) {
        params.bind(self);
    }
}

macro_rules! tuples {
    ($($columns:literal: $($name:ident $at:tt),+;)+) => {$(
        impl<$($name: Bind),+> ModelKey for ($($name,)+) {
            const COLUMNS: usize = $columns;

            fn bind_to(&self, params: &mut Params) {
                $(params.bind(&self.$at);)+
            }
        }
    )+};
}

tuples! {
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
}
