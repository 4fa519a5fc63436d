// no console window
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod arguments;
mod menu;
mod windows;

use std::env;

use arguments::Arguments;
use tauri_plugin_foldspace::Gate;

fn main() {
    let current_folder = env::current_dir().unwrap_or_default();
    let default_profile = env::var("FOLDSPACE_PROFILE").ok();
    let arguments = Arguments::parse(env::args().skip(1), default_profile, &current_folder)
        .unwrap_or_else(|error| {
            eprintln!("{error}");
            std::process::exit(2);
        });
    let mut context = tauri::generate_context!();
    if let Some(profile) = &arguments.profile {
        // The webview and the plugins store data under the identifier, and instances find each other by it.
        let identifier = &mut context.config_mut().identifier;
        *identifier = format!("{identifier}.profile-{profile}");
    }
    tauri::Builder::default()
        // the first plugin: a second start must end before it does anything else
        .plugin(tauri_plugin_single_instance::init(|app, args, folder| {
            windows::open_another(app, args, &folder);
        }))
        .plugin(tauri_plugin_window_state::Builder::default().build())
        .plugin(tauri_plugin_dialog::init())
        .plugin(Gate::new(tauri_plugin_fs::init(), windows::reaches))
        // remembers picked folders for the next start; it requires the plugin above
        .plugin(tauri_plugin_persisted_scope::init())
        .plugin(Gate::new(tauri_plugin_foldspace::init(), windows::reaches))
        .manage(windows::Windows::default())
        .menu(menu::build)
        .on_menu_event(menu::on_event)
        .on_window_event(windows::on_event)
        .invoke_handler(tauri::generate_handler![
            windows::folder_of_window,
            windows::use_folder,
            windows::show_folder
        ])
        .setup(|app| Ok(windows::open(app.handle(), arguments.folder)?))
        .run(context)
        .expect("the application cannot start");
}
