//! A request, judged: where its body ends, which host and path it asks for, what of it may be believed.
//!
//! Facts (RFC 9110 section 7.6.1): fields named in Connection belong to the connection and are removed;
//! (RFC 9112 section 3.2.2) the authority of absolute-form replaces Host; (RFC 9110 section 10.1.1) an Expect
//! other than 100-continue is answered with 417.

use std::net::IpAddr;

use plan::fault::FaultKind;
use wire::field::{lists_token, tokens, Known};
use wire::forwarded::{self, Peer};
use wire::framing::{self, Framing};
use wire::head::{Head, Span};
use wire::request::split_port;
use wire::target;

use super::downstream::Client;
use crate::fault::Fault;
use crate::snapshot::http::HttpRun;

/// A client behind a peer that is trusted.
#[derive(Clone)]
pub struct RealClient {
    pub ip: IpAddr,
    pub text: String,
    /// 0 when it is not known.
    pub port: u16,
}

#[derive(Clone)]
pub struct Request {
    pub head: Head,
    /// The current path, in the policy's form.
    pub path: Vec<u8>,
    /// The current query, without `?`.
    pub query: Vec<u8>,
    pub has_query: bool,
    /// What rules see of the path, when it is not the path itself.
    matching: Option<Vec<u8>>,
    /// The target, as received.
    uri: Span,
    /// The same in origin form, where it was in absolute form.
    origin_form: Vec<u8>,
    /// Host with its port, as sent.
    pub host_field: Vec<u8>,
    /// Lower-case, without port and trailing dot.
    pub host: String,
    pub framing: Framing,
    pub keep_alive: bool,
    pub expects_continue: bool,
    pub upgrade: bool,
    /// A filter has changed the path.
    pub rewritten: bool,
    /// Of the engine's own, beside another.
    pub is_subrequest: bool,
    /// Who the client is, when it is not the peer.
    pub real: Option<Box<RealClient>>,
    /// Bytes of the head that came from the client; what was added to it stands behind them.
    client_bytes: usize,
    /// A rewrite has ended in `break`: the path goes upstream as it is, whatever prefix was matched.
    pub keeps_prefix: bool,
    /// A filter wants the connection to the endpoint to end with this exchange.
    pub ends_upstream: bool,
    /// It was sent here by a rewrite or a jump, and may reach internal routes.
    pub internal: bool,
    /// The method as received.
    received: Span,
    /// What of the head filters have not touched: so many fields, and Host with its port. None is kept where nothing
    /// searches again.
    marked: Option<usize>,
    marked_host: Vec<u8>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            head: Head::default(),
            path: Vec::new(),
            query: Vec::new(),
            has_query: false,
            matching: None,
            uri: Span::default(),
            origin_form: Vec::new(),
            host_field: Vec::new(),
            host: String::new(),
            framing: Framing::None,
            keep_alive: false,
            expects_continue: false,
            upgrade: false,
            rewritten: false,
            is_subrequest: false,
            real: None,
            client_bytes: 0,
            keeps_prefix: false,
            ends_upstream: false,
            internal: false,
            received: Span::default(),
            marked: None,
            marked_host: Vec::new(),
        }
    }
}

impl Request {
    /// Nothing of the request before is left.
    pub fn clear(&mut self) {
        self.head.clear();
        self.path.clear();
        self.query.clear();
        self.has_query = false;
        self.matching = None;
        self.uri = Span::default();
        self.origin_form.clear();
        self.host_field.clear();
        self.host.clear();
        self.framing = Framing::None;
        self.keep_alive = false;
        self.expects_continue = false;
        self.upgrade = false;
        self.forget_changes();
    }

    fn forget_changes(&mut self) {
        self.is_subrequest = false;
        self.real = None;
        self.rewritten = false;
        self.keeps_prefix = false;
        self.ends_upstream = false;
        self.internal = false;
        self.received = Span::default();
        self.marked = None;
        self.marked_host.clear();
    }

    /// Empties it and gives back its room above so many bytes each.
    pub fn trim(&mut self, bytes: usize) {
        self.clear();
        crate::buffer::shrink(&mut self.head, bytes);
        for text in [&mut self.path, &mut self.query, &mut self.host_field, &mut self.marked_host] {
            text.shrink_to(bytes);
        }
        self.host.shrink_to(bytes);
    }

    /// The target in origin form, as received.
    #[must_use]
    pub fn uri(&self) -> &[u8] {
        if self.origin_form.is_empty() {
            self.head.text(self.uri)
        } else {
            &self.origin_form
        }
    }

    #[must_use]
    pub fn matching_path(&self) -> &[u8] {
        self.matching.as_deref().unwrap_or(&self.path)
    }

