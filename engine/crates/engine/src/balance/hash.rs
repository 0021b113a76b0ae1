//! The same client to the same endpoint: rendezvous hashing (Thaler and Ravishankar 1998), weighted. Every
//! endpoint gets a score for the client and the highest wins, so one that leaves moves only its own clients.

use std::hash::{Hash, Hasher};
use std::time::Instant;

use super::{Asking, Seat};

pub(super) fn rendezvous(list: &[Seat], asking: &Asking<'_>, backup: bool, now: &mut Option<Instant>) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (at, seat) in list.iter().enumerate() {
        if seat.backup != backup || !seat.is_free(asking, now) {
            continue;
        }
        let score = score(seat, asking);
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((at, score));
        }
    }
    best.map(|(at, _)| at)
}

/// `-weight / ln(u)` with u uniform in (0, 1).
#[allow(clippy::cast_precision_loss)]
fn score(seat: &Seat, asking: &Asking<'_>) -> f64 {
    let mut hasher = rustc_hash::FxHasher::default();
    asking.client.to_canonical().hash(&mut hasher);
    seat.endpoint.address_text().hash(&mut hasher);
    seat.endpoint.ordinal.hash(&mut hasher);
    let mixed = mix(hasher.finish());
    let uniform = ((mixed >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    -f64::from(seat.weight) / uniform.ln()
}

/// The finaliser of SplitMix64: every bit of the input reaches every bit of the output.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
