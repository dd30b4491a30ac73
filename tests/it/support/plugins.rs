//! A plugin host for tests: components built from `tests/components`, a directory of its own, a dictionary that lets
//! everything pass.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tandem::config::{Inputs, Plugins, load};
use tandem::domain::id::{AlertId, IncidentId};
use tandem::domain::incident::{Alert, Incident, Snooze, Status, Tag};
use tandem::domain::patch::{Hook, Op};
use tandem::domain::share::{Links, Overrides, Share, ShareKind};
use tandem::domain::time::Timestamp;
use tandem::plugin::{Bundled, Dictionary, Host, Input};
use tempfile::TempDir;

/// The component of `tests/components/<name>`. All are built together, once per run of the tests.
pub(crate) fn component(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let out = BUILT.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut plugins: Vec<PathBuf> = std::fs::read_dir(root.join("tests/components"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("plugin.toml").is_file())
            .collect();
        plugins.sort();
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("components");
        let options = tandem_plugin_build::Options { plugins, out: out.clone(), target_dir: None, quiet: true };
        tandem_plugin_build::build(&options, &mut |_| ()).unwrap_or_else(|error| panic!("{error}"));
        out
    });
    out.join(format!("{name}.wasm"))
}

/// The component's bytes, for as long as the tests run.
pub(crate) fn bundle(name: &'static str) -> Bundled {
    let bytes = std::fs::read(component(name)).unwrap();
    Bundled { name, bytes: bytes.leak() }
}

/// Lets everything pass but the field `forbidden`.
pub(crate) struct Lenient;

impl Dictionary for Lenient {
    fn check(&self, op: &Op) -> Result<Op, String> {
        if op.field() == "forbidden" { Err("there is no field `forbidden`".into()) } else { Ok(op.clone()) }
    }
}

/// A host with a directory of its own.
pub(crate) struct Plugged {
    pub host: Host,
    pub directory: PathBuf,
    _home: TempDir,
}

impl Plugged {
    pub(crate) fn start(bundled: &[Bundled]) -> Self {
        Self::start_with(bundled, |_| ())
    }

    pub(crate) fn start_with(bundled: &[Bundled], change: impl FnOnce(&mut Plugins)) -> Self {
        Self::start_compiling(bundled, None, change)
    }

    /// Files are compiled by a child process of this program.
    pub(crate) fn start_compiling(
        bundled: &[Bundled],
        program: Option<PathBuf>,
        change: impl FnOnce(&mut Plugins),
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("plugins");
        std::fs::create_dir(&directory).unwrap();
        let mut config = config(&directory, &home.path().join("cache"));
        change(&mut config);
        let host = Host::start_with(config, bundled, Arc::new(Lenient), program).unwrap();
        Self { host, directory, _home: home }
    }

    /// Puts a component into the directory under a name, as a person would: beside, then renamed.
    pub(crate) fn put(&self, file: &str, bytes: &[u8]) {
        let beside = self.directory.join(format!(".{file}.part"));
        std::fs::write(&beside, bytes).unwrap();
        std::fs::rename(beside, self.directory.join(file)).unwrap();
    }

    /// Waits for a generation after this one, for as long as a loaded machine may take.
    pub(crate) fn next_generation(&self, after: u64) -> u64 {
        for _ in 0..3000 {
            let now = self.host.status().generation;
            if now > after {
                return now;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no generation after {after}: {:#?}", self.host.status());
    }
}

pub(crate) fn config(directory: &Path, cache: &Path) -> Plugins {
    let inputs = Inputs { directory: directory.into(), ..Inputs::default() };
    let defaults = load(&inputs).unwrap().config.plugins;
    Plugins { directory: directory.into(), cache: cache.into(), workers: 2, ..defaults }
}

pub(crate) const ALL: &[Hook] =
    &[Hook::Gate, Hook::PrimaryAlert, Hook::ShortDescription, Hook::Description, Hook::Fields, Hook::Closure];

pub(crate) fn input(share: Share) -> Input {
    input_of(Arc::new(share))
}

pub(crate) fn input_of(share: Arc<Share>) -> Input {
    Input {
        occasion: tandem::domain::event::Occasion::Shared,
        disputes: Vec::new(),
        share,
        raw: None,
        ticket: None,
        settings: "{}".into(),
        hooks: ALL,
        now: Timestamp(1_700_000_000_000),
        seed: 7,
    }
}

/// An incident with so many alerts, each with so many tags.
pub(crate) fn share(alerts: usize, tags: usize) -> Share {
    let alert = |number: usize| Alert {
        id: AlertId::new(&format!("alert-{number:04}")).unwrap(),
        status: if number % 3 == 1 { Status::Critical } else { Status::Warning },
        active: true,
        start: Some(1_700_000_000 - number as i64),
        end: None,
        changed: Some(1_700_000_100),
        updated: Some(1_700_000_200),
        primary_property: "host".into(),
        secondary_property: "check".into(),
        source_system: "datadog.prod_us".into(),
        description: format!("disk usage is above 90 % on volume {number}"),
        tags: (0..tags)
            .map(|tag| match tag {
                0 => Tag { name: "host".into(), value: format!("db-{number}.prod.example.com") },
                1 => Tag { name: "check".into(), value: "disk_usage".into() },
                other => Tag { name: format!("tag_{other}"), value: format!("value {other} of {number}") },
            })
            .collect(),
    };
    Share {
        kind: ShareKind::New,
        incident: Incident {
            id: IncidentId::new("66b0c0ffee").unwrap(),
            status: Status::Critical,
            severity: Status::Critical,
            active: true,
            flapping: false,
            snooze: Snooze::default(),
            maintenance: None,
            start: Some(1_700_000_000),
            end: None,
            changed: Some(1_700_000_100),
            updated: Some(1_700_000_200),
            environments: vec!["Production".into()],
            folders: Vec::new(),
            tags: (0..6).map(|tag| Tag { name: format!("incident_{tag}"), value: format!("value {tag}") }).collect(),
            alerts: (0..alerts).map(alert).collect(),
            changes: Vec::new(),
            assignee: None,
            summary: None,
        },
        environment_id: None,
        environment_name: "Production".into(),
        sender: "auto@example.com".into(),
        links: Links::default(),
        overrides: Overrides::default(),
        complete: true,
    }
}

/// The same component under another id or version.
pub(crate) fn relabelled(bytes: &[u8], change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    use wasm_encoder::ComponentSection as _;
    use wasmparser::{Parser, Payload};
    let mut depth = 0;
    let mut found = None;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::CustomSection(section) if depth == 0 && section.name() == "tandem:plugin" => {
                found = Some((section.range(), serde_json::from_slice(section.data()).unwrap()));
            }
            _ => {}
        }
    }
    let (range, mut metadata) = found.expect("metadata");
    change(&mut metadata);
    assert_eq!(range.end, bytes.len(), "the build tool writes the metadata last");
    // A section's range leaves out its id and the size before it.
    let mut size = 1;
    while range.len() >> (7 * size) != 0 {
        size += 1;
    }
    let mut component = bytes[..range.start - size - 1].to_vec();
    let json = serde_json::to_vec(&metadata).unwrap();
    let section = wasm_encoder::CustomSection { name: "tandem:plugin".into(), data: (&json).into() };
    section.append_to_component(&mut component);
    component
}
