//! Server processes on free ports: started, awaited, and killed when the test lets go of them.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Client, PATIENCE, Reply};

/// A directory for data that outlive a server; removed with it.
pub struct Scratch(PathBuf);

impl Scratch {
    /// An empty one.
    pub fn new() -> Scratch {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pipkin-data-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory for data");
        Scratch(path)
    }

    /// A copy of everything in it.
    pub fn copy(&self) -> Scratch {
        let copy = Scratch::new();
        copy_directory(&self.0, &copy.0);
        copy
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where it is, as an argument.
    pub fn text(&self) -> &str {
        self.0.to_str().expect("a path of text")
    }
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory for the copy");
    for entry in fs::read_dir(from).expect("a directory can be read") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A running server with a directory of its own. Dropping it kills the process and removes the directory.
pub struct Server {
    child: Child,
    address: SocketAddr,
    directory: PathBuf,
    output: Arc<Mutex<Vec<u8>>>,
    readers: [Option<JoinHandle<()>>; 2],
}

impl Server {
    /// Pipkin, with further flags; `PIPKIN_TEST_SERVER` names another program to put in its place.
    pub fn pipkin(flags: &[&str]) -> Server {
        let program = std::env::var_os("PIPKIN_TEST_SERVER").unwrap_or_else(|| env!("CARGO_BIN_EXE_pipkin").into());
        let mut all = vec!["--enable-debug-command", "yes"];
        all.extend(flags);
        Server::start(Path::new(&program), &all)
    }

    /// Pipkin with a configuration file, and flags behind it.
    pub fn pipkin_with_file(file: &Path, flags: &[&str]) -> Server {
        let program = std::env::var("PIPKIN_TEST_SERVER").unwrap_or_else(|_| env!("CARGO_BIN_EXE_pipkin").into());
        Server::start_under(&[&program, file.to_str().expect("a path of text")], flags)
    }

    /// Pipkin in a process that may have only so many files and sockets open.
    pub fn pipkin_with_open_files(open_files: u32, flags: &[&str]) -> Server {
        let program = std::env::var("PIPKIN_TEST_SERVER").unwrap_or_else(|_| env!("CARGO_BIN_EXE_pipkin").into());
        let script = format!("ulimit -n {open_files} && exec \"$0\" \"$@\"");
        let mut all = vec!["--enable-debug-command", "yes"];
        all.extend(flags);
        Server::start_under(&["sh", "-c", &script, &program], &all)
    }

    /// Starts `program` on a free port and waits until it answers.
    ///
    /// Another process may take the port between the search and the bind; then the server ends, and the next port is
    /// tried.
    pub fn start(program: &Path, flags: &[&str]) -> Server {
        Server::start_under(&[program.to_str().expect("a path of text")], flags)
    }

    fn start_under(program: &[&str], flags: &[&str]) -> Server {
        for _ in 0..10 {
            let mut server = Server::spawn(program, free_port(), flags);
            if server.wait_until_ready() {
                return server;
            }
            let log = server.log();
            if !["in use", "is taken"].iter().any(|words| log.contains(words)) {
                panic!("{program:?} ended while it started:\n{}", server.log());
            }
        }
        panic!("no free port for {program:?}");
    }

    /// Starts a program, given with its own first arguments, without waiting for anything.
    pub fn spawn(program: &[&str], port: u16, flags: &[&str]) -> Server {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("pipkin-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory for the server");
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).args(["--port", &port.to_string()]);
        if !flags.contains(&"--bind") {
            command.args(["--bind", "127.0.0.1"]);
        }
        command.args(flags).current_dir(&directory);
        // The tests' own variables look like settings of the server.
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PIPKIN_")).for_each(|(name, _)| {
            command.env_remove(name);
        });
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{program:?} does not start: {e}"));
        let output = Arc::new(Mutex::new(Vec::new()));
        let readers = [collect(child.stdout.take(), &output), collect(child.stderr.take(), &output)];
        Server { child, address: (Ipv4Addr::LOCALHOST, port).into(), directory, output, readers }
    }

    /// Waits until the process answers (any reply will do, but that it is still loading); false when it ended instead.
    fn wait_until_ready(&mut self) -> bool {
        let start = Instant::now();
        loop {
            if !self.is_running() {
                // What it said last is of interest.
                self.readers.iter_mut().filter_map(Option::take).for_each(|reader| drop(reader.join()));
                return false;
            }
            // Whoever held the port before may reset the connection at any moment.
            if let Ok(mut client) = Client::try_connect(self.address)
                && client.try_write(b"INFO server\r\n").is_ok()
            {
                match client.try_read() {
                    // Another process's server could have answered on this port.
                    Ok(Reply::Bulk(text)) => match field(&text, "process_id:") {
                        Some(id) if id != self.child.id() => {}
                        _ if client.is_loading() => {}
                        _ => return true,
                    },
                    Ok(_) => return true,
                    Err(_) => {}
                }
            }
            assert!(start.elapsed() < PATIENCE, "the server does not answer:\n{}", self.log());
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The directory it runs in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A new connection.
    pub fn connect(&self) -> Client {
        Client::try_connect(self.address).unwrap_or_else(|e| panic!("no connection: {e}\n{}", self.log()))
    }

    /// A new connection that speaks this protocol.
    pub fn connect_with(&self, protocol: u8) -> Client {
        let mut client = self.connect();
        if protocol == 3 {
            assert!(matches!(client.line("HELLO 3"), Reply::Map(_)), "HELLO 3 is answered with a map");
        }
        client
    }

    /// Whether the process is still there.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills the process, as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// The process's id.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far, standard error included.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().expect("the reader does not panic")).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        fs::remove_dir_all(&self.directory).ok();
        if std::thread::panicking() {
            let log = self.log();
            let start = log.len().saturating_sub(4000);
            eprintln!("--- last words of the server on {} ---\n{}", self.address, log.get(start..).unwrap_or(&log));
        }
    }
}

