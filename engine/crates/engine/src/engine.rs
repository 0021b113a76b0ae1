//! The engine as a whole: threads, applied Plans, and the end. Lives on the main thread, which keeps house.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use plan::listener::Bind;
use plan::{Id, Plan};
use serde_json::{json, Value};

use crate::control::error::CallError;
use crate::listen::{ListenerState, Socket};
use crate::observe::events::{Events, Level};
use crate::observe::sink::Sinks;
use crate::shared::Shared;
use crate::snapshot::{build, Snapshot};
use crate::upstream::resolve;
use crate::worker::{self, Order};

pub struct Engine {
    pub shared: Arc<Shared>,
    state: Mutex<State>,
    next_key: AtomicU64,
    started: SystemTime,
}

struct State {
    listeners: BTreeMap<Id, Arc<ListenerState>>,
    applied: u64,
    /// Snapshots that exchanges may still hold; dropped here, not on a thread that serves.
    retired: Vec<Arc<Snapshot>>,
}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the kernel gives no thread.
    pub fn start(
        threads: usize,
        events: Events,
    ) -> io::Result<(Arc<Self>, resolve::Answerer, Vec<std::thread::JoinHandle<()>>)> {
        let (resolver, answerer) = resolve::channel();
        let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let shared = Arc::new(Shared::new(events, Sinks::default(), resolver, hostname));
        let mut joins = Vec::new();
        for index in 0..threads.max(1) {
            let (handle, join) = worker::start(index, &shared)?;
            shared.add_worker(handle);
            joins.push(join);
        }
        let state = State { listeners: BTreeMap::new(), applied: 0, retired: Vec::new() };
        let engine = Self { shared, state: Mutex::new(state), next_key: AtomicU64::new(1), started: SystemTime::now() };
        Ok((Arc::new(engine), answerer, joins))
    }

    /// Puts a Plan into effect, whole or not at all.
    ///
    /// # Errors
    /// What cannot be run, bound or found; the running Plan goes on.
    pub fn apply(&self, plan: &Plan) -> Result<Value, CallError> {
        let mut state = self.lock();
        let (listeners, new) = self.bind(plan, &state.listeners)?;
        let before = self.shared.snapshot();
        let open = |target: &plan::log::Sink| self.shared.sinks.open(target);
        let snapshot = Arc::new(build::build(plan, &before, &listeners, &open)?);
        for (id, listener) in &listeners {
            listener.max_connections.store(plan.listeners.get(id).map_or(0, |l| l.max_connections), Ordering::Relaxed);
        }
        mark_removed(&before, &snapshot);
        state.retired.push(self.shared.swap(snapshot));
        let workers = self.shared.workers();
        for listener in new {
            let at = usize::try_from(listener.key).unwrap_or(0) % workers.len();
            workers[at].order(Order::Accept(listener));
        }
        for (id, old) in &state.listeners {
            if !listeners.values().any(|l| Arc::ptr_eq(l, old)) {
                self.shared.events.log(
                    Level::Info,
                    "listener_removed",
                    &[("listener", id), ("address", &old.display())],
                );
                old.close();
            }
        }
        state.listeners = listeners;
        state.applied += 1;
        self.shared.wake_all();
        Ok(json!({"applied": state.applied, "listeners": addresses(&state.listeners)}))
    }

    /// Every listener of the Plan, kept or newly bound; and the new ones.
    #[allow(clippy::type_complexity)] // A map and a list.
    fn bind(
        &self,
        plan: &Plan,
        old: &BTreeMap<Id, Arc<ListenerState>>,
    ) -> Result<(BTreeMap<Id, Arc<ListenerState>>, Vec<Arc<ListenerState>>), CallError> {
        let mut listeners = BTreeMap::new();
        let mut new = Vec::new();
        for (id, of) in &plan.listeners {
            let kept = old
                .get(id)
                .filter(|l| l.bind == of.bind)
                .or_else(|| old.values().find(|l| l.bind == of.bind && !is_any_port(&l.bind)));
            let listener = if let Some(listener) = kept {
                Arc::clone(listener)
            } else {
                let socket = Socket::bind(&of.bind, of.backlog).map_err(|error| {
                    CallError::new(
                        "bind_failed",
                        &format!("{}: {}", describe(&of.bind), plain(&error)),
                        &format!("listeners.{id}"),
                    )
                })?;
                let listener =
                    ListenerState::new(self.next_key.fetch_add(1, Ordering::Relaxed), of.bind.clone(), socket);
                self.shared.events.log(Level::Info, "listening", &[("listener", id), ("address", &listener.display())]);
                new.push(Arc::clone(&listener));
                listener
            };
            listeners.insert(id.clone(), listener);
        }
        Ok((listeners, new))
    }

    /// Drops Snapshots nobody holds any more, and says what logs have dropped.
    pub fn tidy(&self) {
        self.shared.sinks.tell_dropped(|sink, lines| {
            self.shared.events.tell(Level::Warning, "log_dropped", &[("sink", json!(sink)), ("lines", json!(lines))]);
        });
        self.lock().retired.retain(|snapshot| Arc::strong_count(snapshot) > 1);
    }

    #[must_use]
    pub fn applied(&self) -> u64 {
        self.lock().applied
    }

    #[must_use]
    pub fn listeners(&self) -> BTreeMap<Id, Arc<ListenerState>> {
        self.lock().listeners.clone()
    }

    /// The content of the ready file.
    #[must_use]
    pub fn ready(&self) -> Value {
        json!({"pid": std::process::id(), "listeners": addresses(&self.lock().listeners)})
    }

    #[must_use]
    pub fn hello(&self) -> Value {
        let started = self.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        json!({
            "event": "hello",
            "engine": env!("CARGO_PKG_VERSION"),
            "plan_versions": [plan::VERSION],
            "pid": std::process::id(),
            "applied": self.applied(),
            "started_ms": u64::try_from(started.as_millis()).unwrap_or(u64::MAX),
        })
    }

    #[must_use]
    pub fn snapshots(&self) -> usize {
        self.tidy();
        self.lock().retired.len() + 1
    }

    /// Stops accepting, lets what runs end, and returns when it has or the grace is over.
    pub async fn stop(&self, grace: Option<Duration>) {
        let snapshot = self.shared.snapshot();
        let longest = |of: fn(&plan::listener::Closing) -> u64| {
            snapshot.listeners.values().map(|l| of(&l.closing)).max().unwrap_or(0)
        };
        self.shared.draining.store(true, Ordering::Relaxed);
        self.shared.events.log(Level::Info, "stopping", &[]);
        let accept = Duration::from_millis(longest(|c| c.accept_grace_ms));
        if grace.is_none() && !accept.is_zero() {
            tokio::time::sleep(accept).await;
        }
        self.shared.stopping.store(true, Ordering::Release);
        self.listeners().values().for_each(|l| l.close());
        self.shared.wake_all();
        let grace = grace.unwrap_or_else(|| Duration::from_millis(longest(|c| c.grace_ms)));
        let end = tokio::time::Instant::now() + grace;
        while self.open_connections() > 0 && tokio::time::Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.shared.workers().iter().for_each(|w| w.order(Order::End));
        self.shared.sinks.flush(Duration::from_secs(2));
        self.shared.events.log(Level::Info, "stopped", &[]);
        self.shared.events.flush(Duration::from_secs(2));
    }

    fn open_connections(&self) -> usize {
        self.shared.workers().iter().map(|w| w.connections.load(Ordering::Relaxed)).sum()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn addresses(listeners: &BTreeMap<Id, Arc<ListenerState>>) -> BTreeMap<&str, String> {
    listeners.iter().map(|(id, l)| (id.as_str(), l.display())).collect()
}

fn is_any_port(bind: &Bind) -> bool {
    matches!(bind, Bind::Tcp { port: 0, .. })
}

fn describe(bind: &Bind) -> String {
    match bind {
        Bind::Tcp { host, port } => format!("{host}:{port}"),
        Bind::Unix { path, .. } => format!("unix:{path}"),
    }
}

fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "address in use".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied (ports below 1024 need a privilege)".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        _ => error.to_string(),
    }
}

/// Endpoints that the new Snapshot does not have keep no connections.
fn mark_removed(before: &Snapshot, after: &Snapshot) {
    for (id, service) in &before.services {
        let kept = after.services.get(id).map(|s| s.balancer.endpoints()).unwrap_or_default();
        for endpoint in service.balancer.endpoints() {
            if !kept.iter().any(|k| Arc::ptr_eq(k, &endpoint)) {
                endpoint.removed.store(true, Ordering::Relaxed);
            }
        }
    }
}
