//! Compiled code, kept between starts.
//!
//! Running a file from here means trusting it wholly: it is machine code. So the directory is the host's alone
//! (0700), every file carries a MAC under a key that only this directory holds, and the file's name binds it to one
//! component and one build of the engine. A file that doesn't check out is deleted and compiled anew.

use std::hash::{Hash as _, Hasher as _};
use std::io::Read as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use wasmtime::Engine;

use super::loaded::Digest;

const MAC_BYTES: usize = 32;
const KEY_BYTES: usize = 32;
/// Files that are kept; the oldest go first.
const MOST_FILES: usize = 64;

/// The directory with its key.
pub(super) struct Cache {
    directory: PathBuf,
    key: [u8; KEY_BYTES],
}

impl Cache {
    /// Opens the directory, and makes it and its key when they are missing.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let metadata = fs::metadata(directory)?;
        if metadata.mode() & 0o077 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("others may enter it (mode {:o}); run `chmod 700` on it", metadata.mode() & 0o777),
            ));
        }
        let key = Self::key(&directory.join("key"))?;
        Ok(Self { directory: directory.to_owned(), key })
    }

    fn key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
        let mut key = [0; KEY_BYTES];
        if let Ok(stored) = fs::read(path)
            && stored.len() == KEY_BYTES
        {
            key.copy_from_slice(&stored);
            return Ok(key);
        }
        fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
        write_private(path, &[&key])?;
        Ok(key)
    }

    fn file(&self, engine: &Engine, digest: &Digest) -> PathBuf {
        // Not a promise across builds of the host, which is just as well: another build compiles anew.
        let mut build = std::hash::DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut build);
        env!("CARGO_PKG_VERSION").hash(&mut build);
        self.directory.join(format!("{}-{:016x}.code", digest.as_str(), build.finish()))
    }

    fn mac(&self, name: &Path, code: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        // The name is in it, so that one component's code can't pass for another's.
        mac.update(name.file_name()?.as_encoded_bytes());
        mac.update(code);
        Some(mac)
    }

    /// Code that this host compiled for this component earlier.
    pub(super) fn read(&self, engine: &Engine, digest: &Digest) -> Option<Vec<u8>> {
        let path = self.file(engine, digest);
        let mut bytes = fs::read(&path).ok()?;
        let genuine = bytes
            .split_at_checked(MAC_BYTES)
            .is_some_and(|(tag, code)| self.mac(&path, code).is_some_and(|mac| mac.verify_slice(tag).is_ok()));
        if !genuine {
            tracing::warn!(file = %path.display(), "a file of compiled code was not written by this host; it is deleted");
            // Left behind, it would only be refused again.
            drop(fs::remove_file(&path));
            return None;
        }
        bytes.drain(..MAC_BYTES);
        Some(bytes)
    }

    /// Keeps code. A cache that can't be written to costs time at the next start, nothing else.
    pub(super) fn write(&self, engine: &Engine, digest: &Digest, code: &[u8]) {
        let path = self.file(engine, digest);
        let Some(mac) = self.mac(&path, code) else { return };
        let tag = mac.finalize().into_bytes();
        if let Err(error) = write_private(&path, &[&tag, code]) {
            tracing::warn!(file = %path.display(), "compiled code can't be kept: {error}");
        }
        self.prune();
    }

    fn prune(&self) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        let is_code = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "code");
        let mut files: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(is_code)
            .filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))
            .collect();
        files.sort();
        let surplus = files.len().saturating_sub(MOST_FILES);
        for (_, path) in files.into_iter().take(surplus) {
            drop(fs::remove_file(path));
        }
    }
}

/// Written beside and renamed, so that a crash leaves no half file under the name.
fn write_private(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    use std::io::Write as _;
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    for part in parts {
        file.write_all(part)?;
    }
    drop(file);
    fs::rename(&beside, path)
}
