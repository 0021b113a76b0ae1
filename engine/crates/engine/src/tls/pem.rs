//! PEM texts to what rustls takes.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::RootCertStore;

/// A certificate with its chain, and the key that belongs to it.
///
/// # Errors
/// In words: what is no PEM, no key that can be used, or a key of another certificate.
pub fn certified_key(chain: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>, String> {
    CertifiedKey::from_der(certificates(chain)?, private_key(key)?, &aws_lc_rs::default_provider())
        .map(Arc::new)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => "the key is not the certificate's".to_owned(),
            error => format!("the certificate cannot be used: {error}"),
        })
}

/// The same without a look at the certificate: a challenge's has a critical extension that nobody else knows
/// (RFC 8737 section 3).
///
/// # Errors
/// In words: what is no PEM, or no key that can be used.
pub fn challenge_key(chain: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>, String> {
    let chain = certificates(chain)?;
    let key = aws_lc_rs::default_provider()
        .key_provider
        .load_private_key(private_key(key)?)
        .map_err(|e| format!("the key cannot be used: {e}"))?;
    Ok(Arc::new(CertifiedKey::new(chain, key)))
}

/// Roots to verify a peer with.
///
/// # Errors
/// In words: what is no certificate.
pub fn roots(texts: &[Arc<[u8]>]) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for text in texts {
        for certificate in certificates(text)? {
            store.add(certificate).map_err(|e| format!("a root certificate cannot be used: {e}"))?;
        }
    }
    Ok(store)
}

fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(text).map_err(|e| format!("the key cannot be read: {e}"))
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(|e| format!("the certificate cannot be read: {e}"))?;
    if all.is_empty() {
        return Err("there is no certificate in the text".to_owned());
    }
    Ok(all)
}
