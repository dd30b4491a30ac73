//! Settings that had another name once, and putting the new name into the text of a file.
//!
//! The reader knows the new names only; its hint leads from an old one to `tandem migrate`, which calls this.

/// Section (its last part), old name, new name.
const RENAMED: [(&str, &str, &str); 2] = [
    ("incidents", "resolve_servicenow", "resolve_servicenow_incident"),
    ("incidents", "resolve_bigpanda", "resolve_bigpanda_incident"),
];

/// The text with new names, and a line about each; comments, order and values stay as they are.
pub fn rename(text: &str) -> (String, Vec<String>) {
    let mut section = String::new();
    let mut told = Vec::new();
    let mut renamed = String::with_capacity(text.len());
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let trimmed = line.trim_start();
        if let Some(header) = trimmed.strip_prefix('[') {
            header
                .split(']')
                .next()
                .unwrap_or_default()
                .rsplit('.')
                .next()
                .unwrap_or_default()
                .clone_into(&mut section);
        }
        let key = trimmed.split(['=', ' ', '\t']).next().unwrap_or_default();
        match RENAMED.iter().find(|(within, old, _)| *within == section && *old == key) {
            Some((_, old, new)) => {
                renamed.push_str(&line.replacen(old, new, 1));
                told.push(format!("line {}: {old} is now {new}", number + 1));
            }
            None => renamed.push_str(line),
        }
    }
    (renamed, told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_in_its_section_changes() {
        let text = "# resolve_servicenow\n[integration.acme.incidents]\nresolve_servicenow = false # resolve_servicenow\r\n\
                    resolve_bigpanda=true\n[plugins.config.mine]\nresolve_servicenow = 1";
        let (renamed, told) = rename(text);
        assert_eq!(
            renamed,
            "# resolve_servicenow\n[integration.acme.incidents]\nresolve_servicenow_incident = false # resolve_servicenow\r\n\
             resolve_bigpanda_incident=true\n[plugins.config.mine]\nresolve_servicenow = 1"
        );
        assert_eq!(told.len(), 2);
        assert_eq!(rename(&renamed), (renamed.clone(), Vec::new()));
    }
}
