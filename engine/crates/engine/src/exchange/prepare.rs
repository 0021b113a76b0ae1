//! Makes a request ready to be sent: its head in canonical form into the out-buffer, behind it what of its body has
//! come; all of it where the body is whole before it goes on ([`hold`]), or was held before.

use plan::fault::FaultKind;
use wire::chunk::Decoder;
use wire::field::{Known, KnownSet, HOP_BY_HOP};
use wire::framing::Framing;

use super::downstream::{Downstream, Side};
use super::forward::Aim;
use super::hold::{self, Keep};
use super::request::Request;
use super::route::Place;
use super::upload::{Limits, Upload};
use super::write_word;
use crate::buffer::Scratch;
use crate::fault::Fault;
use crate::snapshot::route::{ProxyRun, TargetRun};

/// Writes the request as it goes upstream, and what of its body has come; all of it where it is to be whole.
pub(super) async fn prepare(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    to: &Aim<'_>,
) -> Result<Box<Upload>, Fault> {
    let http = &to.place.host.http;
    scratch.response.clear();
    let host = to.proxy.host.as_ref().map(|host| host.render(&to.place.exchange(downstream, scratch).scope()));
    let target = match &to.proxy.target {
        TargetRun::Template(target) => Some(target.render(&to.place.exchange(downstream, scratch).scope())),
        _ => None,
    };
    let method = to.proxy.method.as_ref().map(|method| method.render(&to.place.exchange(downstream, scratch).scope()));
    let Scratch { request, to_upstream: out, trailers, kept, .. } = scratch;
    let kept = kept.take().filter(|kept| to.proxy.pass_body && kept.head.0 <= out.len()).map(|upload| {
        let body = out.split_off(upload.head.0);
        (upload, body)
    });
    out.clear();
    trailers.clear();
    if host.as_ref().is_some_and(|host| !wire::request::valid_host(host)) {
        return Err(Fault::new(FaultKind::BadRequest, "what the template makes of the request is no Host"));
    }
    if http.forwarded.add.as_ref().is_some_and(|add| add.append_for) {
        wire::forwarded::append_for(&mut request.head, downstream.client.ip_text.as_bytes());
    }
    let decoded = http.path.decode;
    let method = method.as_deref().filter(|method| wire::field::is_token(method));
    let made = Made { method, host: host.as_deref(), target: target.as_deref() };
    if let Some((mut upload, body)) = kept {
        // Another route's failed before.
        upload.replay();
        if upload.bare {
            request.head.remove(b"expect");
        }
        write_request(out, request, to, decoded, &made, upload.head.1)?;
        upload.head.0 = out.len();
        out.extend_from_slice(&body);
        request.framing = Framing::UntilClose;
        return Ok(upload);
    }
    let mut upload = upload(downstream, scratch, to.place, (to.transport.write_idle_ms, to.proxy.trailers));
    let Scratch { request, to_upstream: out, held, .. } = scratch;
    let framing = std::mem::replace(&mut request.framing, Framing::UntilClose);
    if framing == Framing::UntilClose && held.is_none() {
        // What is asked now has no body: nobody waits for one.
        request.head.remove(b"expect");
        request.expects_continue = false;
    }
    if let (Some(held), true) = (held, to.proxy.pass_body) {
        let framing = Framing::Length(held.length);
        write_request(out, request, to, decoded, &made, framing)?;
        upload.head = (out.len(), framing);
        held.put(out, &mut upload);
        return Ok(upload);
    }
    let held = to.proxy.hold.filter(|_| to.proxy.pass_body);
    if upload.body_done() || (held.is_none() && to.proxy.pass_body) {
        write_request(out, request, to, decoded, &made, framing)?;
        upload.head = (out.len(), framing);
        take_what_came(downstream, scratch, &mut upload)?;
        return Ok(upload);
    }
    // The engine itself has answered it.
    request.head.remove(b"expect");
    upload.bare = true;
    let memory = held.map_or(0, |memory| usize::try_from(memory).unwrap_or(usize::MAX));
    let chunked = to.proxy.pass_body && framing == Framing::Chunked;
    if !chunked {
        let framing = if to.proxy.pass_body { framing } else { Framing::None };
        write_request(out, request, to, decoded, &made, framing)?;
        upload.head = (out.len(), framing);
    }
    let keep = Keep { memory: out.len().saturating_add(memory), discard: !to.proxy.pass_body };
    take_what_came(downstream, scratch, &mut upload)?;
    if keep.discard || !upload.body_done() {
        Box::pin(hold::collect(downstream, scratch, to.place, &mut upload, keep)).await?;
    }
    if chunked {
        // Its length is known only now; the head goes before it.
        let body = std::mem::take(&mut scratch.to_upstream);
        let Scratch { request, to_upstream: out, .. } = scratch;
        out.reserve(request.head.bytes.len() + 256 + body.len());
        let framing = Framing::Length(upload.body_bytes);
        write_request(out, request, to, decoded, &made, framing)?;
        upload.head = (out.len(), framing);
        out.extend_from_slice(&body);
    }
    Ok(upload)
}

