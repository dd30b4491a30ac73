//! Tag definitions and what values a tag may take.
//!
//! Called by the tag routes. Holds always: an incident carries only tags that are defined here.

use serde_json::{Value as Json, json};

use super::error::Refusal;

#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) kind: String,
    pub(crate) active: bool,
    pub(crate) values: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Definitions(Vec<Definition>);

const KINDS: &[&str] = &["Text", "MultiValue", "Priority", "ClosedListValuesMulti", "ClosedListValuesSingle"];

impl Definitions {
    pub(crate) fn seeded() -> Self {
        let mut all = Self::default();
        for (name, kind) in [
            ("servicenow_link", "Text"),
            ("servicenow_ticket", "Text"),
            ("priority", "Priority"),
            ("affected services", "MultiValue"),
        ] {
            all.0.push(Definition::new(name, kind));
        }
        if let Some(priority) = all.0.iter_mut().find(|definition| definition.kind == "Priority") {
            priority.values = (1..=5).map(|level| format!("P{level}")).collect();
        }
        all
    }

    /// Tags of loaded incidents exist already.
    pub(crate) fn ensure(&mut self, id: &str) {
        if self.get(id).is_none() {
            self.0.push(Definition { id: id.to_owned(), ..Definition::new(id, "Text") });
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Definition> {
        self.0.iter().find(|definition| definition.id == id)
    }

    pub(crate) fn list(&self, kind: Option<&str>, active: bool) -> Vec<Json> {
        self.0
            .iter()
            .filter(|definition| definition.active == active)
            .filter(|definition| kind.is_none_or(|kind| definition.kind == kind))
            .map(Definition::json)
            .collect()
    }

    pub(crate) fn create(&mut self, body: &Json) -> Result<Json, Refusal> {
        let name = body
            .get("name")
            .and_then(Json::as_str)
            .filter(|name| (1..=20).contains(&name.chars().count()))
            .ok_or_else(|| Refusal::bad("name must have 1 to 20 characters"))?;
        let kind = body.get("type").and_then(Json::as_str).unwrap_or("Text");
        if !KINDS.contains(&kind) {
            return Err(Refusal::bad(format!("type must be one of {}", KINDS.join(", "))));
        }
        if self.0.iter().any(|definition| definition.name.eq_ignore_ascii_case(name)) {
            return Err(Refusal::new(http::StatusCode::CONFLICT, format!("a tag named {name} exists")));
        }
        let mut definition = Definition::new(name, kind);
        definition.update(body);
        let json = definition.json();
        self.0.push(definition);
        Ok(json)
    }

    pub(crate) fn update(&mut self, id: &str, body: &Json) -> Result<(), Refusal> {
        self.0
            .iter_mut()
            .find(|definition| definition.id == id)
            .ok_or_else(|| Refusal::missing("NotExistTag"))?
            .update(body);
        Ok(())
    }

    /// Whether `value` may be set on the tag `id`.
    pub(crate) fn check(&self, id: &str, value: &str) -> Result<(), Refusal> {
        let definition = self.get(id).ok_or_else(|| Refusal::missing("NotExistTag"))?;
        if !definition.active {
            return Err(Refusal::bad("InactiveTag"));
        }
        let listed = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match definition.kind.as_str() {
            "MultiValue" | "ClosedListValuesMulti" if listed.is_none() => Err(Refusal::bad("TypeMismatch")),
            "Priority" | "ClosedListValuesSingle" | "ClosedListValuesMulti"
                if !definition.values.is_empty()
                    && !listed
                        .unwrap_or(value)
                        .split(',')
                        .all(|part| definition.values.iter().any(|known| known == part.trim().trim_matches('"'))) =>
            {
                Err(Refusal::bad("EnumUniqueViolationConstraint"))
            }
            _ => Ok(()),
        }
    }
}

impl Definition {
    fn new(name: &str, kind: &str) -> Self {
        Self {
            id: name.to_lowercase(),
            name: name.to_owned(),
            description: String::new(),
            kind: kind.to_owned(),
            active: true,
            values: Vec::new(),
        }
    }

    fn update(&mut self, body: &Json) {
        if let Some(active) = body.get("active").and_then(Json::as_bool) {
            self.active = active;
        }
        if let Some(text) = body.get("description").and_then(Json::as_str) {
            text.clone_into(&mut self.description);
        }
        let values = body
            .get("config")
            .and_then(|config| config.get("incident_tag_values").or_else(|| config.get("ordered_list")))
            .and_then(Json::as_array);
        if let Some(values) = values {
            self.values = values
                .iter()
                .filter_map(|value| value.as_str().or_else(|| value.get("value")?.as_str()))
                .map(str::to_owned)
                .collect();
        }
    }

    pub(crate) fn json(&self) -> Json {
        json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "type": self.kind,
            "active": self.active,
            "canManualInput": true,
            "config": { "ordered_list": false, "incident_tag_values": self.values },
        })
    }
}
