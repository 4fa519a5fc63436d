//! Two commands that save `foldspace/tauri` most of its calls to the fs plugin: `scan` lists a folder with everything
//! below it, and `append` appends to a file and can wait for the device. Register the plugin after `tauri_plugin_fs` and
//! add `foldspace:default` to the capability. Everything also works without it, but slower and without `fsync`.
//!
//! These commands refuse whatever the fs plugin would refuse to the same webview: see [`access`]. A checked path is opened
//! by the handle of its folder, so that no program can redirect it in between: see [`folder`].
//!
//! An application with several windows can restrict each to its own folders with a [`Gate`] around both plugins.

mod access;
mod append;
mod folder;
mod gate;
mod scan;

use std::borrow::Cow;

use serde::Deserialize;
use tauri::{
    Runtime, Webview,
    ipc::{InvokeBody, Request},
    plugin::{Builder, TauriPlugin},
};
use tauri_plugin_fs::SafeFilePath;

use access::Access;
use scan::Scan;

pub use gate::{Gate, Reach};

/// Lists a folder with everything below it; `None` if there is no such folder.
#[tauri::command]
async fn scan<R: Runtime>(webview: Webview<R>, path: SafeFilePath) -> Result<Option<Scan>, String> {
    let root = path.into_path().map_err(|error| error.to_string())?;
    let folders = Access::of(&webview, "read_dir")?;
    let files = Access::of(&webview, "lstat")?;
    scan::scan(&root, &folders, &files, scan::MAX_ENTRIES)
}

/// Appends the body to a file. Headers: `path`, percent-encoded, `sync`, which is `true` to wait for the device, and `create`,
/// which is `false` if the file must be there. Otherwise it is created if needed, but not its folder.
#[tauri::command]
async fn append<R: Runtime>(webview: Webview<R>, request: Request<'_>) -> Result<(), String> {
    let header = |name: &str| request.headers().get(name).map(|value| value.as_bytes());
    let path =
        percent_encoding::percent_decode(header("path").ok_or("the header `path` is missing")?)
            .decode_utf8()
            .map_err(|_| "the header `path` is not UTF-8")?
            .parse::<SafeFilePath>()
            .and_then(SafeFilePath::into_path)
            .map_err(|error| error.to_string())?;
    let bytes = match request.body() {
        InvokeBody::Raw(bytes) => Cow::Borrowed(bytes),
        // if the page's policy prevents sending raw bytes, the webview sends them as numbers
        InvokeBody::Json(numbers) => {
            Cow::Owned(Vec::<u8>::deserialize(numbers).map_err(|error| error.to_string())?)
        }
    };
    let access = Access::of(&webview, "write_file")?;
    append::append(
        &path,
        &bytes,
        header("sync") == Some(b"true"),
        header("create") != Some(b"false"),
        &access,
    )
}

/// Makes the plugin.
pub fn init<R: Runtime>() -> TauriPlugin<R> {
    Builder::new("foldspace")
        .invoke_handler(tauri::generate_handler![scan, append])
        .build()
}
