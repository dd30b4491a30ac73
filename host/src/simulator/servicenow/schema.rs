//! The dictionary as looked up while running: tables by name, columns by table, inheritance resolved.
//!
//! Columns can be added and removed while the simulator runs. Called by everything that touches rows. Holds always:
//! a table's columns are in ascending order of their ids, its parent's first.

use std::collections::HashMap;

use super::dictionary::{self, ColumnDef, Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ColumnId(u16);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClassId(u16);

/// Where the tables of one inheritance tree keep their rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeapId(pub(crate) usize);

/// Where a column's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Cell,
    Id,
    CreatedOn,
    CreatedBy,
    UpdatedOn,
    UpdatedBy,
    ModCount,
    ClassName,
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) id: ColumnId,
    pub(crate) name: Box<str>,
    /// `"name":`, ready to be copied into a reply.
    pub(crate) key: Box<[u8]>,
    pub(crate) label: Box<str>,
    pub(crate) kind: Kind,
    pub(crate) max_length: u32,
    /// Table that a reference points to; empty otherwise.
    pub(crate) reference: Box<str>,
    pub(crate) default: Box<str>,
    pub(crate) choice: bool,
    pub(crate) indexed: bool,
    pub(crate) read_only: bool,
    pub(crate) source: Source,
    pub(crate) table: ClassId,
}

#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub(crate) id: ClassId,
    pub(crate) name: Box<str>,
    pub(crate) label: Box<str>,
    pub(crate) parent: Option<ClassId>,
    pub(crate) heap: HeapId,
    pub(crate) columns: Vec<ColumnId>,
    by_name: HashMap<Box<str>, ColumnId>,
    defaults: Vec<(ColumnId, Box<str>)>,
    pub(crate) display: Box<str>,
    pub(crate) prefix: &'static str,
    /// This table and all that extend it.
    pub(crate) family: Vec<ClassId>,
}

