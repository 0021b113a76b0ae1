//! Heads between the types of the frames' codec and [`wire::head::Head`].

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use http::header::{HeaderName, HeaderValue, CONTENT_LENGTH, DATE};
use http::{HeaderMap, Request, Response, StatusCode};
use wire::field::{Known, HOP_BY_HOP};
use wire::head::Head;
use wire::stream::Pseudo;
use wire::{HeadLimits, Refusal};

use crate::clock::Clock;

/// Name and value of every line.
pub fn lines(fields: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    fields.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
}

/// Takes a request's head over.
///
/// # Errors
/// Why it is refused.
pub fn take(head: &mut Head, request: &Request<RecvStream>, limits: &HeadLimits) -> Result<(), Refusal> {
    let uri = request.uri();
    let pseudo = Pseudo {
        method: request.method().as_str().as_bytes(),
        path: uri.path_and_query().map(|path| path.as_str().as_bytes()),
        authority: uri.authority().map(|authority| authority.as_str().as_bytes()),
    };
    wire::stream::take(head, &pseudo, lines(request.headers()), !request.body().is_end_stream(), limits)
}

/// A response with the fields of `head` that may go on; a final one (`clock`) says its date.
#[must_use]
pub fn response(status: u16, head: Option<&Head>, length: Option<u64>, clock: Option<&Clock>) -> Response<()> {
    let mut response = Response::new(());
    // Between 100 and 599, the codec and the Plan have looked.
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    if let Some(head) = head {
        *response.headers_mut() = fields(head);
    }
    let fields = response.headers_mut();
    if let Some(length) = length {
        fields.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if let Some(clock) = clock.filter(|_| !head.is_some_and(|head| head.seen.has(Known::Date))) {
        fields.insert(DATE, clock.date_value());
    }
    response
}

/// The fields that are no one connection's. Values share one copy of the head.
#[must_use]
pub fn fields(head: &Head) -> HeaderMap {
    let mut fields = HeaderMap::with_capacity(head.fields.len() + 2);
    let text: Bytes = BytesMut::from(head.bytes.as_slice()).freeze();
    for field in head.live().filter(|field| !HOP_BY_HOP.has(field.known)) {
        // Both were looked at when the head was read or the field was set.
        let name = HeaderName::from_bytes(head.text(field.name));
        let value = HeaderValue::from_maybe_shared(text.slice(field.value.range()));
        if let (Ok(name), Ok(value)) = (name, value) {
            fields.append(name, value);
        }
    }
    fields
}
