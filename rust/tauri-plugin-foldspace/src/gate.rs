//! Restricts each window to its own folders. Tauri's scopes apply to the whole application: without this, the page of a
//! window could reach folders that the user chose in another window, now or long ago.

use std::{
    error::Error,
    io,
    path::{Component, Path, PathBuf},
};

use percent_encoding::percent_decode;
use serde_json::Value;
use tauri::{
    AppHandle, Runtime, Url, Webview, Window,
    http::HeaderMap,
    ipc::{Invoke, InvokeBody},
    plugin::Plugin,
    webview::PageLoadPayload,
};

use crate::access::real_path;

/// A folder that a window may reach.
#[derive(Clone, Debug, PartialEq)]
pub struct Reach {
    /// The path as given.
    given: PathBuf,
    /// The path with all links resolved at that time.
    real: PathBuf,
}

impl Reach {
    /// Fails if the path contains a dangling link.
    pub fn to(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            given: folder.to_path_buf(),
            real: real_path(folder)?,
        })
    }

    /// Whether a path leads into the folder, but not into a repository in it.
    pub fn includes(&self, path: &Path) -> bool {
        self.allows(path, true)
    }

    fn allows(&self, path: &Path, is_followed: bool) -> bool {
        let is_plain = |part: Component| !matches!(part, Component::ParentDir | Component::CurDir);
        if !path.is_absolute() || !path.components().all(is_plain) {
            return false;
        }
        let real = match (
            is_followed || path == self.given,
            path.parent(),
            path.file_name(),
        ) {
            (false, Some(parent), Some(name)) => real_path(parent).map(|parent| parent.join(name)),
            _ => real_path(path),
        };
        let is_open = |below: &Path| !below.components().any(is_of_repository);
        // a link may have the name of a repository, or lead to one
        path.strip_prefix(&self.given).map_or(true, is_open)
            && real.is_ok_and(|real| real.strip_prefix(&self.real).is_ok_and(is_open))
    }
}

/// Names of which every repository of Git or Mercurial contains one. Both run programs that a repository names. Windows
/// drops dots and spaces at the end, and treats the text after a colon as a stream of the same entry.
fn is_of_repository(part: Component) -> bool {
    let name = part.as_os_str().to_string_lossy().to_lowercase();
    let entry = name.split_once(':').map_or(&*name, |(entry, _)| entry);
    [".git", ".hg", "head"].contains(&entry.trim_end_matches(['.', ' ']))
}

/// A path that a page's call names.
#[derive(Debug, PartialEq)]
struct Named {
    path: PathBuf,
    /// Whether the path means a link's target, not the link.
    is_followed: bool,
}

/// @returns `None` for an unknown call, or one that names its paths in another way
fn paths_of(command: &str, body: &InvokeBody, headers: &HeaderMap) -> Option<Vec<Named>> {
    let named = |path: &str, is_followed| Named {
        path: PathBuf::from(path),
        is_followed,
    };
    let empty = Value::Null;
    let json = match body {
        InvokeBody::Json(json) => json,
        InvokeBody::Raw(_) => &empty,
    };
    let argument = |name: &str, is_followed| Some(named(json.get(name)?.as_str()?, is_followed));
    let of_header: Value = match headers.get("options").map(|value| value.as_bytes()) {
        Some(b"" | b"undefined" | b"null") | None => Value::Null,
        Some(text) => serde_json::from_slice(text).ok()?,
    };
    // The plugin takes its options from one of the two places, depending on the command: neither may hide the other's.
    let options = [Some(&of_header), json.get("options")];
    // paths relative to one of the system's folders were never chosen by the user
    let is_relative = |name: &str| {
        let mut values = options.iter().flatten().filter_map(|each| each.get(name));
        values.any(|value| !value.is_null())
    };
    if ["baseDir", "oldPathBaseDir", "newPathBaseDir"]
        .into_iter()
        .any(is_relative)
    {
        return None;
    }
    match command {
        // act on files that this page has opened
        "seek" | "read" | "write" | "fstat" | "ftruncate" => Some(vec![]),
        "open" | "truncate" | "mkdir" | "read_dir" | "read_file" | "stat" | "scan" => {
            Some(vec![argument("path", true)?])
        }
        "lstat" | "remove" => Some(vec![argument("path", false)?]),
        "rename" => Some(vec![
            argument("oldPath", false)?,
            argument("newPath", false)?,
        ]),
        "write_file" | "append" => {
            let path = percent_decode(headers.get("path")?.as_bytes());
            Some(vec![named(&path.decode_utf8().ok()?, true)])
        }
        "watch" => {
            let paths = json.get("paths")?.as_array()?.iter();
            paths
                .map(|path| Some(named(path.as_str()?, true)))
                .collect()
        }
        _ => None,
    }
}

