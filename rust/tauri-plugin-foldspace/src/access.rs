use std::{
    fs, io,
    path::{Path, PathBuf},
};

use glob::{MatchOptions, Pattern};
use serde::Deserialize;
use tauri::{
    AppHandle, Manager, Runtime, Webview,
    fs::Scope,
    ipc::ScopeObject,
    utils::{acl::Value, config::FsScope},
};
use tauri_plugin_fs::FsExt;

/// The paths that a webview may reach with a command of the fs plugin: the patterns of the capabilities, and those that
/// were added at runtime, for example by a dialog.
pub struct Access {
    allowed: Vec<Pattern>,
    forbidden: Vec<Pattern>,
    options: MatchOptions,
}

impl Access {
    /// Fails if the webview may not use the command at all.
    pub fn of<R: Runtime>(webview: &Webview<R>, command: &str) -> Result<Self, String> {
        let granted = webview
            .resolve_command_scope::<Entry>("fs", command)
            .map_err(|error| error.to_string())?
            .ok_or_else(|| {
                format!("forbidden path: the fs plugin's command `{command}` is not allowed here")
            })?;
        let global = granted.global_scope();
        let own = granted.command_scope();
        let require_literal_leading_dot = webview
            .config()
            .plugins
            .0
            .get("fs")
            .and_then(|fs| fs.get("requireLiteralLeadingDot")?.as_bool());
        let paths = |entries: [&Vec<std::sync::Arc<Entry>>; 2]| {
            let entries = entries.into_iter().flatten();
            entries.filter_map(|entry| entry.path.clone()).collect()
        };
        let declared = Scope::new(
            webview,
            &FsScope::Scope {
                allow: paths([global.allows(), own.allows()]),
                deny: paths([global.denies(), own.denies()]),
                require_literal_leading_dot,
            },
        )
        .map_err(|error| error.to_string())?;
        let added = webview
            .try_fs_scope()
            .ok_or("the fs plugin is not registered")?;
        let is_dot_literal = require_literal_leading_dot.unwrap_or(cfg!(unix));
        Ok(Self::new(&[declared, added], is_dot_literal))
    }

    fn new(scopes: &[Scope], require_literal_leading_dot: bool) -> Self {
        Self {
            allowed: scopes.iter().flat_map(Scope::allowed_patterns).collect(),
            forbidden: scopes.iter().flat_map(Scope::forbidden_patterns).collect(),
            options: MatchOptions {
                require_literal_separator: true,
                require_literal_leading_dot,
                ..Default::default()
            },
        }
    }

    /// Whether a path may be used. Forbidding patterns also apply to the path as given, so that they can name a link.
    ///
    /// `real` is the path with all links resolved.
    pub fn check(&self, given: &Path, real: &Path) -> Result<(), String> {
        let forbids = |path| self.matches(&self.forbidden, path);
        if forbids(given) || forbids(real) || !self.matches(&self.allowed, real) {
            return Err(format!("forbidden path: {}", given.display()));
        }
        Ok(())
    }

    fn matches(&self, patterns: &[Pattern], path: &Path) -> bool {
        let path: PathBuf = path.components().collect();
        patterns
            .iter()
            .any(|pattern| pattern.matches_path_with(&path, self.options))
    }
}

/// Resolves all links of a path. Missing parts are kept as they are.
pub fn real_path(path: &Path) -> io::Result<PathBuf> {
    let mut missing = Vec::new();
    for existing in path.ancestors() {
        if let Ok(real) = fs::canonicalize(existing) {
            return Ok(missing
                .iter()
                .rev()
                .fold(real, |path, name| path.join(name)));
        }
        if existing.is_symlink() {
            return Err(io::Error::other("it is a dangling link"));
        }
        missing.extend(existing.file_name());
    }
    Err(io::Error::from(io::ErrorKind::NotFound))
}

/// An entry of the fs plugin's scope, in the format of capabilities.
#[derive(Debug)]
struct Entry {
    /// `None` if the system has no such folder.
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawEntry {
    Path(PathBuf),
    Object { path: PathBuf },
}

impl ScopeObject for Entry {
    type Error = tauri::Error;

    fn deserialize<R: Runtime>(app: &AppHandle<R>, raw: Value) -> tauri::Result<Self> {
        let (RawEntry::Path(path) | RawEntry::Object { path }) =
            serde_json::from_value(raw.into())?;
        match app.path().parse(path) {
            Ok(path) => Ok(Self { path: Some(path) }),
            #[cfg(not(target_os = "android"))]
            Err(tauri::Error::UnknownPath) => Ok(Self { path: None }),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
impl Access {
    /// Access to a folder with everything below it.
    pub fn to<R: Runtime>(app: &tauri::App<R>, folder: &Path) -> Self {
        let scope = FsScope::AllowedPaths(vec![folder.to_path_buf(), folder.join("**")]);
        Self::new(&[Scope::new(app, &scope).unwrap()], cfg!(unix))
    }
}
