//! One instance of a vendor, as the transport sees it: breaker, exchange, and the outcome of everything but success.
//!
//! The client above says how the vendor words its errors and makes sense of successful bodies.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{
    Answer, Breaker, Call, Content, Http, Sent, Settings, SetupError, Standing, Trouble, Verdict, cut, redact,
    standing, wait_asked,
};
use crate::clock::Clock;
use crate::domain::outcome::{Failure, Outcome};
use crate::domain::secret::Secret;

/// What an error's body says, in the vendor's terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explained {
    pub detail: Option<String>,
    pub hint: Option<String>,
}

/// How a vendor is named and how it words its errors.
#[derive(Debug, Clone, Copy)]
pub struct Vendor {
    /// For people, such as `ServiceNow`.
    pub name: &'static str,
    /// First word of the codes, such as `servicenow`.
    pub prefix: &'static str,
    pub explain: fn(StatusCode, &[u8]) -> Explained,
}

/// One instance of a vendor.
pub struct Peer {
    vendor: Vendor,
    http: Http,
    breaker: Breaker,
    settings: Settings,
    clock: Arc<dyn Clock>,
    secrets: Vec<Secret>,
}

/// A 2xx answer with its whole body.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// A page for people instead of data.
    pub html: bool,
}

impl Peer {
    pub fn new(
        vendor: Vendor,
        settings: Settings,
        clock: Arc<dyn Clock>,
        secrets: Vec<Secret>,
    ) -> Result<Self, SetupError> {
        let http = Http::new(&settings)?;
        let breaker = Breaker::new(settings.breaker);
        Ok(Self { vendor, http, breaker, settings, clock, secrets })
    }

    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Makes one exchange. Everything but a 2xx with a whole body is an outcome already.
    pub async fn ask(&self, call: Call) -> Result<Reply, Outcome> {
        if let Err(wait) = self.breaker.enter(self.clock.elapsed()) {
            let summary = format!("{} failed again and again; Tandem leaves it alone for a moment", self.vendor.name);
            return Err(Outcome::Paused { failure: failure("transport.breaker", summary), wait });
        }
        let authorization = call.authorization.clone();
        let sent = self.http.send(call).await;
        let ill = match &sent {
            Ok(answer) => answer.status.as_u16() >= 501 || matches!(answer.body, Content::Broken(_)),
            Err(_) => true,
        };
        self.breaker.leave(if ill { Verdict::Ill } else { Verdict::Well }, self.clock.elapsed());
        let answer = sent.map_err(|trouble| self.troubled(&trouble))?;
        let token =
            authorization.as_ref().and_then(|value| value.to_str().ok()?.split_once(' ')).map(|(_, token)| token);
        self.judge(answer, token)
    }

    fn troubled(&self, trouble: &Trouble) -> Outcome {
        let mut failure = trouble.failure(self.vendor.name);
        failure.detail = failure.detail.map(|detail| self.clean(&detail, None));
        match trouble.sent {
            // Only what the original documents is tried again, and it never mentions time-outs.
            _ if self.settings.documented_only && trouble.errno == Some("ETIMEDOUT") => Outcome::Refused(failure),
            Sent::No => Outcome::NotApplied(failure),
            Sent::Maybe => Outcome::Unknown(failure),
        }
    }

    fn judge(&self, answer: Answer, token: Option<&str>) -> Result<Reply, Outcome> {
        let html = answer.is_html();
        let Answer { status, headers, body } = answer;
        let standing = standing(status, &self.settings);
        if standing == Standing::Done {
            return match body {
                Content::Whole(body) => Ok(Reply { status, headers, body, html }),
                Content::Broken(trouble) => {
                    let failure = trouble.failure(self.vendor.name);
                    Err(Outcome::Unknown(Failure { status: Some(status.as_u16()), ..failure }))
                }
                Content::TooLarge => {
                    let limit = self.settings.max_answer / (1024 * 1024);
                    let summary = format!("{} answered with more than {limit} MiB", self.vendor.name);
                    let failure = self.coded("too-large", summary);
                    Err(Outcome::Unknown(Failure { status: Some(status.as_u16()), ..failure }))
                }
            };
        }
        let explained = match &body {
            Content::Whole(body) if html => Explained { detail: page_title(body), hint: None },
            Content::Whole(body) => (self.vendor.explain)(status, body),
            Content::Broken(_) | Content::TooLarge => Explained::default(),
        };
        let word = match standing {
            Standing::Credentials => "auth",
            Standing::Gone => "missing",
            Standing::Pause => "busy",
            Standing::Later | Standing::Unsure => "unavailable",
            Standing::Final | Standing::Done => "refused",
        };
        let failure = Failure {
            status: Some(status.as_u16()),
            detail: explained.detail.map(|detail| self.clean(&detail, token)),
            hint: explained.hint,
            ..self.coded(word, format!("{} answered {status}", self.vendor.name))
        };
        Err(match standing {
            Standing::Credentials => Outcome::Auth(failure),
            Standing::Gone => Outcome::Missing(failure),
            Standing::Pause => {
                let wait = wait_asked(&headers, self.clock.now()).unwrap_or(self.settings.cooldown);
                Outcome::Paused { failure, wait }
            }
            Standing::Later => Outcome::NotApplied(failure),
            Standing::Unsure => Outcome::Unknown(failure),
            Standing::Final | Standing::Done => Outcome::Refused(failure),
        })
    }

    /// A text of the other side as people may see it.
    pub fn clean(&self, text: &str, token: Option<&str>) -> String {
        let secrets: Vec<&str> = self.secrets.iter().map(|secret| secret.expose().as_str()).chain(token).collect();
        cut(&redact(text, &secrets))
    }

    /// A failure with this vendor's code.
    pub fn coded(&self, word: &str, summary: String) -> Failure {
        failure(&format!("{}.{word}", self.vendor.prefix), summary)
    }

    /// How long to leave the instance alone when it names no time.
    pub fn cooldown(&self) -> Duration {
        self.settings.cooldown
    }
}

fn failure(code: &str, summary: String) -> Failure {
    Failure { code: code.to_owned(), errno: None, status: None, summary, detail: None, hint: None }
}

/// The title of a page for people.
pub fn page_title(page: &[u8]) -> Option<String> {
    let page = String::from_utf8_lossy(page.get(..page.len().min(16 * 1024))?);
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let length = lower.get(start..)?.find("</title>")?;
    let title = page.get(start..start + length)?.trim();
    (!title.is_empty()).then(|| format!("a web page titled “{title}”"))
}
