//! `daemun-engine` executes a Plan: it accepts, routes, balances and moves bytes, and decides nothing.
//!
//! ```text
//!  client → listen → tls → exchange (connection → request → route → filter → forward ⇄ balance, upstream → deliver)
//!  control plane → control → engine (apply) → snapshot → swapped under every thread
//! ```
//!
//! One [`worker`] a core with everything it needs; [`shared`] is what they share; the main thread keeps house
//! ([`engine`], [`control`], names, logs). [`init`] is another program in the same file: it starts and restarts the
//! control plane where nobody else does. What it does not do: read a configuration language, talk to Docker
//! or a certificate authority, or have a default.

pub mod init;

pub mod listen;

pub mod tls;

pub mod exchange;

pub mod http2;

pub mod filter;

pub mod files;

pub mod balance;

pub mod upstream;

pub mod account;
pub mod buffer;
pub mod clock;
pub mod code_pages;
pub mod condition;
pub mod fault;
pub mod io;
pub mod json;
pub mod lookup;
pub mod password;
pub mod rights;
pub mod socket;
pub mod spill;
pub mod template;

pub mod observe;

pub mod snapshot;

pub mod control;
pub mod engine;
pub mod shared;
pub mod worker;
