//! The `pipkin` binary: command line, log, allocator, signals. Everything else is the library's.

mod allocator;
#[cfg(target_os = "linux")]
mod huge_pages;
mod progress;

use std::fs::OpenOptions;
use std::io::{IsTerminal, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Parser, Subcommand, ValueEnum};
use pipkin::base::clock::Clock;
use pipkin::base::config::{Config, LogLevel, Settings};
use pipkin::engine::instance::{Engine, LogLevelHook};
use pipkin::engine::memory::AllocatorFigures;
use pipkin::persist::check::{self, Verdict};
use pipkin::protocol::error::StartupError;
use pipkin::server::listener::Bound;
use pipkin::server::{listener, unix, workers};
use tikv_jemalloc_ctl::{Access, AsName, arenas, epoch, stats, stats_print};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::{BoxMakeWriter, EitherWriter};

#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

/// An embedded, Redis-protocol-compatible in-memory server.
///
/// Settings are those of redis.conf: `pipkin [FILE] [--port 6380] [--maxmemory 1gb] …`. Without any it listens on
/// 127.0.0.1:6379.
#[derive(Parser)]
#[command(version, disable_help_subcommand = true, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    job: Option<Job>,
    /// Where the time comes from; a manual clock is moved by DEBUG CLOCK.
    #[arg(long, value_enum, default_value_t = ClockKind::System)]
    clock: ClockKind,
    /// A configuration file, then settings as redis-server spells them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FILE|--SETTING VALUE")]
    settings: Vec<String>,
}

/// What the program can do besides serving.
#[derive(Subcommand)]
enum Job {
    /// Read data files to their end, and report what is in them or at which offset they are damaged.
    Check {
        /// RDB files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClockKind {
    System,
    Manual,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            let _unread = writeln!(std::io::stderr(), "pipkin: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let cli = Cli::parse_from(clock_first(std::env::args().collect()));
    if let Some(Job::Check { files }) = cli.job {
        return check_files(&files);
    }
    let mut config = Config::new();
    load(&mut config, &cli.settings)?;
    let mut settings = config.settings();
    if settings.is_durable {
        settings.dir = absolute(&settings.dir);
        config.load_arguments(&["--dir", &settings.dir])?;
    }
    let log_level = start_log(&config, &settings)?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let clock = match cli.clock {
        ClockKind::System => Clock::system(),
        ClockKind::Manual => Clock::manual(Clock::system().now_ms()),
    };
    let listeners = listen(&settings)?;
    let engine = Engine::new(config, clock).map_err(|source| StartupError::Thread { what: "the instance", source })?;
    if settings.is_durable {
        engine.persistence.announce_loading(&engine);
    }
    *engine.log_level.write() = Some(log_level);
    *engine.memory.allocator.write() = Some(allocator_figures);
    *engine.memory.purge.write() = Some(give_memory_back);
    *engine.memory.allocator_report.write() = Some(allocator_report);
    let port = listeners.iter().find_map(Bound::port).unwrap_or(0);
    engine.port.store(port.into(), Ordering::Relaxed);
    if let Some(path) = config_file(&cli.settings) {
        // The working directory may be another one later.
        engine.config_file.set(std::path::absolute(&path).unwrap_or(path)).ok();
    }
    let threads =
        engine.start_threads().map_err(|source| StartupError::Thread { what: "the instance's threads", source })?;
    #[cfg(target_os = "linux")]
    huge_pages::start().map_err(|source| StartupError::Thread { what: "the thread for huge pages", source })?;
    let addresses: Vec<String> = listeners.iter().map(Bound::address).collect();
    let count = match settings.io_threads {
        // One core is left to the clients' side of the kernel and the instance's own threads: on two cores a second
        // worker costs 30% more CPU per unpipelined request, since each of the two sleeps and wakes twice as often.
        0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1)),
        count => count,
    };
    let workers = workers::start(&engine, listeners, count)?;
    let stopped_by_signal = stop_on_signals(&engine)?;
    engine.measure_base();
    let data = if settings.is_durable { recover(&engine)? } else { "in memory only; --dir DIR keeps data".into() };
    if !engine.stopping.is_wished() {
        // Without a reader it goes unread.
        let _unread = writeln!(
            std::io::stdout(),
            "Pipkin {} is ready on {} ({data}; {count} worker threads). Try: redis-cli {}",
            env!("CARGO_PKG_VERSION"),
            addresses.join(", "),
            if port == 0 { format!("-s {}", settings.unixsocket) } else { format!("-p {port}") }
        );
    }
    workers.join();
    drop(threads);
    if stopped_by_signal.load(Ordering::Acquire) {
        engine.persist_at_end();
    }
    engine.persistence.close()?;
    tracing::info!("bye");
    Ok(ExitCode::SUCCESS)
}

