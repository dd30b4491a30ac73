//! Turns the terms of an encoded query into checks on one table's columns, and tries them on rows.
//!
//! Ordering and paging are in `select`. Holds always: a term on a missing column, or one that makes no sense, is
//! dropped (it then matches everything) unless the instance is set to return no rows for it.

use std::cmp::Ordering;

use super::dictionary::Kind;
use super::heap::folded;
use super::query::{Branch, Op, Query, Term};
use super::row::{Row, Value};
use super::schema::{Class, ClassId, Column, ColumnId};
use super::script::{self, Scripted};
use super::world::{Caller, World};
use crate::simulator::calendar;

/// The "Me" of dynamic reference filters.
const DYNAMIC_ME: &str = "90d1921e5f510100a9ad2572f2b477fe";

/// A column reached through references: `caller_id.manager.email`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) through: Vec<ColumnId>,
    pub(crate) last: ColumnId,
}

impl Path {
    pub(crate) fn resolve(world: &World, class: &Class, name: &str) -> Option<Self> {
        let mut class = class;
        let mut through = Vec::new();
        let mut parts = name.split('.').peekable();
        loop {
            let part = parts.next()?;
            let column = world.schema.named(class, part)?;
            if parts.peek().is_none() {
                return Some(Self { through, last: column.id });
            }
            class = world.schema.table(&column.reference)?;
            through.push(column.id);
        }
    }

    /// The row and column at the end of the path; `None` when a reference on the way is empty.
    pub(crate) fn follow<'a>(&self, world: &'a World, row: &'a Row) -> Option<(&'a Row, &'a Column)> {
        let mut row = row;
        for step in &self.through {
            let column = world.schema.column(*step)?;
            row = world.referenced(column, &world.value(row, column).text())?;
        }
        Some((row, world.schema.column(self.last)?))
    }
}

/// One term bound to a column.
#[derive(Debug)]
struct Check {
    path: Path,
    op: Op,
    /// Texts as given, after evaluating scripts; one entry unless the operator takes a list or a range.
    texts: Vec<String>,
    /// Times that went with the texts.
    times: Vec<Option<i64>>,
    other: Option<Path>,
    classes: Vec<ClassId>,
}

/// A compiled query without its ordering.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    branches: Vec<Vec<Vec<Check>>>,
    /// Nothing matches: an invalid term on an instance that is strict about them.
    nothing: bool,
}

/// What compiling needs to know about the request.
pub(crate) struct Context<'a> {
    pub(crate) world: &'a World,
    pub(crate) caller: &'a Caller,
    pub(crate) now: i64,
    /// `glide.invalid_query.returns_no_rows`.
    pub(crate) strict: bool,
}

/// How few rows have to be looked at.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Rows with one of these texts in an indexed column.
    Texts(ColumnId, Vec<String>),
    Ids(Vec<String>),
    Updated(i64, i64),
    Created(i64, i64),
    Everything,
}

impl Filter {
    pub(crate) fn compile(context: &Context<'_>, class: &Class, query: &Query) -> Self {
        let mut filter = Self::default();
        for branch in &query.branches {
            let checks = filter.branch(context, class, branch);
            filter.branches.push(checks);
        }
        filter
    }

    fn branch(&mut self, context: &Context<'_>, class: &Class, branch: &Branch) -> Vec<Vec<Check>> {
        let mut groups = Vec::new();
        for group in branch {
            let mut checks = Vec::new();
            for term in group {
                match compile(context, class, term) {
                    Some(check) => checks.push(check),
                    None => self.nothing |= context.strict,
                }
            }
            if !checks.is_empty() {
                groups.push(checks);
            }
        }
        groups
    }

    /// Whether every row matches.
    pub(crate) fn is_open(&self) -> bool {
        !self.nothing && self.branches.iter().any(Vec::is_empty)
    }

    pub(crate) fn matches(&self, world: &World, row: &Row) -> bool {
        !self.nothing
            && self
                .branches
                .iter()
                .any(|groups| groups.iter().all(|checks| checks.iter().any(|check| check.holds(world, row))))
    }

