//! What INFO tells while an image is written.

use super::*;
use crate::base::clock::Clock;
use crate::base::config::Config;
use crate::store::record::NewValue;

/// A file that looks at the progress whenever it is written to.
struct Spy<'e> {
    progress: &'e Progress,
    seen: Vec<(u64, u64)>,
}

impl Write for Spy<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Progress { keys, total } = self.progress;
        self.seen.push((keys.load(Ordering::Relaxed), total.load(Ordering::Relaxed)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn progress_is_shown_while_an_image_is_written() {
    const KEYS: u64 = 20_000;
    let engine = Engine::new(Config::new(), Clock::manual(1)).expect("an instance's threads");
    let mut keys = engine.keys();
    keys.enter_exclusively(1);
    for n in 0..KEYS {
        keys.insert(format!("key:{n}").as_bytes(), NewValue::Bytes(&[b'v'; 100]), None);
    }
    keys.leave();
    let progress = &engine.persistence.progress;
    let snapshot = Snapshot::begin(&engine, |_| {});
    let (spy, written) = snapshot.write(Spy { progress, seen: Vec::new() }, false).expect("memory takes everything");
    assert_eq!(written.keys as u64, KEYS);
    let later: Vec<_> = spy.seen.iter().filter(|(_, total)| *total == KEYS).collect();
    assert!(later.len() > 2 && later.is_sorted(), "{:?}", spy.seen);
    assert!(later.last().is_some_and(|(keys, _)| *keys > KEYS / 2), "{:?}", spy.seen);
    assert_eq!((progress.keys.load(Ordering::Relaxed), progress.total.load(Ordering::Relaxed)), (0, 0));
}
