//! The X-Forwarded family as COMPAT.md, "Forwarded headers", says it: request fields in, request fields out.
#![allow(clippy::unwrap_used)]

mod feed;

use feed::text;
use wire::field::{known, Known, KnownSet};
use wire::forwarded::{append_for, apply, Add, Peer, Policy};
use wire::head::Head;

const FAMILY: [&str; 10] = [
    "X-Forwarded-Proto",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Prefix",
    "X-Real-Ip",
    "X-Forwarded-Scheme",
];

fn traefik() -> Policy {
    let strip = FAMILY.iter().map(|n| known(n.as_bytes())).filter(|&k| k != Known::Other).collect::<Vec<_>>();
    Policy {
        strip: KnownSet::of(&strip),
        strip_others: vec![b"x-forwarded-scheme".to_vec()],
        underscored: FAMILY.iter().map(|n| n.to_ascii_lowercase().replace('-', "_").into_bytes()).collect(),
        add: Some(Add { server: b"proxy1".to_vec(), append_for: true, websocket_proto: true }),
    }
}

const STRANGER: Peer<'_> = Peer { ip: b"10.0.0.9", believed: false, tls: false };
const FRIEND: Peer<'_> = Peer { believed: true, ..STRANGER };

/// What goes upstream of the family, sorted, after the peer has joined X-Forwarded-For.
fn sent(fields: &str, host: &str, peer: &Peer<'_>, policy: &Policy) -> Vec<String> {
    let mut head = Head::default();
    let request = format!("GET / HTTP/1.0\r\n{fields}\r\n");
    let limits = feed::LIMITS;
    wire::request::parse(&mut head, request.as_bytes(), 0, &limits).unwrap().unwrap();
    apply(&mut head, policy, peer, host.as_bytes());
    if policy.add.as_ref().is_some_and(|add| add.append_for) {
        append_for(&mut head, peer.ip);
    }
    let mut out = Vec::new();
    head.write_fields(&mut out, KnownSet::EMPTY);
    let mut lines: Vec<_> = text(&out).lines().filter(|l| l.starts_with(['X', 'x'])).map(str::to_owned).collect();
    lines.sort_by_key(|l| l.to_ascii_lowercase());
    lines
}

/// What is said of a plain request to `a:8080`.
const PLAIN: [&str; 6] = [
    "X-Forwarded-For: 10.0.0.9",
    "X-Forwarded-Host: a:8080",
    "X-Forwarded-Port: 8080",
    "X-Forwarded-Proto: http",
    "X-Forwarded-Server: proxy1",
    "X-Real-Ip: 10.0.0.9",
];

fn with(line: usize, text: &str) -> Vec<String> {
    let mut lines: Vec<_> = PLAIN.iter().map(ToString::to_string).collect();
    lines[line] = text.into();
    lines
}

/// Nothing claimed: everything is added.
#[test]
fn added() {
    for peer in [STRANGER, FRIEND] {
        assert_eq!(sent("", "a:8080", &peer, &traefik()), PLAIN);
    }
}

/// COMPAT.md (run): a client's 9.9.9.9 and 8.8.8.8 are replaced by its address, whatever the case or spelling.
#[test]
fn spoofed() {
    let claims = "X-Forwarded-For: 9.9.9.9\r\nx-real-ip: 8.8.8.8\r\nX-FORWARDED-PROTO: https\r\n\
        X-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Server: evil\r\nX-Forwarded-Uri: /evil\r\n\
        X-Forwarded-Method: DELETE\r\nX-Forwarded-Prefix: /evil\r\nX-Forwarded-Scheme: https\r\n\
        X-Forwarded-For: 9.9.9.8\r\n";
    assert_eq!(sent(claims, "a:8080", &STRANGER, &traefik()), PLAIN);
}

/// Underscore spellings are dropped from every client, believed or not.
#[test]
fn underscores() {
    let claims =
        "X_Forwarded_For: 9.9.9.9\r\nX-Forwarded_Proto: https\r\nx_real-ip: 8.8.8.8\r\nX_FORWARDED_HOST: evil\r\n";
    for peer in [STRANGER, FRIEND] {
        assert_eq!(sent(claims, "a:8080", &peer, &traefik()), PLAIN);
    }
    let kept = sent("X_Other: 1\r\n", "a:8080", &STRANGER, &traefik());
    assert!(kept.contains(&"X_Other: 1".to_owned()));
    let policy = Policy { underscored: vec![b"true_client_ip".to_vec()], ..traefik() };
    let mut head = Head::default();
    head.add(b"True_Client-IP", b"1");
    head.add(b"True-Client-IP", b"2");
    apply(&mut head, &policy, &FRIEND, b"a");
    assert_eq!(head.joined(b"true_client-ip"), None);
    assert_eq!(head.joined(b"true-client-ip").unwrap(), b"2");
}

