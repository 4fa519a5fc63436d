use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use cap_std::fs::{Dir, DirEntry, Metadata};
use serde::Serialize;

use crate::{
    access::{Access, real_path},
    folder::{open_below, open_folder},
};

/// For more entries, one answer would take too much of the webview's memory: the caller then lists each folder.
pub const MAX_ENTRIES: usize = 1_000_000;

/// Paths are relative to the folder, with `/` between their parts. Names that are not Unicode are omitted, as in the fs
/// plugin.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Scan {
    /// Path, size in bytes, time of the last change in milliseconds since the epoch.
    files: Vec<(String, u64, u64)>,
    /// Links, pipes, sockets and devices.
    others: Vec<String>,
    /// Entries that could not be read, and the reason.
    unreadable: Vec<(String, String)>,
}

/// Scans a folder. The folder itself may be a link; links in it are not followed.
pub fn scan(
    root: &Path,
    folders: &Access,
    files: &Access,
    max_entries: usize,
) -> Result<Option<Scan>, String> {
    let real = match real_path(root) {
        Ok(real) => real,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(explain("read directory", root, &error)),
    };
    folders.check(root, &real)?;
    let opened = match open_folder(&real) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(explain("read directory", root, &error)),
    };
    let mut walk = Walk {
        folders,
        files,
        root,
        real,
        opened,
        max_entries,
        found: Scan::default(),
        pending: vec![String::new()],
    };
    while let Some(folder) = walk.pending.pop() {
        match walk.list_folder(&folder) {
            Ok(()) => {}
            Err(Failure::TooMany) => {
                let root = root.display();
                return Err(format!(
                    "too many files: more than {max_entries} below {root}"
                ));
            }
            Err(Failure::Missing) if folder.is_empty() => return Ok(None),
            // a folder that vanished during the scan counts as absent
            Err(Failure::Missing) => {}
            Err(Failure::Other(reason)) if folder.is_empty() => return Err(reason),
            Err(Failure::Other(reason)) => walk.found.unreadable.push((folder, reason)),
        }
    }
    Ok(Some(walk.found))
}

struct Walk<'a> {
    folders: &'a Access,
    files: &'a Access,
    root: &'a Path,
    /// The root with all links resolved.
    real: PathBuf,
    /// The root, through which everything below it is opened.
    opened: Dir,
    /// How many more entries may be found.
    max_entries: usize,
    found: Scan,
    /// Folders still to be listed, relative to the root.
    pending: Vec<String>,
}

enum Failure {
    Missing,
    TooMany,
    Other(String),
}

impl Walk<'_> {
    fn list_folder(&mut self, folder: &str) -> Result<(), Failure> {
        let (given, real) = (below(self.root, folder), below(&self.real, folder));
        let failure = |error: io::Error| match error.kind() {
            ErrorKind::NotFound => Failure::Missing,
            _ => Failure::Other(explain("read directory", &given, &error)),
        };
        self.folders.check(&given, &real).map_err(Failure::Other)?;
        let opened = open_below(&self.opened, Path::new(folder)).map_err(failure)?;
        for entry in opened.entries().map_err(failure)? {
            let entry = entry.map_err(failure)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            self.max_entries = self.max_entries.checked_sub(1).ok_or(Failure::TooMany)?;
            let relative = if folder.is_empty() {
                name.clone()
            } else {
                format!("{folder}/{name}")
            };
            if let Err(reason) = self.add(
                &entry,
                relative.clone(),
                &given.join(&name),
                &real.join(&name),
            ) {
                self.found.unreadable.push((relative, reason));
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        entry: &DirEntry,
        relative: String,
        given: &Path,
        real: &Path,
    ) -> Result<(), String> {
        let kind = entry.file_type();
        let kind = kind.map_err(|error| explain("get metadata of", given, &error))?;
        if kind.is_dir() {
            self.pending.push(relative);
        } else if kind.is_file() {
            self.files.check(given, real)?;
            match entry.metadata() {
                Ok(metadata) => {
                    let row = (relative, metadata.len(), modified_ms(&metadata));
                    self.found.files.push(row);
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(explain("get metadata of", given, &error)),
            }
        } else {
            self.found.others.push(relative);
        }
        Ok(())
    }
}

/// Joins a path to a folder; an empty path is the folder itself.
fn below(folder: &Path, path: &str) -> PathBuf {
    if path.is_empty() {
        folder.to_path_buf()
    } else {
        folder.join(path)
    }
}

fn modified_ms(metadata: &Metadata) -> u64 {
    let modified = metadata.modified().ok();
    let since_epoch = modified.and_then(|time| time.into_std().duration_since(UNIX_EPOCH).ok());
    since_epoch.map_or(0, |time| time.as_millis() as u64)
}

/// Uses the wording of the fs plugin.
fn explain(action: &str, path: &Path, error: &io::Error) -> String {
    format!(
        "failed to {action} at path: {} with error: {error}",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn an_answer_is_never_larger_than_allowed() {
        let app = tauri::test::mock_app();
        let folder = tempfile::tempdir().unwrap();
        for name in 0..10 {
            fs::create_dir_all(folder.path().join(format!("a/{name}"))).unwrap();
        }
        let access = Access::to(&app, folder.path());
        let error = scan(folder.path(), &access, &access, 10).unwrap_err();
        assert!(error.starts_with("too many files"), "{error}");
        assert_eq!(
            scan(folder.path(), &access, &access, 11).unwrap(),
            Some(Scan::default())
        );
    }
}
