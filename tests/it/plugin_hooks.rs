//! The hooks of both directions: what they are told, what is taken over of their answers, what stands in.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tandem::domain::event::Occasion;
use tandem::domain::patch::{Dispute, Hook, Op, Reopening, StoodIn, Transformation};
use tandem::plugin::{Bundled, Input, bundled};

use crate::support::plugins::{Plugged, bundle, component, input, relabelled, share};

const BOTH_WAYS: &[Hook] = &[Hook::Fields, Hook::Tags, Hook::Closure, Hook::Reopen, Hook::Conflict];

fn about(occasion: Occasion, mood: &str) -> Input {
    let ticket = BTreeMap::from([("state".to_owned(), "2".to_owned()), ("dv_state".to_owned(), "In Progress".into())]);
    Input {
        occasion,
        hooks: BOTH_WAYS,
        ticket: Some(Arc::new(ticket)),
        settings: json!({ "mood": mood }).to_string().into(),
        disputes: vec![dispute("owner"), dispute("team")],
        ..input(share(3, 3))
    }
}

fn dispute(tag: &str) -> Dispute {
    Dispute {
        tag: tag.into(),
        field: format!("u_{tag}"),
        agreed: Some("before".into()),
        incident_value: format!("{tag} here"),
        ticket_value: format!("{tag} there"),
        incident_changed: None,
        ticket_changed: Some(7),
    }
}

/// All that was answered, one line each.
fn told(answer: &Transformation) -> String {
    let mut lines: Vec<String> = answer
        .proposals
        .iter()
        .map(|proposal| {
            let what = match &proposal.op {
                Op::Set { field, value } => format!("{field} = {}", shortened(value)),
                Op::Append { field, value } => format!("{field} += {value}"),
                Op::Unset { field } => format!("{field} removed"),
                Op::SetReference(reference) => format!("{} → {}", reference.field, reference.value),
                Op::AddNote { journal, text } => format!("{} += {text}", journal.field()),
            };
            format!("{}: {what}", proposal.origin.hook.as_str())
        })
        .collect();
    lines.extend(answer.reopening.as_ref().map(|reopening| match reopening {
        Reopening::Reopen { note, origin } => format!("{}: reopen, {note}", origin.hook.as_str()),
        Reopening::Create { note, origin } => format!("{}: create, {note}", origin.hook.as_str()),
        Reopening::Leave { reason, origin } => format!("{}: leave, {reason}", origin.hook.as_str()),
    }));
    let comment = answer.closing_comment.iter();
    lines.extend(comment.map(|remark| format!("{}: comment {}", remark.origin.hook.as_str(), remark.text)));
    lines.extend(answer.settlements.iter().map(|settled| {
        let reason = settled.reason.as_deref().unwrap_or("-");
        format!("{}: {}/{} = {} ({reason})", settled.origin.hook.as_str(), settled.tag, settled.field, settled.value)
    }));
    lines.extend(answer.failures.iter().map(|failure| {
        format!("FAILED {} {}: {} [{:?}]", failure.hook.as_str(), failure.code, failure.message, failure.stood_in)
    }));
    lines.join("\n")
}

fn shortened(value: &str) -> String {
    if value.len() > 100 { format!("{} characters", value.chars().count()) } else { value.to_owned() }
}

