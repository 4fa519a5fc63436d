//! The commands as a page calls them, in an application whose capabilities grant what each test needs.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};
use tauri::{
    App, Builder, WebviewWindow, WebviewWindowBuilder,
    http::{HeaderMap, HeaderValue},
    ipc::{CallbackFn, InvokeBody},
    test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets},
    utils::acl::{
        ExecutionContext,
        resolved::{Resolved, ResolvedScope},
    },
    webview::InvokeRequest,
};
use tauri_plugin_foldspace::{Gate, Reach};
use tauri_plugin_fs::FsExt;
use tempfile::{TempDir, tempdir};

const COMMANDS: [&str; 5] = [
    "foldspace|scan",
    "foldspace|append",
    "fs|read_dir",
    "fs|lstat",
    "fs|write_file",
];

struct Page {
    app: App<MockRuntime>,
    window: WebviewWindow<MockRuntime>,
}

impl Page {
    /// Grants commands, and the paths that match patterns to the fs plugin.
    fn new(commands: &[&str], allow: &[String], deny: &[String]) -> Self {
        let builder = mock_builder()
            .plugin(tauri_plugin_fs::init())
            .plugin(tauri_plugin_foldspace::init());
        Self::of(builder, commands, allow, deny)
    }

    /// Allows several folders, of which the window may reach only some.
    fn behind_gate(own: &[&Path], allow: &[String]) -> Self {
        let reaches: Vec<_> = own
            .iter()
            .map(|folder| Reach::to(folder).unwrap())
            .collect();
        let also = reaches.clone();
        let builder = mock_builder()
            .plugin(Gate::new(tauri_plugin_fs::init(), move |_| reaches.clone()))
            .plugin(Gate::new(tauri_plugin_foldspace::init(), move |_| {
                also.clone()
            }));
        Self::of(builder, &COMMANDS, allow, &[])
    }

    fn of(
        builder: Builder<MockRuntime>,
        commands: &[&str],
        allow: &[String],
        deny: &[String],
    ) -> Self {
        let values = |patterns: &[String]| {
            patterns
                .iter()
                .map(|pattern| pattern.clone().into())
                .collect()
        };
        let scope = ResolvedScope {
            allow: values(allow),
            deny: values(deny),
        };
        let global_scope = BTreeMap::from([("fs".to_string(), scope)]);
        let resolved = Resolved {
            has_app_acl: true,
            global_scope,
            ..Default::default()
        };
        let mut context = mock_context(noop_assets());
        let authority = context.runtime_authority_mut();
        *authority = tauri::runtime_authority!(Default::default(), resolved);
        for command in commands {
            authority.__allow_command(format!("plugin:{command}"), ExecutionContext::Local);
        }
        let app = builder.build(context).unwrap();
        let window = WebviewWindowBuilder::new(&app, "main", Default::default())
            .build()
            .unwrap();
        Self { app, window }
    }

    fn below(folder: &Path) -> Self {
        Self::new(&COMMANDS, &tree(folder), &[])
    }

    fn invoke(&self, command: &str, body: InvokeBody, headers: HeaderMap) -> Result<Value, Value> {
        self.call(&format!("foldspace|{command}"), body, headers)
    }

    fn call(&self, command: &str, body: InvokeBody, headers: HeaderMap) -> Result<Value, Value> {
        let request = InvokeRequest {
            cmd: format!("plugin:{command}"),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: if cfg!(windows) {
                "http://tauri.localhost"
            } else {
                "tauri://localhost"
            }
            .parse()
            .unwrap(),
            body,
            headers,
            invoke_key: INVOKE_KEY.to_string(),
        };
        get_ipc_response(&self.window, request).map(|answer| answer.deserialize().unwrap())
    }

    fn scan(&self, path: &Path) -> Result<Value, Value> {
        self.invoke("scan", json!({ "path": path }).into(), HeaderMap::new())
    }

    fn append(&self, path: &Path, bytes: &[u8], sync: bool) -> Result<Value, Value> {
        let mut headers = HeaderMap::new();
        let encoded: String = path
            .to_str()
            .unwrap()
            .bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect();
        headers.insert("path", HeaderValue::from_str(&encoded).unwrap());
        headers.insert(
            "sync",
            HeaderValue::from_static(if sync { "true" } else { "false" }),
        );
        self.invoke("append", InvokeBody::Raw(bytes.to_vec()), headers)
    }
}

/// Patterns for a folder and everything below it.
fn tree(folder: &Path) -> [String; 2] {
    [
        folder.display().to_string(),
        format!("{}/**", folder.display()),
    ]
}

/// A folder whose path contains no links.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    assert_eq!(folder.path(), fs::canonicalize(folder.path()).unwrap());
    folder
}

