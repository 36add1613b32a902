//! The lock of the sending process, on a file next to the store, and the check for network file
//! systems, on which neither this lock nor SQLite's is reliable.

use crate::error::{Error, ErrorKind};
use fs4::fs_std::FileExt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Held by the process that sends from a store. The system releases it when the process ends.
#[derive(Debug)]
pub(crate) struct SenderLock(File);

impl SenderLock {
    pub(crate) fn acquire(store: &Path) -> Result<Self, Error> {
        let path = beside(store, "-sender");
        let failed = |error: std::io::Error| {
            let message = format!("the lock file {} cannot be used: {error}", path.display());
            Error::new(ErrorKind::Store, message).with_hint("check the permissions of its folder")
        };
        let mut file = private(&path).map_err(failed)?;
        if !file.try_lock_exclusive().map_err(failed)? {
            let mut holder = String::new();
            // The text is a help for people. The lock decides.
            let _ = file.read_to_string(&mut holder);
            let holder = if holder.is_empty() { "another process" } else { holder.trim() };
            let message = format!("{holder} sends from {} already", store.display());
            let hint = "stop it first; adding and reading are possible at any time";
            return Err(Error::new(ErrorKind::Locked, message).with_hint(hint));
        }
        let written = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
        written.and_then(|_| writeln!(file, "process {}", std::process::id())).map_err(failed)?;
        Ok(Self(file))
    }
}

impl Drop for SenderLock {
    fn drop(&mut self) {
        // Closing the file releases the lock as well.
        let _ = FileExt::unlock(&self.0);
    }
}

/// The path with a suffix.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Opens a file that only its owner can read, and creates it if it is missing.
pub(crate) fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The name of a network file system, by the number that Linux gives it. Returns None if the file
/// system is local or unknown.
pub(crate) fn network_file_system(number: u32) -> Option<&'static str> {
    Some(match number {
        0x6969 => "NFS",
        0xff53_4d42 => "CIFS",
        0xfe53_4d42 => "SMB 2",
        0x517b => "SMB",
        0x564c => "NCP",
        0x5346_414f => "AFS",
        0x00c3_6400 => "Ceph",
        0x0102_1997 => "9P",
        0x0bd0_0bd0 => "Lustre",
        0x4750_4653 => "GPFS",
        0x7461_636f => "OCFS2",
        0x0116_1970 => "GFS2",
        0x6b41_4653 => "AFS",
        0x7375_7245 => "Coda",
        _ => return None,
    })
}

/// Refuses a folder on a network file system.
pub(crate) fn refuse_network(folder: &Path) -> Result<(), Error> {
    #[cfg(target_os = "linux")]
    if let Ok(status) = rustix::fs::statfs(folder)
        && let Some(name) = network_file_system(status.f_type as u32)
    {
        let message = format!("{} is on a network file system ({name})", folder.display());
        let hint = "use a local disk: locks on network file systems are not reliable";
        return Err(Error::new(ErrorKind::Store, message).with_hint(hint));
    }
    Ok(())
}

/// The free bytes of the disk of this folder. `None` if unknown.
pub(crate) fn free_space(folder: &Path) -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        let status = rustix::fs::statvfs(folder).ok()?;
        Some(status.f_bavail.saturating_mul(status.f_frsize))
    }
    #[cfg(not(target_os = "linux"))]
    {
        fs4::available_space(folder).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_number() {
        assert_eq!(network_file_system(0x6969), Some("NFS"));
        assert_eq!(network_file_system(0xfe53_4d42), Some("SMB 2"));
        // ext4, tmpfs, btrfs, overlayfs
        for local in [0xef53, 0x0102_1994, 0x9123_683e, 0x794c_7630] {
            assert_eq!(network_file_system(local), None, "{local:x}");
        }
    }
}
