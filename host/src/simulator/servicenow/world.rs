//! All that one simulated instance stores: the schema, the rows, the choice lists, the number counters.
//!
//! Reading only sees values, references and labels; the rules of writing are in `write` and `rules`. Called under one
//! lock by every route. Holds always: what [`World::value`] gives for a column without a cell is the column's default.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::dictionary::Kind;
use super::heap::{Heap, RowNo};
use super::row::{Row, SysId, Value};
use super::schema::{Class, ClassId, Column, HeapId, Schema, Source};
use crate::simulator::calendar;

/// Who is asking.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) id: SysId,
    pub(crate) name: Arc<str>,
    pub(crate) role: Role,
}

/// What a caller may do, as far as the simulator tells callers apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Admin,
    /// Reads and writes task tables; may not query `sys_choice` nor read `sys_db_object`.
    Itil,
    /// Reads incidents only.
    IncidentRead,
    /// Logs in and sees nothing.
    None,
}

/// One entry of a choice list.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) value: Box<str>,
    pub(crate) label: Box<str>,
    pub(crate) inactive: bool,
}

/// How dates look in display values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DateDisplay {
    pub(crate) offset_seconds: i64,
    pub(crate) format: String,
}

impl Default for DateDisplay {
    fn default() -> Self {
        Self { offset_seconds: 0, format: "yyyy-MM-dd HH:mm:ss".to_owned() }
    }
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) schema: Schema,
    heaps: Vec<Heap>,
    choices: HashMap<String, Vec<Choice>>,
    pub(crate) numbers: HashMap<ClassId, u64>,
    pub(crate) dates: DateDisplay,
}

impl World {
    pub(crate) fn new(schema: Schema) -> Self {
        let mut heaps: Vec<Heap> = (0..schema.heaps()).map(|_| Heap::default()).collect();
        for class in schema.classes() {
            for column in schema.columns_of(class).filter(|column| column.indexed) {
                if let Some(heap) = heaps.get_mut(class.heap.0) {
                    heap.index(column.id);
                }
            }
        }
        Self { schema, heaps, choices: HashMap::new(), numbers: HashMap::new(), dates: DateDisplay::default() }
    }

    pub(crate) fn heap(&self, id: HeapId) -> Option<&Heap> {
        self.heaps.get(id.0)
    }

    pub(crate) fn heap_mut(&mut self, id: HeapId) -> Option<&mut Heap> {
        self.heaps.get_mut(id.0)
    }

    /// A record of `class` (or of a table that extends it) by its id.
    pub(crate) fn record(&self, class: &Class, id: SysId) -> Option<(RowNo, &Row)> {
        let heap = self.heap(class.heap)?;
        let no = heap.find(id)?;
        let row = heap.get(no)?;
        class.family.contains(&row.class).then_some((no, row))
    }