fn write(folder: &TempDir, path: &str, content: &str) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn sorted(values: &Value) -> Vec<String> {
    let mut texts: Vec<_> = values.as_array().unwrap().iter().map(first_text).collect();
    texts.sort();
    texts
}

/// A path, alone or first in a row.
fn first_text(value: &Value) -> String {
    value
        .as_str()
        .or_else(|| value[0].as_str())
        .unwrap()
        .to_string()
}

fn assert_forbidden(answer: Result<Value, Value>) {
    let error = answer.unwrap_err();
    assert!(
        error.as_str().unwrap().starts_with("forbidden path: "),
        "{error}"
    );
}

#[test]
fn a_scan_finds_every_file_with_its_size_and_time() {
    let folder = folder();
    write(&folder, "top", "123");
    write(&folder, "a/empty", "");
    write(&folder, "a/b/c/deep", "12");
    fs::create_dir(folder.path().join("a/nothing")).unwrap();
    let found = Page::below(folder.path()).scan(folder.path()).unwrap();
    assert_eq!(sorted(&found["files"]), ["a/b/c/deep", "a/empty", "top"]);
    assert_eq!(found["unreadable"], json!([]));
    let top = found["files"]
        .as_array()
        .unwrap()
        .iter()
        .find(|file| file[0] == "top")
        .unwrap();
    assert_eq!(top[1], 3);
    let modified = fs::metadata(folder.path().join("top"))
        .unwrap()
        .modified()
        .unwrap();
    let modified_ms = modified
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64;
    assert_eq!(top[2], modified_ms);
}

#[test]
fn a_missing_folder_is_null_and_a_file_is_an_error() {
    let folder = folder();
    write(&folder, "file", "");
    let page = Page::below(folder.path());
    assert_eq!(
        page.scan(&folder.path().join("none/below")).unwrap(),
        Value::Null
    );
    let error = page.scan(&folder.path().join("file")).unwrap_err();
    assert!(error.as_str().unwrap().contains("(os error "), "{error}");
}

#[test]
fn paths_out_of_scope_are_refused() {
    let (inside, outside) = (folder(), folder());
    write(&outside, "secret", "x");
    let page = Page::below(inside.path());
    assert_forbidden(page.scan(outside.path()));
    assert_forbidden(page.append(&outside.path().join("secret"), b"y", false));
    assert_forbidden(page.append(&outside.path().join("new"), b"y", false));
    // the page does not even learn whether something exists there
    assert_forbidden(page.scan(&outside.path().join("none")));
    assert_forbidden(page.append(&outside.path().join("none/new"), b"y", false));
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    assert_eq!(fs::read(outside.path().join("secret")).unwrap(), b"x");
    for path in ["../secret", "a/../../secret"] {
        assert!(page.scan(&inside.path().join(path)).is_err());
        assert!(page.append(&inside.path().join(path), b"y", false).is_err());
    }
}

#[test]
fn denied_paths_and_names_with_a_leading_dot_are_reported_as_unreadable() {
    let folder = folder();
    write(&folder, "fine/file", "");
    write(&folder, "denied/file", "");
    write(&folder, "fine/denied.txt", "");
    write(&folder, ".git/index", "");
    write(&folder, ".hidden", "");
    let mut deny = tree(&folder.path().join("denied")).to_vec();
    deny.push(folder.path().join("*/denied.txt").display().to_string());
    let page = Page::new(&COMMANDS, &tree(folder.path()), &deny);
    let found = page.scan(folder.path()).unwrap();
    assert_eq!(sorted(&found["files"]), ["fine/file"]);
    let expected: &[&str] = if cfg!(unix) {
        &[".git", ".hidden", "denied", "fine/denied.txt"]
    } else {
        &["denied", "fine/denied.txt"]
    };
    assert_eq!(sorted(&found["unreadable"]), expected);
    assert_forbidden(page.append(&folder.path().join("denied/file"), b"y", false));
}

#[test]
fn a_folder_that_is_allowed_at_runtime_is_reachable() {
    let folder = folder();
    write(&folder, "a/file", "x");
    let page = Page::new(&COMMANDS, &[], &[]);
    assert_forbidden(page.scan(folder.path()));
    page.app
        .fs_scope()
        .allow_directory(folder.path(), true)
        .unwrap();
    assert_eq!(
        sorted(&page.scan(folder.path()).unwrap()["files"]),
        ["a/file"]
    );
    page.append(&folder.path().join("a/file"), b"y", false)
        .unwrap();
    page.app
        .fs_scope()
        .forbid_directory(folder.path().join("a"), true)
        .unwrap();
    assert_forbidden(page.append(&folder.path().join("a/file"), b"z", false));
    assert_eq!(fs::read(folder.path().join("a/file")).unwrap(), b"xy");
}

