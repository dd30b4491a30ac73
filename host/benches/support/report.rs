//! What a bench leaves: a table for people as it runs, and the same numbers as JSON in `benches/results`.
//!
//! The results are not kept in the repository: numbers belong to a machine and an hour. What we stand by is copied into
//! `benches/README.md` with the machine beside it.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};

/// The rows of one bench, printed as they come.
pub(crate) struct Report {
    bench: &'static str,
    rows: Vec<Value>,
}

impl Report {
    /// A report under a heading.
    pub(crate) fn new(bench: &'static str, heading: &str) -> Self {
        println!("\n{bench}: {heading}");
        Self { bench, rows: Vec::new() }
    }

    /// Prints a line and keeps its numbers.
    pub(crate) fn row(&mut self, line: &str, numbers: Value) {
        println!("  {line}");
        self.rows.push(numbers);
    }

    /// Writes the JSON.
    pub(crate) fn end(self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results");
        let file = folder.join(format!("{}.json", self.bench));
        let report = json!({ "bench": self.bench, "machine": machine(), "rows": self.rows });
        let text = serde_json::to_string_pretty(&report).unwrap_or_default() + "\n";
        if let Err(error) = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, text)) {
            println!("  not written to {}: {error}", file.display());
        }
    }
}

/// The processor, how many of them, and how busy they were when the bench began.
fn machine() -> &'static Value {
    static MACHINE: OnceLock<Value> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let read = |file| std::fs::read_to_string(file).unwrap_or_default();
        let model = read("/proc/cpuinfo");
        let model = model.lines().find(|line| line.starts_with("model name"));
        json!({
            "processor": model.and_then(|line| line.split_once(": ")).map(|(_, name)| name),
            "processors": std::thread::available_parallelism().map_or(0, usize::from),
            "load": read("/proc/loadavg").split_whitespace().next(),
        })
    })
}

/// The value below which that share of the numbers lies.
pub(crate) fn at(numbers: &[f64], share: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

pub(crate) fn median(numbers: &[f64]) -> f64 {
    at(numbers, 0.5)
}
