use std::{
    io::{self, Write},
    path::Path,
};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{File, OpenOptions};

use crate::{
    access::{Access, real_path},
    folder::open_folder,
};

/// Appends all bytes or fails. After a failure, the bytes already written are removed, which is safe because foldspace is
/// the only writer of its files. Links and pipes are refused.
pub fn append(
    path: &Path,
    bytes: &[u8],
    sync: bool,
    create: bool,
    access: &Access,
) -> Result<(), String> {
    let explain = |error: io::Error| {
        format!(
            "failed to append to file at path: {} with error: {error}",
            path.display()
        )
    };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(explain(io::Error::other("it names no file")));
    };
    // only the folder is resolved: the file itself must not be a link
    let real = real_path(folder).map_err(explain)?;
    access.check(path, &real.join(name))?;
    // Without blocking, opening a pipe does not wait for another program at its other end.
    let mut options = OpenOptions::new();
    options.append(true).create(create);
    options.follow(FollowSymlinks::No).nonblock(true);
    let folder = open_folder(&real).map_err(explain)?;
    let mut file = folder.open_with(name, &options).map_err(explain)?;
    let before = file.metadata().map_err(explain)?;
    if !before.is_file() {
        return Err(explain(io::Error::other("it is not a regular file")));
    }
    write(&mut file, bytes, sync).map_err(|error| match file.set_len(before.len()) {
        Ok(()) => explain(error),
        Err(_) => format!(
            "failed to append to file at path: {}, of which a part was written, with error: {error}",
            path.display()
        ),
    })
}

fn write(file: &mut File, bytes: &[u8], sync: bool) -> io::Result<()> {
    file.write_all(bytes)?;
    if sync { file.sync_data() } else { Ok(()) }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Uses Linux' limit of a file's size, set only for this test's process.
    #[test]
    fn a_failing_append_leaves_no_bytes_behind() {
        let app = tauri::test::mock_app();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let access = Access::to(&app, folder.path());
        append(&path, b"before\n", false, true, &access).unwrap();
        let limit_to = |bytes| {
            let limit = libc::rlimit {
                rlim_cur: bytes,
                rlim_max: libc::RLIM_INFINITY,
            };
            // SAFETY: plain system calls; without the first, the signal that comes with the limit ends the process.
            unsafe {
                libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &limit), 0);
            }
        };
        limit_to(65_536);
        let error = append(&path, &[b'x'; 1_000_000], true, true, &access).unwrap_err();
        limit_to(libc::RLIM_INFINITY);
        assert!(error.ends_with("(os error 27)"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"before\n");
    }
}
