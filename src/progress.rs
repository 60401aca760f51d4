//! A bar on the terminal while a dataset is loaded: how much of it, and how long it may still take.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pipkin::engine::instance::Engine;

/// How often the bar is drawn.
const PERIOD: Duration = Duration::from_millis(100);
/// Characters of the bar.
const WIDTH: u64 = 30;

/// Does `load` and shows meanwhile how far it has come, if standard error is a terminal.
pub fn shown<R>(engine: &Engine, load: impl FnOnce() -> R) -> R {
    if !std::io::stderr().is_terminal() {
        return load();
    }
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let drawing = scope.spawn(|| draw_until(engine, &is_over));
        let outcome = load();
        is_over.store(true, Ordering::Release);
        drawing.thread().unpark();
        outcome
    })
}

fn draw_until(engine: &Engine, is_over: &AtomicBool) {
    std::thread::park_timeout(PERIOD);
    while !is_over.load(Ordering::Acquire) {
        let loading = &engine.persistence.loading;
        let [loaded, total, started_ms] = [&loading.loaded_bytes, &loading.total_bytes, &loading.started_ms]
            .map(|known| known.load(Ordering::Relaxed));
        let elapsed_ms = engine.clock.now_ms().saturating_sub(started_ms);
        // A terminal that takes no more is no reason not to load.
        write!(std::io::stderr(), "\r{}\x1b[K", line(loaded, total, elapsed_ms)).ok();
        std::thread::park_timeout(PERIOD);
    }
    write!(std::io::stderr(), "\r\x1b[K").ok();
}

/// The bar's text.
fn line(loaded: u64, total: u64, elapsed_ms: u64) -> String {
    let (total, loaded) = (total.max(1), loaded.min(total));
    let parts = |of: u64| (u128::from(of) * u128::from(loaded) / u128::from(total)) as usize;
    let full = parts(WIDTH);
    let bar = format!("{}{}", "#".repeat(full), "-".repeat(WIDTH as usize - full));
    let left_s = u128::from(elapsed_ms) * u128::from(total - loaded) / u128::from(loaded.max(1)) / 1000;
    let (megabytes, percent) = (total.div_ceil(1 << 20), parts(100));
    format!("loading [{bar}] {percent}% of {megabytes} MB, {left_s} s left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_says_how_far_and_how_long() {
        let text = line(50 << 20, 200 << 20, 5_000);
        assert_eq!(text, "loading [#######-----------------------] 25% of 200 MB, 15 s left");
        assert!(line(0, 0, 0).contains(" 0% of 1 MB, 0 s left"));
        assert!(line(u64::MAX, 10, 1).contains("100%"));
        assert!(line(1, u64::MAX, u64::MAX).contains(" 0% of"));
    }
}
