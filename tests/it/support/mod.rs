//! What scenarios share: databases and far tiers by name, and patience with a deadline.

mod bench;
mod databases;
mod far_tiers;
mod patience;
mod services;
mod traffic;

pub(crate) use bench::{Bench, TIERS, Tiers, assert_same};
pub(crate) use databases::{Engine, TestDatabase};
pub(crate) use far_tiers::FarTier;
pub(crate) use patience::eventually;
pub(crate) use services::{address_of, random_name, service_url, with_address};
pub(crate) use traffic::{PROCESSES, Traffic};