#[test]
fn a_page_that_may_not_use_the_fs_plugin_may_not_bypass_it() {
    let folder = folder();
    let page = Page::new(
        &["foldspace|scan", "foldspace|append"],
        &tree(folder.path()),
        &[],
    );
    assert_forbidden(page.scan(folder.path()));
    assert_forbidden(page.append(&folder.path().join("file"), b"x", false));
}

#[test]
fn bytes_are_appended_and_the_file_is_created_but_not_its_folder() {
    let folder = folder();
    let path = folder.path().join("100% #1 日本.jsonl");
    let page = Page::below(folder.path());
    page.append(&path, b"one\n", false).unwrap();
    page.append(&path, b"", true).unwrap();
    page.append(&path, b"two\n", true).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
    let error = page
        .append(&folder.path().join("no/folder/file"), b"x", false)
        .unwrap_err();
    let number = if cfg!(windows) {
        "(os error 3)"
    } else {
        "(os error 2)"
    };
    assert!(error.as_str().unwrap().ends_with(number), "{error}");
}

#[test]
fn bytes_that_arrive_as_numbers_are_appended() {
    let folder = folder();
    let path = folder.path().join("file");
    let mut headers = HeaderMap::new();
    headers.insert(
        "path",
        HeaderValue::from_str(path.to_str().unwrap()).unwrap(),
    );
    let page = Page::below(folder.path());
    page.invoke("append", json!([0, 255]).into(), headers.clone())
        .unwrap();
    assert!(page.invoke("append", json!([256]).into(), headers).is_err());
    assert_eq!(fs::read(path).unwrap(), [0, 255]);
}

#[test]
fn behind_a_gate_a_page_reaches_only_the_folders_of_its_window() {
    let (own, other) = (folder(), folder());
    for folder in [&own, &other] {
        write(folder, "a/file", "x");
        write(folder, ".git/config", "x");
    }
    let allowed = [tree(own.path()), tree(other.path())].concat();
    let page = Page::behind_gate(&[own.path()], &allowed);
    let list = |folder: &Path| {
        let arguments = json!({ "path": folder }).into();
        page.call("fs|read_dir", arguments, HeaderMap::new())
    };
    list(own.path()).unwrap();
    page.scan(&own.path().join("a")).unwrap();
    page.append(&own.path().join("a/file"), b"y", false)
        .unwrap();
    for folder in [other.path().to_path_buf(), own.path().join(".git")] {
        assert_forbidden(list(&folder));
        assert_forbidden(page.scan(&folder));
        assert_forbidden(page.append(&folder.join("new"), b"y", false));
        assert!(!folder.join("new").exists());
    }
    assert_forbidden(Page::behind_gate(&[], &allowed).scan(own.path()));
}

#[cfg(unix)]
mod links {
    use super::*;
    use std::{os::unix::fs::symlink, process::Command};

    #[test]
    fn links_and_pipes_are_listed_and_never_opened() {
        let (inside, outside) = (folder(), folder());
        write(&outside, "secret", "x");
        write(&inside, "file", "x");
        symlink(outside.path(), inside.path().join("to-folder")).unwrap();
        symlink(outside.path().join("secret"), inside.path().join("to-file")).unwrap();
        symlink(
            inside.path().join("file"),
            inside.path().join("to-own-file"),
        )
        .unwrap();
        assert!(
            Command::new("mkfifo")
                .arg(inside.path().join("pipe"))
                .status()
                .unwrap()
                .success()
        );
        let page = Page::below(inside.path());
        let found = page.scan(inside.path()).unwrap();
        assert_eq!(sorted(&found["files"]), ["file"]);
        assert_eq!(
            sorted(&found["others"]),
            ["pipe", "to-file", "to-folder", "to-own-file"]
        );
        assert_forbidden(page.scan(&inside.path().join("to-folder")));
        assert_forbidden(page.append(&inside.path().join("to-folder/secret"), b"y", false));
        for name in ["pipe", "to-file", "to-own-file"] {
            assert!(
                page.append(&inside.path().join(name), b"y", false).is_err(),
                "{name}"
            );
        }
        assert_eq!(fs::read(outside.path().join("secret")).unwrap(), b"x");
        assert_eq!(fs::read(inside.path().join("file")).unwrap(), b"x");
    }

    #[test]
    fn a_folder_is_reachable_through_a_link() {
        let (inside, links) = (folder(), folder());
        write(&inside, "a/file", "x");
        let link = links.path().join("link");
        symlink(inside.path(), &link).unwrap();
        let page = Page::below(inside.path());
        assert_eq!(sorted(&page.scan(&link).unwrap()["files"]), ["a/file"]);
        page.append(&link.join("a/file"), b"y", false).unwrap();
        let denying = Page::new(
            &COMMANDS,
            &tree(inside.path()),
            &[link.display().to_string()],
        );
        assert_forbidden(denying.scan(&link));
    }
}
