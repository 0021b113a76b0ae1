//! Plan → Snapshot: every id is looked up, every part made ready; what this engine cannot run yet is refused by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan::files::Files;
use plan::listener::Protocol;
use plan::route::Action;
use plan::service::ServiceKind;
use plan::{Id, Plan};
use route::{HostIndex, TableIndex};

use super::destination::{Destination, NamedRun, SharesRun};
use super::files::{FilesRun, TryFilesRun, TypesRun};
use super::http::HttpRun;
use super::links::{Links, Routing};
use super::listener::{FaultsRun, HostRun, ListenerRun, TableRun};
use super::route::{ActionRun, JumpRun, Passes, ProxyRun, RedirectRun, RespondRun, RouteRun};
use super::service::{RetryRun, ServiceRun, TransportRun};
use super::{Life, Snapshot};
use crate::control::error::CallError;
use crate::filter::FilterRun;
use crate::listen::ListenerState;
use crate::lookup::LookupRun;
use crate::observe::access::LogRun;
use crate::observe::sink::Sink;
use crate::template::Text;
use crate::tls::terms::TlsRun;
use crate::tls::HandedOver;

type Built<T> = BTreeMap<Id, Arc<T>>;

/// Opens the sink of a log.
pub type OpenSink<'a> = dyn Fn(&plan::log::Sink) -> std::io::Result<Arc<Sink>> + 'a;

/// Builds a Snapshot. `listeners` are bound already; `before` is the running Snapshot; `secrets` were handed over.
///
/// # Errors
/// The first thing that cannot be run, and where it stands.
pub fn build(
    plan: &Plan,
    before: &Snapshot,
    listeners: &BTreeMap<Id, Arc<ListenerState>>,
    secrets: &HandedOver<'_>,
    open: &OpenSink<'_>,
) -> Result<Snapshot, CallError> {
    let links = Links::new(plan, secrets.store);
    let http = each(&plan.http, "http", |_, p| HttpRun::build(p).map_err(bad_plan))?;
    let faults = each(&plan.faults, "faults", |_, f| FaultsRun::build(f, &links))?;
    let logs = each(&plan.logs, "logs", |_, log| {
        let sink = open(&log.sink)
            .map_err(|e| CallError::new("bind_failed", &format!("the log cannot be opened: {e}"), ""))?;
        LogRun::build(log, sink, &links).map(Arc::new)
    })?;
    let filters = each(&plan.filters, "filters", |_, f| FilterRun::build(f, &links).map(Arc::new))?;
    let transports = each(&plan.transports, "transports", |_, t| TransportRun::build(t, secrets).map_err(not_yet))?;
    let services = services(plan, &transports, before, &links)?;
    let lookups = each(&plan.lookups, "lookups", |_, l| LookupRun::build(l, &links).map(Arc::new))?;
    let types = each(&plan.mime_types, "mime_types", |_, types| Ok(Arc::new(TypesRun::build(types))))?;
    let passes = Passes::default();
    let routes = each(&plan.routes, "routes", |id, r| {
        Ok(Arc::new(RouteRun {
            internal: r.internal,
            filters: find_all(&filters, "filter", &r.filters)?,
            action: action(&r.action, &services, &transports, &types, (&passes, &links))?,
            body_bytes: r.body_bytes,
            logs: find_all(&logs, "log", &r.logs)?,
            faults: find(&faults, "faults", &r.faults)?,
            id: id.to_owned(),
            origin: r.origin.clone(),
        }))
    })?;
    let tables = each(&plan.tables, "tables", |_, table| {
        let index = TableIndex::build(table).map_err(|errors| bad_plan(join(&errors)))?;
        let routes = find_all(&routes, "route", index.routes())?;
        let named = links.names(table)?;
        Ok(Arc::new(TableRun { index, routes, named }))
    })?;
    let hosts = each(&plan.hosts, "hosts", |_, h| {
        Ok(Arc::new(HostRun {
            origin: h.origin.clone(),
            server_name: h.server_name.clone(),
            http: find(&http, "http policy", &h.http)?,
            filters: find_all(&filters, "filter", &h.filters)?,
            table: find(&tables, "table", &h.table)?,
            faults: find(&faults, "faults", &h.faults)?,
            logs: find_all(&logs, "log", &h.logs)?,
        }))
    })?;
    let routing = Arc::new(Routing {
        tables: tables.values().cloned().collect(),
        routes: routes.values().cloned().collect(),
        lookups: lookups.into_values().filter_map(Arc::into_inner).collect(),
        jumps: links.has_jumps(),
        shows_body: links.shows_body(),
    });
    let life = Life::new(plan.lifetimes.snapshot_ms);
    let runs = each(&plan.listeners, "listeners", |id, l| {
        if l.proxy_protocol.is_some() {
            return Err(CallError::unsupported("proxy_protocol", "the PROXY protocol"));
        }
        let index = HostIndex::build(&l.hosts).map_err(|errors| bad_plan(join(&errors)))?;
        let hosts = find_all(&hosts, "host", index.hosts())?;
        let tls = l.tls.as_ref().map(|tls| {
            let of: Vec<_> = index.hosts().iter().filter_map(|id| plan.hosts.get(id)).collect();
            TlsRun::build(l, tls, &of, plan, secrets)
        });
        Ok(Arc::new(ListenerRun {
            id: id.to_owned(),
            http: find(&http, "http policy", &l.http)?,
            index,
            hosts,
            closing: l.closing.clone(),
            http1: l.protocols.contains(&Protocol::Http1),
            http2: l.protocols.contains(&Protocol::Http2),
            tls: tls.transpose()?,
            life: Arc::clone(&life),
            routing: Arc::clone(&routing),
        }))
    })?;
    Ok(Snapshot {
        listeners: runs.into_iter().filter_map(|(id, run)| Some((listeners.get(&id)?.key, run))).collect(),
        services: services.balanced,
        named: services.named,
        routes: routes.into_keys().collect(),
        removed_route_ms: plan.lifetimes.removed_route_ms,
        life,
    })
}

