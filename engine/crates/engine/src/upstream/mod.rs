//! Connections to endpoints: made, kept idle for reuse, and the names behind them resolved.

pub mod connect;
pub mod pool;
pub mod resolve;
