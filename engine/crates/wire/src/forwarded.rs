//! Who the client was, said upstream: the X-Forwarded family and X-Real-Ip, as Traefik does it (COMPAT.md,
//! "Forwarded headers"). First what an unbelieved peer claims is removed, then what is missing is added.
//! The peer's address joins X-Forwarded-For when the request goes upstream, for rules see the field before.

use crate::field::{lists_token, Known, KnownSet};
use crate::head::Head;
use crate::request::split_port;

/// What is removed, added and kept; made once from the Plan.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Names removed when the peer is not believed: those the codec knows, and others in lower case.
    pub strip: KnownSet,
    pub strip_others: Vec<Vec<u8>>,
    /// Names whose underscore spelling is dropped always: lower case, with `_` for `-`.
    pub underscored: Vec<Vec<u8>>,
    pub add: Option<Add>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add {
    pub server: Vec<u8>,
    pub append_for: bool,
    pub websocket_proto: bool,
}

/// What the connection knows of the client.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// The address as text, without zone.
    pub ip: &'a [u8],
    pub believed: bool,
    pub tls: bool,
}

/// Removes what may not be believed and adds what is missing. `host` is the request's host with its port.
pub fn apply(head: &mut Head, policy: &Policy, peer: &Peer<'_>, host: &[u8]) {
    if !peer.believed {
        strip(head, policy);
    }
    if !policy.underscored.is_empty() {
        drop_underscored(head, policy);
    }
    let Some(add) = &policy.add else { return };
    let present = live_known(head);
    if !present.has(Known::XRealIp) {
        put(head, Known::XRealIp, b"X-Real-Ip", peer.ip);
    }
    if !present.has(Known::XForwardedProto) {
        let websocket = add.websocket_proto
            && any_lists(head, Known::Upgrade, b"websocket")
            && any_lists(head, Known::Connection, b"upgrade");
        let proto: &[u8] = match (websocket, peer.tls) {
            (false, false) => b"http",
            (false, true) => b"https",
            (true, false) => b"ws",
            (true, true) => b"wss",
        };
        put(head, Known::XForwardedProto, b"X-Forwarded-Proto", proto);
    }
    if !present.has(Known::XForwardedPort) {
        let secure = peer.tls || head.get_known(Known::XForwardedProto).is_some_and(|p| p == b"https" || p == b"wss");
        let port = match split_port(host).1 {
            Some(port) if !port.is_empty() => port,
            _ if secure => b"443",
            _ => b"80",
        };
        put(head, Known::XForwardedPort, b"X-Forwarded-Port", port);
    }
    if !present.has(Known::XForwardedHost) && !host.is_empty() {
        put(head, Known::XForwardedHost, b"X-Forwarded-Host", host);
    }
    put(head, Known::XForwardedServer, b"X-Forwarded-Server", &add.server);
    if head.seen.has(Known::XForwardedFor) {
        join_for(head);
    }
}

/// Replaces a field of the family; most requests bring none.
#[inline(always)] // The names are constants: copying them costs a few instructions then.
fn put(head: &mut Head, is: Known, name: &[u8], value: &[u8]) {
    if head.seen.has(is) {
        head.remove(name);
    }
    head.add_known(is, name, value);
}

/// Whether any line of the field lists the token.
fn any_lists(head: &Head, name: Known, token: &[u8]) -> bool {
    head.seen.has(name) && head.live().filter(|f| f.known == name).any(|f| lists_token(head.text(f.value), token))
}

/// Several lines of X-Forwarded-For become one.
fn join_for(head: &mut Head) {
    if head.live().filter(|f| f.known == Known::XForwardedFor).count() > 1 {
        if let Some(all) = head.joined(b"x-forwarded-for") {
            head.set(b"X-Forwarded-For", &all);
        }
    }
}

/// Appends the peer to X-Forwarded-For: several lines become one.
pub fn append_for(head: &mut Head, ip: &[u8]) {
    if head.seen.has(Known::XForwardedFor) {
        if let Some(mut all) = head.joined(b"x-forwarded-for") {
            if !all.is_empty() {
                all.extend_from_slice(b", ");
            }
            all.extend_from_slice(ip);
            head.set(b"X-Forwarded-For", &all);
            return;
        }
    }
    head.add_known(Known::XForwardedFor, b"X-Forwarded-For", ip);
}

const FAMILY: KnownSet = KnownSet::of(&[
    Known::XRealIp,
    Known::XForwardedProto,
    Known::XForwardedPort,
    Known::XForwardedHost,
    Known::XForwardedServer,
]);

/// The forwarded names that are really there; to Traefik an empty one is not.
fn live_known(head: &Head) -> KnownSet {
    let mut set = KnownSet::EMPTY;
    if head.seen.meets(FAMILY) {
        head.live().filter(|f| f.value.start < f.value.end).for_each(|f| set.add(f.known));
    }
    set
}

fn strip(head: &mut Head, policy: &Policy) {
    let Head { bytes, fields, seen, .. } = head;
    if !seen.meets(policy.strip) && policy.strip_others.is_empty() {
        return;
    }
    for f in fields {
        let named = policy.strip.has(f.known)
            || (f.known == Known::Other
                && policy.strip_others.iter().any(|n| bytes[f.name.range()].eq_ignore_ascii_case(n)));
        f.removed |= named;
    }
}

fn drop_underscored(head: &mut Head, policy: &Policy) {
    // Nearly every name is told apart by its first letter.
    let letter = |name: &[u8]| name.first().map_or(0, |b| 1u32 << (b & 31));
    let letters = policy.underscored.iter().fold(0, |all, name| all | letter(name));
    let Head { bytes, fields, .. } = head;
    for f in fields.iter_mut().filter(|f| f.known == Known::Other) {
        let name = &bytes[f.name.range()];
        if letters & letter(name) != 0 && name.contains(&b'_') {
            let same = |n: &Vec<u8>| {
                n.len() == name.len()
                    && n.iter().zip(name).all(|(a, b)| *a == b.to_ascii_lowercase() || (*a == b'_' && *b == b'-'))
            };
            f.removed |= policy.underscored.iter().any(same);
        }
    }
}
