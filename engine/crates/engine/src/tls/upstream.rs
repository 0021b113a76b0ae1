//! TLS towards endpoints: one configuration a value of the Plan's, kept over applies with its sessions.
//!
//! Facts (RFC 9110 section 4.3.4): who asks by https verifies the endpoint's name. Decisions: the system's roots are
//! read when a Plan first needs them; HTTP/1.1 is spoken; what is not verified is still encrypted.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use plan::service::UpstreamTls;
use plan::template::{Part, Template};
use plan::Plan;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::crypto::{aws_lc_rs, verify_tls12_signature, verify_tls13_signature, CryptoProvider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

use super::store::Slot;
use super::{pem, HandedOver};
use crate::io::Io;
use crate::socket::Socket;

/// How endpoints are spoken to over TLS.
pub struct UpstreamTlsRun {
    /// Connections made on other terms are never taken for these.
    pub key: u32,
    connector: TlsConnector,
    /// Instead of the endpoint's host.
    server_name: Option<ServerName<'static>>,
}

impl UpstreamTlsRun {
    /// Does the handshake; `host` is the endpoint's.
    ///
    /// # Errors
    /// What the endpoint or rustls said.
    pub async fn connect(&self, socket: Socket, host: &str) -> io::Result<Io> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.to_owned())
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the endpoint's host is no name to verify"))?,
        };
        Ok(Io::Tls(Box::new(self.connector.connect(name, socket).await?.into())))
    }
}

static NEXT_KEY: AtomicU32 = AtomicU32::new(1);

/// Configurations by their value.
#[derive(Default)]
pub struct Upstreams(Mutex<BTreeMap<String, Arc<UpstreamTlsRun>>>);

impl Upstreams {
    /// The configuration of this value.
    ///
    /// # Errors
    /// What is not there, or cannot be used.
    pub fn of(&self, tls: &UpstreamTls, with: &HandedOver<'_>) -> Result<Arc<UpstreamTlsRun>, String> {
        let roots = tls
            .roots
            .iter()
            .map(|id| with.store.secret(id).ok_or_else(|| format!("there is no secret `{id}`")))
            .collect::<Result<Vec<_>, _>>()?;
        let own = match &tls.certificate {
            Some(id) => Some(with.store.certificate(id).ok_or_else(|| format!("there is no certificate `{id}`"))?),
            None => None,
        };
        // Roots given anew are another value.
        let texts: Vec<_> = roots.iter().map(|text| String::from_utf8_lossy(text)).collect();
        let key = format!("{}\n{}", value(tls), texts.join("\n"));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = all.get(&key) {
            return Ok(Arc::clone(run));
        }
        let run = Arc::new(build(tls, &roots, own)?);
        all.insert(key, Arc::clone(&run));
        Ok(run)
    }

    /// Forgets configurations the Plan does not use.
    pub fn keep_only(&self, plan: &Plan) {
        let used: Vec<String> = plan.transports.values().filter_map(|t| t.tls.as_ref()).map(value).collect();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|key, run| used.iter().any(|u| key.starts_with(u.as_str())) && Arc::strong_count(run) > 1);
    }
}

fn value(tls: &UpstreamTls) -> String {
    serde_json::to_string(tls).unwrap_or_default()
}

fn build(tls: &UpstreamTls, roots: &[Arc<[u8]>], own: Option<Arc<Slot>>) -> Result<UpstreamTlsRun, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    let verifier: Arc<dyn ServerCertVerifier> = if tls.verify {
        let roots = if roots.is_empty() { system_roots()? } else { Arc::new(pem::roots(roots)?) };
        WebPkiServerVerifier::builder_with_provider(roots, provider).build().map_err(|e| e.to_string())?
    } else {
        Arc::new(Unverified(provider))
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match own {
        Some(slot) => builder.with_client_cert_resolver(Arc::new(Own(slot))),
        None => builder.with_no_client_auth(),
    };
    config.enable_sni = tls.send_name;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let server_name = match &tls.server_name {
        None => None,
        Some(template) => {
            let name = literal(template).ok_or("a server_name that changes with the request")?;
            Some(ServerName::try_from(name.clone()).map_err(|_| format!("`{name}` is no server name"))?)
        }
    };
    let key = NEXT_KEY.fetch_add(1, Ordering::Relaxed);
    Ok(UpstreamTlsRun { key, connector: TlsConnector::from(Arc::new(config)), server_name })
}

/// The text of a template without variables.
fn literal(template: &Template) -> Option<String> {
    template.iter().map(|part| if let Part::Literal(text) = part { Some(text.as_str()) } else { None }).collect()
}

fn system_roots() -> Result<Arc<RootCertStore>, String> {
    static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(roots) = SYSTEM.get() {
        return Ok(Arc::clone(roots));
    }
    let mut store = RootCertStore::empty();
    // Some systems carry roots that cannot be read: the others serve.
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if store.is_empty() {
        return Err("certificates of the system's authorities: there are none to verify an endpoint with".to_owned());
    }
    Ok(Arc::clone(SYSTEM.get_or_init(|| Arc::new(store))))
}

/// Shows the certificate its slot has at the moment.
#[derive(Debug)]
struct Own(Arc<Slot>);

impl ResolvesClientCert for Own {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let key = self.0.key();
        key.key.choose_scheme(schemes).is_some().then_some(key)
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Takes any certificate (`insecureSkipVerify`, `proxy_ssl_verify off`); the signature must be its key's all the same.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        unread(verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        unread(verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Whose certificate is not verified may show one that our verifier does not read (version 1): who takes any
/// certificate learns nothing from who signs.
fn unread(result: Result<HandshakeSignatureValid, rustls::Error>) -> Result<HandshakeSignatureValid, rustls::Error> {
    match result {
        Err(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(_))) => {
            Ok(HandshakeSignatureValid::assertion())
        }
        result => result,
    }
}