/// The request's body on its way; what it leaves in the buffer when it fails is no request.
pub(super) fn upload(
    downstream: &Downstream,
    scratch: &mut Scratch,
    place: Place<'_>,
    (write_idle_ms, trailers): (u64, bool),
) -> Box<Upload> {
    let http = &place.host.http;
    let limits = Limits {
        body_bytes: place.route.and_then(|route| route.body_bytes).unwrap_or(http.body_bytes),
        idle_ms: http.timeouts.body_idle_ms,
        min_rate: http.timeouts.body_min_rate,
        write_idle_ms,
        trailers,
    };
    let framing = scratch.request.framing;
    // Boxed: it goes from one hand to the next.
    Box::new(match &downstream.side {
        Side::Http1(_) | Side::Inner(_) => {
            Upload::new(framing, || Decoder::new(http.chunk_line_bytes, &http.limits), &limits)
        }
        Side::Http2(_) => Upload::of_frames(framing, http.limits, &limits),
    })
}

/// Puts what of the body has come already behind what stands in the out-buffer.
pub(super) fn take_what_came(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    upload: &mut Upload,
) -> Result<(), Fault> {
    let Scratch { client: buffer, to_upstream: out, trailers, .. } = scratch;
    match &mut downstream.side {
        Side::Http1(_) => upload.fill(out, buffer, trailers),
        Side::Http2(stream) => upload.fill_from_frames(stream, out, trailers),
        Side::Inner(_) => Ok(()),
    }
}

/// What templates have made of the request.
struct Made<'a> {
    method: Option<&'a [u8]>,
    host: Option<&'a [u8]>,
    target: Option<&'a [u8]>,
}

/// The head in canonical form (RFC 9112 section 3).
fn write_request(
    out: &mut Vec<u8>,
    request: &Request,
    to: &Aim<'_>,
    decoded: bool,
    made: &Made<'_>,
    framing: Framing,
) -> Result<(), Fault> {
    let (proxy, transport) = (to.proxy, to.transport);
    out.extend_from_slice(made.method.unwrap_or_else(|| request.head.method()));
    out.push(b' ');
    write_target(out, request, proxy, decoded, made.target);
    out.extend_from_slice(if transport.http10 { b" HTTP/1.0\r\nHost: " } else { b" HTTP/1.1\r\nHost: " });
    out.extend_from_slice(made.host.unwrap_or(&request.host_field));
    out.extend_from_slice(b"\r\n");
    let skip = HOP_BY_HOP.union(KnownSet::of(&[Known::Host]));
    if proxy.pass_headers {
        request.head.write_fields(out, skip);
    } else {
        request.write_own_fields(out, skip);
    }
    match framing {
        Framing::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        Framing::Chunked if transport.http10 => {
            return Err(Fault::new(FaultKind::NotImplemented, "a chunked body cannot go to an HTTP/1.0 upstream"));
        }
        Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        Framing::None | Framing::UntilClose => {}
    }
    if request.upgrade && proxy.upgrade {
        if let Some(protocol) = request.head.get_known(Known::Upgrade) {
            out.extend_from_slice(b"Connection: Upgrade\r\nUpgrade: ");
            out.extend_from_slice(protocol);
            out.extend_from_slice(b"\r\n");
        }
    } else if transport.http10 || request.ends_upstream {
        out.extend_from_slice(b"Connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

fn write_target(out: &mut Vec<u8>, request: &Request, proxy: &ProxyRun, decoded: bool, target: Option<&[u8]>) {
    let path = |path: &[u8], out: &mut Vec<u8>| {
        if decoded {
            wire::target::encode_path(path, out);
        } else if request.rewritten {
            // The Plan's own words are in it.
            write_word(path, out);
        } else {
            out.extend_from_slice(path);
        }
    };
    match &proxy.target {
        TargetRun::Raw if !request.rewritten => return out.extend_from_slice(request.uri()),
        TargetRun::Template(_) => {
            let target = target.unwrap_or_default();
            if target.first() != Some(&b'/') {
                out.push(b'/');
            }
            return write_word(target, out);
        }
        TargetRun::Raw | TargetRun::Current => path(&request.path, out),
        TargetRun::ReplacePrefix { .. } if request.keeps_prefix => path(&request.path, out),
        TargetRun::ReplacePrefix { prefix, with } => {
            write_word(with, out);
            path(request.path.strip_prefix(prefix.as_slice()).unwrap_or(&request.path), out);
        }
    }
    // An empty query stays with a path that goes on as it came, not with one that is written anew (nginx).
    if request.has_query && !(decoded && request.query.is_empty()) {
        out.push(b'?');
        out.extend_from_slice(&request.query);
    }
}