    /// What `row` holds in `column`.
    pub(crate) fn value<'a>(&'a self, row: &'a Row, column: &'a Column) -> Value<'a> {
        match column.source {
            Source::Cell => {
                Value::Text(row.cell(column.id).unwrap_or_else(|| self.schema.default_of(row.class, column)))
            }
            Source::Id => Value::Id(row.id),
            Source::CreatedOn => Value::Time(row.created),
            Source::CreatedBy => Value::Text(&row.created_by),
            Source::UpdatedOn => Value::Time(row.updated),
            Source::UpdatedBy => Value::Text(&row.updated_by),
            Source::ModCount => Value::Number(row.mods),
            Source::ClassName => Value::Text(self.schema.class(row.class).map_or("", |class| &class.name)),
        }
    }

    /// What `row` holds in the column of that name; empty when its table has none.
    pub(crate) fn named<'a>(&'a self, row: &'a Row, name: &str) -> Value<'a> {
        self.schema
            .class(row.class)
            .and_then(|class| self.schema.named(class, name))
            .map_or(Value::EMPTY, |column| self.value(row, column))
    }

    pub(crate) fn named_text<'a>(&'a self, row: &'a Row, name: &str) -> Cow<'a, str> {
        self.named(row, name).text()
    }

    /// The record that a reference points to.
    pub(crate) fn referenced(&self, column: &Column, value: &str) -> Option<&Row> {
        let class = self.schema.table(&column.reference)?;
        self.record(class, SysId::parse(value)?).map(|(_, row)| row)
    }

    /// The text that stands for a record where it is referenced.
    pub(crate) fn display_of<'a>(&'a self, row: &'a Row) -> Cow<'a, str> {
        let Some(class) = self.schema.class(row.class) else {
            return Cow::Borrowed("");
        };
        match self.schema.named(class, &class.display) {
            Some(column) if column.kind == Kind::Reference => self.display(row, column),
            Some(column) => self.value(row, column).text(),
            None => Cow::Borrowed(""),
        }
    }

    /// A column as a person sees it: labels, names, local dates, rendered journals.
    pub(crate) fn display<'a>(&'a self, row: &'a Row, column: &'a Column) -> Cow<'a, str> {
        let value = self.value(row, column);
        match column.kind {
            Kind::Reference => {
                let text = value.text();
                self.referenced(column, &text).map_or_else(
                    // The domain column holds the word "global", which is its own name.
                    || if SysId::parse(&text).is_some() { Cow::Borrowed("") } else { text.clone() },
                    |target| self.display_of(target),
                )
            }
            Kind::DateTime => match value.time() {
                Some(at) => Cow::Owned(self.display_date(at)),
                None => value.text(),
            },
            Kind::ClassName => {
                self.schema.class(row.class).map_or(Cow::Borrowed(""), |class| Cow::Borrowed(&*class.label))
            }
            Kind::Journal => Cow::Owned(self.journal_text(row.id, &[&*column.name])),
            Kind::JournalList => Cow::Owned(self.journal_text(row.id, &["comments", "work_notes"])),
            Kind::Text | Kind::Integer if column.choice => {
                let text = value.text();
                match self.choice(row.class, &column.name, |choice| *choice.value == *text) {
                    Some(choice) => Cow::Borrowed(&*choice.label),
                    None => text,
                }
            }
            Kind::Password => Cow::Borrowed(""),
            Kind::Text | Kind::Integer | Kind::Boolean | Kind::Date | Kind::Duration | Kind::Guid => value.text(),
        }
    }

    pub(crate) fn display_date(&self, at: i64) -> String {
        calendar::formatted(at + self.dates.offset_seconds, &self.dates.format)
    }

    /// The choice list of a column, from the nearest table in the line that has one.
    pub(crate) fn choices(&self, class: ClassId, column: &str) -> &[Choice] {
        self.schema
            .line(class)
            .find_map(|table| self.choices.get(&format!("{}.{column}", table.name)))
            .map_or(&[], Vec::as_slice)
    }

    pub(crate) fn choice(&self, class: ClassId, column: &str, wanted: impl Fn(&Choice) -> bool) -> Option<&Choice> {
        self.choices(class, column).iter().find(|choice| wanted(choice))
    }

    /// Reads the choice lists anew; to be called after `sys_choice` has changed.
    pub(crate) fn reload_choices(&mut self) {
        let mut choices: HashMap<String, Vec<(i64, Choice)>> = HashMap::new();
        if let Some(class) = self.schema.table("sys_choice")
            && let Some(heap) = self.heap(class.heap)
        {
            for (_, row) in heap.iter() {
                let key = format!("{}.{}", self.named_text(row, "name"), self.named_text(row, "element"));
                let sequence = self.named(row, "sequence").number().unwrap_or(0);
                choices.entry(key).or_default().push((
                    sequence,
                    Choice {
                        value: self.named_text(row, "value").into(),
                        label: self.named_text(row, "label").into(),
                        inactive: self.named_text(row, "inactive") == "true",
                    },
                ));
            }
        }
        self.choices = choices
            .into_iter()
            .map(|(key, mut list)| {
                list.sort_by_key(|(sequence, _)| *sequence);
                (key, list.into_iter().map(|(_, choice)| choice).collect())
            })
            .collect();
    }

    /// The journal rows of a record, oldest first.
    pub(crate) fn journal_rows(&self, record: SysId) -> Vec<&Row> {
        let Some(class) = self.schema.table("sys_journal_field") else {
            return Vec::new();
        };
        let (Some(heap), Some(column)) = (self.heap(class.heap), class.column_id("element_id")) else {
            return Vec::new();
        };
        heap.with_text(column, &record.to_string()).iter().filter_map(|no| heap.get(*no)).collect()
    }

    fn journal_text(&self, record: SysId, elements: &[&str]) -> String {
        let mut out = String::new();
        for entry in self.journal_rows(record).into_iter().rev() {
            let element = self.named_text(entry, "element");
            if !elements.contains(&&*element) {
                continue;
            }
            let label = if element == "comments" { "Additional comments" } else { "Work notes" };
            let author = self.user_name(&entry.created_by);
            // Writing to a string cannot fail.
            let _ = write!(
                out,
                "{} - {author} ({label})\n{}\n\n",
                self.display_date(entry.created),
                self.named_text(entry, "value")
            );
        }
        out
    }

    /// The full name of a user, or the user name when there is no such user.
    fn user_name<'a>(&'a self, user_name: &'a str) -> Cow<'a, str> {
        self.lookup("sys_user", "user_name", user_name).map_or(Cow::Borrowed(user_name), |user| self.display_of(user))
    }

    /// The first record of a table whose indexed column holds `text`.
    pub(crate) fn lookup(&self, table: &str, column: &str, text: &str) -> Option<&Row> {
        let class = self.schema.table(table)?;
        let column = class.column_id(column)?;
        let heap = self.heap(class.heap)?;
        heap.with_text(column, text).iter().filter_map(|no| heap.get(*no)).find(|row| class.family.contains(&row.class))
    }
}
