//! Compiling in a child process: `tandem plugin precompile` with a component on standard input and code on standard
//! output.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use wasmtime::Engine;

use crate::plugin::engine::{self, Size};
use crate::plugin::error::LoadError;

/// Longest time for one component.
const PATIENCE: Duration = Duration::from_secs(30);
/// Memory that the child may write to, in KiB.
const MEMORY_KIB: u32 = 2 << 20;
/// Largest code that is taken over.
const LARGEST: u64 = 256 << 20;

/// Lowers what the child may use up, then becomes it. A system without `nice` does without.
const SHELL: &str = r#"ulimit -d "$1"; shift; command -v nice >/dev/null && exec nice -n 10 "$@"; exec "$@""#;

pub(super) fn compile(program: &Path, size: &Size, component: &[u8]) -> Result<Vec<u8>, LoadError> {
    let failed = |what: &str, error: std::io::Error| LoadError::Compile(format!("{what}: {error}"));
    let mut child = Command::new("/bin/sh")
        .args(["-c", SHELL, "sh", &MEMORY_KIB.to_string()])
        .arg(program)
        .args(["plugin", "precompile"])
        .args([size.instances as usize, size.memory, size.stack, size.handles].map(|number| number.to_string()))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed("no child process can be started", error))?;
    let outcome = converse(&mut child, component);
    // Whatever came of it, nothing stays behind.
    drop(child.kill());
    let status = child.wait().map_err(|error| failed("the child process was lost", error))?;
    match outcome {
        Some((code, _)) if status.success() && !code.is_empty() => Ok(code),
        Some((_, said)) if !said.trim().is_empty() => Err(LoadError::Compile(said.trim().chars().take(500).collect())),
        Some(_) => Err(LoadError::Compile("it takes too much memory".into())),
        None => Err(LoadError::Compile(format!("it takes longer than {} s", PATIENCE.as_secs()))),
    }
}

/// Hands over the component and takes back code and words; none when that takes too long.
fn converse(child: &mut Child, component: &[u8]) -> Option<(Vec<u8>, String)> {
    let (mut input, output, errors) = (child.stdin.take()?, child.stdout.take()?, child.stderr.take()?);
    let (done, waiting) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // A child that ends early breaks the pipe; what it said says more.
            drop(input.write_all(component));
        });
        let words = scope.spawn(move || {
            let mut said = Vec::new();
            drop(errors.take(64 << 10).read_to_end(&mut said));
            String::from_utf8_lossy(&said).into_owned()
        });
        scope.spawn(move || {
            let mut code = Vec::new();
            let read = output.take(LARGEST).read_to_end(&mut code);
            drop(done.send(read.map(|_| code).unwrap_or_default()));
        });
        let code = waiting.recv_timeout(PATIENCE).ok();
        if code.is_none() {
            // Ends the threads too, whose pipes close.
            drop(child.kill());
        } else {
            // All that it had to say is said; give it the time to end by itself, so that its status counts.
            drop(child.wait());
        }
        let said = words.join().unwrap_or_default();
        code.map(|code| (code, said))
    })
}

/// The child's side: compiles what comes in and writes the code.
///
/// # Errors
/// One sentence for standard error.
pub fn precompile(size: &[usize; 4], mut from: impl std::io::Read, mut to: impl std::io::Write) -> Result<(), String> {
    let &[instances, memory, stack, handles] = size;
    let size = Size { instances: u32::try_from(instances).map_err(|error| error.to_string())?, memory, stack, handles };
    let mut component = Vec::new();
    from.read_to_end(&mut component).map_err(|error| error.to_string())?;
    let engine = Engine::new(&engine::config(&size)).map_err(|error| format!("{error:#}"))?;
    let code = engine.precompile_component(&component).map_err(|error| format!("{error:#}"))?;
    to.write_all(&code).and_then(|()| to.flush()).map_err(|error| error.to_string())
}
