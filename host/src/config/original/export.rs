//! Reads an export of system properties: XML as a list's "Export → XML" writes it, or CSV with the columns `name` and
//! `value`, with the separator that a spreadsheet gave it. What the properties mean is not known here.

/// One system property. Its value may be a secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Property {
    pub name: String,
    pub value: String,
}

/// Why a file is no export of system properties.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it is not well-formed XML: {0}")]
    Xml(String),
    #[error("it is XML without a row of sys_properties")]
    OtherXml,
    #[error("line {line} of the CSV cannot be read: {reason}")]
    Csv { line: u64, reason: String },
    #[error("its first line names no column `{0}`")]
    Column(&'static str),
    #[error("it is empty")]
    Empty,
}

/// Reads a file. ServiceNow writes CSV in Windows' Latin alphabet, so bytes that aren't UTF-8 are taken as that.
pub fn read(bytes: &[u8]) -> Result<Vec<Property>, Unreadable> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let text = text.trim_start_matches('\u{feff}').trim();
    match text.chars().next() {
        None => Err(Unreadable::Empty),
        Some('<') => from_xml(text),
        Some(_) => from_csv(text),
    }
}

fn from_xml(text: &str) -> Result<Vec<Property>, Unreadable> {
    let document = roxmltree::Document::parse(text).map_err(|error| Unreadable::Xml(error.to_string()))?;
    let child = |row: roxmltree::Node<'_, '_>, name: &str| {
        let found = row.children().find(|node| node.has_tag_name(name));
        found.map(|node| node.text().unwrap_or_default().trim().to_owned())
    };
    let rows = document.descendants().filter(|node| node.has_tag_name("sys_properties"));
    let properties: Vec<_> = rows
        .filter_map(|row| Some(Property { name: child(row, "name")?, value: child(row, "value").unwrap_or_default() }))
        .collect();
    if properties.is_empty() { Err(Unreadable::OtherXml) } else { Ok(properties) }
}

fn from_csv(text: &str) -> Result<Vec<Property>, Unreadable> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(text))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let unreadable = |error: &csv::Error| Unreadable::Csv {
        line: error.position().map_or(1, csv::Position::line),
        reason: error.to_string(),
    };
    let columns = reader.headers().map_err(|error| unreadable(&error))?.clone();
    let column = |wanted: &'static str| {
        columns.iter().position(|name| name.eq_ignore_ascii_case(wanted)).ok_or(Unreadable::Column(wanted))
    };
    let (name, value) = (column("name")?, column("value")?);
    let mut properties = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(&error))?;
        let cell = |at: usize| row.get(at).unwrap_or_default().to_owned();
        if !cell(name).is_empty() {
            properties.push(Property { name: cell(name), value: cell(value) });
        }
    }
    Ok(properties)
}

/// Whichever stands most often in the first line, a comma rather than another.
fn separator(text: &str) -> u8 {
    let head = text.lines().next().unwrap_or_default();
    let count = |separator: &u8| head.bytes().filter(|byte| byte == separator).count();
    // Of several that are equal the last is taken.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
        read(bytes).map(|all| all.into_iter().map(|one| (one.name, one.value)).collect()).unwrap()
    }

    #[test]
    fn both_forms_say_the_same() {
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><unload unload_date=\"2026-11-20 10:00:00\">\
            <sys_properties action=\"INSERT_OR_UPDATE\"><name>a.b</name><value>x &amp; y</value></sys_properties>\
            <sys_properties action=\"INSERT_OR_UPDATE\"><name>a.c</name><value/></sys_properties></unload>";
        let csv = "\"name\",\"value\",\"type\"\n\"a.b\",\"x & y\",\"string\"\n\"a.c\",\"\",\"string\"\n";
        let wanted = [("a.b".to_owned(), "x & y".to_owned()), ("a.c".to_owned(), String::new())];
        assert_eq!(pairs(xml.as_bytes()), wanted);
        assert_eq!(pairs(csv.as_bytes()), wanted);
        let spreadsheet = format!("\u{feff}{}", csv.replace(',', ";").replace('\n', "\r\n"));
        assert_eq!(pairs(spreadsheet.as_bytes()), wanted);
        assert_eq!(pairs(b"name,value\ngroup,B\xfcro\n"), [("group".to_owned(), "Büro".to_owned())]);
    }

    #[test]
    fn what_is_no_export_is_refused_with_the_reason() {
        let reason = |bytes: &[u8]| read(bytes).err().map(|error| error.to_string()).unwrap();
        assert_eq!(reason(b"  "), "it is empty");
        assert_eq!(reason(b"<unload><incident/></unload>"), "it is XML without a row of sys_properties");
        assert_eq!(reason(b"key;value\n"), "its first line names no column `name`");
        assert!(reason(b"<unload><sys_properties>").starts_with("it is not well-formed XML"));
    }
}
