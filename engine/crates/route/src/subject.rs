//! What a rule may ask of a request.

use std::net::IpAddr;

/// The request as rules see it; the engine's exchange implements it.
pub trait Subject {
    /// Host without port and trailing dot, lower-case; empty when there is none.
    fn host(&self) -> &str;

    /// The matching form of the path, not encoded (PathPolicy says how far); any bytes.
    fn path(&self) -> &[u8];

    /// The method as sent.
    fn method(&self) -> &[u8];

    /// Gives the value of every line named `name` (lower-case) to `each` until it says true; says whether it did.
    fn header(&self, name: &str, each: &mut dyn FnMut(&[u8]) -> bool) -> bool;

    /// The query as sent, without `?`.
    fn query(&self) -> &[u8];

    /// The peer's address, after the PROXY protocol, never X-Forwarded-For.
    fn client_ip(&self) -> IpAddr;

    /// The connection is TLS.
    fn tls(&self) -> bool;
}

/// A request made by hand: for `explain`, tests and measurements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub host: String,
    pub path: Vec<u8>,
    pub method: Vec<u8>,
    /// Names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    pub query: Vec<u8>,
    pub client_ip: IpAddr,
    pub tls: bool,
}

impl Request {
    /// A plain GET without fields or query, from 127.0.0.1.
    #[must_use]
    pub fn get(host: &str, path: &str) -> Self {
        Self {
            host: host.to_owned(),
            path: path.as_bytes().to_vec(),
            method: b"GET".to_vec(),
            headers: Vec::new(),
            query: Vec::new(),
            client_ip: IpAddr::from([127, 0, 0, 1]),
            tls: false,
        }
    }
}

impl Subject for Request {
    fn host(&self) -> &str {
        &self.host
    }

    fn path(&self) -> &[u8] {
        &self.path
    }

    fn method(&self) -> &[u8] {
        &self.method
    }

    fn header(&self, name: &str, each: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.headers.iter().any(|(known, value)| known == name && each(value))
    }

    fn query(&self) -> &[u8] {
        &self.query
    }

    fn client_ip(&self) -> IpAddr {
        self.client_ip
    }

    fn tls(&self) -> bool {
        self.tls
    }
}
