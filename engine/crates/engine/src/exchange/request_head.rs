//! The head of a request as it goes upstream, in canonical form (RFC 9112 section 3).

use plan::fault::FaultKind;
use wire::field::{Known, KnownSet, HOP_BY_HOP};
use wire::framing::Framing;

use super::forward::Aim;
use super::request::Request;
use super::write_word;
use crate::fault::Fault;
use crate::snapshot::route::{ProxyRun, TargetRun};

/// What templates have made of the request.
pub struct Made<'a> {
    pub host: Option<&'a [u8]>,
    pub target: Option<&'a [u8]>,
}

/// Writes it; `decoded` is the form of the path.
///
/// # Errors
/// The endpoint's HTTP has no way to carry the body.
pub fn write_request(
    out: &mut Vec<u8>,
    request: &Request,
    to: &Aim<'_>,
    decoded: bool,
    made: &Made<'_>,
    framing: Framing,
) -> Result<(), Fault> {
    let (proxy, transport) = (to.proxy, to.transport);
    out.extend_from_slice(proxy.method.as_deref().unwrap_or_else(|| request.head.method()));
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
    } else if transport.http10 {
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
    if request.has_query {
        out.push(b'?');
        out.extend_from_slice(&request.query);
    }
}
