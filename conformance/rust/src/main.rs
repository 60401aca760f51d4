//! redis-rs and fred do their work: each family over each client on an empty server is one line, `ok` or `FAILED`.
//!
//! redis-rs also speaks over the stream in memory of an embedded server, where there is no socket.

mod fred_client;
mod newer;
mod redis_client;
mod redis_flow;

use std::env;
use std::panic;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What a family returns; an assertion that does not hold is a panic, which fails the family just as well.
type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The longest that anything here waits for another client.
const PATIENCE: Duration = Duration::from_secs(20);

static FAILED: AtomicUsize = AtomicUsize::new(0);

/// Runs one family over one client and tells how it went.
async fn case(client: &str, family: &str, body: impl Future<Output = Outcome> + Send + 'static) {
    let began = Instant::now();
    let failure = match tokio::time::timeout(Duration::from_secs(60), tokio::spawn(body)).await {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(error))) => Some(error.to_string()),
        Ok(Err(panic)) => Some(panic.to_string()),
        Err(_) => Some("not done after a minute".to_owned()),
    };
    match failure {
        None => println!("ok      {client}: {family} ({:.2} s)", began.elapsed().as_secs_f64()),
        Some(failure) => {
            FAILED.fetch_add(1, Ordering::Relaxed);
            println!("FAILED  {client}: {family}\n        {failure}");
        }
    }
}

/// Asks until the answer is true.
async fn until<F: Future<Output = bool>>(mut condition: impl FnMut() -> F) {
    let end = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < end, "waited in vain");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The words for Unicode keys.
const WORDS: [&str; 5] = ["아이폰 15 Pro", "Zürich", "日本語", "🙂👩‍👩‍👧‍👦", "مرحبا"];

/// Every byte there is.
fn every_byte() -> Vec<u8> {
    (0..=u8::MAX).collect()
}

#[tokio::main]
async fn main() -> ExitCode {
    // A failed case tells in its own lines what did not hold.
    panic::set_hook(Box::new(|_| {}));
    let host = env::var("CONFORMANCE_HOST").expect("CONFORMANCE_HOST");
    let port = env::var("CONFORMANCE_PORT").expect("CONFORMANCE_PORT").parse().expect("a port");
    let embedded_too = env::var_os("CONFORMANCE_TARGET").is_none();
    redis_client::run(&host, port, embedded_too).await;
    fred_client::run(&host, port).await;
    ExitCode::from(u8::from(FAILED.load(Ordering::Relaxed) > 0))
}
