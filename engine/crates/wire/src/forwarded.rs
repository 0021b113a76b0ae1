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
        head.add_known(Known::XRealIp, b"X-Real-Ip", peer.ip);
    }
    if !present.has(Known::XForwardedProto) {
        let websocket = add.websocket_proto
            && head.seen.has(Known::Upgrade)
            && head.get_known(Known::Upgrade).is_some_and(|v| lists_token(v, b"websocket"))
            && head.get_known(Known::Connection).is_some_and(|v| lists_token(v, b"upgrade"));
        let proto: &[u8] = match (websocket, peer.tls) {
            (false, false) => b"http",
            (false, true) => b"https",
            (true, false) => b"ws",
            (true, true) => b"wss",
        };
        head.add_known(Known::XForwardedProto, b"X-Forwarded-Proto", proto);
    }
    if !present.has(Known::XForwardedPort) {
        let secure = peer.tls || head.get_known(Known::XForwardedProto).is_some_and(|p| p == b"https" || p == b"wss");
        let port = match split_port(host).1 {
            Some(port) if !port.is_empty() => port,
            _ if secure => b"443",
            _ => b"80",
        };
        head.add_known(Known::XForwardedPort, b"X-Forwarded-Port", port);
    }
    if !present.has(Known::XForwardedHost) && !host.is_empty() {
        head.add_known(Known::XForwardedHost, b"X-Forwarded-Host", host);
    }
    if present.has(Known::XForwardedServer) {
        head.remove(b"X-Forwarded-Server");
    }
    head.add_known(Known::XForwardedServer, b"X-Forwarded-Server", &add.server);
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

/// The forwarded names that are really there.
fn live_known(head: &Head) -> KnownSet {
    let mut set = KnownSet::EMPTY;
    if head.seen.meets(FAMILY) {
        head.live().for_each(|f| set.add(f.known));
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
    let Head { bytes, fields, .. } = head;
    for f in fields.iter_mut().filter(|f| f.known == Known::Other) {
        let name = &bytes[f.name.range()];
        if matches!(name.first(), Some(b'x' | b'X')) && name.contains(&b'_') {
            let same = |n: &Vec<u8>| {
                n.len() == name.len()
                    && n.iter().zip(name).all(|(a, b)| *a == b.to_ascii_lowercase() || (*a == b'_' && *b == b'-'))
            };
            f.removed |= policy.underscored.iter().any(same);
        }
    }
}
