//! The client's address, taken from a field when the peer is trusted (nginx's realip).
//!
//! Facts (nginx's source): the list is read from its end; one address is taken, and when it is `recursive` those of
//! trusted peers are passed over; a port goes along where one is written; what is no address leaves everything as it
//! is. Several lines are one list.

use std::net::{IpAddr, SocketAddr};

use route::Cidrs;
use wire::head::Head;

use crate::exchange::request::RealClient;
use crate::exchange::Exchange;

pub struct RealIpRun {
    trusted: Cidrs,
    /// Clients on a Unix socket are.
    trusts_unix: bool,
    header: String,
    recursive: bool,
}

impl RealIpRun {
    /// Makes it ready.
    ///
    /// # Errors
    /// A network that is none.
    pub fn build(trusted: &[String], header: &str, recursive: bool) -> Result<Self, String> {
        let networks: Vec<String> = trusted.iter().filter(|network| *network != "unix:").cloned().collect();
        Ok(Self {
            trusts_unix: networks.len() < trusted.len(),
            trusted: Cidrs::parse(&networks).map_err(|e| e.to_string())?,
            header: header.to_ascii_lowercase(),
            recursive,
        })
    }

    pub(super) fn on_request(&self, exchange: &mut Exchange<'_, '_>) {
        let client = exchange.client;
        let is_unix = client.ip.is_unspecified();
        if !(self.trusted.contains(client.ip) || (is_unix && self.trusts_unix)) {
            return;
        }
        let Some(list) = exchange.request.head.joined(self.header.as_bytes()) else { return };
        if let Some((ip, port)) = self.client_of(&list) {
            exchange.request.real = Some(Box::new(RealClient { ip, text: ip.to_string(), port }));
        }
    }

    /// Whom this peer speaks for, when it is trusted.
    pub(crate) fn said_by(&self, peer: IpAddr, head: &Head) -> Option<IpAddr> {
        if !self.trusted.contains(peer) {
            return None;
        }
        self.client_of(&head.joined(self.header.as_bytes())?).map(|(address, _)| address)
    }

    /// The address in a list of a trusted peer.
    fn client_of(&self, list: &[u8]) -> Option<(IpAddr, u16)> {
        let is_separator = |b: &u8| matches!(b, b' ' | b',');
        let mut found = None;
        for word in list.rsplit(is_separator).filter(|word| !word.is_empty()) {
            let Some(address) = address(word) else { break };
            found = Some(address);
            if !self.recursive || !self.trusted.contains(address.0) {
                break;
            }
        }
        found
    }
}

/// An address, with its port or 0.
fn address(word: &[u8]) -> Option<(IpAddr, u16)> {
    let text = std::str::from_utf8(word).ok()?;
    if let Ok(with_port) = text.parse::<SocketAddr>() {
        return Some((with_port.ip(), with_port.port()));
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    Some((bare.parse().ok()?, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_of_a_list() {
        let run = |recursive| RealIpRun::build(&["10.0.0.0/8".to_owned(), "::1".to_owned()], "X-Real-IP", recursive);
        let (Ok(one), Ok(all)) = (run(false), run(true)) else { unreachable!("networks") };
        for (list, last, recursive) in [
            ("1.2.3.4", Some(("1.2.3.4", 0)), Some(("1.2.3.4", 0))),
            ("9.9.9.9, 1.2.3.4, 10.1.1.1", Some(("10.1.1.1", 0)), Some(("1.2.3.4", 0))),
            ("10.2.2.2,10.1.1.1", Some(("10.1.1.1", 0)), Some(("10.2.2.2", 0))),
            ("unknown, 10.1.1.1", Some(("10.1.1.1", 0)), Some(("10.1.1.1", 0))),
            ("1.2.3.4:88 ,", Some(("1.2.3.4", 88)), Some(("1.2.3.4", 88))),
            ("2001:db8::1, [::1]:5", Some(("::1", 5)), Some(("2001:db8::1", 0))),
            ("[2001:db8::1]", Some(("2001:db8::1", 0)), Some(("2001:db8::1", 0))),
            ("1.2.3.4, nonsense", None, None),
            ("", None, None),
        ] {
            let is = |found: Option<(IpAddr, u16)>| found.map(|(ip, port)| (ip.to_string(), port));
            let expected = |of: Option<(&str, u16)>| of.map(|(ip, port)| (ip.to_owned(), port));
            assert_eq!(is(one.client_of(list.as_bytes())), expected(last), "{list}");
            assert_eq!(is(all.client_of(list.as_bytes())), expected(recursive), "{list}");
        }
    }
}
