//! Many databases, one set of models: tenants that each have a database of their own.
//!
//! Guards that a run over thousands of databases is bounded: in how many are worked on at once, in
//! how many a host sees, in how many may fail, and in what is lost when it is interrupted.

mod engine;
mod error;
mod options;
mod report;
mod run;
mod state;
mod tenant;

pub use error::FanOutError;
pub use options::FanOutOptions;
pub use report::{
    FanOutEvent, FanOutGroup, FanOutStop, FanOutSummary, TenantOutcome, TenantReport,
};
pub use run::FanOut;
pub use tenant::Tenant;
