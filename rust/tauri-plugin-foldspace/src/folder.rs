//! Folders that are opened once and then used by their handle: the folder that was checked is the folder that is opened,
//! even if another program replaces a folder by a link in between.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use cap_fs_ext::DirExt;
use cap_std::{ambient_authority, fs::Dir};

/// Opens a folder by its real path, part by part, each below the one before. Fails if a part has become a link.
pub fn open_folder(real: &Path) -> io::Result<Dir> {
    let is_root = |part: &Component| matches!(part, Component::Prefix(_) | Component::RootDir);
    let root: PathBuf = real.components().take_while(is_root).collect();
    let below: PathBuf = real.components().skip_while(is_root).collect();
    open_below(&Dir::open_ambient_dir(root, ambient_authority())?, &below)
}

/// Opens a folder below another. Fails if a part of the path is a link, or leads anywhere but down.
pub fn open_below(folder: &Dir, path: &Path) -> io::Result<Dir> {
    let mut opened = folder.try_clone()?;
    for part in path.components() {
        let Component::Normal(name) = part else {
            return Err(io::Error::other("the path does not lead down only"));
        };
        opened = opened.open_dir_nofollow(name)?;
    }
    Ok(opened)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn a_folder_that_has_become_a_link_is_not_opened() {
        let root = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(root.path()).unwrap();
        for folder in ["a/b", "outside/b"] {
            fs::create_dir_all(real.join(folder)).unwrap();
        }
        let folder = open_folder(&real.join("a/b")).unwrap();
        fs::rename(real.join("a"), real.join("moved")).unwrap();
        symlink(real.join("outside"), real.join("a")).unwrap();
        assert!(open_folder(&real.join("a/b")).is_err());
        assert!(open_below(&open_folder(&real).unwrap(), Path::new("a/b")).is_err());
        // an open folder stays the same folder
        folder.write("file", "x").unwrap();
        assert!(real.join("moved/b/file").exists());
        assert!(!real.join("outside/b/file").exists());
    }

    #[test]
    fn a_path_leads_down_only() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        let folder = open_folder(&fs::canonicalize(root.path()).unwrap()).unwrap();
        for path in ["..", "a/../..", "/"] {
            assert!(open_below(&folder, Path::new(path)).is_err(), "{path}");
        }
    }
}
