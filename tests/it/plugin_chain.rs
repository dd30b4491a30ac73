//! What the chain of plugins answers, and that it always does.

use tandem::domain::patch::{Op, Verdict};

use crate::support::plugins::{Plugged, bundle, input, share};

#[test]
fn a_plugin_answers_all_its_hooks_from_one_event() {
    let plugged = Plugged::start(&[bundle("job")]);
    let answer = plugged.host.transform_here(input(share(3, 3)));
    assert_eq!(answer.failures, []);
    assert_eq!(answer.verdict, Verdict::Proceed);
    assert_eq!(answer.primary_alert, Some(1));
    let set = |field: &str| {
        answer.proposals.iter().find_map(|proposal| match &proposal.op {
            Op::Set { field: name, value } if name == field => Some(value.as_str()),
            _ => None,
        })
    };
    assert_eq!(set("short_description"), Some("BigPanda Incident: db-1.prod.example.com - Critical"));
    assert!(set("description").unwrap().starts_with("Alert Summary: 1 Critical, 2 Warning, 0 Resolved\n"));
    assert_eq!(set("close_notes"), Some("3 alerts resolved in BigPanda"));
}
