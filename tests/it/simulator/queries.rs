//! The query language, paging and order of lists.

use std::collections::HashSet;

use serde_json::json;

use super::{Sim, answered};
use tandem::simulator::TieOrder;

/// Five incidents that differ in everything the queries below look at.
async fn five(sim: &Sim) {
    for (name, extra) in [
        ("alpha disk full", json!({"urgency": "1", "impact": "1", "category": "hardware", "caller_id": "Abel Tuter"})),
        ("Beta DISK slow", json!({"urgency": "2", "impact": "1", "assignment_group": "Database"})),
        ("gamma^caret", json!({"urgency": "2", "impact": "2", "correlation_id": "corr-3"})),
        (
            "delta network",
            json!({"urgency": "3", "impact": "3", "assignment_group": "Network", "caller_id": "Beth Anglin"}),
        ),
        ("epsilon", json!({"urgency": "3", "impact": "1", "description": "disk, again", "state": "2"})),
    ] {
        let mut fields = extra;
        fields["short_description"] = json!(name);
        sim.incident(fields).await;
    }
}

#[tokio::test]
async fn every_operator_selects_what_it_says() {
    let sim = Sim::start().await;
    five(&sim).await;
    // Names are shortened to their first letter.
    for (query, expected) in [
        ("urgency=1", "a"),
        ("urgency!=3", "aBg"),
        ("urgency<2", "a"),
        ("urgency<=2", "aBg"),
        ("urgency>2", "de"),
        ("urgency>=2", "Bgde"),
        ("short_descriptionLIKEdisk", "aB"),
        ("short_descriptionCONTAINSdisk", "aB"),
        ("short_description*disk", "aB"),
        ("short_descriptionNOT LIKEdisk", "gde"),
        ("short_description!*disk", "gde"),
        ("short_descriptionSTARTSWITHde", "d"),
        ("short_descriptionENDSWITHnetwork", "d"),
        ("short_description%network", "d"),
        ("urgencyIN1,3", "ade"),
        ("urgencyNOT IN1,3", "Bg"),
        ("assignment_groupISEMPTY", "age"),
        ("assignment_group=", "age"),
        ("assignment_groupISNOTEMPTY", "Bd"),
        ("urgencyANYTHING", "aBgde"),
        ("urgencyBETWEEN2@3", "Bgde"),
        ("urgencySAMEASimpact", "agd"),
        ("urgencyNSAMEASimpact", "Be"),
        ("urgencyGT_FIELDimpact", "Be"),
        ("caller_id.user_name=abel.tuter", "a"),
        ("caller_id.nameSTARTSWITHBeth", "d"),
        ("caller_idLIKETuter", "a"),
        ("caller_idSTARTSWITHBeth", "d"),
        ("assignment_group.name=Network", "d"),
        ("short_description=gamma^^caret", "g"),
        ("urgency=1^ORurgency=2", "aBg"),
        ("impact=1^urgency=1^ORurgency=2", "aB"),
        ("impact=3^NQurgency=1", "ad"),
        ("impact=1^NQimpact=2^EQ", "aBge"),
        ("correlation_id=corr-3", "g"),
        ("correlation_idINcorr-3,nothing", "g"),
        ("sys_created_on>javascript:gs.daysAgoStart(1)", "aBgde"),
        ("sys_created_onONToday@javascript:gs.beginningOfToday()@javascript:gs.endOfToday()", "aBgde"),
        ("sys_created_on<javascript:gs.hoursAgo(1)", ""),
        ("sys_created_onRELATIVEGT@hour@ago@1", "aBgde"),
        ("sys_created_onRELATIVELT@hour@ago@1", ""),
        ("opened_by=javascript:gs.getUserID()", "aBgde"),
        ("opened_byDYNAMIC90d1921e5f510100a9ad2572f2b477fe", "aBgde"),
        ("sys_class_nameINSTANCEOFtask", "aBgde"),
        ("state=NOT_A_NUMBER", ""),
        ("state==1", ""),
        ("priority=1", "a"),
        ("active=true", "aBgde"),
        ("active=false", ""),
    ] {
        let mut names = sim.column("incident", &format!("{query}^ORDERBYnumber"), "short_description").await;
        names.iter_mut().for_each(|name| name.truncate(1));
        assert_eq!(names.concat(), expected, "{query}");
    }
}

