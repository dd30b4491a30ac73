//! The file as ServiceNow's loader expects it, and the scripts in it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use super::*;

const MADE: Timestamp = Timestamp(1_795_000_000_000);

fn contents() -> Contents {
    Contents {
        table: "incident".to_owned(),
        incident_button: true,
        timeline_button: false,
        pull: Some(Pull {
            retrieve: "https://tandem.acme.test/integrations/acme/retrieve".to_owned(),
            callback: "https://tandem.acme.test/integrations/acme/callback".to_owned(),
        }),
        pull_count: 20,
    }
}

fn child<'a>(node: roxmltree::Node<'a, 'a>, name: &str) -> &'a str {
    let found = node.children().find(|child| child.has_tag_name(name));
    found.unwrap_or_else(|| panic!("{} has no {name}", node.tag_name().name())).text().unwrap_or("")
}

/// The payload of every update.
fn payloads(file: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(file).unwrap();
    let updates = document.root_element().children().filter(|node| node.has_tag_name("sys_update_xml"));
    updates.map(|update| child(update, "payload").to_owned()).collect()
}

#[test]
fn the_file_has_what_the_loader_expects() {
    let file = write(&contents(), MADE);
    let document = roxmltree::Document::parse(&file).unwrap();
    let root = document.root_element();
    assert!(root.has_tag_name("unload") && root.attribute("unload_date") == Some("2026-11-18 11:06:40"));
    let mut rows = root.children().filter(roxmltree::Node::is_element);
    let set = rows.next().unwrap();
    assert!(set.has_tag_name("sys_remote_update_set"));
    assert_eq!((child(set, "state"), child(set, "application")), ("loaded", "global"));
    let mut ids = BTreeSet::from([child(set, "sys_id").to_owned()]);
    let mut names = BTreeSet::new();
    for update in rows {
        assert!(update.has_tag_name("sys_update_xml") && update.attribute("action") == Some("INSERT_OR_UPDATE"));
        assert_eq!(child(update, "remote_update_set"), child(set, "sys_id"));
        for name in ["type", "target_name", "payload_hash", "update_guid", "sys_recorded_at", "update_domain"] {
            assert!(!child(update, name).is_empty(), "{name} is empty");
        }
        let payload = roxmltree::Document::parse(child(update, "payload")).unwrap();
        let record = payload.root_element();
        assert!(record.has_tag_name("record_update"));
        let row = record.first_element_child().unwrap();
        assert_eq!(Some(row.tag_name().name()), record.attribute("table"));
        assert_eq!(child(row, "sys_update_name"), child(update, "name"));
        assert_eq!(child(row, "sys_scope"), "global");
        for id in [child(update, "sys_id"), child(row, "sys_id")] {
            assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "`{id}` is no sys_id");
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
        }
        assert!(names.insert(child(update, "name").to_owned()), "{} is there twice", child(update, "name"));
    }
    assert_eq!(names.len(), 2 * COLUMNS.len() + 7 + 2 + 2);
}

#[test]
fn ids_stay_the_same_and_only_the_time_tells_two_files_apart() {
    let (one, other) = (write(&contents(), MADE), write(&contents(), Timestamp(MADE.0 + 86_400_000)));
    assert_ne!(one, other);
    let ids = |file: &str| {
        let document = roxmltree::Document::parse(file).unwrap();
        let ids = document.descendants().filter(|node| node.has_tag_name("sys_id"));
        ids.map(|node| node.text().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&one), ids(&other));
    assert_eq!(write(&contents(), MADE), one);
}

#[test]
fn the_columns_are_those_that_the_bundled_plugin_writes() {
    let source = include_str!("../../../../plugins/fields/src/columns.rs");
    let written: BTreeSet<&str> = source.split('"').filter(|text| text.starts_with("u_bp_")).collect();
    let columns: BTreeSet<&str> = COLUMNS.iter().map(|column| column.name).collect();
    assert_eq!(columns, written);
}

