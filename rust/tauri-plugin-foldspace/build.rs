fn main() {
    tauri_plugin::Builder::new(&["scan", "append"]).build();
}