#[tokio::test]
async fn an_invalid_condition_selects_the_whole_table_unless_the_instance_is_strict() {
    let sim = Sim::start().await;
    five(&sim).await;
    for query in ["no_such_field=banana", "^^^", "urgencyWOBBLES1", "caller_id.no_such=1"] {
        assert_eq!(sim.column("incident", query, "number").await.len(), 5, "{query}");
    }
    assert_eq!(sim.column("incident", "no_such_field=banana^urgency=1", "number").await.len(), 1);
    sim.handle.configure(|settings| settings.invalid_query_returns_no_rows = true);
    assert_eq!(sim.column("incident", "no_such_field=banana", "number").await.len(), 0);
}

#[tokio::test]
async fn plain_parameters_filter_by_value_label_and_name_and_an_empty_one_means_empty() {
    let sim = Sim::start().await;
    five(&sim).await;
    for (parameters, expected) in [
        ("urgency=1", 1),
        ("state=In%20Progress", 1),
        ("caller_id=Abel+Tuter", 1),
        ("caller_id=abel.tuter", 1),
        ("correlation_id=corr-3", 1),
        ("correlation_id=", 4),
        ("correlation_id=corr-3&sysparm_query=urgency=3", 0),
        ("correlation_id=corr-3&sysparm_query=ORDERBYDESCsys_created_on", 1),
        ("sysparm_query_category=x&sysparm_unheard_of=1", 5),
    ] {
        let answer = sim.get(&format!("/api/now/table/incident?{parameters}")).await;
        assert_eq!(answer.rows().len(), expected, "{parameters}");
    }
}

#[tokio::test]
async fn order_follows_each_key_in_turn() {
    let sim = Sim::start().await;
    five(&sim).await;
    let up = sim.column("incident", "ORDERBYurgency^ORDERBYDESCnumber", "short_description").await;
    assert_eq!(up, ["alpha disk full", "gamma^caret", "Beta DISK slow", "epsilon", "delta network"]);
    let groups =
        sim.column("incident", "assignment_groupISNOTEMPTY^ORDERBYDESCassignment_group", "short_description").await;
    assert_eq!(groups, ["delta network", "Beta DISK slow"], "references sort by the name shown");
}

#[tokio::test]
async fn pages_carry_the_total_and_links_that_can_be_followed() {
    let sim = Sim::start().await;
    sim.handle.bulk("incident", 25, &[("category".to_owned(), "network".to_owned())].into()).unwrap();
    let mut path = "/api/now/table/incident?sysparm_query=category=network^ORDERBYnumber&sysparm_limit=10".to_owned();
    let mut seen = Vec::new();
    let mut pages = 0;
    loop {
        let answer = sim.get(&path).await;
        assert_eq!(answer.header("x-total-count"), Some("25"));
        seen.extend(answer.rows().iter().map(super::id));
        pages += 1;
        let links = answer.header("link").expect("three pages have links").to_owned();
        let rels: Vec<&str> = links.split("rel=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let expected: &[&str] = match pages {
            1 => &["first", "next", "last"],
            2 => &["first", "prev", "next", "last"],
            _ => &["first", "prev", "last"],
        };
        assert_eq!(rels, expected);
        assert!(links.contains("sysparm_offset=20>;rel=\"last\""), "{links}");
        let Some(next) = links.split(',').find(|link| link.ends_with("rel=\"next\"")) else { break };
        let url = next.trim_start_matches('<').split('>').next().unwrap();
        path = url.strip_prefix(&sim.handle.servicenow_url()).expect("links are absolute").to_owned();
    }
    assert_eq!((pages, seen.len(), seen.iter().collect::<HashSet<_>>().len()), (3, 25, 25));
}

