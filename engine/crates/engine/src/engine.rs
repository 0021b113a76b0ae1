//! The engine as a whole: threads, applied Plans, and the end. Lives on the main thread, which keeps house.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use plan::listener::Bind;
use plan::{Id, Plan};
use serde_json::{json, Value};

use crate::code_pages;
use crate::control::error::CallError;
use crate::listen::{ListenerState, Socket};
use crate::observe::events::{Events, Level};
use crate::observe::sink::Sinks;
use crate::shared::Shared;
use crate::snapshot::{build, Snapshot};
use crate::tls::HandedOver;
use crate::upstream::resolve;
use crate::worker::{self, Order};

pub struct Engine {
    pub shared: Arc<Shared>,
    state: Mutex<State>,
    next_key: AtomicU64,
    started: SystemTime,
}

type Listeners = BTreeMap<Id, Arc<ListenerState>>;

struct State {
    listeners: Listeners,
    /// Removed; their queues are being emptied.
    leaving: Vec<Arc<ListenerState>>,
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
        temporary: PathBuf,
    ) -> io::Result<(Arc<Self>, resolve::Answerer, Vec<std::thread::JoinHandle<()>>)> {
        let (resolver, answerer) = resolve::channel();
        let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let shared = Arc::new(Shared::new(events, Sinks::default(), resolver, hostname, temporary));
        let mut joins = Vec::new();
        for index in 0..threads.max(1) {
            let (handle, join) = worker::start(index, &shared)?;
            shared.add_worker(handle);
            joins.push(join);
        }
        let state = State { listeners: BTreeMap::new(), leaving: Vec::new(), applied: 0, retired: Vec::new() };
        let engine = Self { shared, state: Mutex::new(state), next_key: AtomicU64::new(1), started: SystemTime::now() };
        Ok((Arc::new(engine), answerer, joins))
    }

    /// Puts a Plan into effect, whole or not at all.
    ///
    /// # Errors
    /// What cannot be run, bound or found; the running Plan goes on.
    pub fn apply(&self, plan: &Plan) -> Result<Value, CallError> {
        let mut state = self.lock();
        state.leaving.retain(|l| l.with_socket(|_| ()).is_some());
        let (listeners, new) = self.bind(plan, &state.listeners, &state.leaving)?;
        let before = self.shared.snapshot();
        let open = |target: &plan::log::Sink| self.shared.sinks.open(target);
        let secrets = HandedOver { store: &self.shared.tls, kept: &self.shared.kept };
        let snapshot = Arc::new(build::build(plan, &before, &listeners, &secrets, &open)?);
        for (id, listener) in &listeners {
            if let Some(of) = plan.listeners.get(id) {
                listener.max_connections.store(of.max_connections, Ordering::Relaxed);
                listener.changed.notify_one();
                // Somebody else may have removed the file: not this Plan's matter.
                if let Bind::Unix { mode, .. } = of.bind {
                    let _ = listener.with_socket(|socket| socket.set_mode(mode));
                }
            }
        }
        let removed = without(&state.listeners, &listeners);
        for (_, old) in &removed {
            if let Some(last) = before.listeners.get(&old.key) {
                // Set once: a removed listener does not come back.
                let _ = old.last.set(Arc::clone(last));
            }
        }
        mark_removed(&before, &snapshot);
        let replaced = self.shared.swap(snapshot);
        replaced.life.replace();
        state.retired.push(replaced);
        for (id, listener) in &listeners {
            if new.iter().any(|n| Arc::ptr_eq(n, listener)) {
                self.tell("listening", id, listener);
                self.accept(listener);
            }
        }
        for (id, old) in removed {
            self.tell("listener_removed", &id, &old);
            old.close();
            state.leaving.push(old);
        }
        state.listeners = listeners;
        state.applied += 1;
        self.shared.tls.keep_only(plan);
        self.shared.kept.keep_only(plan);
        self.shared.wake_all();
        code_pages::give_back();
        Ok(json!({"applied": state.applied, "listeners": addresses(&state.listeners)}))
    }

    fn accept(&self, listener: &Arc<ListenerState>) {
        let workers = self.shared.workers();
        let at = usize::try_from(listener.key).unwrap_or(0) % workers.len();
        workers[at].order(Order::Accept(Arc::clone(listener)));
    }

    fn tell(&self, event: &str, id: &str, listener: &ListenerState) {
        self.shared.events.log(Level::Info, event, &[("listener", id), ("address", &listener.display())]);
    }

    /// Every listener of the Plan, kept or newly bound; and the new ones.
    fn bind(
        &self,
        plan: &Plan,
        old: &Listeners,
        leaving: &[Arc<ListenerState>],
    ) -> Result<(Listeners, Vec<Arc<ListenerState>>), CallError> {
        let mut listeners = Listeners::new();
        let mut new = Vec::new();
        for (id, of) in &plan.listeners {
            let fail = |why: &str| {
                let message = format!("{}: {why}", describe(&of.bind));
                CallError::new("bind_failed", &message, &format!("listeners.{id}"))
            };
            let kept = old
                .get(id)
                .filter(|l| is_same(&l.bind, &of.bind))
                .or_else(|| old.values().find(|l| is_same(&l.bind, &of.bind) && !is_any_port(&l.bind)));
            let listener = if let Some(listener) = kept {
                if let Some((other, _)) = listeners.iter().find(|(_, l)| Arc::ptr_eq(l, listener)) {
                    return Err(fail(&format!("the listener `{other}` has it already")));
                }
                Arc::clone(listener)
            } else {
                let goes = |l: &&Arc<ListenerState>| !plan.listeners.values().any(|p| is_same(&p.bind, &l.bind));
                let beside = |l: &&Arc<ListenerState>| is_every_address(&l.bind) != is_every_address(&of.bind);
                let others: Vec<_> =
                    old.values().filter(|l| goes(l) || beside(l)).chain(listeners.values().filter(beside)).collect();
                let socket = bind_beside(of, &others, leaving).map_err(|error| fail(&plain(&error)))?;
                let key = self.next_key.fetch_add(1, Ordering::Relaxed);
                let listener = ListenerState::new(key, of.bind.clone(), socket);
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
        self.shared.sinks.close_unused();
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

/// What is there before and not after.
fn without(before: &Listeners, after: &Listeners) -> Vec<(Id, Arc<ListenerState>)> {
    let stays = |old: &Arc<ListenerState>| after.values().any(|l| Arc::ptr_eq(l, old));
    before.iter().filter(|(_, l)| !stays(l)).map(|(id, l)| (id.clone(), Arc::clone(l))).collect()
}

/// Binds; where others stand in the way, beside them: listeners that go with this Plan or went with the last one
/// (`:80` becomes `127.0.0.1:80`), and one of every address where this is of one (the kernel gives a connection to the
/// more specific).
fn bind_beside(
    of: &plan::listener::Listener,
    others: &[&Arc<ListenerState>],
    leaving: &[Arc<ListenerState>],
) -> io::Result<Socket> {
    let refused = match Socket::bind(&of.bind, of.backlog) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => error,
        result => return result,
    };
    let Bind::Tcp { port, .. } = of.bind else {
        return if wait_for(leaving) { Socket::bind(&of.bind, of.backlog) } else { Err(refused) };
    };
    let with_port = |l: &&Arc<ListenerState>| l.address.is_some_and(|a| a.port() == port);
    let beside: Vec<_> = others.iter().copied().chain(leaving).filter(with_port).collect();
    if beside.is_empty() {
        return Err(refused);
    }
    let share = |shared: bool| beside.iter().filter_map(|l| l.with_socket(|s| s.share(shared))).count();
    let result = if share(true) > 0 {
        Socket::bind_beside(&of.bind, of.backlog, true)
    } else {
        Socket::bind(&of.bind, of.backlog)
    };
    share(false);
    result
}

/// Waits a moment until removed listeners have let go of their addresses: their threads empty their queues.
fn wait_for(leaving: &[Arc<ListenerState>]) -> bool {
    let open = || leaving.iter().any(|l| l.with_socket(|_| ()).is_some());
    if leaving.is_empty() {
        return false;
    }
    for _ in 0..200 {
        if !open() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

fn is_every_address(bind: &Bind) -> bool {
    matches!(bind, Bind::Tcp { host, .. } if host.is_empty() || host.parse().is_ok_and(|ip: IpAddr| ip.is_unspecified()))
}

/// The same address: a Unix socket may get another mode.
fn is_same(one: &Bind, other: &Bind) -> bool {
    match (one, other) {
        (Bind::Unix { path: a, .. }, Bind::Unix { path: b, .. }) => a == b,
        _ => one == other,
    }
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
    for (id, service) in &before.named {
        if !after.named.contains_key(id) {
            service.forget();
        }
    }
}
