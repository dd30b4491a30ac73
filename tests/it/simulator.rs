//! The simulators over real HTTP, behaviour by behaviour as the vendors document it or as it was measured.
//!
//! Every test starts its own pair on free ports. The conformance table of the simulated ServiceNow is covered row by
//! row in the files below; what BigPanda promises is in `bigpanda` and `shares`.

mod bigpanda;
mod faults;
mod platform;
mod queries;
mod records;
mod rules;
mod shares;
mod size;

use std::sync::Arc;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value as Json;
use tandem::simulator::{Config, Handle, Simulator};

/// A pair of simulators and a client that knows their credentials.
struct Sim {
    handle: Handle,
    http: reqwest::Client,
}

/// Status, headers and body of an answer.
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    fn result(&self) -> Json {
        self.json()["result"].clone()
    }

    fn rows(&self) -> Vec<Json> {
        self.result().as_array().unwrap_or_else(|| panic!("no list: {}", self.text)).clone()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Message and detail of a ServiceNow refusal.
    fn error(&self) -> (String, Option<String>) {
        let error = &self.json()["error"];
        assert_eq!(self.json()["status"], "failure");
        assert!(error.as_object().unwrap().contains_key("detail"), "detail is always there");
        (error["message"].as_str().unwrap().to_owned(), error["detail"].as_str().map(str::to_owned))
    }
}

fn client() -> reqwest::Client {
    // A second installation is refused, which is fine: any provider will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn answered(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

impl Sim {
    async fn start() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        Self { handle: Simulator::start(config).await.unwrap(), http: client() }
    }

    /// A request to ServiceNow as the integration user.
    fn snow(&self, method: Method, path: &str) -> RequestBuilder {
        let access = self.handle.access().servicenow;
        self.http.request(method, format!("{}{path}", access.url)).basic_auth(access.user, Some(access.password))
    }

    async fn get(&self, path: &str) -> Answer {
        answered(self.snow(Method::GET, path)).await
    }

    async fn post(&self, path: &str, body: &Json) -> Answer {
        answered(json(self.snow(Method::POST, path), body)).await
    }

    async fn patch(&self, path: &str, body: &Json) -> Answer {
        answered(json(self.snow(Method::PATCH, path), body)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        answered(self.snow(Method::DELETE, path)).await
    }

    /// Makes an incident and gives its record.
    async fn incident(&self, fields: Json) -> Json {
        let answer = self.post("/api/now/table/incident", &fields).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.result()
    }

    /// Lists the values of one column for a query.
    async fn column(&self, table: &str, query: &str, column: &str) -> Vec<String> {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let answer = self
            .get(&format!(
                "/api/now/table/{table}?sysparm_query={query}&sysparm_fields={column}&sysparm_exclude_reference_link=true"
            ))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.rows().iter().map(|row| row[column].as_str().unwrap().to_owned()).collect()
    }

    /// A request to BigPanda with the API key.
    fn panda(&self, method: Method, path: &str) -> RequestBuilder {
        let access = self.handle.access().bigpanda;
        self.http.request(method, format!("{}{path}", access.url)).bearer_auth(access.api_key)
    }

    async fn control(&self, url: &str, body: &Json) -> Answer {
        answered(json(self.http.post(url), body)).await
    }
}

fn json(request: RequestBuilder, body: &Json) -> RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}

fn id(record: &Json) -> String {
    record["sys_id"].as_str().unwrap().to_owned()
}

/// Waits until `ready` holds; fails after ten seconds.
async fn until(what: &str, mut ready: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if ready() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("never came true: {what}");
}

/// A receiver of shares that answers as told and keeps what it got.
struct Receiver {
    url: String,
    got: Arc<std::sync::Mutex<Vec<(axum::http::HeaderMap, Json)>>>,
    answers: Arc<std::sync::Mutex<Vec<u16>>>,
}

impl Receiver {
    /// Answers with `statuses` in turn, then with 202.
    async fn start(statuses: &[u16]) -> Self {
        let got = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut reversed = statuses.to_vec();
        reversed.reverse();
        let answers = Arc::new(std::sync::Mutex::new(reversed));
        let (kept, turn) = (Arc::clone(&got), Arc::clone(&answers));
        let app = axum::Router::new().fallback(move |headers: axum::http::HeaderMap, body: String| {
            let (kept, turn) = (Arc::clone(&kept), Arc::clone(&turn));
            async move {
                kept.lock().unwrap().push((headers, serde_json::from_str(&body).unwrap()));
                let status = turn.lock().unwrap().pop().unwrap_or(202);
                axum::http::StatusCode::from_u16(status).unwrap()
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/share", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, got, answers }
    }

    fn bodies(&self) -> Vec<Json> {
        self.got.lock().unwrap().iter().map(|(_, body)| body.clone()).collect()
    }

    fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }
}
