//! What the operating system says about this process and its machine: memory, processor time, names.
//!
//! Read from `/proc` when asked, which needs no foreign code; where there is no `/proc` the figures are 0 and the
//! names those of the build.

use std::fs;

/// Processor time, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// In the kernel.
    pub system_us: u64,
    /// Outside of it.
    pub user_us: u64,
}

/// Processor time of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTimes {
    /// All threads.
    pub own: CpuTime,
    /// Processes that it started and waited for.
    pub children: CpuTime,
    /// The thread that the process began with.
    pub main_thread: CpuTime,
}

/// Microseconds of a tick in `/proc`: `USER_HZ` is 100 on every platform that Rust runs on.
const TICK_US: u64 = 10_000;

/// Memory of this process that is in RAM, in bytes.
pub fn resident_bytes() -> u64 {
    fs::read_to_string("/proc/self/status").map_or(0, |text| kibibytes(&text, "VmRSS:"))
}

/// RAM of this machine, in bytes.
pub fn total_memory_bytes() -> u64 {
    fs::read_to_string("/proc/meminfo").map_or(0, |text| kibibytes(&text, "MemTotal:"))
}

/// The figure behind `name`, which `/proc` gives in KiB.
fn kibibytes(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let figure = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    figure.unwrap_or(0).saturating_mul(1024)
}

/// Processor time that was used so far.
pub fn cpu_times() -> CpuTimes {
    let main = format!("/proc/self/task/{}/stat", std::process::id());
    let read = |path: &str| fs::read_to_string(path).map(|text| times_of(&text)).unwrap_or_default();
    let [own, children] = read("/proc/self/stat");
    let [main_thread, _] = read(&main);
    CpuTimes { own, children, main_thread }
}

/// Own and children's time out of a `stat` line. The program's name, which may hold anything, ends at the last `)`.
fn times_of(stat: &str) -> [CpuTime; 2] {
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut ticks = fields.split_whitespace().skip(11).map_while(|field| field.parse::<u64>().ok());
    let mut next = || ticks.next().unwrap_or(0).saturating_mul(TICK_US);
    let [own_user, own_system, children_user, children_system] = [next(), next(), next(), next()];
    [
        CpuTime { system_us: own_system, user_us: own_user },
        CpuTime { system_us: children_system, user_us: children_user },
    ]
}

/// Name and release of the operating system, and the processor's family.
pub fn system_name() -> String {
    let read = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).ok();
    let name = read("/proc/sys/kernel/ostype").unwrap_or_else(|| std::env::consts::OS.to_owned());
    let release = read("/proc/sys/kernel/osrelease").unwrap_or_default();
    [name.as_str(), release.as_str(), std::env::consts::ARCH].join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_their_names() {
        let text = "Name:\tx\nVmHWM:\t  10 kB\nVmRSS:\t  7 kB\n";
        assert_eq!(kibibytes(text, "VmRSS:"), 7 * 1024);
        assert_eq!(kibibytes(text, "VmSwap:"), 0);
    }

    #[test]
    fn a_program_may_have_any_name() {
        let stat = "17 (a) b (c) R 1 17 1 0 -1 4194304 95 0 0 0 3 4 5 6 20 0 1 0 9";
        let [own, children] = times_of(stat);
        assert_eq!(own, CpuTime { user_us: 30_000, system_us: 40_000 });
        assert_eq!(children, CpuTime { user_us: 50_000, system_us: 60_000 });
        assert_eq!(times_of("nonsense"), [CpuTime::default(); 2]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_in_memory() {
        assert!(resident_bytes() > 0 && resident_bytes() < total_memory_bytes());
        assert!(system_name().starts_with("Linux "));
    }
}