#[test]
fn no_credential_is_in_it_and_nothing_is_left_to_fill_in() {
    let file = write(&Contents { pull: None, ..contents() }, MADE);
    for word in ["TODO", "FIXME", "CHANGEME", "{name}", "example.com", "acme"] {
        assert!(!file.contains(word), "`{word}` is in the file");
    }
    let properties = payloads(&file);
    let properties = properties.iter().filter(|payload| payload.contains("table=\"sys_properties\""));
    let mut without = BTreeSet::new();
    for payload in properties {
        let document = roxmltree::Document::parse(payload).unwrap();
        let row = document.root_element().first_element_child().unwrap();
        assert_eq!(child(row, "is_private"), "true");
        // A second import must not empty what the operator set.
        if !row.children().any(|node| node.has_tag_name("value")) {
            without.insert(child(row, "name").to_owned());
        }
    }
    let without: Vec<_> = without.iter().map(String::as_str).collect();
    let expected =
        ["tandem.pull.callback_url", "tandem.pull.mid_server", "tandem.pull.retrieve_url", "tandem.pull.token"];
    assert_eq!(without, expected);
    let job = payloads(&file).into_iter().find(|payload| payload.contains("<sysauto_script")).unwrap();
    assert!(job.contains("<active>false</active>"), "a job without addresses runs");
}

/// Every script of the file: of the include, the job and the buttons.
fn scripts() -> Vec<String> {
    let mut scripts = Vec::new();
    for payload in payloads(&write(&contents(), MADE)) {
        let document = roxmltree::Document::parse(&payload).unwrap();
        let script = document.descendants().filter(|node| node.has_tag_name("script"));
        scripts.extend(script.map(|node| node.text().unwrap().to_owned()));
        let condition = document.descendants().filter(|node| node.has_tag_name("condition"));
        scripts.extend(condition.map(|node| format!("var shown = {};", node.text().unwrap())));
    }
    scripts
}

#[test]
fn scripts_are_what_an_old_instance_understands() {
    let scripts = scripts();
    assert_eq!(scripts.len(), 6);
    for script in &scripts {
        assert!(script.is_ascii(), "{script}");
        assert_eq!(outside_of_texts(script), Ok(()), "{script}");
    }
}

/// Walks a script outside of comments and texts: brackets close in order, and no word or sign is newer than ES5.
fn outside_of_texts(script: &str) -> Result<(), String> {
    let mut open = Vec::new();
    let mut code = String::new();
    let mut rest = script;
    while let Some(first) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").ok_or("a comment does not end")?.1;
            code.push(' ');
            continue;
        }
        if first == '\'' || first == '"' {
            let text = &rest[1..];
            let end = text.find(first).ok_or("a text does not end")?;
            if text[..end].contains(['\n', '\\']) {
                return Err(format!("a text with a line end or an escape: {}", &text[..end]));
            }
            rest = &text[end + 1..];
            code.push_str("''");
            continue;
        }
        match first {
            '(' | '[' | '{' => open.push(first),
            ')' | ']' | '}' => {
                let pair = (open.pop(), first);
                if !matches!(pair, (Some('('), ')') | (Some('['), ']') | (Some('{'), '}')) {
                    return Err(format!("a bracket closes nothing: {pair:?} after `{code}`"));
                }
            }
            '`' => return Err("a template".to_owned()),
            _ => {}
        }
        code.push(first);
        rest = &rest[first.len_utf8()..];
    }
    if !open.is_empty() {
        return Err(format!("never closed: {open:?}"));
    }
    let words: Vec<&str> = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    for new in ["let", "const", "class", "async", "await", "import", "export", "of"] {
        if words.contains(&new) {
            return Err(format!("the word `{new}` is newer than ES5"));
        }
    }
    // A comma before a closing bracket stops old engines too.
    let tight: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    for new in ["=>", "...", "**", "?.", "??", ",}", ",)", ",]"] {
        if tight.contains(new) {
            return Err(format!("`{new}` is newer than ES5"));
        }
    }
    Ok(())
}