/// Loads what the data directory holds, and says what is kept there.
fn recover(engine: &Arc<Engine>) -> Result<String, Box<dyn std::error::Error>> {
    let stop = |error: String| {
        engine.stop();
        error
    };
    match progress::shown(engine, || engine.persistence.recover(engine)) {
        Err(_) if engine.stopping.is_wished() => return Ok("stopped while it was loaded".into()),
        outcome => outcome.map_err(stop)?,
    }
    let settings = engine.config.read().settings();
    let log = if settings.appendonly { "append-only file, " } else { "" };
    let saves = if settings.save_points.is_empty() { "no save points" } else { "snapshots at save points" };
    let path = engine.persistence.path().unwrap_or_default();
    Ok(format!("data in {}: {log}{saves}", path.display()))
}

/// Fails when any of the files is damaged.
fn check_files(files: &[PathBuf]) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut code = ExitCode::SUCCESS;
    for file in files {
        if check::check(file, &mut std::io::stdout().lock())? == Verdict::Damaged {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

/// What jemalloc says of itself; zeroes where it does not say.
fn allocator_figures() -> AllocatorFigures {
    // Its figures are those of the last epoch; without a new one they are only older.
    let _ = epoch::advance();
    let bytes = |figure: tikv_jemalloc_ctl::Result<usize>| figure.unwrap_or(0) as u64;
    // What threads keep to hand out again counts as allocated there, but nobody has it; and so do the tables of what they
    // keep, which each thread gets with its first allocation, some of them long after the start. 4096 stands for all
    // arenas.
    let cached = bytes(Access::<usize>::read(b"stats.arenas.4096.tcache_bytes\0".name()));
    let internal = bytes(Access::<usize>::read(b"stats.arenas.4096.internal\0".name()));
    AllocatorFigures {
        name: "jemalloc-5.3.0",
        allocated: bytes(stats::allocated::read()).saturating_sub(cached + internal),
        active: bytes(stats::active::read()),
        resident: bytes(stats::resident::read()),
    }
}

/// What jemalloc prints about itself.
fn allocator_report() -> String {
    let mut text = Vec::new();
    match stats_print::stats_print(&mut text, stats_print::Options::default()) {
        Ok(()) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) => format!("jemalloc printed nothing: {error}"),
    }
}

/// Has jemalloc give its unused pages back; false if it refused.
fn give_memory_back() -> bool {
    let Ok(count) = arenas::narenas::read() else { return false };
    (0..count).all(|arena| ["dirty", "muzzy"].iter().all(|kind| give_pages_back(arena, kind)))
}

fn give_pages_back(arena: u32, kind: &str) -> bool {
    let name = format!("arena.{arena}.{kind}_decay_ms\0");
    let decay_ms = name.as_bytes().name();
    // An arena that was never used has no setting to read, and no pages.
    let Ok(before) = Access::<isize>::read(decay_ms) else { return true };
    // Unused pages that may stay for 0 ms go at once.
    decay_ms.write(0_isize).and_then(|()| decay_ms.write(before)).is_ok()
}

/// `--clock` may stand anywhere among the settings; clap wants it in front of them.
fn clock_first(mut arguments: Vec<String>) -> Vec<String> {
    if let Some(at) = arguments.iter().position(|argument| argument == "--clock").filter(|at| *at > 1) {
        let moved: Vec<String> = arguments.drain(at..(at + 2).min(arguments.len())).collect();
        arguments.splice(1..1, moved);
    }
    arguments
}

/// Environment first, then the file, then the command line: the later wins.
fn load(config: &mut Config, arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    config.load_environment(std::env::vars())?;
    let mut rest = arguments;
    if let [file, behind @ ..] = arguments
        && names_file(file)
    {
        let text = read_file(file).map_err(|source| StartupError::ConfigFile { path: file.into(), source })?;
        let mut include = |path: &str| std::fs::read(path).map_err(|error| error.to_string());
        config.load_file(file, &text, &mut include)?;
        rest = behind;
    }
    config.load_arguments(rest)?;
    Ok(())
}

/// A path from the root: who asks CONFIG GET where the data are may be in another directory.
fn absolute(path: &str) -> String {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string())
}

/// Whether the first argument is a configuration file, and no setting.
fn names_file(argument: &str) -> bool {
    !argument.starts_with("--")
}

/// The configuration file, where it is one on the disk.
fn config_file(arguments: &[String]) -> Option<PathBuf> {
    arguments.first().filter(|argument| names_file(argument) && *argument != "-").map(PathBuf::from)
}

/// The text of a configuration file; `-` is the standard input.
fn read_file(name: &str) -> std::io::Result<Vec<u8>> {
    if name != "-" {
        return std::fs::read(name);
    }
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    Ok(text)
}

