//! `plan::tls` made ready: the terms of a handshake, by the name that was asked for.
//!
//! Facts (RFC 8446 section 4.6.1): a ticket lets a client resume without a signature. Decisions: tickets are
//! stateless and sealed by one key a value of the options, owned by the process and kept over applies, so that a
//! session resumes on any thread and after any apply; rustls makes the key anew every six hours. One ticket a handshake.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use plan::listener::{Host, Listener, ListenerTls, PlainOnTls, Protocol};
use plan::tls::{TlsOptions, TlsVersion};
use plan::{Id, Plan};
use route::{Captures, HostIndex};
use rustc_hash::FxHashMap;
use rustls::crypto::{aws_lc_rs, CryptoProvider};
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, SupportedProtocolVersion};

use super::choose::Chooser;
use super::store::Slot;
use super::HandedOver;
use crate::control::error::CallError;

/// The ALPN name of a challenge (RFC 8737 section 6.2).
pub const ACME_TLS: &[u8] = b"acme-tls/1";

/// A listener's TLS.
pub struct TlsRun {
    pub plain: PlainOnTls,
    terms: Vec<Terms>,
    /// By the place of a host in the listener's index.
    by_host: Vec<usize>,
}

/// What one name is offered.
pub struct Terms {
    /// The Plan's options.
    pub options: Arc<str>,
    pub config: Arc<ServerConfig>,
    /// Nobody is served on these.
    pub reject: bool,
}

impl TlsRun {
    /// Makes a listener's TLS ready; `hosts` as its index numbers them.
    ///
    /// # Errors
    /// What is not there, or this engine cannot do.
    pub fn build(
        listener: &Listener,
        tls: &ListenerTls,
        hosts: &[&Host],
        plan: &Plan,
        with: &HandedOver<'_>,
    ) -> Result<Arc<Self>, CallError> {
        let http2 = listener.protocols.contains(&Protocol::Http2);
        let mut terms = Vec::new();
        let mut made: FxHashMap<(&str, &[Id]), usize> = FxHashMap::default();
        let by_host = hosts
            .iter()
            .map(|host| {
                let options = host.tls_options.as_deref().unwrap_or(&tls.options);
                let certificates = host.certificates.as_slice();
                if let Some(at) = made.get(&(options, certificates)) {
                    return Ok(*at);
                }
                let chooser = |strict| chooser(certificates, tls, strict, plan, with);
                terms.push(make(options, http2, chooser, plan, with)?);
                made.insert((options, certificates), terms.len() - 1);
                Ok(terms.len() - 1)
            })
            .collect::<Result<_, CallError>>()?;
        Ok(Arc::new(Self { plain: tls.plain, terms, by_host }))
    }

    /// The terms for the name a ClientHello asks for, empty when it asks for none.
    #[must_use]
    pub fn of_name(&self, index: &HostIndex, name: &str) -> &Terms {
        // A pattern that takes too many steps matches nothing.
        let at = index.find(name, &mut Captures::new()).unwrap_or(0);
        self.of_host(at)
    }

    /// Whether a request for a host may come on a connection that was made on these options: the terms of one
    /// name are no way around those of another (421, RFC 9110 section 15.5.20).
    #[must_use]
    #[inline]
    pub fn agrees(&self, host: u32, options: &str) -> bool {
        self.terms.len() == 1 || &*self.of_host(host).options == options
    }

    fn of_host(&self, at: u32) -> &Terms {
        let at = self.by_host.get(at as usize).copied().unwrap_or(0);
        // The default host is always there, so one is.
        &self.terms[at]
    }
}

fn make(
    id: &str,
    http2: bool,
    chooser: impl FnOnce(bool) -> Result<Chooser, CallError>,
    plan: &Plan,
    with: &HandedOver<'_>,
) -> Result<Terms, CallError> {
    let options = plan.tls_options.get(id).ok_or_else(|| CallError::reference("tls", "TLS options", id))?;
    let chooser = if options.reject { Chooser::default() } else { chooser(options.sni_strict)? };
    let mut config = config(options, chooser, &with.kept.tickets)
        .map_err(|e| CallError::unsupported(&format!("tls_options.{id}"), &e))?;
    if !http2 {
        config.alpn_protocols.retain(|name| name != b"h2");
    }
    Ok(Terms { options: id.into(), config: Arc::new(config), reject: options.reject })
}

