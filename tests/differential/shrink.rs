//! Shrinks a failing sequence by delta debugging: drops ever smaller parts as long as some difference stays.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::grammar::Step;
use crate::pair::{Failure, Pair};

/// Time that shrinking may take; what is left then is printed.
const BUDGET: Duration = Duration::from_secs(20);

/// The shortest sequence found that still fails, and how it fails.
pub fn shrink(pair: &mut Pair<'_>, steps: &[Step], failure: Failure) -> (Vec<Step>, Failure) {
    let start = Instant::now();
    let mut best = (steps[..=failure.at].to_vec(), failure);
    let culprit = best.1.culprit(steps);
    // A shorter sequence counts when the same command differs.
    let mut attempt = |mut candidate: Vec<Step>| match pair.run(&candidate) {
        Err(failure) if failure.culprit(&candidate) == culprit => {
            candidate.truncate(failure.at + 1);
            Some((candidate, failure))
        }
        _ => None,
    };
    // Most differences concern one command's own keys only.
    if let Some(shorter) = attempt(related(&best.0)) {
        best = shorter;
    }
    let mut part = best.0.len() / 2;
    while part > 0 && start.elapsed() < BUDGET {
        let mut at = 0;
        let mut dropped = false;
        while at < best.0.len() && start.elapsed() < BUDGET {
            let mut candidate = best.0.clone();
            candidate.drain(at..(at + part).min(candidate.len()));
            match attempt(candidate) {
                Some(shorter) => {
                    best = shorter;
                    dropped = true;
                }
                None => at += part,
            }
        }
        if part > 1 || !dropped {
            part /= 2;
        }
    }
    best
}

/// The steps that name an argument of the last one, those without arguments (MULTI, EXEC, …), and SELECT.
fn related(steps: &[Step]) -> Vec<Step> {
    let Some(last) = steps.last() else { return Vec::new() };
    let arguments: BTreeSet<&[u8]> = last.arguments.iter().skip(1).map(Vec::as_slice).collect();
    let concerns = |step: &&Step| {
        let named = step.arguments.iter().skip(1).any(|argument| arguments.contains(argument.as_slice()));
        named || step.arguments.len() <= 1 || matches!(step.arguments[0].as_slice(), b"SELECT" | b"HELLO")
    };
    steps.iter().filter(concerns).cloned().collect()
}
