//! Settings as a packed tree: a JSON value, node by node in the order of its text, three words each.

use serde_json::Value;

use super::super::wire::Packed;
use super::Writer;

const NODE: usize = 3;

// Kinds of a node.
const NULL: u32 = 0;
const BOOL: u32 = 1;
const SIGNED: u32 = 2;
const UNSIGNED: u32 = 3;
const FLOAT: u32 = 4;
const TEXT: u32 = 5;
const LIST: u32 = 6;
const OBJECT: u32 = 7;

/// Packs a value. Lists and objects say how many members they have and how many nodes follow that are theirs.
pub(in crate::plugin) fn pack(value: &Value) -> Packed {
    let mut table = Writer::new(NODE, 32, 512);
    node(&mut table, value);
    table.finish()
}

fn node(table: &mut Writer, value: &Value) {
    match value {
        Value::Null => number(table, NULL, 0),
        Value::Bool(on) => number(table, BOOL, i64::from(*on)),
        Value::Number(value) => {
            if let Some(signed) = value.as_i64() {
                number(table, SIGNED, signed);
            } else if let Some(unsigned) = value.as_u64() {
                number(table, UNSIGNED, unsigned as i64);
            } else {
                number(table, FLOAT, value.as_f64().unwrap_or(0.0).to_bits() as i64);
            }
        }
        Value::String(value) => text(table, value),
        Value::Array(items) => {
            let row = open(table, LIST, items.len());
            for item in items {
                node(table, item);
            }
            close(table, row);
        }
        Value::Object(members) => {
            let row = open(table, OBJECT, members.len());
            for (key, value) in members {
                text(table, key);
                node(table, value);
            }
            close(table, row);
        }
    }
}

fn number(table: &mut Writer, kind: u32, number: i64) {
    table.word(kind);
    table.long(number);
}

fn text(table: &mut Writer, text: &str) {
    table.word(TEXT);
    table.text(text);
}

fn open(table: &mut Writer, kind: u32, members: usize) -> u32 {
    let row = table.rows();
    table.word(kind);
    table.word(members as u32);
    table.word(0);
    row
}

fn close(table: &mut Writer, row: u32) {
    let inside = table.rows() - row - 1;
    table.patch(row, 2, inside);
}
