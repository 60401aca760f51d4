//! The Unix socket: a file that others connect to.
//!
//! A file that a crash left is taken over, one that anybody listens on or that is no socket is left alone. The file goes
//! with its listener, unless another one stands in its place by then.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::protocol::error::StartupError;

/// The file of a listening socket, removed when this is dropped.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    identity: Identity,
}

/// What tells a socket's file from another one of the same name: the number of a removed file may be given anew, so its
/// time counts, too.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    is_socket: bool,
    device: u64,
    number: u64,
    made_at: (i64, i64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Identity {
        Identity {
            is_socket: metadata.file_type().is_socket(),
            device: metadata.dev(),
            number: metadata.ino(),
            made_at: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

impl SocketFile {
    /// Where it is, from the root.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| Identity::of(&found) == self.identity) {
            // Nobody connects to it any more; the next start takes over what cannot be removed.
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Listens on `path`, on which nobody else may listen; `mode` is the file's permissions, 0 for those that the process's
/// mask leaves.
///
/// # Errors
/// Why it cannot.
pub fn bind(path: &Path, mode: u32, backlog: u32) -> Result<(UnixListener, SocketFile), StartupError> {
    let refused = |source| StartupError::UnixSocket { path: path.to_owned(), source };
    // The working directory may be another one when the file is to be removed.
    let path = std::path::absolute(path).map_err(refused)?;
    make_way(&path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(refused)?;
    socket.bind(&SockAddr::unix(&path).map_err(refused)?).map_err(refused)?;
    let metadata = fs::symlink_metadata(&path).map_err(refused)?;
    let file = SocketFile { identity: Identity::of(&metadata), path };
    if mode != 0 {
        // Before anybody can connect.
        fs::set_permissions(&file.path, Permissions::from_mode(mode)).map_err(refused)?;
    }
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX)).map_err(refused)?;
    socket.set_nonblocking(true).map_err(refused)?;
    Ok((socket.into(), file))
}

/// Removes the socket file that somebody left who listens no more.
fn make_way(path: &Path) -> Result<(), StartupError> {
    let refused = |source| StartupError::UnixSocket { path: path.to_owned(), source };
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(refused)?,
    };
    if !found.file_type().is_socket() {
        return Err(StartupError::NoSocket { path: path.to_owned() });
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(refused),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Whoever is there may be too busy for us, or not allow us to ask.
        _ => Err(StartupError::SocketTaken { path: path.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("pipkin-unix-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    #[test]
    fn the_file_comes_and_goes_with_its_listener() {
        let folder = Folder::new("life");
        let path = folder.0.join("socket");
        let (listener, file) = bind(&path, 0o600, 8).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(UnixStream::connect(&path).is_ok());
        assert!(matches!(bind(&path, 0, 8), Err(StartupError::SocketTaken { .. })));
        drop(listener);
        // As after a crash: the file is there, and nobody listens.
        std::mem::forget(file);
        let (listener, file) = bind(&path, 0, 8).unwrap();
        drop((listener, file));
        assert!(!path.exists());
    }

    #[test]
    fn what_stands_in_its_place_by_then_stays() {
        let folder = Folder::new("place");
        let path = folder.0.join("socket");
        let (_listener, file) = bind(&path, 0, 8).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "data").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"data");
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let folder = Folder::new("other");
        let path = folder.0.join("precious");
        fs::write(&path, "data").unwrap();
        assert!(matches!(bind(&path, 0, 8), Err(StartupError::NoSocket { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"data");
        assert!(matches!(bind(&folder.0.join("no/folder"), 0, 8), Err(StartupError::UnixSocket { .. })));
        let long = folder.0.join("x".repeat(200));
        assert!(matches!(bind(&long, 0, 8), Err(StartupError::UnixSocket { .. })));
    }
}