/// What a believed peer says stays; only the server is always ours and the peer joins X-Forwarded-For.
#[test]
fn believed() {
    let claims = "X-Forwarded-For: 1.1.1.1\r\nX-Real-Ip: 2.2.2.2\r\nX-Forwarded-Proto: https\r\n\
        X-Forwarded-Host: b\r\nX-Forwarded-Port: 4\r\nX-Forwarded-Server: before\r\nX-Forwarded-Prefix: /p\r\n";
    assert_eq!(
        sent(claims, "a:8080", &FRIEND, &traefik()),
        [
            "X-Forwarded-For: 1.1.1.1, 10.0.0.9",
            "X-Forwarded-Host: b",
            "X-Forwarded-Port: 4",
            "X-Forwarded-Prefix: /p",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Server: proxy1",
            "X-Real-Ip: 2.2.2.2",
        ]
    );
}

/// Several lines of X-Forwarded-For become one, also where the peer is not appended.
#[test]
fn joined() {
    let claims = "X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nA: b\r\nx-forwarded-for: 3.3.3.3\r\n";
    let lines = sent(claims, "a:8080", &FRIEND, &traefik());
    assert_eq!(lines, with(0, "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 10.0.0.9"));
    let mut policy = traefik();
    policy.add = policy.add.map(|add| Add { append_for: false, ..add });
    assert_eq!(sent(claims, "a:8080", &FRIEND, &policy), with(0, "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3"));
    assert_eq!(sent("", "a:8080", &FRIEND, &policy), PLAIN[1..]);
}

/// To Traefik an empty field is an absent one.
#[test]
fn empty() {
    let claims = "X-Forwarded-For:\r\nX-Real-Ip:\r\nX-Forwarded-Proto: \r\nX-Forwarded-Host:\r\n\
        X-Forwarded-Port:\r\nX-Forwarded-Server:\r\n";
    assert_eq!(sent(claims, "a:8080", &FRIEND, &traefik()), PLAIN);
}

/// The port is Host's, else that of the scheme.
#[test]
fn ports() {
    let tls = Peer { tls: true, ..FRIEND };
    for (host, claims, peer, port) in [
        ("a", "", &FRIEND, "80"),
        ("a:", "", &FRIEND, "80"),
        ("a", "", &tls, "443"),
        ("a:81", "", &tls, "81"),
        ("[::1]", "", &FRIEND, "80"),
        ("[::1]:82", "", &FRIEND, "82"),
        ("a", "X-Forwarded-Proto: https\r\n", &FRIEND, "443"),
        ("a", "X-Forwarded-Proto: wss\r\n", &FRIEND, "443"),
        ("a", "X-Forwarded-Proto: ws\r\n", &FRIEND, "80"),
    ] {
        let lines = sent(claims, host, peer, &traefik());
        assert!(lines.contains(&format!("X-Forwarded-Port: {port}")), "{host} {claims:?}: {lines:?}");
    }
}

/// Without a Host there is no X-Forwarded-Host.
#[test]
fn no_host() {
    let lines = sent("", "", &STRANGER, &traefik());
    assert!(!lines.iter().any(|l| l.starts_with("X-Forwarded-Host")), "{lines:?}");
    assert!(lines.contains(&"X-Forwarded-Port: 80".to_owned()));
}

/// A WebSocket upgrade is `ws` or `wss`, on whichever lines Connection and Upgrade say so.
#[test]
fn websocket() {
    let tls = Peer { tls: true, ..STRANGER };
    let upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n";
    for (fields, peer, proto) in [
        (upgrade, &STRANGER, "ws"),
        (upgrade, &tls, "wss"),
        ("Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: x\r\nUpgrade: websocket\r\n", &STRANGER, "ws"),
        ("Connection: keep-alive\r\nUpgrade: websocket\r\n", &STRANGER, "http"),
        ("Connection: Upgrade\r\nUpgrade: h2c\r\n", &STRANGER, "http"),
        ("Connection: Upgrade\r\n", &tls, "https"),
    ] {
        let lines = sent(fields, "a", peer, &traefik());
        assert!(lines.contains(&format!("X-Forwarded-Proto: {proto}")), "{fields:?}: {lines:?}");
    }
    let mut policy = traefik();
    policy.add = policy.add.map(|add| Add { websocket_proto: false, ..add });
    assert!(sent(upgrade, "a", &STRANGER, &policy).contains(&"X-Forwarded-Proto: http".to_owned()));
}

/// nginx's language adds nothing and strips nothing.
#[test]
fn nothing_asked() {
    let claims = "X-Forwarded-For: 9.9.9.9\r\nX_Real_Ip: 8.8.8.8\r\n";
    assert_eq!(sent(claims, "a", &STRANGER, &Policy::default()), ["X-Forwarded-For: 9.9.9.9", "X_Real_Ip: 8.8.8.8"]);
}

/// The address joins what is there; an empty field is replaced.
#[test]
fn appended() {
    for (before, after) in [(None, "1"), (Some(""), "1"), (Some("9"), "9, 1")] {
        let mut head = Head::default();
        if let Some(before) = before {
            head.add(b"X-Forwarded-For", before.as_bytes());
        }
        append_for(&mut head, b"1");
        assert_eq!(head.joined(b"X-Forwarded-For").unwrap(), after.as_bytes());
    }
}