/// The certificates of a host: its `own`, or the listener's.
fn chooser(
    own: &[Id],
    tls: &ListenerTls,
    strict: bool,
    plan: &Plan,
    with: &HandedOver<'_>,
) -> Result<Chooser, CallError> {
    let find = |id: &Id| -> Result<(&[String], Arc<Slot>), CallError> {
        let missing = || CallError::reference("tls", "certificate", id);
        let of = plan.certificates.get(id).ok_or_else(missing)?;
        Ok((&of.names, with.store.certificate(id).ok_or_else(missing)?))
    };
    let mut chooser = Chooser::default();
    for id in own {
        chooser.add_otherwise(find(id)?.1);
    }
    if own.is_empty() {
        for id in &tls.certificates {
            let (names, slot) = find(id)?;
            chooser.add(names, &slot);
        }
        if let Some(id) = tls.default_certificate.as_ref().filter(|_| !strict) {
            chooser.add_otherwise(find(id)?.1);
        }
    }
    Ok(chooser)
}

fn config(options: &TlsOptions, chooser: Chooser, tickets: &Tickets) -> Result<ServerConfig, String> {
    if options.client_auth.is_some() {
        return Err("client_auth".to_owned());
    }
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider(&options.cipher_suites, &options.groups)?))
        .with_protocol_versions(&versions(options)?)
        .map_err(|e| e.to_string())?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(chooser));
    config.alpn_protocols = options.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config.session_storage = Arc::new(NoServerSessionStorage {});
    // Ours: a client that prefers what is weaker does not get it.
    config.ignore_client_order = true;
    config.send_tls13_tickets = usize::from(options.session_tickets);
    if options.session_tickets {
        config.ticketer = tickets.of(options)?;
    }
    Ok(config)
}

fn versions(options: &TlsOptions) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let all = [(TlsVersion::V13, &rustls::version::TLS13), (TlsVersion::V12, &rustls::version::TLS12)];
    let within = |version: TlsVersion| options.min_version <= version && version <= options.max_version;
    let versions: Vec<_> = all.into_iter().filter(|(version, _)| within(*version)).map(|(_, v)| v).collect();
    if versions.is_empty() {
        return Err("TLS versions whose lowest is above their highest".to_owned());
    }
    Ok(versions)
}

/// IANA's name of a suite: rustls writes `TLS13_AES…` for `TLS_AES…`.
#[must_use]
pub fn iana_name(suite: rustls::CipherSuite) -> String {
    format!("{suite:?}").replace("TLS13_", "TLS_")
}

/// aws-lc-rs with these suites and groups (IANA's names, in order of preference); its own where there are none.
///
/// # Errors
/// A name it does not have.
pub fn provider(suites: &[String], groups: &[String]) -> Result<CryptoProvider, String> {
    let mut provider = aws_lc_rs::default_provider();
    if !suites.is_empty() {
        provider.cipher_suites = suites
            .iter()
            .map(|wanted| {
                let found = aws_lc_rs::ALL_CIPHER_SUITES.iter().find(|s| iana_name(s.suite()) == *wanted);
                found.copied().ok_or_else(|| format!("the cipher suite {wanted}"))
            })
            .collect::<Result<_, _>>()?;
    }
    if !groups.is_empty() {
        provider.kx_groups = groups
            .iter()
            .map(|wanted| {
                let found = aws_lc_rs::ALL_KX_GROUPS
                    .iter()
                    .find(|group| format!("{:?}", group.name()).eq_ignore_ascii_case(wanted));
                found.copied().ok_or_else(|| format!("the group {wanted}"))
            })
            .collect::<Result<_, _>>()?;
    }
    Ok(provider)
}

/// What answers a challenge: one certificate, `acme-tls/1` and nothing else.
///
/// # Errors
/// What rustls says.
pub fn challenge(key: Arc<CertifiedKey>) -> Result<Arc<ServerConfig>, String> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    config.alpn_protocols = vec![ACME_TLS.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The ticket keys of the process, one a value of the options.
#[derive(Default)]
pub struct Tickets(Mutex<BTreeMap<String, Arc<dyn ProducesTickets>>>);

impl Tickets {
    fn of(&self, options: &TlsOptions) -> Result<Arc<dyn ProducesTickets>, String> {
        let key = value(options);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tickets) = all.get(&key) {
            return Ok(Arc::clone(tickets));
        }
        let made = aws_lc_rs::Ticketer::new().map_err(|e| e.to_string())?;
        all.insert(key, Arc::clone(&made));
        Ok(made)
    }

    /// Forgets the keys of options the Plan does not have.
    pub fn keep_only(&self, plan: &Plan) {
        let used: Vec<String> = plan.tls_options.values().map(value).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| used.contains(key));
    }
}

fn value(options: &TlsOptions) -> String {
    serde_json::to_string(options).unwrap_or_default()
}
