//! The control socket: frames in, calls, answers and events out (docs/reference/engine.md).

pub mod calls;
pub mod error;
pub mod socket;