/// Starts the log, on standard error or in `logfile`; returns the way to change how much is logged.
///
/// The file is opened for every record, so that it may be moved away at any time and begins anew.
fn start_log(config: &Config, settings: &Settings) -> Result<LogLevelHook, StartupError> {
    let filter = |level| EnvFilter::new(level_of(level).as_str());
    // Colours are for people: a file or a journal gets plain text.
    let mut colours = std::io::stderr().is_terminal();
    let mut writer = BoxMakeWriter::new(std::io::stderr);
    if !settings.logfile.is_empty() {
        let directory = config.text("dir").unwrap_or_default();
        let path = Path::new(&*String::from_utf8_lossy(&directory)).join(&settings.logfile);
        let open = move || OpenOptions::new().create(true).append(true).open(&path);
        open().map_err(|source| StartupError::LogFile { path: settings.logfile.as_str().into(), source })?;
        colours = false;
        // Where the file cannot be opened any more, standard error is better than nothing.
        writer =
            BoxMakeWriter::new(move || open().map_or_else(|_| EitherWriter::B(std::io::stderr()), EitherWriter::A));
    }
    let log = tracing_subscriber::fmt().with_target(false).with_ansi(colours).with_writer(writer);
    // A line that nobody takes any more (a pipe whose reader has ended) is lost: to complain of that on standard error
    // would be a panic of whoever wrote the line.
    let log = log.log_internal_errors(false);
    let log = log.with_env_filter(filter(settings.loglevel)).with_filter_reloading();
    let handle = log.reload_handle();
    log.init();
    Ok(Box::new(move |level| {
        // The log is gone only when the process is.
        drop(handle.reload(filter(level)));
        tracing::info!("loglevel is {}", format!("{level:?}").to_lowercase());
    }))
}

fn level_of(level: LogLevel) -> tracing::Level {
    match level {
        LogLevel::Debug => tracing::Level::TRACE,
        LogLevel::Verbose => tracing::Level::DEBUG,
        LogLevel::Notice => tracing::Level::INFO,
        LogLevel::Warning => tracing::Level::WARN,
    }
}

/// Everything that the settings want to be listened on. Port 0 is no port beside a Unix socket, and any port without one.
fn listen(settings: &Settings) -> Result<Vec<Bound>, StartupError> {
    let mut listeners: Vec<Bound> = Vec::new();
    if settings.port != 0 || settings.unixsocket.is_empty() {
        listeners.extend(listen_on_port(settings)?.into_iter().map(Bound::Tcp));
    }
    if !settings.unixsocket.is_empty() {
        let (listener, file) =
            unix::bind(Path::new(&settings.unixsocket), settings.unixsocketperm, settings.tcp_backlog)?;
        listeners.push(Bound::Unix(listener, file));
    }
    Ok(listeners)
}

/// Binds every address. One that is marked optional with `-` and does not exist here is left out.
fn listen_on_port(settings: &Settings) -> Result<Vec<std::net::TcpListener>, StartupError> {
    let mut listeners = Vec::new();
    for text in &settings.bind {
        let (optional, host) = text.strip_prefix('-').map_or((false, text.as_str()), |host| (true, host));
        let ip: IpAddr = match host {
            "*" => IpAddr::from([0, 0, 0, 0]),
            "::*" => IpAddr::from([0u16; 8]),
            host => host.parse().map_err(|_| StartupError::Option {
                name: "bind".into(),
                reason: format!("'{host}' is no IP address; for example --bind 127.0.0.1"),
            })?,
        };
        match listener::bind(SocketAddr::new(ip, settings.port), settings.tcp_backlog) {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                return Err(StartupError::PortTaken {
                    address: SocketAddr::new(ip, settings.port).to_string(),
                    port: settings.port,
                });
            }
            Err(_) if optional => {}
            Err(source) => {
                return Err(StartupError::Bind { address: SocketAddr::new(ip, settings.port).to_string(), source });
            }
        }
    }
    Ok(listeners)
}

/// SIGINT and SIGTERM end the instance as SHUTDOWN does.
fn stop_on_signals(engine: &Arc<Engine>) -> Result<Arc<AtomicBool>, StartupError> {
    use tokio::signal::unix::{SignalKind, signal};
    let refused = |source| StartupError::Thread { what: "the signal handler", source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(refused)?;
    let engine = engine.clone();
    let by_signal = Arc::new(AtomicBool::new(false));
    let seen = by_signal.clone();
    let wait = move || {
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            let stopped = pipkin::server::supervisor::stopped(&engine);
            tokio::select! {
                _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
                _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
                () = stopped.notified() => return,
            }
            seen.store(true, Ordering::Release);
            engine.stop();
        });
    };
    std::thread::Builder::new().name("pipkin-signals".into()).spawn(wait).map_err(refused)?;
    Ok(by_signal)
}