fn services(
    plan: &Plan,
    transports: &Built<TransportRun>,
    before: &Snapshot,
    links: &Links<'_>,
) -> Result<Services, CallError> {
    let mut built = Services::default();
    for (id, service) in &plan.services {
        let done = match &service.kind {
            ServiceKind::Balanced(balanced) => {
                find(transports, "transport", &balanced.transport).and_then(|transport| {
                    let run = ServiceRun::build((id, service), balanced, &transport, before.services.get(id), links)?;
                    built.balanced.insert(id.clone(), Arc::clone(&run));
                    Ok(Some(Destination::Balanced(run)))
                })
            }
            ServiceKind::Weighted(_) => Ok(None),
            ServiceKind::Dynamic { address, scheme, transport, retry } => find(transports, "transport", transport)
                .and_then(|transport| {
                    let address = Text::build(address, links)?;
                    let (names, retry) = ((id.as_str(), named(id, service)), RetryRun::build(retry));
                    let run = NamedRun::new(names, address, *scheme, transport, retry, before.named.get(id));
                    built.named.insert(id.clone(), Arc::clone(&run));
                    Ok(Some(Destination::Named(run)))
                }),
        };
        if let Some(destination) = done.map_err(|error| at(error, "services", id))? {
            built.all.insert(id.clone(), destination);
        }
    }
    for id in plan.services.keys() {
        weighted(plan, id, &mut built, &mut Vec::new()).map_err(|error| at(error, "services", id))?;
    }
    Ok(built)
}