    /// The columns that the query looks at, for field rights.
    pub(crate) fn columns(&self) -> impl Iterator<Item = ColumnId> {
        self.branches.iter().flatten().flatten().map(|check| check.path.last)
    }

    /// The narrowest way to the rows of a query with a single branch.
    pub(crate) fn access(&self, world: &World, class: &Class) -> Access {
        let [groups] = self.branches.as_slice() else {
            return Access::Everything;
        };
        let heap = world.heap(class.heap);
        let mut best = Access::Everything;
        let (mut updated, mut created) = ((i64::MIN, i64::MAX), (i64::MIN, i64::MAX));
        for group in groups {
            let [check] = group.as_slice() else { continue };
            if !check.path.through.is_empty() {
                continue;
            }
            let Some(column) = world.schema.column(check.path.last) else { continue };
            let exact = matches!(check.op, Op::Equal | Op::In) && check.texts.iter().all(|text| !text.is_empty());
            match (&*column.name, exact) {
                ("sys_id", true) => return Access::Ids(check.texts.clone()),
                ("sys_updated_on", _) => check.narrow(&mut updated),
                ("sys_created_on", _) => check.narrow(&mut created),
                (_, true) if heap.is_some_and(|heap| heap.is_indexed(column.id)) => {
                    best = Access::Texts(column.id, check.texts.clone());
                }
                _ => {}
            }
        }
        if best != Access::Everything {
            best
        } else if updated != (i64::MIN, i64::MAX) {
            Access::Updated(updated.0, updated.1)
        } else if created != (i64::MIN, i64::MAX) {
            Access::Created(created.0, created.1)
        } else {
            Access::Everything
        }
    }
}

fn compile(context: &Context<'_>, class: &Class, term: &Term) -> Option<Check> {
    let path = Path::resolve(context.world, class, &term.field)?;
    let column = context.world.schema.column(path.last)?;
    let mut check = Check { path, op: term.op, texts: Vec::new(), times: Vec::new(), other: None, classes: Vec::new() };
    match term.op {
        Op::Unknown => return None,
        Op::In | Op::NotIn => {
            if term.operand.starts_with("javascript:") {
                check.add(context, &term.operand)?;
            } else {
                for part in term.operand.split(',') {
                    check.add(context, part.trim())?;
                }
            }
        }
        Op::Between => {
            for part in term.operand.split('@').take(2) {
                check.add(context, part)?;
            }
        }
        Op::On | Op::NotOn => {
            // The first part is the name shown to people: `Today@from@to`.
            for part in term.operand.split('@').skip(1).take(2) {
                check.add(context, part)?;
            }
            if check.texts.len() != 2 {
                let day = calendar::day_start(calendar::parse_stamp(&term.operand)?);
                check.texts = vec![String::new(); 2];
                check.times = vec![Some(day), Some(day + 86_399)];
            }
        }
        Op::RelativeGreater | Op::RelativeLess => check.relative(context, &term.operand)?,
        Op::SameAs
        | Op::NotSameAs
        | Op::GreaterField
        | Op::LessField
        | Op::GreaterOrEqualField
        | Op::LessOrEqualField => {
            check.other = Some(Path::resolve(context.world, class, &term.operand)?);
        }
        Op::Dynamic => {
            let id = if term.operand == DYNAMIC_ME { context.caller.id.to_string() } else { term.operand.clone() };
            check.op = Op::Equal;
            check.push(id);
        }
        Op::InstanceOf => {
            check.classes.clone_from(&context.world.schema.table(&term.operand)?.family);
        }
        Op::IsEmpty | Op::IsNotEmpty | Op::Anything => {}
        Op::Equal
        | Op::NotEqual
        | Op::Less
        | Op::LessOrEqual
        | Op::Greater
        | Op::GreaterOrEqual
        | Op::Like
        | Op::NotLike
        | Op::StartsWith
        | Op::EndsWith => {
            // `LIKE` and friends take their operand with the quotes of a search box.
            check.add(context, &term.operand)?;
            if column.kind == Kind::Boolean {
                check.texts = check.texts.iter().map(|text| boolean(text).to_owned()).collect();
            }
        }
    }
    Some(check)
}

