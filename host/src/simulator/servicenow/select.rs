//! Finds the rows of a query, puts them in order, cuts out a page.
//!
//! Called by the table, aggregate and attachment routes. Holds always: the total counts every matching row however
//! small the page; rows that the ordering leaves equal come in another order for each request when the instance is
//! set so, as a real one may do.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::dictionary::Kind;
use super::filter::{Access, Filter, Path};
use super::heap::RowNo;
use super::query::Query;
use super::row::{Row, SysId};
use super::schema::Class;
use super::world::World;
use crate::simulator::random;

/// What rows that the query leaves equal do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TieOrder {
    /// Order of creation, always.
    Stable,
    /// Another order for each request among rows tied on an explicit ordering; creation order without one.
    #[default]
    Shuffled,
    /// Another order for each request, with or without an ordering.
    AlwaysShuffled,
}

/// A part of the result and the size of the whole.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) rows: Vec<RowNo>,
    pub(crate) total: usize,
}

/// One sort key of one row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Nothing,
    Number(i64),
    Id(u128),
    Text(String),
}

pub(crate) fn matching(world: &World, class: &Class, filter: &Filter) -> Vec<RowNo> {
    let Some(heap) = world.heap(class.heap) else {
        return Vec::new();
    };
    let wanted =
        |no: RowNo| heap.get(no).is_some_and(|row| class.family.contains(&row.class) && filter.matches(world, row));
    let few = |mut rows: Vec<RowNo>| {
        rows.sort_unstable();
        rows.dedup();
        rows.retain(|no| wanted(*no));
        rows
    };
    match filter.access(world, class) {
        Access::Ids(ids) => few(ids.iter().filter_map(|id| heap.find(SysId::parse(id)?)).collect()),
        Access::Texts(column, texts) => {
            few(texts.iter().flat_map(|text| heap.with_text(column, text)).copied().collect())
        }
        Access::Updated(from, to) => few(heap.updated_within(from, to).collect()),
        Access::Created(from, to) => few(heap.created_within(from, to).collect()),
        Access::Everything if filter.is_open() => {
            heap.iter().filter(|(_, row)| class.family.contains(&row.class)).map(|(no, _)| no).collect()
        }
        Access::Everything => heap
            .iter()
            .filter(|(_, row)| class.family.contains(&row.class) && filter.matches(world, row))
            .map(|(no, _)| no)
            .collect(),
    }
}

/// Orders by the query and cuts `[offset, offset + limit)` out.
pub(crate) fn page(
    world: &World,
    class: &Class,
    query: &Query,
    mut rows: Vec<RowNo>,
    (offset, limit): (usize, usize),
    (ties, shuffle): (TieOrder, u64),
) -> Page {
    let total = rows.len();
    let paths: Vec<(Path, bool)> = query
        .order
        .iter()
        .filter_map(|order| Some((Path::resolve(world, class, &order.field)?, order.descending)))
        .collect();
    let shuffled = match ties {
        TieOrder::Stable => false,
        TieOrder::Shuffled => !paths.is_empty(),
        TieOrder::AlwaysShuffled => true,
    };
    let tie = |no: RowNo| {
        if shuffled { random::mix(shuffle ^ u64::from(no).wrapping_mul(0x9e37_79b9_7f4a_7c15)) } else { u64::from(no) }
    };
    if paths.is_empty() && !shuffled {
        rows.truncate(offset.saturating_add(limit));
        rows.drain(..offset.min(rows.len()));
        return Page { rows, total };
    }
    let mut keyed: Vec<(Vec<Key>, u64, RowNo)> = rows
        .into_iter()
        .map(|no| {
            let row = world.heap(class.heap).and_then(|heap| heap.get(no));
            let keys = paths.iter().map(|(path, _)| row.map_or(Key::Nothing, |row| key(world, path, row))).collect();
            (keys, tie(no), no)
        })
        .collect();
    let order = |a: &(Vec<Key>, u64, RowNo), b: &(Vec<Key>, u64, RowNo)| {
        for ((left, right), (_, descending)) in a.0.iter().zip(&b.0).zip(&paths) {
            let order = left.cmp(right);
            if order != Ordering::Equal {
                return if *descending { order.reverse() } else { order };
            }
        }
        a.1.cmp(&b.1)
    };
    let end = offset.saturating_add(limit).min(keyed.len());
    if end < keyed.len() {
        keyed.select_nth_unstable_by(end, order);
        keyed.truncate(end);
    }
    keyed.sort_unstable_by(order);
    let rows = keyed.into_iter().skip(offset).map(|(_, _, no)| no).collect();
    Page { rows, total }
}

fn key(world: &World, path: &Path, row: &Row) -> Key {
    let Some((row, column)) = path.follow(world, row) else {
        return Key::Nothing;
    };
    let value = world.value(row, column);
    if value.is_empty() {
        return Key::Nothing;
    }
    match column.kind {
        Kind::Guid => Key::Id(row.id.0),
        Kind::Integer => value.number().map_or(Key::Nothing, Key::Number),
        Kind::DateTime => value.time().map_or(Key::Nothing, Key::Number),
        Kind::Reference => Key::Text(world.display(row, column).to_lowercase()),
        Kind::Text
        | Kind::Boolean
        | Kind::Date
        | Kind::Duration
        | Kind::Journal
        | Kind::JournalList
        | Kind::Password
        | Kind::ClassName => Key::Text(value.text().to_lowercase()),
    }
}