#[test]
fn a_changed_ticket_leads_to_tags_a_comment_and_settlements() {
    let plugged = Plugged::start(&[bundle("two-way")]);
    let answer = plugged.host.transform_here(about(Occasion::TicketChanged, "well"));
    insta::assert_snapshot!(told(&answer), @r#"
    fields: u_owner = fields on ticket-changed
    fields: u_seen = nothing
    tags: u_owner = tags on ticket-changed, In Progress
    tags: u_owner += seen: nothing
    tags: gone removed
    tags: comments += the ticket changed
    reopen: reopen, back, ticket-changed
    closure: comment closed, ticket-changed
    conflict: owner/u_owner = owner here|owner there (Some("before") Some(7))
    conflict: team/u_team = team here|team there (Some("before") Some(7))
    "#);
}

#[test]
fn a_changed_incident_leads_to_operations_on_the_ticket() {
    let plugged = Plugged::start(&[bundle("two-way")]);
    for occasion in [Occasion::IncidentChanged, Occasion::Shared] {
        let answer = plugged.host.transform_here(about(occasion, "well"));
        let closing: Vec<_> = answer.proposals.iter().filter(|one| one.origin.hook == Hook::Closure).collect();
        let [closing] = closing.as_slice() else { panic!("{closing:?}") };
        assert_eq!(closing.op, Op::Set { field: "state".into(), value: "6".into() });
        let kind = if occasion == Occasion::Shared { "shared" } else { "incident-changed" };
        assert_eq!(closing.reason.as_deref(), Some(kind));
        assert_eq!(answer.closing_comment, None);
    }
}

#[test]
fn answers_that_cannot_be_used_cost_only_themselves() {
    let plugged = Plugged::start(&[bundle("two-way")]);
    let answer = plugged.host.transform_here(about(Occasion::TicketChanged, "wrong"));
    insta::assert_snapshot!(told(&answer), @r#"
    fields: u_owner = fields on ticket-changed
    fields: u_seen = nothing
    tags: right = 512 characters
    conflict: team/u_team = team here|team there (Some("before") Some(7))
    FAILED tags plugin.output: its answer can't be used: `` is no name of a tag: those have 1 to 100 plain characters [Nothing]
    FAILED tags plugin.output: its answer can't be used: the tag `empty` would have no value; unset removes a tag [Nothing]
    FAILED tags plugin.output: its answer can't be used: the tag `long` would have 513 characters; at most 512 may be [Nothing]
    FAILED tags plugin.output: its answer can't be used: the tag `bell` contains the control character U+0007 [Nothing]
    FAILED tags plugin.output: its answer can't be used: the tag `group` takes a text, and set-reference is for ticket fields [Nothing]
    FAILED tags plugin.output: its answer can't be used: the comment is empty [Nothing]
    FAILED closure plugin.output: its answer can't be used: a note of 5000 characters; at most 4000 may be [Nothing]
    FAILED reopen plugin.output: its answer can't be used: a note of 5000 characters; at most 4000 may be [Nothing]
    FAILED conflict plugin.output: its answer can't be used: the tag `owner` would have 513 characters; at most 512 may be [Nothing]
    "#);
    let answer = plugged.host.transform_here(about(Occasion::Shared, "wrong"));
    let closing = answer.proposals.iter().filter(|one| one.origin.hook == Hook::Closure).map(|one| one.op.field());
    assert_eq!(closing.collect::<Vec<_>>(), ["state"]);
}

#[test]
fn the_last_plugin_heard_wins_and_a_failing_one_leaves_it_to_the_others() {
    let twin = relabelled(bundle("two-way").bytes, |metadata| {
        metadata["id"] = json!("twin");
        metadata["phase"] = json!("finalize");
    });
    let twin = Bundled { name: "twin", bytes: twin.leak() };
    let plugged = Plugged::start_with(&[bundle("two-way"), twin], |config| {
        let id = |name| tandem::domain::id::PluginId::new(name).unwrap();
        config.config.insert(id("twin"), json!({ "mood": "panic" }));
    });
    let answer = plugged.host.transform_here(about(Occasion::TicketChanged, "well"));
    assert!(matches!(&answer.reopening, Some(Reopening::Reopen { origin, .. }) if origin.plugin.as_str() == "two-way"));
    assert_eq!(answer.closing_comment.as_ref().unwrap().text, "closed, ticket-changed");
    assert_eq!(answer.settlements.len(), 2);
    let stood_in: Vec<_> = answer.failures.iter().map(|failure| (failure.hook, failure.stood_in)).collect();
    let before = StoodIn::PreviousInChain;
    let expected = [
        (Hook::Tags, StoodIn::Nothing),
        (Hook::Closure, before),
        (Hook::Reopen, before),
        (Hook::Conflict, before),
        (Hook::Conflict, before),
    ];
    assert_eq!(stood_in, expected);

    let plugged = Plugged::start_with(&[bundle("two-way"), twin], |config| {
        let id = |name| tandem::domain::id::PluginId::new(name).unwrap();
        config.config.insert(id("twin"), json!({ "mood": "silent" }));
    });
    let answer = plugged.host.transform_here(about(Occasion::TicketChanged, "well"));
    assert!(matches!(&answer.reopening, Some(Reopening::Leave { reason, .. }) if reason == "nothing [31m to say"));
    assert_eq!(answer.closing_comment, None, "none is an answer too");
}

#[test]
fn when_nobody_answers_the_engine_is_left_to_its_own() {
    let plugged = Plugged::start(&[bundle("two-way")]);
    for (mood, failures) in [("skip", 0), ("panic", 5)] {
        let answer = plugged.host.transform_here(about(Occasion::TicketChanged, mood));
        assert_eq!((answer.reopening, answer.closing_comment, answer.settlements), (None, None, vec![]), "{mood}");
        assert_eq!(answer.failures.len(), failures, "{:?}", answer.failures);
        assert!(answer.failures.iter().all(|failure| failure.stood_in == StoodIn::Nothing));
    }
}

#[test]
fn a_replaced_bundled_plugin_stands_in_on_these_hooks_too() {
    let plugged = Plugged::start(bundled().unwrap());
    let broken = relabelled(bundle("two-way").bytes, |metadata| metadata["id"] = json!("conflict"));
    plugged.put("conflict.wasm", &broken);
    plugged.host.reload_now();
    let input = Input { hooks: &[Hook::Conflict], ..about(Occasion::TicketChanged, "panic") };
    let answer = plugged.host.transform_here(input);
    insta::with_settings!({ filters => vec![(r"lib\.rs:\d+", "lib.rs:N")] }, {
        insta::assert_snapshot!(told(&answer), @r#"
        conflict: owner/u_owner = owner there (the ticket changed last, at 1970-01-01 00:00:07 UTC; when the other side changed is not known)
        conflict: team/u_team = team there (the ticket changed last, at 1970-01-01 00:00:07 UTC; when the other side changed is not known)
        FAILED conflict plugin.panic: it panicked: in a bad mood (tests/components/two-way/src/lib.rs:N) [Bundled]
        FAILED conflict plugin.panic: it panicked: in a bad mood (tests/components/two-way/src/lib.rs:N) [Bundled]
        "#);
    });
}

#[test]
fn the_bundled_plugins_answer_with_the_settings_of_an_integration() {
    let plugged = Plugged::start(bundled().unwrap());
    let settings = json!({
        "close_code": "Solution provided", "close_code_mapping": [], "close_notes": "Resolved at {end}: {alerts}.",
        "mandatory_on_resolve": { "u_cause": "Monitoring" }, "resolved_by_email": "noc@acme.example",
        "send_closure_code": true, "reopen_resolved": true, "reopen_window": 1800,
        "tag_mapping": [{ "tag": "owner", "field": "state", "direction": "both" }]
    });
    let input = |occasion, hooks| Input { settings: settings.to_string().into(), hooks, ..about(occasion, "well") };
    let closing = plugged.host.transform_here(input(Occasion::Shared, &[Hook::Closure]));
    let back = [Hook::Tags, Hook::Closure, Hook::Reopen, Hook::Conflict];
    let back = plugged.host.transform_here(input(Occasion::TicketChanged, back.to_vec().leak()));
    insta::assert_snapshot!([told(&closing), told(&back)].join("\n"), @r#"
    closure: state = 6
    closure: close_code = Solution provided
    closure: close_notes = Resolved at 2023-11-14 22:13:20 UTC: 0 of 3 alerts are ok.
    closure: resolved_at = 2023-11-14 22:13:20
    closure: resolved_by → noc@acme.example
    closure: u_cause = Monitoring
    tags: owner = In Progress
    reopen: leave, the earlier ticket is open
    closure: comment ServiceNow ticket was resolved
    conflict: owner/u_owner = owner there (the ticket changed last, at 1970-01-01 00:00:07 UTC; when the other side changed is not known)
    conflict: team/u_team = team there (the ticket changed last, at 1970-01-01 00:00:07 UTC; when the other side changed is not known)
    "#);
}

#[test]
fn an_author_sees_what_these_hooks_answer_without_a_host() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.args(["plugin", "check"]).arg(component("two-way")).current_dir(&directory);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, answers) = text.split_once("it answers:\n").unwrap_or_else(|| panic!("{text}"));
    insta::assert_snapshot!(answers, @r#"
    fields: u_owner = "fields on shared"
    fields: u_seen = "short_description description"
    closure: state = "6"
    tags: u_owner = "tags on ticket-changed, Resolved"
    tags: u_owner += "seen: nothing"
    tags: gone is emptied
    tags: comments += "the ticket changed"
    reopen: reopen (back, ticket-changed)
    closure: comment "closed, ticket-changed"
    conflict: "of the incident|of the ticket" (None Some(1))
    "#);
    assert!(output.status.success());
}