    /// The client's address.
    #[must_use]
    pub fn client_ip(&self, peer: &Client) -> IpAddr {
        self.real.as_ref().map_or(peer.ip, |real| real.ip)
    }

    /// A copy for a sub-request: without a body, and it may reach internal routes.
    #[must_use]
    pub fn for_subrequest(&self) -> Self {
        let mut copy = self.clone();
        copy.framing = Framing::None;
        copy.expects_continue = false;
        copy.upgrade = false;
        copy.is_subrequest = true;
        copy
    }

    /// Writes the fields that did not come from the client, but for those in `skip`.
    pub fn write_own_fields(&self, out: &mut Vec<u8>, skip: wire::field::KnownSet) {
        let own = |f: &&wire::head::Field| f.name.start as usize >= self.client_bytes && !skip.has(f.known);
        for field in self.head.live().filter(own) {
            out.extend_from_slice(self.head.text(field.name));
            out.extend_from_slice(b": ");
            out.extend_from_slice(self.head.text(field.value));
            out.extend_from_slice(b"\r\n");
        }
    }

    pub fn set_path(&mut self, path: Vec<u8>) {
        self.path = path;
        self.rewritten = true;
    }

    /// The path is another, as routing and rewrites see it; `decoded` is the policy's form.
    pub fn rewrite(&mut self, mut path: Vec<u8>, decoded: bool) {
        if path.first() != Some(&b'/') {
            path.insert(0, b'/');
        }
        self.matching = if decoded { None } else { target::matching_form(&path) };
        self.internal = true;
        self.set_path(path);
    }

    pub fn set_query(&mut self, query: Vec<u8>) {
        self.has_query = !query.is_empty();
        self.query = query;
    }

    /// Another target: a path, and a query after `?`.
    pub fn go_to(&mut self, target: &[u8], decoded: bool) {
        let mark = target.iter().position(|b| *b == b'?');
        self.set_query(mark.map_or(Vec::new(), |at| target[at + 1..].to_vec()));
        self.rewrite(target[..mark.unwrap_or(target.len())].to_vec(), decoded);
        self.keeps_prefix = false;
    }

    /// The target had something encoded in it, or a plus: what is taken out of its path is encoded again (nginx).
    #[must_use]
    pub fn is_quoted(&self) -> bool {
        self.uri().iter().take_while(|b| **b != b'?').any(|b| matches!(b, b'%' | b'+'))
    }

    /// The method as received: a page for an error is got by GET.
    #[must_use]
    pub fn method_received(&self) -> &[u8] {
        self.head.text(self.received)
    }

    /// From here on the request is got, whatever its method was; HEAD stays.
    pub fn become_get(&mut self) {
        if !matches!(self.head.method(), b"GET" | b"HEAD") {
            let start = self.head.bytes.len();
            self.head.bytes.extend_from_slice(b"GET");
            self.head.method = Span::new(start, start + 3);
        }
    }

    /// What filters do from here on to the head can be undone.
    pub fn mark(&mut self) {
        self.head.fields.retain(|field| !field.removed);
        self.marked = Some(self.head.fields.len());
        self.marked_host.clone_from(&self.host_field);
    }

    /// The head is as it was marked: another route sees nothing of what filters of the last have done.
    pub fn undo(&mut self) {
        let Some(marked) = self.marked else { return };
        self.head.fields.truncate(marked);
        self.head.fields.iter_mut().for_each(|field| field.removed = false);
        self.host_field.clone_from(&self.marked_host);
        self.ends_upstream = false;
    }

    /// A method that changes nothing (RFC 9110 section 9.2.1).
    #[must_use]
    pub fn is_safe(&self) -> bool {
        matches!(self.head.method(), b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE")
    }

    /// A method whose repetition changes nothing more (RFC 9110 section 9.2.2).
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        self.is_safe() || matches!(self.head.method(), b"PUT" | b"DELETE")
    }

    /// Judges the head that was read: everything but routing.
    ///
    /// # Errors
    /// The fault that is answered; the connection is closed after it.
    pub fn judge(&mut self, http: &HttpRun, client: &Client) -> Result<(), Fault> {
        self.clear_derived();
        self.client_bytes = self.head.bytes.len();
        self.framing = framing::of_request(&self.head).map_err(Fault::of_request)?;
        self.take_target(http)?;
        self.take_connection(http);
        self.take_expectation()?;
        if http.drop_underscores || http.drop_odd_names {
            self.drop_names(http);
        }
        let peer = Peer { ip: client.ip_text.as_bytes(), believed: client.believed.get(), tls: client.tls };
        forwarded::apply(&mut self.head, &http.forwarded, &peer, &self.host_field);
        Ok(())
    }

