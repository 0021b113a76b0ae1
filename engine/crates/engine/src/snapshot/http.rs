//! `plan::http` made ready: limits, tolerances, path and forwarded policies.

use std::net::IpAddr;
use std::sync::Arc;

use plan::http::{HttpPolicy, OddNames, PathForm, QuerySemicolons, Underscores};
use route::Cidrs;
use wire::field::{known, Known, KnownSet};
use wire::target::Semicolons;
use wire::{forwarded, target, HeadLimits};

pub struct HttpRun {
    pub limits: HeadLimits,
    pub body_bytes: u64,
    pub chunk_line_bytes: usize,
    pub drop_underscores: bool,
    pub drop_odd_names: bool,
    pub path: target::Policy,
    pub forwarded: forwarded::Policy,
    trust_all: bool,
    trusted: Cidrs,
    /// Fields that stay although Connection names them.
    pub keep_listed: Vec<Vec<u8>>,
    pub timeouts: plan::http::ClientTimeouts,
    pub keepalive: plan::http::KeepAlive,
    pub http2: plan::http::Http2Limits,
}

impl HttpRun {
    /// Makes a policy ready.
    ///
    /// # Errors
    /// A network that is none.
    pub fn build(policy: &HttpPolicy) -> Result<Arc<Self>, String> {
        let mut strip = KnownSet::EMPTY;
        let mut strip_others = Vec::new();
        for name in &policy.forwarded.strip {
            match known(name.as_bytes()) {
                Known::Other => strip_others.push(name.to_ascii_lowercase().into_bytes()),
                is => strip.add(is),
            }
        }
        let underscored =
            policy.forwarded.strip.iter().map(|n| n.to_ascii_lowercase().replace('-', "_").into_bytes()).collect();
        let add = policy.forwarded.add.as_ref().map(|add| forwarded::Add {
            server: add.server.clone().into_bytes(),
            append_for: add.append_for,
            websocket_proto: add.websocket_proto,
        });
        Ok(Arc::new(Self {
            limits: HeadLimits {
                head_bytes: policy.limits.head_bytes as usize,
                target_bytes: policy.limits.target_bytes as usize,
                field_bytes: policy.limits.field_bytes as usize,
                fields: policy.limits.fields as usize,
                bare_lf: policy.tolerate.bare_lf,
                empty_host: policy.tolerate.empty_host,
            },
            body_bytes: policy.limits.body_bytes,
            chunk_line_bytes: policy.limits.chunk_line_bytes as usize,
            drop_underscores: policy.tolerate.underscores == Underscores::Drop,
            drop_odd_names: policy.tolerate.odd_names == OddNames::Drop,
            path: target::Policy {
                decode: policy.path.form == PathForm::Decoded,
                merge_slashes: policy.path.merge_slashes,
                resolve_dots: policy.path.resolve_dots,
                refuse_above_root: policy.path.refuse_above_root,
                refuse_fragment: policy.path.refuse_fragment,
                semicolons: match policy.path.query_semicolons {
                    QuerySemicolons::Keep => Semicolons::Keep,
                    QuerySemicolons::Ampersand => Semicolons::Ampersand,
                    QuerySemicolons::Encode => Semicolons::Encode,
                },
            },
            forwarded: forwarded::Policy { strip, strip_others, underscored, add },
            trust_all: policy.forwarded.trust_all,
            trusted: Cidrs::parse(&policy.forwarded.trusted).map_err(|e| e.to_string())?,
            keep_listed: policy.forwarded.keep_listed.iter().map(|n| n.to_ascii_lowercase().into_bytes()).collect(),
            timeouts: policy.timeouts.clone(),
            keepalive: policy.keepalive.clone(),
            http2: policy.http2.clone(),
        }))
    }

    /// Whether what a peer says of the client is believed.
    #[must_use]
    pub fn believes(&self, peer: IpAddr) -> bool {
        self.trust_all || (!self.trusted.is_empty() && self.trusted.contains(peer))
    }
}
