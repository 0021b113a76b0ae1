//! Templates at work: parts of the Plan become bytes of one exchange.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

use plan::template::{Part, Template, Variable};
use wire::field::tokens;
use wire::head::Head;
use wire::request::split_port;

use crate::control::error::CallError;
use crate::exchange::Scope;
use crate::lookup::Asking;
use crate::snapshot::links::Links;

/// A template, ready: most are one literal.
#[derive(Debug, Clone)]
pub enum Text {
    Fixed(Vec<u8>),
    Parts(Vec<Piece>),
}

/// A part, ready.
#[derive(Debug, Clone)]
pub enum Piece {
    Part(Part),
    Lookup(Box<Asking>),
}

impl Text {
    /// Makes a template ready.
    ///
    /// # Errors
    /// The name of a part this engine cannot run yet, or a lookup or slot there is not.
    pub fn build(template: &Template, links: &Links<'_>) -> Result<Self, CallError> {
        let literals =
            template.iter().map(|part| if let Part::Literal(text) = part { Some(text.as_str()) } else { None });
        if let Some(fixed) = literals.collect::<Option<String>>() {
            return Ok(Self::Fixed(fixed.into_bytes()));
        }
        let piece = |part: &Part| {
            Ok(match part {
                Part::Lookup { table, key } => Piece::Lookup(Box::new(Asking::build(table, key, links)?)),
                Part::Secret(_) => return Err(CallError::unsupported("", "secret")),
                Part::Capture { slot, .. } | Part::NamedCapture { slot, .. } => {
                    links.slot(*slot)?;
                    Piece::Part(part.clone())
                }
                Part::Variable(Variable::RequestBody) => {
                    links.note_body();
                    Piece::Part(part.clone())
                }
                _ => Piece::Part(part.clone()),
            })
        };
        Ok(Self::Parts(template.iter().map(piece).collect::<Result<_, CallError>>()?))
    }

    pub fn write(&self, scope: &Scope<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Fixed(text) => out.extend_from_slice(text),
            Self::Parts(pieces) => {
                for piece in pieces {
                    match piece {
                        Piece::Part(part) => write_part(part, scope, out),
                        Piece::Lookup(asking) => asking.write(scope, out),
                    }
                }
            }
        }
    }

    /// The same, and what groups captured by number passes through `quote` (nginx quotes them in rewrites).
    pub fn write_quoted(&self, scope: &Scope<'_>, out: &mut Vec<u8>, quote: fn(&[u8], &mut Vec<u8>)) {
        let Self::Parts(pieces) = self else { return self.write(scope, out) };
        for piece in pieces {
            match piece {
                Piece::Part(Part::Capture { slot, group }) if *group > 0 => {
                    quote(scope.captures.borrow().group(*slot, *group).unwrap_or_default(), out);
                }
                Piece::Part(part) => write_part(part, scope, out),
                Piece::Lookup(asking) => asking.write(scope, out),
            }
        }
    }

    #[must_use]
    pub fn render(&self, scope: &Scope<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(scope, &mut out);
        out
    }
}

fn write_part(part: &Part, scope: &Scope<'_>, out: &mut Vec<u8>) {
    let joined = |head: Option<&wire::head::Head>, name: &str| head.and_then(|h| h.joined(name.as_bytes()));
    match part {
        Part::Literal(text) => out.extend_from_slice(text.as_bytes()),
        Part::Variable(variable) => write_variable(*variable, scope, out),
        Part::Header(name) => out.extend(joined(Some(&scope.request.head), name).unwrap_or_default()),
        Part::UpstreamHeader(name) => {
            let came = scope.response.and_then(|head| head.joined_as_received(name.as_bytes()));
            out.extend(came.unwrap_or_default());
        }
        Part::ResponseHeader(name) => out.extend(joined(scope.response, name).unwrap_or_default()),
        Part::Cookie(name) => out.extend_from_slice(cookie(scope, name.as_bytes()).unwrap_or_default()),
        Part::Argument(name) => {
            out.extend_from_slice(argument(&scope.request.query, name.as_bytes()).unwrap_or_default())
        }
        Part::Capture { slot, group } => {
            out.extend_from_slice(scope.captures.borrow().group(*slot, *group).unwrap_or_default())
        }
        Part::NamedCapture { slot, group } => {
            out.extend_from_slice(scope.captures.borrow().named(*slot, group).unwrap_or_default())
        }
        // A piece of its own; refused when the Plan was built.
        Part::Lookup { .. } | Part::Secret(_) => {}
    }
}

