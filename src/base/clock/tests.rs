//! Tests of `clock`: fixed cases, and what real servers answered.

use std::sync::atomic::AtomicUsize;

use super::*;

#[test]
fn real_time_moves_with_the_wall_clock() {
    let clock = Clock::system();
    let (first, second) = (clock.now_us(), clock.now_us());
    assert!(first <= second);
    assert!(clock.wall_step_ms().abs() < 60_000);
    assert!(clock.monotonic_us() < 60_000_000);
    clock.advance(Duration::from_secs(1 << 40));
    assert!(clock.wall_step_ms().abs() < 60_000);
}

#[test]
fn manual_time_stands_still() {
    let clock = Clock::manual(1_000);
    assert_eq!((clock.now_ms(), clock.monotonic_us()), (1_000, 0));
    clock.advance(Duration::from_micros(1_500));
    assert_eq!((clock.now_us(), clock.monotonic_us()), (1_001_500, 1_500));
    clock.set(500);
    assert_eq!(clock.now_us(), 1_001_500, "never backwards");
    clock.set(2_000);
    assert_eq!(clock.clone().now_ms(), 2_000);
    assert_eq!(clock.wall_step_ms(), 0);
}

#[test]
fn advance_halts_at_every_due_moment() {
    let clock = Clock::manual(0);
    let due = Arc::new(Mutex::new(vec![700u64, 300, 5_000]));
    let seen = Arc::new(Mutex::new(Vec::new()));
    clock.on_due({
        let due = due.clone();
        Arc::new(move || due.lock().iter().min().copied())
    });
    clock.on_advance({
        let (due, seen) = (due.clone(), seen.clone());
        Arc::new(move |now_ms| {
            seen.lock().push(now_ms);
            due.lock().retain(|moment| *moment > now_ms);
            if now_ms == 300 {
                due.lock().push(now_ms + 100);
            }
        })
    });
    clock.advance(Duration::from_secs(1));
    assert_eq!(*seen.lock(), [300, 400, 700, 1_000]);
    assert_eq!(clock.now_ms(), 1_000);
}

#[test]
fn what_stays_due_does_not_hold_the_clock() {
    let clock = Clock::manual(10);
    clock.on_due(Arc::new(|| Some(5)));
    let calls = Arc::new(AtomicUsize::new(0));
    clock.on_advance({
        let calls = calls.clone();
        Arc::new(move |_| {
            calls.fetch_add(1, Ordering::Relaxed);
        })
    });
    clock.set(20);
    assert_eq!((clock.now_ms(), calls.load(Ordering::Relaxed)), (20, 1));
}

#[test]
fn a_wait_ends_at_its_deadline_on_the_manual_clock() {
    let clock = Clock::manual(0);
    let signal = Signal::new();
    assert_eq!(clock.wait(Some(0), &signal), Woken::Deadline);
    let waiter = std::thread::spawn({
        let (clock, signal) = (clock.clone(), signal.clone());
        move || (clock.wait(Some(100), &signal), clock.now_ms())
    });
    for _ in 0..10 {
        clock.advance(Duration::from_millis(10));
    }
    assert_eq!(waiter.join().unwrap(), (Woken::Deadline, 100));
}

#[test]
fn a_signal_ends_a_wait_once() {
    for clock in [Clock::manual(0), Clock::system()] {
        let signal = Signal::new();
        let waiter = std::thread::spawn({
            let (clock, signal) = (clock.clone(), signal.clone());
            move || clock.wait(None, &signal)
        });
        signal.raise();
        assert_eq!(waiter.join().unwrap(), Woken::Signal);
        assert_eq!(clock.wait(Some(clock.now_ms()), &signal), Woken::Deadline, "the signal was lowered");
        signal.raise();
        assert_eq!(clock.wait(Some(0), &signal), Woken::Signal, "a raised signal goes before the deadline");
    }
}
