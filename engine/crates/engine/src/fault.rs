//! What went wrong in an exchange, and the one table from it to log level, retry and metric.
//! The status and the words are the Plan's (`plan::fault`).

use std::sync::atomic::{AtomicU64, Ordering};

use plan::fault::FaultKind;
use wire::Refusal;

/// A failed exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    /// For logs only: it may name an upstream's address.
    pub cause: String,
}

impl Fault {
    #[must_use]
    pub fn new(kind: FaultKind, cause: impl Into<String>) -> Self {
        Self { kind, cause: cause.into() }
    }

    /// A refused request head or body.
    #[must_use]
    pub fn of_request(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::Malformed(_) => FaultKind::BadRequest,
            Refusal::TargetTooLong => FaultKind::TargetTooLong,
            Refusal::HeadTooLarge => FaultKind::HeadTooLarge,
            Refusal::Version => FaultKind::VersionNotSupported,
            Refusal::NotImplemented(_) => FaultKind::NotImplemented,
        };
        Self::new(kind, refusal.reason())
    }

    /// A refused response.
    #[must_use]
    pub fn of_response(refusal: Refusal) -> Self {
        Self::new(FaultKind::UpstreamInvalid, refusal.reason())
    }
}

/// Faults since the start, by kind.
#[derive(Default)]
pub struct FaultCounters([AtomicU64; FaultKind::ALL.len()]);

impl FaultCounters {
    pub fn count(&self, kind: FaultKind) {
        self.0[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Kinds that occurred, by their name in the Plan.
    #[must_use]
    pub fn nonzero(&self) -> Vec<(String, u64)> {
        FaultKind::ALL
            .iter()
            .filter_map(|kind| {
                let n = self.0[*kind as usize].load(Ordering::Relaxed);
                (n > 0).then(|| (name(*kind), n))
            })
            .collect()
    }
}

/// The kind as the Plan writes it.
#[must_use]
pub fn name(kind: FaultKind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(name)) => name,
        _ => format!("{kind:?}"),
    }
}