#[tokio::test]
async fn headers_of_a_list_can_be_switched_off() {
    let sim = Sim::start().await;
    sim.handle.bulk("incident", 12, &[].into()).unwrap();
    let one_page = sim.get("/api/now/table/incident?sysparm_limit=100").await;
    assert_eq!(one_page.header("link"), None, "one page holds everything");
    let quiet = sim.get("/api/now/table/incident?sysparm_limit=5&sysparm_suppress_pagination_header=True").await;
    assert_eq!((quiet.header("link"), quiet.header("x-total-count")), (None, Some("12")));
    let uncounted = sim.get("/api/now/table/incident?sysparm_limit=5&sysparm_no_count=TRUE").await;
    assert_eq!(uncounted.header("x-total-count"), None);
    assert!(!uncounted.header("link").unwrap().contains("last"));
    let empty = sim.get("/api/now/table/incident?sysparm_query=number=nothing").await;
    assert_eq!((empty.text.as_str(), empty.header("x-total-count")), ("{\"result\":[]}", Some("0")));
    let beyond = sim.get("/api/now/table/incident?sysparm_offset=50&sysparm_limit=5").await;
    assert_eq!(beyond.rows().len(), 0);
    assert_eq!(sim.get("/api/now/table/incident?sysparm_offset=-1").await.status, 400);
}

#[tokio::test]
async fn a_list_gives_ten_thousand_rows_unless_told_otherwise() {
    let sim = Sim::start().await;
    sim.handle.bulk("incident", 10_005, &[].into()).unwrap();
    let answer = sim.get("/api/now/table/incident?sysparm_fields=number").await;
    assert_eq!((answer.rows().len(), answer.header("x-total-count")), (10_000, Some("10005")));
}

#[tokio::test]
async fn rows_tied_on_the_order_move_between_requests_until_sys_id_ends_the_chain() {
    let sim = Sim::start().await;
    sim.handle.servicenow_clock().freeze(1_767_225_600);
    sim.handle.bulk("incident", 60, &[].into()).unwrap();
    let tied = "ORDERBYsys_updated_on";
    let (first, second) = (sim.column("incident", tied, "sys_id").await, sim.column("incident", tied, "sys_id").await);
    assert_ne!(first, second);
    let total = "ORDERBYsys_updated_on^ORDERBYsys_id";
    let stable = sim.column("incident", total, "sys_id").await;
    assert!(stable.is_sorted());
    assert_eq!(stable, sim.column("incident", total, "sys_id").await);
    // The naive pager over ties loses rows.
    let mut seen = HashSet::new();
    for offset in (0..60).step_by(10) {
        let page = sim
            .get(&format!("/api/now/table/incident?sysparm_query={tied}&sysparm_fields=sys_id&sysparm_limit=10&sysparm_offset={offset}"))
            .await;
        seen.extend(page.rows().iter().map(super::id));
    }
    assert!(seen.len() < 60, "a naive pager should not get away with it");
    sim.handle.configure(|settings| settings.tie_order = TieOrder::Stable);
    assert_eq!(sim.column("incident", tied, "sys_id").await, sim.column("incident", tied, "sys_id").await);
}

#[tokio::test]
async fn a_parent_table_lists_the_records_of_those_that_extend_it() {
    let sim = Sim::start().await;
    let incident = sim.incident(json!({"short_description": "x"})).await;
    sim.post("/api/now/table/change_request", &json!({"short_description": "x"})).await;
    let classes = sim.column("task", "short_description=x^ORDERBYsys_class_name", "sys_class_name").await;
    assert_eq!(classes, ["change_request", "incident"]);
    let through_task = sim.get(&format!("/api/now/table/task/{}", super::id(&incident))).await;
    assert_eq!(through_task.result()["number"], incident["number"]);
    assert!(sim.column("cmdb_ci", "name=srv1-us1-prod", "sys_class_name").await == ["cmdb_ci_linux_server"]);
}

#[tokio::test]
async fn queries_arrive_in_every_spelling_that_clients_use() {
    let sim = Sim::start().await;
    sim.incident(json!({"short_description": "two words"})).await;
    for query in [
        "sysparm_query=short_description=two+words^ORDERBYnumber",
        "sysparm_query=short_description=two%20words%5EORDERBYnumber",
        "sysparm_query=short_description%3Dtwo%20words",
        "sysparm_query=short_description%3Dtwo%20words&sysparm_fields=&sysparm_view=",
    ] {
        let access = sim.handle.access().servicenow;
        let request = sim
            .http
            .get(format!("{}/api/now/table/incident?{query}", access.url))
            .basic_auth(access.user, Some(access.password))
            .header("accept", "*/*")
            .header("content-type", "application/json")
            .header("accept-encoding", "gzip, deflate");
        assert_eq!(answered(request).await.rows().len(), 1, "{query}");
    }
}
