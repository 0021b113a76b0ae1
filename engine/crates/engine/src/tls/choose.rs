//! Which certificate a ClientHello is shown.
//!
//! Decisions: an exact name comes before a wildcard, which stands for exactly one label (RFC 6125 section 6.4.3);
//! of several with one name the first in the Plan's order whose key the client can verify.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::store::Slot;

/// Certificates by the names they serve.
#[derive(Debug, Default)]
pub struct Chooser {
    exact: FxHashMap<Box<str>, Vec<Arc<Slot>>>,
    /// `*.example.org` as `.example.org`.
    wildcards: FxHashMap<Box<str>, Vec<Arc<Slot>>>,
    /// Shown when no name matches; the handshake ends when empty.
    otherwise: Vec<Arc<Slot>>,
}

impl Chooser {
    /// Serves these names (as in the Plan's certificate) with this certificate, after those added before.
    pub fn add(&mut self, names: &[String], slot: &Arc<Slot>) {
        for name in names {
            let name = name.to_ascii_lowercase();
            let (of, name) = match name.strip_prefix('*') {
                Some(rest) => (&mut self.wildcards, rest),
                None => (&mut self.exact, name.as_str()),
            };
            of.entry(name.into()).or_default().push(Arc::clone(slot));
        }
    }

    pub fn add_otherwise(&mut self, slot: Arc<Slot>) {
        self.otherwise.push(slot);
    }

    fn of_name(&self, name: &str) -> Option<&Vec<Arc<Slot>>> {
        self.exact.get(name).or_else(|| self.wildcards.get(&name[name.find('.')?..]))
    }
}

impl ResolvesServerCert for Chooser {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // rustls gives the name in lower case.
        let named = hello.server_name().and_then(|name| self.of_name(name)).unwrap_or(&self.otherwise);
        let mut keys = named.iter().map(|slot| slot.key());
        let first = keys.next()?;
        if named.len() == 1 || first.key.choose_scheme(hello.signature_schemes()).is_some() {
            return Some(first);
        }
        keys.find(|k| k.key.choose_scheme(hello.signature_schemes()).is_some()).or(Some(first))
    }
}
