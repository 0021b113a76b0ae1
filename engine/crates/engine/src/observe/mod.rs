//! What the engine says of itself and its traffic: its own events, access logs, and where both are written.

pub mod access;
pub mod events;
pub mod sink;
pub mod time;
