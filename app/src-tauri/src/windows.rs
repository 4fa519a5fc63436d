//! Windows. Each has one space open and is a peer of its own.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
    time::Duration,
};

use serde::Serialize;
use tauri::{
    AppHandle, Emitter, EventTarget, Manager, Webview, WebviewWindow, WebviewWindowBuilder, Window,
    WindowEvent, webview::DownloadEvent,
};
use tauri_plugin_foldspace::Reach;
use tauri_plugin_fs::FsExt;

use crate::arguments::Arguments;

/// How long a closing window waits for its page to save, so that a hanging page cannot keep it open.
const SAVING_LIMIT: Duration = Duration::from_secs(5);

/// The state of open windows, by label.
#[derive(Default)]
pub struct Windows(Mutex<HashMap<String, State>>);

impl Windows {
    fn forget(&self, label: &str) {
        self.0.lock().unwrap().remove(label);
    }
}

/// The folders that a window may reach. It loses them when it closes.
pub fn reaches(webview: &Webview) -> Vec<Reach> {
    let windows = webview.state::<Windows>();
    let states = windows.0.lock().unwrap();
    let state = states.get(webview.label());
    state.map_or_else(Vec::new, |state| state.reaches.clone())
}

struct State {
    /// The folder for which the window was opened.
    folder: Option<PathBuf>,
    /// That folder, and those that the page has opened since.
    reaches: Vec<Reach>,
    zoom: f64,
    is_closing: bool,
}

/// Opens another window: for a folder, or else for the space that was open last. A failure leaves nothing behind.
pub fn open(app: &AppHandle, folder: Option<PathBuf>) -> tauri::Result<()> {
    // for a dangling link, the page reports that the folder cannot be opened
    let reach = folder.as_deref().and_then(|folder| Reach::to(folder).ok());
    let state = State {
        folder,
        reaches: reach.into_iter().collect(),
        zoom: 1.0,
        is_closing: false,
    };
    let windows = app.state::<Windows>();
    let label = {
        let mut states = windows.0.lock().unwrap();
        let mut labels =
            std::iter::once("main".to_owned()).chain((2..).map(|n| format!("window-{n}")));
        let label = labels.find(|label| !states.contains_key(label)).unwrap();
        states.insert(label.clone(), state);
        label
    };
    build(app, &label).inspect_err(|_| windows.forget(&label))
}

fn build(app: &AppHandle, label: &str) -> tauri::Result<()> {
    let mut config = app.config().app.windows[0].clone();
    config.label = label.to_owned();
    let builder = WebviewWindowBuilder::from_config(app, &config)?
        // the page's exports go to the user's folder for downloads; the page must report where a file was saved
        .on_download(|page, event| {
            if let DownloadEvent::Finished {
                path,
                success: true,
                ..
            } = event
            {
                emit_to_page(page.app_handle(), page.label(), "file-saved", path);
            }
            true
        });
    #[cfg(target_os = "macos")]
    let builder = builder.data_store_identifier(store_identifier(&app.config().identifier));
    builder.build()?;
    Ok(())
}

/// Handles a second start with the same profile.
pub fn open_another(app: &AppHandle, args: Vec<String>, current_folder: &str) {
    let opened = Arguments::parse(args.into_iter().skip(1), None, Path::new(current_folder))
        .and_then(|arguments| open(app, arguments.folder).map_err(|error| error.to_string()));
    if let Err(error) = opened {
        eprintln!("{error}");
    }
}

/// Lets the page save before its window closes.
pub fn on_event(window: &Window, event: &WindowEvent) {
    match event {
        WindowEvent::CloseRequested { api, .. } => {
            api.prevent_close();
            let windows = window.state::<Windows>();
            let mut states = windows.0.lock().unwrap();
            let Some(state) = states.get_mut(window.label()) else {
                return;
            };
            if std::mem::replace(&mut state.is_closing, true) {
                return;
            }
            emit_to_page(
                window.app_handle(),
                window.label(),
                "window-request",
                "closing",
            );
            let window = window.clone();
            thread::spawn(move || {
                thread::sleep(SAVING_LIMIT);
                // usually the window is gone already
                let _ = window.destroy();
            });
        }
        WindowEvent::Destroyed => {
            window.state::<Windows>().forget(window.label());
        }
        _ => {}
    }
}

/// Emits an event to the page of a window.
pub fn emit_to_page(app: &AppHandle, label: &str, event: &str, detail: impl Serialize + Clone) {
    // fails only if the page is gone
    let _ = app.emit_to(EventTarget::webview_window(label), event, detail);
}

/// Zooms a window by a factor; `None` resets the zoom.
pub fn zoom(window: &WebviewWindow, factor: Option<f64>) -> tauri::Result<()> {
    let windows = window.state::<Windows>();
    let mut states = windows.0.lock().unwrap();
    let Some(state) = states.get_mut(window.label()) else {
        return Ok(());
    };
    state.zoom = factor.map_or(1.0, |factor| (state.zoom * factor).clamp(0.5, 3.0));
    window.set_zoom(state.zoom)
}

/// The folder for which a window was opened.
#[tauri::command]
pub fn folder_of_window(app: AppHandle, window: Window) -> Result<Option<PathBuf>, String> {
    let windows = app.state::<Windows>();
    let folder = {
        let states = windows.0.lock().unwrap();
        states
            .get(window.label())
            .and_then(|state| state.folder.clone())
    };
    // only now, so that the scope does not keep the folder of a window that could not be opened
    if let Some(folder) = &folder {
        app.fs_scope()
            .allow_directory(folder, true)
            .map_err(|error| error.to_string())?;
    }
    Ok(folder)
}

/// Lets a window reach a folder that the user has chosen, now or earlier, until the window closes. Ignores other folders:
/// every call that tries to reach them reports that.
#[tauri::command]
pub fn use_folder(app: AppHandle, window: Window, path: PathBuf) {
    if !app.fs_scope().is_allowed(&path) {
        return;
    }
    let Ok(reach) = Reach::to(&path) else {
        return;
    };
    let windows = app.state::<Windows>();
    let mut states = windows.0.lock().unwrap();
    if let Some(state) = states.get_mut(window.label())
        && !state.reaches.contains(&reach)
    {
        state.reaches.push(reach);
    }
}

/// Shows a folder that the page may read in the file manager.
#[tauri::command]
pub fn show_folder(webview: Webview, path: PathBuf) -> Result<(), String> {
    let is_own = reaches(&webview).iter().any(|reach| reach.includes(&path));
    if !path.is_dir() || !is_own {
        return Err(format!("forbidden path: {}", path.display()));
    }
    let program = if cfg!(windows) {
        "explorer"
    } else if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let mut child = std::process::Command::new(program)
        .arg(&path)
        .spawn()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    // the exit code has no meaning that is the same on every system
    thread::spawn(move || child.wait());
    Ok(())
}

/// The webview keeps data under this number on systems without a folder to name.
#[cfg(target_os = "macos")]
fn store_identifier(identifier: &str) -> [u8; 16] {
    let hash = |seed: u64| {
        // FNV-1a
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        identifier.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, step)
    };
    (u128::from(hash(0)) << 64 | u128::from(hash(1))).to_be_bytes()
}
