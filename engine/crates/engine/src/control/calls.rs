//! The calls: each field explicit, each failure a [`CallError`].

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use ::route::{Captures, Found, Request as Question};
use plan::service::Endpoint;
use plan::Plan;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{json, Value};
use tokio::sync::mpsc;

use super::error::CallError;
use super::socket::Wish;
use crate::engine::Engine;

/// What every frame has.
#[derive(Deserialize)]
pub struct Envelope {
    pub id: Value,
    call: String,
}

/// A call as it stands in a frame: the Plan stays text until its call is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    #[serde(rename = "id")]
    _id: Value,
    call: String,
    plan: Option<Box<RawValue>>,
    service: Option<String>,
    generation: Option<u64>,
    endpoints: Option<Vec<Endpoint>>,
    listener: Option<String>,
    method: Option<String>,
    target: Option<String>,
    host: Option<String>,
    headers: Option<Vec<(String, String)>>,
    client_ip: Option<IpAddr>,
    tls: Option<bool>,
    accepting: Option<bool>,
    grace_ms: Option<u64>,
    name: Option<String>,
    chain: Option<String>,
    key: Option<String>,
    content: Option<String>,
}

/// Reads a call.
///
/// # Errors
/// `bad_frame` for what is no call, and the name of a call that is not known or not yet run.
pub fn read(frame: &[u8]) -> Result<Request, CallError> {
    let bad = |error: serde_json::Error| CallError::new("bad_frame", &error.to_string(), "");
    let envelope: Envelope = serde_json::from_slice(frame).map_err(bad)?;
    match envelope.call.as_str() {
        "apply" | "set_endpoints" | "stats" | "explain" | "reopen_logs" | "drain" | "shutdown" | "put_certificate"
        | "put_secret" | "put_challenge" | "drop_challenge" => {}
        "handoff" => return Err(CallError::unsupported("", &envelope.call)),
        other => return Err(CallError::new("unknown_call", &format!("there is no call `{other}`"), "")),
    }
    serde_json::from_slice(frame).map_err(bad)
}

/// Runs a call.
///
/// # Errors
/// [`CallError`], told to the caller.
pub fn run(request: Request, engine: &Arc<Engine>, wishes: &mpsc::UnboundedSender<Wish>) -> Result<Value, CallError> {
    match request.call.as_str() {
        "apply" => {
            let text = need(request.plan, "plan")?;
            let plan = Plan::from_json(text.get().as_bytes()).map_err(|e| CallError::new("bad_plan", &e, ""))?;
            drop(text);
            let done = engine.apply(&plan)?;
            let _ = wishes.send(Wish::Applied);
            Ok(done)
        }
        "set_endpoints" => {
            let id = need(request.service, "service")?;
            let snapshot = engine.shared.snapshot();
            let service = snapshot
                .services
                .get(&id)
                .ok_or_else(|| CallError::new("not_found", &format!("there is no service `{id}`"), ""))?;
            service.set_endpoints(need(request.generation, "generation")?, &need(request.endpoints, "endpoints")?)?;
            engine.shared.wake_all();
            Ok(json!({}))
        }
        "put_certificate" => {
            let (chain, key) = (need(request.chain, "chain")?, need(request.key, "key")?);
            let generation = need(request.generation, "generation")?;
            let name = need(request.name, "name")?;
            engine.shared.tls.put_certificate(&name, generation, chain.as_bytes(), key.as_bytes())?;
            Ok(json!({}))
        }
        "put_secret" => {
            let (name, content) = (need(request.name, "name")?, need(request.content, "content")?);
            engine.shared.tls.put_secret(&name, need(request.generation, "generation")?, content.as_bytes())?;
            Ok(json!({}))
        }
        "put_challenge" => {
            let (chain, key) = (need(request.chain, "chain")?, need(request.key, "key")?);
            engine.shared.tls.put_challenge(&need(request.name, "name")?, chain.as_bytes(), key.as_bytes())?;
            Ok(json!({}))
        }
        "drop_challenge" => {
            engine.shared.tls.drop_challenge(&need(request.name, "name")?);
            Ok(json!({}))
        }
        "stats" => Ok(stats(engine)),
        "explain" => explain(request, engine),
        "reopen_logs" => {
            engine.shared.sinks.reopen();
            engine.shared.events.reopen();
            Ok(json!({}))
        }
        "drain" => {
            let accepting = need(request.accepting, "accepting")?;
            engine.shared.draining.store(!accepting, Ordering::Relaxed);
            engine.shared.paused.store(!accepting, Ordering::Relaxed);
            engine.listeners().values().for_each(|l| l.changed.notify_one());
            Ok(json!({}))
        }
        "shutdown" => {
            let _ = wishes.send(Wish::Shutdown(request.grace_ms));
            Ok(json!({}))
        }
        other => Err(CallError::new("unknown_call", &format!("there is no call `{other}`"), "")),
    }
}