    /// What was made of the head before: another client's, on a thread's scratch.
    fn clear_derived(&mut self) {
        self.path.clear();
        self.query.clear();
        self.has_query = false;
        self.uri = Span::default();
        self.keep_alive = false;
        self.framing = Framing::None;
        self.matching = None;
        self.host_field.clear();
        self.host.clear();
        self.forget_changes();
        self.received = self.head.method;
        self.upgrade = false;
        self.expects_continue = false;
    }

    fn take_target(&mut self, http: &HttpRun) -> Result<(), Fault> {
        let Self { head, path, query, .. } = self;
        let raw = head.target();
        let parts = target::split(head.method(), raw).map_err(Fault::of_request)?;
        if let Some(host) = parts.authority.or_else(|| head.get_known(Known::Host)) {
            self.host_field.extend_from_slice(host);
        }
        if parts.path == b"*" {
            path.clear();
            path.push(b'*');
        } else {
            target::normalise_path(parts.path, &http.path, path).map_err(Fault::of_request)?;
        }
        self.has_query = parts.query.is_some();
        target::normalise_query(parts.query.unwrap_or_default(), &http.path, query).map_err(Fault::of_request)?;
        if !http.path.decode {
            self.matching = target::matching_form(path);
        }
        self.uri = head.target;
        self.origin_form.clear();
        if parts.authority.is_some() {
            self.origin_form.extend_from_slice(parts.path);
            if let Some(query) = parts.query {
                self.origin_form.push(b'?');
                self.origin_form.extend_from_slice(query);
            }
        }
        let name = split_port(&self.host_field).0;
        let name = name.strip_suffix(b".").unwrap_or(name);
        // `valid_host` has let ASCII through only.
        self.host.push_str(std::str::from_utf8(name).unwrap_or_default());
        self.host.make_ascii_lowercase();
        Ok(())
    }

    fn take_connection(&mut self, http: &HttpRun) {
        let modern = self.head.minor >= 1;
        self.keep_alive = modern;
        if !self.head.seen.has(Known::Connection) {
            return;
        }
        let listed = self.head.joined(b"connection").unwrap_or_default();
        if lists_token(&listed, b"close") {
            self.keep_alive = false;
        } else if !modern {
            self.keep_alive = lists_token(&listed, b"keep-alive");
        }
        // h2c by Upgrade is obsolete (RFC 9113 section 3.1), and a way around the proxy.
        self.upgrade = modern
            && lists_token(&listed, b"upgrade")
            && self.head.get_known(Known::Upgrade).is_some_and(|u| !lists_token(u, b"h2c"));
        for name in tokens(&listed) {
            let stays = http.keep_listed.iter().any(|k| k.eq_ignore_ascii_case(name))
                || [&b"close"[..], b"keep-alive", b"upgrade", b"host", b"connection"]
                    .iter()
                    .any(|k| k.eq_ignore_ascii_case(name));
            if !stays {
                self.head.remove(name);
            }
        }
    }

    fn take_expectation(&mut self) -> Result<(), Fault> {
        if !self.head.seen.has(Known::Expect) || self.head.minor == 0 {
            return Ok(());
        }
        let Some(expect) = self.head.get_known(Known::Expect) else { return Ok(()) };
        if !expect.eq_ignore_ascii_case(b"100-continue") {
            return Err(Fault::new(FaultKind::ExpectationFailed, "an expectation other than 100-continue"));
        }
        self.expects_continue = self.framing != Framing::None && self.framing != Framing::Length(0);
        Ok(())
    }

    fn drop_names(&mut self, http: &HttpRun) {
        let Head { bytes, fields, .. } = &mut self.head;
        for field in fields.iter_mut().filter(|f| f.known == Known::Other) {
            let name = &bytes[field.name.range()];
            let underscore = http.drop_underscores && name.contains(&b'_');
            let odd =
                http.drop_odd_names && !name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
            field.removed |= underscore || odd;
        }
    }
}

/// A request as rules see it.
pub struct Asked<'a> {
    pub request: &'a Request,
    pub client: &'a Client,
}

impl ::route::Subject for Asked<'_> {
    fn host(&self) -> &str {
        &self.request.host
    }

    fn path(&self) -> &[u8] {
        self.request.matching_path()
    }

    fn method(&self) -> &[u8] {
        self.request.head.method()
    }

    fn header(&self, name: &str, each: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        if name == "host" {
            return each(&self.request.host_field);
        }
        self.request.head.get_all(name.as_bytes()).any(each)
    }

    fn query(&self) -> &[u8] {
        &self.request.query
    }

    fn client_ip(&self) -> IpAddr {
        self.request.client_ip(self.client)
    }

    fn tls(&self) -> bool {
        self.client.tls
    }
}