/// The real Redis to compare with, or `None` (after saying so) where it is not installed.
pub fn oracle(test: &str) -> Option<Server> {
    oracle_with(test, &[])
}

/// The real Redis with further flags.
pub fn oracle_with(test: &str, flags: &[&str]) -> Option<Server> {
    let tool = tool(test, "redis-server")?;
    let mut all = vec!["--save", "", "--appendonly", "no", "--enable-debug-command", "yes"];
    all.extend(flags);
    Some(Server::start(&tool.path, &all))
}

/// An installed program of Redis's.
pub struct Tool {
    /// Where it is.
    pub path: PathBuf,
}

impl Tool {
    /// Runs it against a server, with this standard input, to its end.
    pub fn run<A: AsRef<std::ffi::OsStr>>(&self, server: &Server, arguments: &[A], input: &[u8]) -> Output {
        let mut child = self.command(server, arguments).spawn().expect("an installed program starts");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        std::thread::scope(|scope| {
            // The program may end before it has read everything.
            scope.spawn(move || stdin.write_all(input).ok());
            child.wait_with_output().expect("the program ends")
        })
    }

    /// The command line to run it against a server, all three streams piped.
    pub fn command<A: AsRef<std::ffi::OsStr>>(&self, server: &Server, arguments: &[A]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(["-h", "127.0.0.1", "-p", &server.port().to_string()]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// Looks for an installed program; without it the test is skipped, or fails when `CI` is set.
pub fn tool(test: &str, name: &str) -> Option<Tool> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    if let Some(path) = std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file()) {
        return Some(Tool { path });
    }
    let package = if name == "redis-server" { "redis-server" } else { "redis-tools" };
    let message = format!("{name} is not installed (apt-get install {package})");
    assert!(std::env::var_os("CI").is_none(), "{test} is required here, but {message}");
    // Past the capture of the test harness: a skip is said even when the test passes.
    writeln!(std::io::stderr(), "SKIPPED {test}: {message}").ok();
    None
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    listener.local_addr().expect("a listener has an address").port()
}

fn field(text: &[u8], name: &str) -> Option<u32> {
    let text = std::str::from_utf8(text).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

fn collect(stream: Option<impl Read + Send + 'static>, into: &Arc<Mutex<Vec<u8>>>) -> Option<JoinHandle<()>> {
    let mut stream = stream?;
    let into = Arc::clone(into);
    Some(std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut chunk) {
            into.lock().expect("no holder panics").extend_from_slice(&chunk[..count]);
        }
    }))
}
