//! A request as the vendors see it, and the reply that they give: bytes, no framework types beyond headers.
//!
//! Called by `serve` (which owns sockets) and by ServiceNow's batch route, which plays requests without a socket.
//! Holds always: a handler is a plain function from [`Request`] to [`Reply`].

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;

/// One request with its body already read.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    /// Still percent-encoded.
    pub(crate) path: &'a str,
    /// Without the question mark; empty when there is none.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Bytes,
    /// `http://host:port` under which the caller reached us.
    pub(crate) base: &'a str,
}

impl Request<'_> {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn params(&self) -> Params<'_> {
        Params::parse(self.query)
    }
}

/// Decoded query parameters in the order sent.
pub(crate) struct Params<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Params<'a> {
    pub(crate) fn parse(query: &'a str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }

    /// The parameter, unless it is missing or empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Read as some clients write it: `True`, `true`, `TRUE`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value.as_ref()))
    }
}

/// Percent-decodes one path segment; a plus sign stays a plus sign.
pub(crate) fn decode_segment(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let mut out = Vec::with_capacity(segment.len());
    let mut bytes = segment.as_bytes().iter().copied();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let pair = (byte == b'%').then(|| Some((hex_digit(ahead.next()?)?, hex_digit(ahead.next()?)?))).flatten();
        if let Some((high, low)) = pair {
            out.push(high * 16 + low);
            bytes = ahead;
        } else {
            out.push(byte);
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// How the bytes of a reply reach the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All of it.
    Complete,
    /// Announced in full, cut in the middle, connection closed.
    Half,
    /// Announced in full, half sent, then silence until the caller gives up.
    Stall,
    /// Nothing: the connection is reset.
    Reset,
}

/// Status, headers and bytes of an answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) ending: Ending,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json;charset=UTF-8");

impl Reply {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new(), ending: Ending::Complete }
    }

    /// A body that already is JSON text.
    pub(crate) fn raw_json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(CONTENT_TYPE, JSON);
        Self { status, headers, body: body.into(), ending: Ending::Complete }
    }

    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        Self::raw_json(status, serde_json::to_vec(body).unwrap_or_default())
    }

    pub(crate) fn bytes(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut reply = Self::empty(status);
        reply.body = body.into();
        reply.text_header(CONTENT_TYPE, content_type);
        reply
    }

    /// Adds a header; text that HTTP forbids is left out.
    pub(crate) fn text_header(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.text_header(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn number_header(&mut self, name: &'static str, value: u64) {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_without_touching_plus_signs() {
        assert_eq!(decode_segment("affected%20services"), "affected services");
        assert_eq!(decode_segment("a+b%2Fc"), "a+b/c");
        assert_eq!(decode_segment("100%"), "100%");
        assert_eq!(decode_segment("%C3%A9"), "é");
    }
}
