//! What was handed over on the control socket: certificates, secrets and challenges, by name.
//!
//! A certificate is swapped under its name, so that the next handshake shows the new one without an apply. What
//! no Plan names is dropped with the next apply; challenges are put and dropped one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use plan::filter::{Filter, Gate};
use plan::Plan;
use rustls::sign::CertifiedKey;
use rustls::ServerConfig;

use super::{pem, terms};
use crate::control::error::CallError;

/// One name's certificate, whichever it is now.
#[derive(Debug)]
pub struct Slot {
    generation: AtomicU64,
    key: ArcSwap<CertifiedKey>,
}

impl Slot {
    #[must_use]
    pub fn key(&self) -> Arc<CertifiedKey> {
        self.key.load_full()
    }
}

struct Secret {
    generation: u64,
    content: Arc<[u8]>,
}

#[derive(Default)]
pub struct Store {
    certificates: Mutex<BTreeMap<String, Arc<Slot>>>,
    secrets: Mutex<BTreeMap<String, Secret>>,
    challenges: Mutex<BTreeMap<String, Arc<ServerConfig>>>,
}

impl Store {
    /// Puts a certificate under a name; the same generation once more changes nothing.
    ///
    /// # Errors
    /// `bad_certificate`, or `stale` for a generation older than the one that is there.
    pub fn put_certificate(&self, name: &str, generation: u64, chain: &[u8], key: &[u8]) -> Result<(), CallError> {
        let mut all = lock(&self.certificates);
        let before = all.get(name);
        if let Some(slot) = before {
            if is_known(name, slot.generation.load(Ordering::Relaxed), generation)? {
                return Ok(());
            }
        }
        let key = pem::certified_key(chain, key).map_err(|e| bad_certificate(&e, name))?;
        match before {
            Some(slot) => {
                slot.key.store(key);
                slot.generation.store(generation, Ordering::Relaxed);
            }
            None => {
                let slot = Slot { generation: AtomicU64::new(generation), key: ArcSwap::new(key) };
                all.insert(name.to_owned(), Arc::new(slot));
            }
        }
        Ok(())
    }

    /// Puts a secret under a name; it takes effect with the next apply.
    ///
    /// # Errors
    /// `stale` for a generation older than the one that is there.
    pub fn put_secret(&self, name: &str, generation: u64, content: &[u8]) -> Result<(), CallError> {
        let mut all = lock(&self.secrets);
        if let Some(secret) = all.get(name) {
            if is_known(name, secret.generation, generation)? {
                return Ok(());
            }
        }
        all.insert(name.to_owned(), Secret { generation, content: content.into() });
        Ok(())
    }

    /// From now on a handshake for `name` that speaks `acme-tls/1` is shown this certificate (RFC 8737).
    ///
    /// # Errors
    /// `bad_certificate`.
    pub fn put_challenge(&self, name: &str, chain: &[u8], key: &[u8]) -> Result<(), CallError> {
        let key = pem::challenge_key(chain, key).map_err(|e| bad_certificate(&e, name))?;
        let config = terms::challenge(key).map_err(|e| bad_certificate(&e, name))?;
        lock(&self.challenges).insert(name.to_ascii_lowercase(), config);
        Ok(())
    }

    /// Ends a challenge; one that is not there is no error.
    pub fn drop_challenge(&self, name: &str) {
        lock(&self.challenges).remove(&name.to_ascii_lowercase());
    }

    #[must_use]
    pub fn certificate(&self, name: &str) -> Option<Arc<Slot>> {
        lock(&self.certificates).get(name).cloned()
    }

    #[must_use]
    pub fn secret(&self, name: &str) -> Option<Arc<[u8]>> {
        lock(&self.secrets).get(name).map(|secret| Arc::clone(&secret.content))
    }

    #[must_use]
    pub fn challenge(&self, name: &str) -> Option<Arc<ServerConfig>> {
        lock(&self.challenges).get(name).cloned()
    }

    /// Drops what the Plan does not name.
    pub fn keep_only(&self, plan: &Plan) {
        lock(&self.certificates).retain(|name, _| plan.certificates.contains_key(name));
        let named = secrets_of(plan);
        lock(&self.secrets).retain(|name, _| named.contains(name.as_str()));
    }

    /// The generation of each certificate.
    #[must_use]
    pub fn generations(&self) -> BTreeMap<String, u64> {
        let all = lock(&self.certificates);
        all.iter().map(|(name, slot)| (name.clone(), slot.generation.load(Ordering::Relaxed))).collect()
    }

    /// The generation of each secret.
    #[must_use]
    pub fn secret_generations(&self) -> BTreeMap<String, u64> {
        lock(&self.secrets).iter().map(|(name, secret)| (name.clone(), secret.generation)).collect()
    }
}

/// The secrets a Plan names.
#[must_use]
pub fn secrets_of(plan: &Plan) -> BTreeSet<&str> {
    let tls = plan.transports.values().filter_map(|t| t.tls.as_ref());
    let mut named: BTreeSet<&str> = tls.flat_map(|t| t.roots.iter().map(String::as_str)).collect();
    let clients = plan.tls_options.values().filter_map(|o| o.client_auth.as_ref());
    named.extend(clients.flat_map(|c| c.roots.iter().map(String::as_str)));
    for filter in plan.filters.values() {
        if let Filter::Access(access) = filter {
            let users =
                access.gates.iter().filter_map(|g| if let Gate::Basic { users, .. } = g { Some(users) } else { None });
            named.extend(users.map(String::as_str));
        }
    }
    named
}

fn is_known(name: &str, before: u64, generation: u64) -> Result<bool, CallError> {
    if generation < before {
        let message = format!("generation {generation} of `{name}` is older than {before}");
        return Err(CallError::new("stale", &message, name));
    }
    Ok(generation == before)
}

fn bad_certificate(message: &str, name: &str) -> CallError {
    CallError::new("bad_certificate", message, name)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
