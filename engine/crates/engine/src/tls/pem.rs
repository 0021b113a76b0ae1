//! PEM texts to what rustls takes.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{CertificateError, Error, InconsistentKeys, RootCertStore};

/// A certificate with its chain, and the key that belongs to it.
///
/// # Errors
/// In words: what is no PEM, no key that can be used, or a key of another certificate.
pub fn certified_key(chain: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>, String> {
    let made = CertifiedKey::new(certificates(chain)?, signing_key(key)?);
    match made.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(Arc::new(made)),
        // Of version 1, as `openssl req -x509` makes them without extensions: our verifier reads none, clients do.
        Err(Error::InvalidCertificate(CertificateError::Other(_))) if holds_its_key(&made) => Ok(Arc::new(made)),
        Err(Error::InconsistentKeys(_) | Error::InvalidCertificate(CertificateError::Other(_))) => {
            Err("the key is not the certificate's".to_owned())
        }
        Err(error) => Err(format!("the certificate cannot be used: {error}")),
    }
}

/// Whether the public half of the key stands in the certificate, looked for as the bytes it is.
fn holds_its_key(made: &CertifiedKey) -> bool {
    let (Some(public), Ok(certificate)) = (made.key.public_key(), made.end_entity_cert()) else { return false };
    let public: &[u8] = public.as_ref();
    !public.is_empty() && certificate.as_ref().windows(public.len()).any(|bytes| bytes == public)
}

/// The same without a look at the certificate: a challenge's has a critical extension that nobody else knows
/// (RFC 8737 section 3).
///
/// # Errors
/// In words: what is no PEM, or no key that can be used.
pub fn challenge_key(chain: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>, String> {
    Ok(Arc::new(CertifiedKey::new(certificates(chain)?, signing_key(key)?)))
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

fn signing_key(text: &[u8]) -> Result<Arc<dyn SigningKey>, String> {
    let key = PrivateKeyDer::from_pem_slice(text).map_err(|e| format!("the key cannot be read: {e}"))?;
    let provider = aws_lc_rs::default_provider();
    provider.key_provider.load_private_key(key).map_err(|e| format!("the key cannot be used: {e}"))
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