/// A service of shares, once those it names are there; one that comes to itself again is refused.
fn weighted<'p>(
    plan: &'p Plan,
    id: &'p str,
    built: &mut Services,
    above: &mut Vec<&'p str>,
) -> Result<Destination, CallError> {
    if let Some(done) = built.all.get(id) {
        return Ok(done.clone());
    }
    let service = plan.services.get(id).ok_or_else(|| CallError::reference("", "service", id))?;
    let ServiceKind::Weighted(shares) = &service.kind else { return Err(CallError::reference("", "service", id)) };
    if above.contains(&id) {
        return Err(bad_plan(format!("the service `{id}` is a share of itself")));
    }
    above.push(id);
    let shares = shares
        .iter()
        .map(|share| Ok((weighted(plan, &share.service, built, above)?, share.weight)))
        .collect::<Result<Vec<_>, CallError>>()?;
    above.pop();
    let run = Destination::Shares(SharesRun::new(id, named(id, service), shares));
    built.all.insert(id.to_owned(), run.clone());
    Ok(run)
}

fn named(id: &str, service: &plan::service::Service) -> String {
    if service.origin.name.is_empty() { id } else { &service.origin.name }.to_owned()
}

#[derive(Default)]
struct Services {
    all: BTreeMap<Id, Destination>,
    balanced: Built<ServiceRun>,
    named: Built<NamedRun>,
}

fn action(
    action: &Action,
    services: &Services,
    transports: &Built<TransportRun>,
    types: &Built<TypesRun>,
    (passes, links): (&Passes, &Links<'_>),
) -> Result<ActionRun, CallError> {
    Ok(match action {
        Action::Proxy(proxy) => {
            let service = services.all.get(&proxy.service).cloned();
            let service = service.ok_or_else(|| CallError::reference("", "service", &proxy.service))?;
            let transport = proxy.transport.as_ref().map(|id| find(transports, "transport", id)).transpose()?;
            ActionRun::Proxy(ProxyRun::build(proxy, service, transport, passes, links)?)
        }
        Action::Respond(respond) => ActionRun::Respond(Box::new(RespondRun::build(respond, links)?)),
        Action::Redirect(redirect) => ActionRun::Redirect(Box::new(RedirectRun::build(redirect, links)?)),
        Action::Ping { terminating_status } => ActionRun::Ping { terminating_status: *terminating_status },
        Action::Fail(kind) => ActionRun::Fail(*kind),
        Action::Jump(jump) => ActionRun::Jump(Box::new(JumpRun::build(jump, links)?)),
        Action::Files(files) => ActionRun::Files(Box::new(files_run(files, types, links)?)),
        Action::TryFiles(tries) => {
            let files = files_run(&tries.files, types, links)?;
            ActionRun::TryFiles(Box::new(TryFilesRun::build(tries, files, links)?))
        }
        Action::Close => ActionRun::Close,
    })
}

fn files_run(files: &Files, types: &Built<TypesRun>, links: &Links<'_>) -> Result<FilesRun, CallError> {
    FilesRun::build(files, find(types, "mime_types", &files.types)?, links)
}

/// Builds every object of a kind; an error says where.
fn each<T, R>(
    all: &BTreeMap<Id, T>,
    kind: &str,
    make: impl Fn(&str, &T) -> Result<Arc<R>, CallError>,
) -> Result<Built<R>, CallError> {
    all.iter()
        .map(|(id, object)| {
            let made = make(id, object).map_err(|error| at(error, kind, id))?;
            Ok((id.clone(), made))
        })
        .collect()
}

/// The error with the place of the object it was found in.
fn at(mut error: CallError, kind: &str, id: &str) -> CallError {
    let inner = std::mem::take(&mut error.place);
    error.place = if inner.starts_with(kind) {
        inner
    } else if inner.is_empty() {
        format!("{kind}.{id}")
    } else {
        format!("{kind}.{id}.{inner}")
    };
    error
}

fn find<T>(all: &Built<T>, kind: &str, id: &str) -> Result<Arc<T>, CallError> {
    all.get(id).cloned().ok_or_else(|| CallError::reference("", kind, id))
}

fn find_all<T>(all: &Built<T>, kind: &str, ids: &[Id]) -> Result<Box<[Arc<T>]>, CallError> {
    ids.iter().map(|id| find(all, kind, id)).collect()
}

fn bad_plan(message: String) -> CallError {
    CallError::new("bad_plan", &message, "")
}

fn not_yet(what: String) -> CallError {
    CallError::unsupported("", &what)
}

fn join(errors: &[route::RouteError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
