use tauri::{
    AppHandle, Manager, WebviewWindow, Wry,
    menu::{AboutMetadata, Menu, MenuEvent, PredefinedMenuItem, SubmenuBuilder},
};

use crate::windows;

pub fn build(app: &AppHandle) -> tauri::Result<Menu<Wry>> {
    let about = AboutMetadata {
        name: Some(app.package_info().name.clone()),
        version: Some(app.package_info().version.to_string()),
        license: Some("MIT".into()),
        ..Default::default()
    };
    let about = PredefinedMenuItem::about(app, Some("About foldspace"), Some(about))?;
    let item = |id: &str, text: &str, keys: &str| {
        let builder = tauri::menu::MenuItemBuilder::with_id(id, text);
        if keys.is_empty() {
            builder.build(app)
        } else {
            builder.accelerator(keys).build(app)
        }
    };
    let menu = Menu::new(app)?;
    // Quitting closes the windows one by one: the system's own item would end them before they have saved.
    let quit = item("quit", "Quit", "CmdOrCtrl+Q")?;

    #[cfg(target_os = "macos")]
    menu.append(
        &SubmenuBuilder::new(app, "foldspace")
            .item(&about)
            .separator()
            .hide()
            .hide_others()
            .show_all()
            .separator()
            .item(&quit)
            .build()?,
    )?;

    let file = SubmenuBuilder::new(app, "File")
        .item(&item("new-window", "New Window", "CmdOrCtrl+N")?)
        .item(&item("open-folder", "Open Folder…", "CmdOrCtrl+O")?)
        .item(&item("show-folder", "Show Folder in File Manager", "")?)
        .separator()
        .item(&item("close", "Close Window", "CmdOrCtrl+W")?);
    #[cfg(not(target_os = "macos"))]
    let file = file.item(&quit);
    menu.append(&file.build()?)?;

    // Without these items, the keys do nothing on macOS; elsewhere the webview handles them. The page handles undo.
    #[cfg(target_os = "macos")]
    menu.append(
        &SubmenuBuilder::new(app, "Edit")
            .cut()
            .copy()
            .paste()
            .select_all()
            .build()?,
    )?;

    let view = SubmenuBuilder::new(app, "View")
        .item(&item("zoom-in", "Zoom In", "CmdOrCtrl+=")?)
        .item(&item("zoom-out", "Zoom Out", "CmdOrCtrl+-")?)
        .item(&item("zoom-reset", "Actual Size", "CmdOrCtrl+0")?);
    #[cfg(debug_assertions)]
    let view = view
        .separator()
        .item(&item("reload", "Reload", "CmdOrCtrl+R")?);
    menu.append(&view.build()?)?;

    #[cfg(not(target_os = "macos"))]
    menu.append(&SubmenuBuilder::new(app, "Help").item(&about).build()?)?;
    Ok(menu)
}

pub fn on_event(app: &AppHandle, event: MenuEvent) {
    if let Err(error) = run(app, event.id().as_ref()) {
        eprintln!("{error}");
    }
}

fn run(app: &AppHandle, id: &str) -> tauri::Result<()> {
    match id {
        "new-window" => return windows::open(app, None),
        "quit" => {
            for window in app.webview_windows().values() {
                window.close()?;
            }
            return Ok(());
        }
        _ => {}
    }
    let Some(window) = focused(app) else {
        return Ok(());
    };
    match id {
        "open-folder" | "show-folder" => {
            windows::emit_to_page(app, window.label(), "window-request", id);
        }
        "close" => window.close()?,
        "zoom-in" => windows::zoom(&window, Some(1.1))?,
        "zoom-out" => windows::zoom(&window, Some(1.0 / 1.1))?,
        "zoom-reset" => windows::zoom(&window, None)?,
        "reload" => window.reload()?,
        _ => {}
    }
    Ok(())
}

/// The window to which a menu item applies.
fn focused(app: &AppHandle) -> Option<WebviewWindow> {
    let windows = app.webview_windows();
    let is_focused = |window: &&WebviewWindow| window.is_focused().unwrap_or(false);
    let only = if windows.len() == 1 {
        windows.values().next()
    } else {
        None
    };
    windows.values().find(is_focused).or(only).cloned()
}