fn need<T>(field: Option<T>, name: &str) -> Result<T, CallError> {
    field.ok_or_else(|| CallError::new("bad_frame", &format!("the call needs `{name}`"), ""))
}

fn stats(engine: &Engine) -> Value {
    let shared = &engine.shared;
    let threads: Vec<Value> = shared
        .workers()
        .iter()
        .map(|w| {
            json!({
                "connections": w.connections.load(Ordering::Relaxed),
                "accepted": w.accepted.load(Ordering::Relaxed),
                "requests": w.requests.get(),
                "exchanges": w.exchanges.get(),
            })
        })
        .collect();
    let listeners: serde_json::Map<String, Value> = engine
        .listeners()
        .iter()
        .map(|(id, l)| {
            (id.clone(), json!({"address": l.display(), "connections": l.connections.load(Ordering::Relaxed)}))
        })
        .collect();
    let services: serde_json::Map<String, Value> = shared
        .snapshot()
        .services
        .iter()
        .map(|(id, service)| {
            let endpoints: Vec<Value> = service
                .balancer
                .endpoints()
                .iter()
                .map(|e| {
                    json!({
                        "address": e.address_text(),
                        "ordinal": e.ordinal,
                        "in_flight": e.in_flight(),
                        "requests": e.requests.load(Ordering::Relaxed),
                        "failures": e.failures.load(Ordering::Relaxed),
                        "idle": e.idle.load(Ordering::Relaxed),
                        "resting": e.is_resting(),
                    })
                })
                .collect();
            (id.clone(), Value::Array(endpoints))
        })
        .collect();
    let faults: serde_json::Map<String, Value> =
        shared.faults.nonzero().into_iter().map(|(k, n)| (k, json!(n))).collect();
    json!({
        "threads": threads,
        "listeners": listeners,
        "services": services,
        "faults": faults,
        "certificates": shared.tls.generations(),
        "secrets": shared.tls.secret_generations(),
        "handshakes": {
            "full": shared.handshakes.full.load(Ordering::Relaxed),
            "resumed": shared.handshakes.resumed.load(Ordering::Relaxed),
            "failed": shared.handshakes.failed.load(Ordering::Relaxed),
        },
        "log_dropped": shared.sinks.dropped(),
        "panics": shared.panics.load(Ordering::Relaxed),
        "applied": engine.applied(),
        "snapshots": engine.snapshots(),
    })
}

/// Which route a request would take; nothing is sent.
fn explain(request: Request, engine: &Engine) -> Result<Value, CallError> {
    let id = need(request.listener, "listener")?;
    let snapshot = engine.shared.snapshot();
    let listener = snapshot.listeners.values().find(|l| l.id == id);
    let listener = listener.ok_or_else(|| CallError::new("not_found", &format!("there is no listener `{id}`"), ""))?;
    let method = need(request.method, "method")?;
    let target = need(request.target, "target")?;
    let bad = |refusal: wire::Refusal| CallError::new("bad_frame", refusal.reason(), "target");
    let parts = wire::target::split(method.as_bytes(), target.as_bytes()).map_err(bad)?;
    let (mut path, mut query) = (Vec::new(), Vec::new());
    wire::target::normalise_path(parts.path, &listener.http.path, &mut path).map_err(bad)?;
    wire::target::normalise_query(parts.query.unwrap_or_default(), &listener.http.path, &mut query).map_err(bad)?;
    let host = need(request.host, "host")?.to_ascii_lowercase();
    let name = wire::request::split_port(host.as_bytes()).0;
    let question = Question {
        host: String::from_utf8_lossy(name.strip_suffix(b".").unwrap_or(name)).into_owned(),
        path: wire::target::matching_form(&path).unwrap_or_else(|| path.clone()),
        method: method.into_bytes(),
        headers: need(request.headers, "headers")?
            .into_iter()
            .map(|(n, v)| (n.to_ascii_lowercase(), v.into_bytes()))
            .collect(),
        query,
        client_ip: need(request.client_ip, "client_ip")?,
        tls: need(request.tls, "tls")?,
    };
    let mut captures = Captures::new();
    let at = listener
        .index
        .find(&question.host, &mut captures)
        .map_err(|e| CallError::new("internal", &e.to_string(), ""))?;
    let table = &listener.hosts[at as usize].table;
    let found = match table.index.find(&question, &mut captures) {
        Found::Route(at) | Found::RedirectSlash { route: at, .. } => Some(&table.routes[at as usize]),
        Found::Nothing | Found::StepLimit { .. } => None,
    };
    let Some(route) = found else { return Ok(json!({"route": null})) };
    let service = match &route.action {
        crate::snapshot::route::ActionRun::Proxy(proxy) => Some(proxy.service.id()),
        _ => None,
    };
    Ok(json!({
        "route": route.id,
        "origin": route.origin,
        "service": service,
        "path": String::from_utf8_lossy(&path),
        "host": question.host,
    }))
}
