//! The state machine, driven by processes that exist in the test alone, under a clock that the
//! test moves, in a real file.

mod coordination;
mod former_tool;
mod guards;
mod model;
mod rig;