/// `1` and `TRUE` are true.
fn boolean(text: &str) -> &str {
    if text == "1" || text.eq_ignore_ascii_case("true") {
        "true"
    } else if text == "0" || text.eq_ignore_ascii_case("false") {
        "false"
    } else {
        text
    }
}

impl Check {
    fn push(&mut self, text: String) {
        self.times.push(calendar::parse_stamp(&text));
        self.texts.push(text);
    }

    fn add(&mut self, context: &Context<'_>, text: &str) -> Option<()> {
        match script::evaluate(text, context.now, context.caller)? {
            Scripted::Text(text) => self.push(text),
            Scripted::Time(at) => {
                self.texts.push(calendar::stamp(at));
                self.times.push(Some(at));
            }
        }
        Some(())
    }

    /// `RELATIVEGT@hour@ago@1`: after one hour ago.
    fn relative(&mut self, context: &Context<'_>, operand: &str) -> Option<()> {
        let mut parts = operand.split('@').filter(|part| !part.is_empty());
        let unit = match parts.next()? {
            "minute" => 60,
            "hour" => 3_600,
            "day" | "dayofweek" => 86_400,
            "week" => 604_800,
            "month" => 2_592_000,
            "quarter" => 7_776_000,
            "year" => 31_536_000,
            _ => return None,
        };
        let ago = parts.next()? == "ago";
        let count: i64 = parts.next()?.parse().ok()?;
        let distance = if ago { -count } else { count } * unit;
        self.texts.push(String::new());
        self.times.push(Some(context.now + distance));
        Some(())
    }

    /// Cuts a time range down to what this check allows.
    fn narrow(&self, range: &mut (i64, i64)) {
        let first = self.times.first().copied().flatten();
        let last = self.times.last().copied().flatten();
        let (from, to) = match (self.op, first, last) {
            (Op::Equal, Some(at), _) => (at, at),
            (Op::Greater | Op::GreaterOrEqual | Op::RelativeGreater, Some(at), _) => (at, i64::MAX),
            (Op::Less | Op::LessOrEqual | Op::RelativeLess, Some(at), _) => (i64::MIN, at),
            (Op::Between | Op::On, Some(from), Some(to)) => (from, to),
            _ => return,
        };
        range.0 = range.0.max(from);
        range.1 = range.1.min(to);
    }

    fn holds(&self, world: &World, row: &Row) -> bool {
        let Some((row_at_end, column)) = self.path.follow(world, row) else {
            return self.on_nothing();
        };
        let value = world.value(row_at_end, column);
        let order = || self.compared(column, value, 0);
        let field_order = || self.against_field(world, row, column, value);
        let shown = |test: fn(&str, &str) -> bool| self.shown(world, row_at_end, column, value, test);
        match self.op {
            Op::IsEmpty => value.is_empty(),
            Op::IsNotEmpty => !value.is_empty(),
            Op::Anything => true,
            Op::Equal => self.equals(column, value, 0),
            Op::NotEqual => !self.equals(column, value, 0),
            Op::In => (0..self.texts.len()).any(|index| self.equals(column, value, index)),
            Op::NotIn => !(0..self.texts.len()).any(|index| self.equals(column, value, index)),
            Op::Like => shown(|text, part| text.contains(part)),
            Op::NotLike => !shown(|text, part| text.contains(part)),
            Op::StartsWith => shown(|text, part| text.starts_with(part)),
            Op::EndsWith => shown(|text, part| text.ends_with(part)),
            Op::Less | Op::RelativeLess => order() == Some(Ordering::Less),
            Op::LessOrEqual => order().is_some_and(Ordering::is_le),
            Op::Greater | Op::RelativeGreater => order() == Some(Ordering::Greater),
            Op::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
            Op::Between | Op::On => self.between(column, value),
            Op::NotOn => !self.between(column, value),
            Op::SameAs => field_order() == Some(Ordering::Equal),
            Op::NotSameAs => field_order() != Some(Ordering::Equal),
            Op::GreaterField => field_order() == Some(Ordering::Greater),
            Op::LessField => field_order() == Some(Ordering::Less),
            Op::GreaterOrEqualField => field_order().is_some_and(Ordering::is_ge),
            Op::LessOrEqualField => field_order().is_some_and(Ordering::is_le),
            Op::InstanceOf => self.classes.contains(&row_at_end.class),
            Op::Dynamic | Op::Unknown => false,
        }
    }