fn cookie<'a>(scope: &'a Scope<'_>, name: &[u8]) -> Option<&'a [u8]> {
    scope
        .request
        .head
        .get_all(b"cookie")
        .find_map(|line| line.split(|&b| b == b';').map(wire::field::trim).find_map(|pair| value_of(pair, name)))
}

fn argument<'a>(query: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    query.split(|&b| b == b'&').find_map(|pair| value_of(pair, name))
}

/// What stands behind `name=`, whatever the name's case.
fn value_of<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = pair.split_at_checked(name.len())?;
    rest.strip_prefix(b"=").filter(|_| head.eq_ignore_ascii_case(name))
}

fn number(out: &mut Vec<u8>, n: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

/// Seconds with three decimals.
fn seconds(out: &mut Vec<u8>, nanos: u64) {
    let millis = nanos / 1_000_000;
    let _ = write!(out, "{}.{:03}", millis / 1000, millis % 1000);
}

/// What stands after the last dot of the last segment, unless the segment begins with that dot.
fn extension(path: &[u8]) -> &[u8] {
    let last = path.rsplit(|&b| b == b'/').next().unwrap_or_default();
    match last.iter().rposition(|&b| b == b'.') {
        Some(at) if at > 0 => &last[at + 1..],
        _ => b"",
    }
}

#[allow(clippy::too_many_lines)] // A catalogue: one line a variable.
fn write_variable(variable: Variable, scope: &Scope<'_>, out: &mut Vec<u8>) {
    let (request, record, client) = (scope.request, scope.record, scope.client);
    match variable {
        Variable::ClientIp => out.extend_from_slice(client_text(scope).as_bytes()),
        Variable::PeerIp => out.extend_from_slice(client.ip_text.as_bytes()),
        Variable::ClientPort => match &request.real {
            None => number(out, client.port),
            Some(real) if real.port > 0 => number(out, real.port),
            Some(_) => {}
        },
        Variable::PeerPort => number(out, client.port),
        Variable::ClientAddress => match &request.real {
            None => out.extend_from_slice(client.address_text().as_bytes()),
            Some(real) => out.extend_from_slice(SocketAddr::new(real.ip, real.port).to_string().as_bytes()),
        },
        Variable::ServerIp => out.extend_from_slice(client.local.ip().to_string().as_bytes()),
        Variable::ServerPort => number(out, client.local.port()),
        Variable::ListenerId => out.extend_from_slice(scope.listener.as_bytes()),
        Variable::Pipelined => out.push(if client.pipelined.get() { b'p' } else { b'.' }),
        Variable::ConnectionId => number(out, client.connection_id),
        Variable::ConnectionRequests => number(out, record.connection_requests),
        Variable::Hostname => out.extend_from_slice(scope.hostname.as_bytes()),
        Variable::ProcessId => number(out, std::process::id()),
        Variable::Scheme => out.extend_from_slice(if client.tls { b"https" } else { b"http" }),
        Variable::Https => out.extend_from_slice(if client.tls { b"on" } else { b"" }),
        Variable::PortSuffix => {
            let port = client.local.port();
            if port != if client.tls { 443 } else { 80 } {
                let _ = write!(out, ":{port}");
            }
        }
        Variable::RequestId => {
            let _ = write!(out, "{:016x}{:016x}", record.id.0, record.id.1);
        }
        Variable::Method => out.extend_from_slice(request.head.method()),
        Variable::RequestTarget => out.extend_from_slice(request.head.target()),
        Variable::RequestUri => out.extend_from_slice(request.uri()),
        Variable::RequestLine => {
            out.extend_from_slice(request.method_received());
            out.push(b' ');
            out.extend_from_slice(request.head.target());
            out.push(b' ');
            write_protocol(&request.head, out);
        }
        Variable::Path => out.extend_from_slice(&request.path),
        Variable::PathExtension => out.extend(extension(&request.path).to_ascii_lowercase()),
        Variable::Query => out.extend_from_slice(&request.query),
        Variable::QueryMark => out.extend_from_slice(if request.query.is_empty() { b"" } else { b"?" }),
        Variable::Protocol => write_protocol(&request.head, out),
        Variable::Http2 if request.head.http2 => out.extend_from_slice(if client.tls { b"h2" } else { b"h2c" }),
        Variable::HostField => out.extend_from_slice(&request.host_field),
        Variable::Host => {
            out.extend_from_slice(if request.host.is_empty() {
                scope.server_name.as_bytes()
            } else {
                request.host.as_bytes()
            });
        }
        Variable::HostName => out.extend_from_slice(split_port(&request.host_field).0),
        Variable::HostOrAddress if !request.host.is_empty() => out.extend_from_slice(request.host.as_bytes()),
        Variable::HostOrAddress => match client.local.ip() {
            IpAddr::V6(address) => out.extend_from_slice(format!("[{address}]").as_bytes()),
            IpAddr::V4(address) => out.extend_from_slice(address.to_string().as_bytes()),
        },
        Variable::RequestLength => {
            out.extend_from_slice(request.head.get_known(wire::field::Known::ContentLength).unwrap_or_default())
        }
        Variable::ProxyAddForwardedFor => {
            let before = request.head.joined(b"x-forwarded-for").unwrap_or_default();
            out.extend_from_slice(&before);
            if tokens(&before).next().is_some() {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(client_text(scope).as_bytes());
        }
        Variable::ServerName => out.extend_from_slice(scope.server_name.as_bytes()),
        Variable::RouteName => out.extend_from_slice(scope.route_name.as_bytes()),
        Variable::ServiceName => out.extend_from_slice(scope.service_name.as_bytes()),
        Variable::ProxyHost => out.extend_from_slice(scope.service_host.as_bytes()),
        Variable::ProxyPort if !scope.service_host.is_empty() => {
            let https = record.endpoint.as_ref().is_some_and(|e| e.scheme == plan::service::UpstreamScheme::Https);
            let usual: &[u8] = if https { b"443" } else { b"80" };
            out.extend_from_slice(split_port(scope.service_host.as_bytes()).1.unwrap_or(usual));
        }
        Variable::UpstreamAddress => out.extend_from_slice(record.upstream_address().as_bytes()),
        Variable::UpstreamUrl => out.extend_from_slice(record.upstream_url().as_bytes()),
        Variable::RequestBody => out.extend_from_slice(&record.request_body),
        Variable::UpstreamAddresses => {
            for attempt in &record.earlier {
                out.extend_from_slice(attempt.address.as_bytes());
                out.extend_from_slice(attempt.separator.as_bytes());
            }
            match (&record.nobody, record.peer) {
                (Some(service), _) if record.endpoint.is_none() => out.extend_from_slice(service.as_bytes()),
                (_, Some(peer)) => out.extend_from_slice(peer.to_string().as_bytes()),
                _ => out.extend_from_slice(record.upstream_address().as_bytes()),
            }
        }
        Variable::UpstreamStatuses => {
            for attempt in &record.earlier {
                number(out, attempt.status);
                out.extend_from_slice(attempt.separator.as_bytes());
            }
            if record.attempt_status > 0 {
                number(out, record.attempt_status);
            }
        }
        Variable::UpstreamStatus if record.upstream_status > 0 => number(out, record.upstream_status),
        Variable::UpstreamConnectNanos if record.upstream_status > 0 => number(out, record.connect_nanos),
        Variable::UpstreamHeaderNanos if record.upstream_status > 0 => number(out, record.header_nanos),
        Variable::UpstreamResponseNanos if record.upstream_status > 0 => number(out, record.response_nanos),
        Variable::UpstreamConnectSeconds if record.upstream_status > 0 => seconds(out, record.connect_nanos),
        Variable::UpstreamHeaderSeconds if record.upstream_status > 0 => seconds(out, record.header_nanos),
        Variable::UpstreamResponseSeconds if record.upstream_status > 0 => seconds(out, record.response_nanos),
        Variable::UpstreamReceivedBytes if record.upstream_status > 0 => {
            number(out, record.upstream_head_bytes + record.upstream_bytes);
        }
        Variable::UpstreamSentBytes if record.upstream_status > 0 => number(out, record.upstream_sent_bytes),
        Variable::UpstreamResponseBytes if record.upstream_status > 0 => number(out, record.upstream_bytes),
        Variable::Retries if record.retries > 0 => number(out, record.retries),
        Variable::Status => {
            // Before it is sent, what it is going to be.
            let sent = Some(record.log_status.unwrap_or(record.status)).filter(|_| record.status > 0);
            let coming = || record.page_status.or(scope.response.map(|head| head.status).filter(|&of| of > 0));
            if let Some(status) = sent.or_else(coming) {
                number(out, status);
            }
        }
        Variable::ResponseBodyBytes => number(out, record.body_bytes),
        Variable::ResponseBytes => number(out, record.sent_bytes),
        Variable::RequestBodyBytes => number(out, record.request_body_bytes),
        Variable::RequestBytes => number(out, record.request_bytes),
        Variable::StartUtc => crate::observe::time::utc(record.started_at(), out),
        Variable::StartLocal => crate::observe::time::local(record.started_at(), out),
        Variable::TimeCommon => crate::observe::time::common(record.started_at(), out),
        Variable::TimeIso8601 => crate::observe::time::iso8601(record.started_at(), out),
        Variable::TimeMsec => crate::observe::time::msec(std::time::SystemTime::now(), out),
        Variable::DurationNanos => number(out, record.duration_nanos()),
        Variable::DurationMillis => number(out, record.duration_nanos() / 1_000_000),
        Variable::DurationSeconds => seconds(out, record.duration_nanos()),
        Variable::OverheadNanos => number(out, record.duration_nanos().saturating_sub(record.response_nanos)),
        Variable::RequestCount => number(out, record.count),
        Variable::Fault => {
            out.extend_from_slice(record.fault.as_ref().map(|f| f.cause.as_str()).unwrap_or_default().as_bytes())
        }
        Variable::TlsVersion => out.extend_from_slice(client.session.as_ref().map_or("", |s| s.version).as_bytes()),
        Variable::TlsCipher => out.extend_from_slice(client.session.as_ref().map_or("", |s| &s.cipher).as_bytes()),
        Variable::TlsServerName => {
            out.extend_from_slice(client.session.as_ref().map_or("", |s| &s.server_name).as_bytes())
        }
        Variable::TlsAlpn => out.extend_from_slice(client.session.as_ref().map_or(&[], |s| s.alpn.as_slice())),
        Variable::TlsGroup => out.extend_from_slice(client.session.as_ref().map_or("", |s| &s.group).as_bytes()),
        Variable::TlsResumed => {
            out.extend_from_slice(if client.session.as_ref().is_some_and(|s| s.resumed) { b"1" } else { b"" })
        }
        Variable::RemoteUser => {
            let credentials = request.head.get_all(b"authorization").next().and_then(crate::password::credentials);
            out.extend(credentials.map(|(user, _)| user).unwrap_or_default());
        }
        // The guarded ones have no value yet.
        Variable::Http2
        | Variable::UpstreamConnectSeconds
        | Variable::UpstreamHeaderSeconds
        | Variable::UpstreamResponseSeconds
        | Variable::ProxyPort
        | Variable::UpstreamStatus
        | Variable::UpstreamConnectNanos
        | Variable::UpstreamHeaderNanos
        | Variable::UpstreamResponseNanos
        | Variable::UpstreamReceivedBytes
        | Variable::UpstreamSentBytes
        | Variable::UpstreamResponseBytes
        | Variable::Retries => {}
    }
}

fn client_text<'a>(scope: &Scope<'a>) -> &'a str {
    scope.request.real.as_ref().map_or(&scope.client.ip_text, |real| &real.text)
}

fn write_protocol(head: &Head, out: &mut Vec<u8>) {
    out.extend_from_slice(match (head.http2, head.minor) {
        (true, _) => b"HTTP/2.0",
        (false, 0) => b"HTTP/1.0",
        (false, _) => b"HTTP/1.1",
    });
}