/// The reason to refuse a call, if any.
fn refusal(
    command: &str,
    body: &InvokeBody,
    headers: &HeaderMap,
    reaches: &[Reach],
) -> Option<String> {
    let Some(paths) = paths_of(command, body, headers) else {
        return Some(format!("forbidden path: {command} is not allowed here"));
    };
    let is_out = |Named { path, is_followed }: &Named| {
        !reaches.iter().any(|reach| reach.allows(path, *is_followed))
    };
    let out = paths.into_iter().find(is_out)?;
    Some(format!("forbidden path: {}", out.path.display()))
}

/// Wraps a plugin, the fs plugin or this one, so that its commands reach only the folders of the calling window. Calls
/// without an absolute path and unknown commands are refused.
pub struct Gate<P, F> {
    plugin: P,
    reaches: F,
}

impl<P, F> Gate<P, F> {
    /// `reaches` returns the folders that a webview may reach now.
    pub fn new<R: Runtime>(plugin: P, reaches: F) -> Self
    where
        P: Plugin<R>,
        F: Fn(&Webview<R>) -> Vec<Reach> + Send,
    {
        Self { plugin, reaches }
    }
}

impl<R: Runtime, P: Plugin<R>, F: Fn(&Webview<R>) -> Vec<Reach> + Send> Plugin<R> for Gate<P, F> {
    fn name(&self) -> &'static str {
        self.plugin.name()
    }

    fn initialize(&mut self, app: &AppHandle<R>, config: Value) -> Result<(), Box<dyn Error>> {
        self.plugin.initialize(app, config)
    }

    fn initialization_script(&self) -> Option<String> {
        let script = self.plugin.initialization_script_2();
        script.map(|script| script.script)
    }

    fn window_created(&mut self, window: Window<R>) {
        self.plugin.window_created(window);
    }

    fn webview_created(&mut self, webview: Webview<R>) {
        self.plugin.webview_created(webview);
    }

    fn on_navigation(&mut self, webview: &Webview<R>, url: &Url) -> bool {
        self.plugin.on_navigation(webview, url)
    }

    fn on_page_load(&mut self, webview: &Webview<R>, payload: &PageLoadPayload<'_>) {
        self.plugin.on_page_load(webview, payload);
    }

    fn on_event(&mut self, app: &AppHandle<R>, event: &tauri::RunEvent) {
        self.plugin.on_event(app, event);
    }

    fn extend_api(&mut self, invoke: Invoke<R>) -> bool {
        let message = &invoke.message;
        let reaches = (self.reaches)(message.webview_ref());
        let refused = refusal(
            message.command(),
            message.payload(),
            message.headers(),
            &reaches,
        );
        match refused {
            Some(reason) => {
                invoke.resolver.reject(reason);
                true
            }
            None => self.plugin.extend_api(invoke),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::fs;
    use tauri::http::{HeaderName, HeaderValue};

    /// Several folders side by side, removed when the first value is dropped.
    fn folders<const N: usize>(names: [&str; N]) -> (tempfile::TempDir, [PathBuf; N]) {
        let root = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(root.path()).unwrap();
        let folders = names.map(|name| {
            fs::create_dir(real.join(name)).unwrap();
            real.join(name)
        });
        (root, folders)
    }

    fn is_allowed(reaches: &[Reach], command: &str, arguments: Value) -> bool {
        refusal(command, &arguments.into(), &HeaderMap::new(), reaches).is_none()
    }

    #[test]
    fn a_window_reaches_its_own_folder_and_no_other() {
        let (_root, [own, other]) = folders(["own", "other"]);
        let reaches = [Reach::to(&own).unwrap()];
        let path = |folder: &Path| json!({ "path": folder.join("space-v1/ops") });
        for command in [
            "open",
            "truncate",
            "mkdir",
            "read_dir",
            "read_file",
            "stat",
            "scan",
            "lstat",
            "remove",
        ] {
            assert!(is_allowed(&reaches, command, path(&own)), "{command}");
            assert!(!is_allowed(&reaches, command, path(&other)), "{command}");
            assert!(!is_allowed(&[], command, path(&own)), "{command}");
        }
        let rename =
            |from: &Path, to: &Path| json!({ "oldPath": from.join("a"), "newPath": to.join("b") });
        assert!(is_allowed(&reaches, "rename", rename(&own, &own)));
        assert!(!is_allowed(&reaches, "rename", rename(&own, &other)));
        assert!(!is_allowed(&reaches, "rename", rename(&other, &own)));
        assert!(is_allowed(
            &reaches,
            "watch",
            json!({ "paths": [own], "options": {} })
        ));
        assert!(!is_allowed(
            &reaches,
            "watch",
            json!({ "paths": [own, other], "options": {} })
        ));
        assert!(is_allowed(&reaches, "read", json!({ "rid": 1, "len": 1 })));
    }

    #[test]
    fn bytes_are_written_to_a_path_in_the_headers_of_the_call() {
        let (_root, [own, other]) = folders(["own", "other"]);
        let reaches = [Reach::to(&own).unwrap()];
        let is_written = |folder: &Path, options: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            let path = folder
                .join("a%20b")
                .display()
                .to_string()
                .replace('%', "%25");
            headers.insert("path", HeaderValue::from_str(&path).unwrap());
            if let Some(options) = options {
                headers.insert("options", HeaderValue::from_static(options));
            }
            refusal("write_file", &InvokeBody::Raw(vec![1]), &headers, &reaches).is_none()
        };
        assert!(is_written(&own, None));
        assert!(is_written(&own, Some("undefined")));
        assert!(is_written(&own, Some(r#"{"append":true}"#)));
        assert!(!is_written(&other, None));
        assert!(!is_written(&own, Some(r#"{"baseDir":1}"#)));
        assert!(!is_written(&own, Some("{")));
    }

    #[test]
    fn paths_that_lead_out_or_make_a_repository_are_refused() {
        let (_root, [own]) = folders(["own"]);
        let reaches = [Reach::to(&own).unwrap()];
        for path in [
            ".git/config",
            "a/.GIT/hooks/x",
            ".hg",
            "bare/HEAD",
            ".git::$INDEX_ALLOCATION/config",
            "a/.git. /config",
            "../x",
            "a/../../x",
        ] {
            let arguments = json!({ "path": own.join(path) });
            assert!(
                !is_allowed(&reaches, "read_file", arguments.clone()),
                "{path}"
            );
            assert!(!is_allowed(&reaches, "mkdir", arguments.clone()), "{path}");
            assert!(!is_allowed(&reaches, "remove", arguments), "{path}");
        }
        for arguments in [
            json!({ "path": "relative" }),
            json!({ "path": format!("file://{}/a", own.display()) }),
            json!({ "path": own.join("a"), "options": { "baseDir": 1 } }),
            json!({ "path": [own] }),
            json!({}),
        ] {
            assert!(
                !is_allowed(&reaches, "read_file", arguments.clone()),
                "{arguments}"
            );
        }
        assert!(!is_allowed(
            &reaches,
            "copy_file",
            json!({ "fromPath": own, "toPath": own })
        ));
    }

    #[test]
    fn options_in_the_headers_of_a_call_do_not_hide_those_in_its_body() {
        let (_root, [own]) = folders(["own"]);
        let reaches = [Reach::to(&own).unwrap()];
        let is_read = |options: Value| {
            let body = json!({ "path": own.join("a"), "options": options }).into();
            let headers = HeaderMap::from_iter([(
                HeaderName::from_static("options"),
                HeaderValue::from_static("{}"),
            )]);
            refusal("read_file", &body, &headers, &reaches).is_none()
        };
        assert!(is_read(json!({})));
        assert!(!is_read(json!({ "baseDir": 1 })));
    }

    #[cfg(unix)]
    #[test]
    fn a_repository_is_also_unreachable_through_a_link() {
        use std::os::unix::fs::symlink;
        let (_root, [own]) = folders(["own"]);
        for folder in ["kept elsewhere", "notes/.git"] {
            fs::create_dir_all(own.join(folder)).unwrap();
        }
        symlink(own.join("kept elsewhere"), own.join(".git")).unwrap();
        symlink(own.join("notes/.git"), own.join("plain")).unwrap();
        let reaches = [Reach::to(&own).unwrap()];
        for path in [".git", ".git/config", "plain", "plain/config"] {
            let arguments = json!({ "path": own.join(path) });
            assert!(!is_allowed(&reaches, "read_dir", arguments), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_out_and_are_themselves_reachable() {
        use std::os::unix::fs::symlink;
        let (_root, [own, other, links]) = folders(["own", "other", "links"]);
        symlink(&other, own.join("out")).unwrap();
        let reaches = [Reach::to(&own).unwrap()];
        let path = |path: &str| json!({ "path": own.join(path) });
        assert!(!is_allowed(&reaches, "read_dir", path("out")));
        assert!(!is_allowed(&reaches, "read_file", path("out/file")));
        assert!(!is_allowed(&reaches, "remove", path("out/file")));
        assert!(is_allowed(&reaches, "lstat", path("out")));
        assert!(is_allowed(&reaches, "remove", path("out")));
        // a folder may be given by a link, and then means the link's target at that time
        let link = links.join("link");
        symlink(&own, &link).unwrap();
        let reaches = [Reach::to(&link).unwrap()];
        assert!(is_allowed(&reaches, "lstat", json!({ "path": link })));
        assert!(is_allowed(
            &reaches,
            "read_file",
            json!({ "path": link.join("file") })
        ));
        fs::remove_file(&link).unwrap();
        symlink(&other, &link).unwrap();
        assert!(!is_allowed(
            &reaches,
            "read_file",
            json!({ "path": link.join("file") })
        ));
    }
}
