//! Names of endpoints, resolved on the housekeeping thread and kept for the record's TTL.
//!
//! A name that was resolved once is never waited for again: when its time is over the old addresses serve
//! while new ones are fetched, and go on serving when the resolver fails.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use tokio::sync::{mpsc, oneshot};

type Addresses = Arc<[IpAddr]>;

/// The least time a name is kept, so that a TTL of 0 does not ask for every request.
const SHORTEST: Duration = Duration::from_secs(1);

/// Names that are kept: where requests name their endpoints there is no end of them.
const KEPT: usize = 4096;

struct Known {
    addresses: Addresses,
    until: Instant,
    asked: bool,
}

struct Question {
    host: String,
    longest: Duration,
    answer: Option<oneshot::Sender<Result<Addresses, String>>>,
}

/// The threads' side.
#[derive(Clone)]
pub struct Resolver {
    known: Arc<Mutex<HashMap<String, Known>>>,
    questions: mpsc::UnboundedSender<Question>,
}

/// The housekeeping thread's side.
pub struct Answerer {
    known: Arc<Mutex<HashMap<String, Known>>>,
    questions: mpsc::UnboundedReceiver<Question>,
}

#[must_use]
pub fn channel() -> (Resolver, Answerer) {
    let known = Arc::new(Mutex::new(HashMap::new()));
    let (sender, questions) = mpsc::unbounded_channel();
    (Resolver { known: Arc::clone(&known), questions: sender }, Answerer { known, questions })
}

impl Resolver {
    /// The addresses of a name, IPv4 first as they come.
    ///
    /// # Errors
    /// When the name was never resolved and cannot be now.
    pub async fn lookup(&self, host: &str, longest_ms: u64) -> io::Result<Addresses> {
        let longest = if longest_ms == 0 { Duration::from_secs(30) } else { Duration::from_millis(longest_ms) };
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(entry) = known.get_mut(host) {
                if entry.until <= Instant::now() && !entry.asked {
                    entry.asked = true;
                    let _ = self.questions.send(Question { host: host.to_owned(), longest, answer: None });
                }
                return Ok(Arc::clone(&entry.addresses));
            }
        }
        let (answer, answered) = oneshot::channel();
        let question = Question { host: host.to_owned(), longest, answer: Some(answer) };
        let gone = || io::Error::other("the resolver has ended");
        self.questions.send(question).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?.map_err(|e| io::Error::new(io::ErrorKind::NotFound, e))
    }
}

impl Answerer {
    /// Answers until every asker is gone.
    pub async fn run(mut self) {
        let mut resolver: Option<Arc<TokioResolver>> = None;
        while let Some(question) = self.questions.recv().await {
            // Made when first needed: a Plan of addresses only needs no resolver.
            let resolver = match &resolver {
                Some(resolver) => Arc::clone(resolver),
                None => match TokioResolver::builder_tokio() {
                    Ok(mut builder) => {
                        // What holds is kept here: a second cache would outlast the Plan's limit.
                        builder.options_mut().cache_size = 0;
                        Arc::clone(resolver.insert(Arc::new(builder.build())))
                    }
                    Err(error) => {
                        if let Some(answer) = question.answer {
                            let _ = answer.send(Err(error.to_string()));
                        }
                        continue;
                    }
                },
            };
            let known = Arc::clone(&self.known);
            tokio::spawn(async move { resolve(&resolver, question, &known).await });
        }
    }
}

async fn resolve(resolver: &TokioResolver, question: Question, known: &Mutex<HashMap<String, Known>>) {
    let result = match resolver.lookup_ip(question.host.as_str()).await {
        Ok(found) => {
            let ttl = found.valid_until().saturating_duration_since(Instant::now());
            let mut addresses: Vec<IpAddr> = found.iter().collect();
            addresses.sort_by_key(|ip| !ip.is_ipv4());
            addresses.dedup();
            Ok((Arc::from(addresses), ttl.clamp(SHORTEST, question.longest.max(SHORTEST))))
        }
        Err(error) => Err(error.to_string()),
    };
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let answer = match result {
        Ok((addresses, hold)) => {
            let entry = Known { addresses: Arc::clone(&addresses), until: Instant::now() + hold, asked: false };
            if known.len() >= KEPT {
                let now = Instant::now();
                known.retain(|_, entry| entry.until > now);
                if known.len() >= KEPT {
                    known.clear();
                }
            }
            known.insert(question.host, entry);
            Ok(addresses)
        }
        Err(error) => {
            if let Some(entry) = known.get_mut(&question.host) {
                entry.asked = false;
                entry.until = Instant::now() + SHORTEST;
            }
            Err(error)
        }
    };
    if let Some(sender) = question.answer {
        // The exchange may have given up.
        let _ = sender.send(answer);
    }
}