impl Class {
    pub(crate) fn column_id(&self, name: &str) -> Option<ColumnId> {
        self.by_name.get(name).copied()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Schema {
    classes: Vec<Class>,
    columns: Vec<Column>,
    by_name: HashMap<Box<str>, ClassId>,
    heaps: usize,
}

impl Schema {
    pub(crate) fn build() -> Self {
        let mut schema = Self::default();
        for def in dictionary::tables() {
            schema.add_table(def);
        }
        schema
    }

    pub(crate) fn heaps(&self) -> usize {
        self.heaps
    }

    pub(crate) fn classes(&self) -> &[Class] {
        &self.classes
    }

    pub(crate) fn table(&self, name: &str) -> Option<&Class> {
        self.class(*self.by_name.get(name)?)
    }

    pub(crate) fn class(&self, id: ClassId) -> Option<&Class> {
        self.classes.get(usize::from(id.0))
    }

    pub(crate) fn column(&self, id: ColumnId) -> Option<&Column> {
        self.columns.get(usize::from(id.0))
    }

    pub(crate) fn columns_of<'a>(&'a self, class: &'a Class) -> impl Iterator<Item = &'a Column> {
        class.columns.iter().filter_map(|id| self.column(*id))
    }

    /// The column of that name in that table.
    pub(crate) fn named(&self, class: &Class, name: &str) -> Option<&Column> {
        self.column(class.column_id(name)?)
    }

    /// What a row of `class` holds in `column` while nothing is stored there.
    pub(crate) fn default_of<'a>(&'a self, class: ClassId, column: &'a Column) -> &'a str {
        self.class(class)
            .and_then(|class| class.defaults.iter().find(|(id, _)| *id == column.id))
            .map_or(&*column.default, |(_, text)| text)
    }

    /// `class` and its parents, nearest first.
    pub(crate) fn line(&self, class: ClassId) -> impl Iterator<Item = &Class> {
        std::iter::successors(self.class(class), |class| self.class(class.parent?))
    }

    fn add_table(&mut self, def: &'static dictionary::TableDef) {
        let id = ClassId(self.classes.len() as u16);
        let parent = def.parent.and_then(|name| self.table(name)).cloned();
        let root = parent.is_none();
        let heap = parent.as_ref().map_or(HeapId(self.heaps), |parent| parent.heap);
        self.heaps = self.heaps.max(heap.0 + 1);
        let mut class = Class {
            id,
            name: def.name.into(),
            label: def.label.into(),
            parent: parent.as_ref().map(|parent| parent.id),
            heap,
            columns: parent.as_ref().map(|parent| parent.columns.clone()).unwrap_or_default(),
            by_name: parent.as_ref().map(|parent| parent.by_name.clone()).unwrap_or_default(),
            defaults: parent.as_ref().map(|parent| parent.defaults.clone()).unwrap_or_default(),
            display: def.display.into(),
            prefix: def.prefix,
            family: vec![id],
        };
        if root {
            let has_children = dictionary::tables().any(|other| other.parent == Some(def.name));
            for column in dictionary::SYSTEM {
                self.push_column(&mut class, *column);
            }
            if has_children {
                self.push_column(&mut class, dictionary::CLASS_NAME);
            }
        }
        for column in def.columns {
            self.push_column(&mut class, *column);
        }
        for (name, value) in def.defaults {
            if let Some(column) = class.column_id(name) {
                class.defaults.retain(|(id, _)| *id != column);
                class.defaults.push((column, (*value).into()));
            }
        }
        let line: Vec<ClassId> =
            parent.map(|parent| self.line(parent.id).map(|class| class.id).collect()).unwrap_or_default();
        for ancestor in line {
            if let Some(ancestor) = self.classes.get_mut(usize::from(ancestor.0)) {
                ancestor.family.push(id);
            }
        }
        self.by_name.insert(def.name.into(), id);
        self.classes.push(class);
    }

    fn push_column(&mut self, class: &mut Class, def: ColumnDef) {
        let column = self.new_column(class.id, def);
        class.columns.push(column);
        class.by_name.insert(def.name.into(), column);
    }

    fn new_column(&mut self, table: ClassId, def: ColumnDef) -> ColumnId {
        let id = ColumnId(self.columns.len() as u16);
        let source = match def.name {
            "sys_id" => Source::Id,
            "sys_created_on" => Source::CreatedOn,
            "sys_created_by" => Source::CreatedBy,
            "sys_updated_on" => Source::UpdatedOn,
            "sys_updated_by" => Source::UpdatedBy,
            "sys_mod_count" => Source::ModCount,
            "sys_class_name" => Source::ClassName,
            _ => Source::Cell,
        };
        let mut key = Vec::new();
        crate::simulator::json::string(&mut key, def.name);
        key.push(b':');
        self.columns.push(Column {
            id,
            name: def.name.into(),
            key: key.into(),
            label: def.label.into(),
            kind: def.kind,
            max_length: def.max_length,
            reference: def.reference.into(),
            default: def.default.into(),
            choice: def.choice,
            indexed: def.indexed,
            read_only: def.read_only,
            source,
            table,
        });
        id
    }

    /// Adds a column to a table and those that extend it. Does nothing when the name is taken.
    pub(crate) fn add_column(&mut self, table: &str, def: ColumnDef) -> Option<ColumnId> {
        let class = self.table(table)?;
        if class.by_name.contains_key(def.name) {
            return None;
        }
        let (owner, family) = (class.id, class.family.clone());
        let column = self.new_column(owner, def);
        for member in family {
            if let Some(class) = self.classes.get_mut(usize::from(member.0)) {
                class.columns.push(column);
                class.by_name.insert(def.name.into(), column);
            }
        }
        Some(column)
    }

    /// Hides a column from a table and those that extend it; stored cells stay but are out of reach.
    pub(crate) fn remove_column(&mut self, table: &str, name: &str) -> bool {
        let Some(class) = self.table(table) else {
            return false;
        };
        let family = class.family.clone();
        let mut removed = false;
        for member in family {
            if let Some(class) = self.classes.get_mut(usize::from(member.0))
                && let Some(column) = class.by_name.remove(name)
            {
                class.columns.retain(|id| *id != column);
                removed = true;
            }
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_table_has_its_parents_columns_once_and_in_order() {
        let schema = Schema::build();
        for class in schema.classes() {
            assert!(class.columns.is_sorted(), "{}", class.name);
            let mut names: Vec<_> = schema.columns_of(class).map(|c| &c.name).collect();
            names.sort();
            let all = names.len();
            names.dedup();
            assert_eq!(all, names.len(), "{} declares a column twice", class.name);
            for column in schema.columns_of(class).filter(|c| c.kind == Kind::Reference) {
                assert!(
                    schema.table(&column.reference).is_some(),
                    "{}.{} points to {}",
                    class.name,
                    column.name,
                    column.reference
                );
            }
        }
        let incident = schema.table("incident").unwrap();
        let priority = schema.named(incident, "priority").unwrap();
        assert_eq!(schema.default_of(incident.id, priority), "5");
        assert!(schema.table("task").unwrap().family.contains(&incident.id));
    }
}
