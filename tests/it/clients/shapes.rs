//! What goes over the wire, byte for byte: minimal headers, documented bodies, encoded queries.

use tandem::bigpanda;
use tandem::bigpanda::Api as _;
use tandem::domain::id::{EnvironmentId, IncidentId, SysId};
use tandem::domain::share::ShareKind;
use tandem::domain::ticket::Reference;
use tandem::servicenow;
use tandem::servicenow::{Api as _, Credentials};

use super::server::{Act, Server, answer};
use super::{clock, fast, field};

fn shown(requests: &[String], server: &Server) -> String {
    let version = concat!("tandem/", env!("CARGO_PKG_VERSION"));
    requests
        .join("\n")
        .replace('\r', "")
        .replace(&server.address.to_string(), "HOST")
        .replace(version, "tandem/VERSION")
}

#[tokio::test]
async fn requests_to_servicenow() {
    let row = r#"{"result":{"sys_id":"0f1e","number":"INC0010001"}}"#;
    let rows = r#"{"result":[]}"#;
    let acts: Vec<Act> = [row, row, rows, rows, rows].map(|body| answer("200 OK", "", body)).into();
    let server = Server::acting(acts).await;
    let credentials = Credentials::Basic { user: "bot".to_owned(), password: "pw".into() };
    let client = servicenow::Client::new(servicenow::Settings::new(server.url(), credentials), clock()).unwrap();
    let id = SysId::new("0f1e").unwrap();
    client.create("incident", &[field("short_description", "é \"x\""), field("work_notes", "n")]).await;
    client.update("incident", &id, &[field("urgency", "1")]).await;
    client.find("incident", "bigpanda:65f1^2").await.unwrap();
    let group = Reference {
        field: "assignment_group".to_owned(),
        table: "sys_user_group".to_owned(),
        by: "name".to_owned(),
        value: "IT & Net".to_owned(),
    };
    client.resolve(&group).await.unwrap();
    client.has_note("incident", &id, "[t:1]").await.unwrap();
    insta::assert_snapshot!(shown(&server.requests(), &server), @r#"
    POST /api/now/table/incident?sysparm_fields=sys_id%2Cnumber%2Csys_mod_count%2Cshort_description&sysparm_exclude_reference_link=true HTTP/1.1
    authorization: Basic Ym90OnB3
    content-type: application/json
    accept: application/json
    user-agent: tandem/VERSION
    accept-encoding: gzip
    host: HOST
    content-length: 49

    {"short_description":"é \"x\"","work_notes":"n"}
    PATCH /api/now/table/incident/0f1e?sysparm_fields=sys_id%2Cnumber%2Csys_mod_count%2Curgency&sysparm_exclude_reference_link=true HTTP/1.1
    authorization: Basic Ym90OnB3
    content-type: application/json
    accept: application/json
    user-agent: tandem/VERSION
    accept-encoding: gzip
    host: HOST
    content-length: 15

    {"urgency":"1"}
    GET /api/now/table/incident?sysparm_query=correlation_id%3Dbigpanda%3A65f1%5E%5E2%5EORDERBYsys_created_on%5EORDERBYsys_id&sysparm_fields=sys_id%2Cnumber%2Ccorrelation_id&sysparm_limit=10&sysparm_exclude_reference_link=true&sysparm_suppress_pagination_header=true HTTP/1.1
    authorization: Basic Ym90OnB3
    accept: application/json
    user-agent: tandem/VERSION
    accept-encoding: gzip
    host: HOST


    GET /api/now/table/sys_user_group?sysparm_query=name%3DIT+%26+Net%5EORDERBYsys_created_on%5EORDERBYsys_id&sysparm_fields=sys_id%2Cname&sysparm_limit=2&sysparm_exclude_reference_link=true&sysparm_suppress_pagination_header=true HTTP/1.1
    authorization: Basic Ym90OnB3
    accept: application/json
    user-agent: tandem/VERSION
    accept-encoding: gzip
    host: HOST


    GET /api/now/table/sys_journal_field?sysparm_query=element_id%3D0f1e%5Ename%3Dincident%5EvalueLIKE%5Bt%3A1%5D%5EelementINwork_notes%2Ccomments%5EORDERBYDESCsys_created_on%5EORDERBYsys_id&sysparm_fields=sys_id%2Celement_id%2Cvalue&sysparm_limit=100&sysparm_exclude_reference_link=true&sysparm_suppress_pagination_header=true HTTP/1.1
    authorization: Basic Ym90OnB3
    accept: application/json
    user-agent: tandem/VERSION
    accept-encoding: gzip
    host: HOST
    "#);
}

#[tokio::test]
async fn requests_to_bigpanda() {
    let acts = vec![
        answer("200 OK", "", r#"{"status":200,"data":{}}"#),
        answer("200 OK", "", r#"[{"id":"itd-9ff5","name":"servicenow_link","type":"Text","active":true}]"#),
        answer("204 No Content", "", ""),
        answer("204 No Content", "", ""),
        answer("200 OK", "", r#"{"items":[{"type":"incident_commented","params":{"comment":"a [t:1]"}}]}"#),
    ];
    let server = Server::acting(acts).await;
    let mut settings = bigpanda::Settings::new(server.url(), "BPUkey".into(), "0123".into());
    settings.rate = fast();
    let client = bigpanda::Client::new(settings, clock()).unwrap();
    let environment = EnvironmentId::new("63bd568809cb331300ff0001").unwrap();
    let incident = IncidentId::new("65f1").unwrap();
    client.callback(&incident, ShareKind::New).await;
    client.set_tag(&environment, &incident, "servicenow_link", "https://x").await;
    client.comment(&environment, &incident, "a [t:1]").await;
    assert_eq!(client.has_comment(&incident, "[t:1]").await, Ok(true));
    insta::assert_snapshot!(shown(&server.requests(), &server), @r#"
    POST /resources/v2.1/outbound/callback HTTP/1.1
    authorization: Bearer BPUkey
    content-type: application/json
    accept: application/json
    user-agent: tandem/VERSION
    accept-encoding: gzip
    host: HOST
    content-length: 67

    {"event_type":"incident#new","incident_id":"65f1","app_key":"0123"}
    GET /resources/v2.0/incidents/tags/definitions HTTP/1.1
    authorization: Bearer BPUkey
    accept: application/json
    user-agent: tandem/VERSION
    accept-encoding: gzip
    host: HOST


    POST /resources/v2.0/environments/63bd568809cb331300ff0001/incidents/65f1/tags/itd-9ff5 HTTP/1.1
    authorization: Bearer BPUkey
    content-type: application/json
    accept: application/json
    user-agent: tandem/VERSION
    accept-encoding: gzip
    host: HOST
    content-length: 25

    {"tag_value":"https://x"}
    POST /resources/v2.0/environments/63bd568809cb331300ff0001/incidents/65f1/comments HTTP/1.1
    authorization: Bearer BPUkey
    content-type: application/json
    accept: application/json
    user-agent: tandem/VERSION
    accept-encoding: gzip
    host: HOST
    content-length: 21

    {"comment":"a [t:1]"}
    GET /resources/v2.0/incidents/65f1/activities?types=incident_commented&per_page=100 HTTP/1.1
    authorization: Bearer BPUkey
    accept: application/json
    user-agent: tandem/VERSION
    accept-encoding: gzip
    host: HOST
    "#);
}