    /// An empty reference on the way counts as an empty value.
    fn on_nothing(&self) -> bool {
        match self.op {
            Op::IsEmpty | Op::Anything | Op::NotEqual | Op::NotIn | Op::NotLike | Op::NotSameAs | Op::NotOn => true,
            Op::Equal | Op::In => self.texts.iter().any(String::is_empty),
            Op::IsNotEmpty
            | Op::Less
            | Op::LessOrEqual
            | Op::Greater
            | Op::GreaterOrEqual
            | Op::Like
            | Op::StartsWith
            | Op::EndsWith
            | Op::Between
            | Op::SameAs
            | Op::GreaterField
            | Op::LessField
            | Op::GreaterOrEqualField
            | Op::LessOrEqualField
            | Op::On
            | Op::RelativeGreater
            | Op::RelativeLess
            | Op::Dynamic
            | Op::InstanceOf
            | Op::Unknown => false,
        }
    }

    fn text(&self, index: usize) -> &str {
        self.texts.get(index).map_or("", String::as_str)
    }

    fn equals(&self, column: &Column, value: Value<'_>, index: usize) -> bool {
        let wanted = self.text(index);
        if wanted.is_empty() {
            return value.is_empty();
        }
        match column.kind {
            Kind::Integer => match (value.number(), wanted.parse::<i64>().ok()) {
                (Some(have), Some(wanted)) => have == wanted,
                _ => false,
            },
            Kind::DateTime => value.time().is_some() && value.time() == self.times.get(index).copied().flatten(),
            Kind::Text
            | Kind::Boolean
            | Kind::Reference
            | Kind::Date
            | Kind::Duration
            | Kind::Journal
            | Kind::JournalList
            | Kind::Password
            | Kind::Guid
            | Kind::ClassName => folded(&value.text()) == folded(wanted),
        }
    }

    fn compared(&self, column: &Column, value: Value<'_>, index: usize) -> Option<Ordering> {
        if value.is_empty() {
            return None;
        }
        let wanted = self.text(index);
        match column.kind {
            Kind::Integer => Some(value.number()?.cmp(&wanted.parse().ok()?)),
            Kind::DateTime => Some(value.time()?.cmp(&self.times.get(index).copied().flatten()?)),
            Kind::Text
            | Kind::Boolean
            | Kind::Reference
            | Kind::Date
            | Kind::Duration
            | Kind::Journal
            | Kind::JournalList
            | Kind::Password
            | Kind::Guid
            | Kind::ClassName => Some(folded(&value.text()).cmp(&folded(wanted))),
        }
    }

    fn between(&self, column: &Column, value: Value<'_>) -> bool {
        self.texts.len() == 2
            && self.compared(column, value, 0).is_some_and(Ordering::is_ge)
            && self.compared(column, value, 1).is_some_and(Ordering::is_le)
    }

    /// Tries the operand as a part of the text; on a reference, of the name shown and not of the id.
    fn shown(&self, world: &World, row: &Row, column: &Column, value: Value<'_>, test: fn(&str, &str) -> bool) -> bool {
        let shown = if column.kind == Kind::Reference { world.display(row, column) } else { value.text() };
        test(&folded(&shown), &folded(self.text(0)))
    }

    fn against_field(&self, world: &World, row: &Row, column: &Column, value: Value<'_>) -> Option<Ordering> {
        let (other_row, other_column) = self.other.as_ref()?.follow(world, row)?;
        let other = world.value(other_row, other_column);
        Some(if column.kind == Kind::Integer {
            value.number().cmp(&other.number())
        } else {
            value.text().cmp(&other.text())
        })
    }
}
