//! Which process it is, and whether it still lives.
//!
//! Invariant: a process is called dead only if that is certain. A number alone proves nothing,
//! because numbers are given out again; so a process is its number, its start, and the boot and
//! the namespaces in which both count.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// A process of some machine, told apart from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// The boot of the machine and the namespaces in which the number and the start count;
    /// `None` where the system does not tell.
    pub boot: Option<String>,
    /// When it started, in clock ticks since the boot; `None` where the system does not tell.
    pub start: Option<u64>,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)
    }
}

/// What stands in place of the boot if the former tool wrote the number.
const FORMER: &str = "former";

impl Process {
    /// A process of the former tool, which wrote down its number alone.
    pub(crate) fn former(pid: u32) -> Self {
        Self { pid, boot: Some(FORMER.to_owned()), start: None }
    }

    pub(crate) fn is_former(&self) -> bool {
        self.boot.as_deref() == Some(FORMER)
    }
}

/// Whether a process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Liveness {
    Alive,
    Dead,
    Unknown,
}

/// Where processes are looked up; a test has processes of its own.
pub(crate) trait Processes: fmt::Debug + Send + Sync {
    /// This process.
    fn me(&self) -> Process;

    /// Whether the process lives.
    fn liveness(&self, process: &Process) -> Liveness;

    /// Whether a process of the former tool lives, which had this number at that time.
    fn former_liveness(&self, pid: u32, at_ms: i64) -> Liveness;
}

/// The processes of this machine.
#[derive(Debug, Default)]
pub(crate) struct System {
    /// Read once, and again in a process that was forked off.
    me: Mutex<Option<Process>>,
}

impl Processes for System {
    fn me(&self) -> Process {
        let pid = std::process::id();
        let mut me = self.me.lock().unwrap_or_else(PoisonError::into_inner);
        match me.as_ref() {
            Some(known) if known.pid == pid => known.clone(),
            _ => me.insert(system::identify(pid)).clone(),
        }
    }

    fn liveness(&self, process: &Process) -> Liveness {
        let me = self.me();
        if *process == me {
            return Liveness::Alive;
        }
        match (&process.boot, &process.start) {
            (Some(boot), Some(start)) if Some(boot) == me.boot.as_ref() => {
                match system::start_of(process.pid) {
                    system::Start::At(found) if found == *start => Liveness::Alive,
                    system::Start::At(_) | system::Start::NoSuchProcess => Liveness::Dead,
                    system::Start::Unknown => Liveness::Unknown,
                }
            }
            // Of another boot or container. It may be dead, and it may be beside us in another
            // container: its number means nothing here.
            _ => Liveness::Unknown,
        }
    }

    fn former_liveness(&self, pid: u32, at_ms: i64) -> Liveness {
        match system::start_of(pid) {
            system::Start::NoSuchProcess => Liveness::Dead,
            system::Start::Unknown => Liveness::Unknown,
            system::Start::At(start) => match system::start_ms(start) {
                // The start is known to the second, and the clock may have been set since.
                Some(started_ms) if started_ms > at_ms.saturating_add(5_000) => Liveness::Dead,
                Some(_) => Liveness::Alive,
                None => Liveness::Unknown,
            },
        }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::{fs, io::ErrorKind};

    use super::Process;

    pub(super) enum Start {
        At(u64),
        NoSuchProcess,
        Unknown,
    }

    pub(super) fn identify(pid: u32) -> Process {
        let start = match start_of(pid) {
            Start::At(start) => Some(start),
            Start::NoSuchProcess | Start::Unknown => None,
        };
        Process { pid, boot: boot(), start }
    }

    /// Numbers count within a namespace, and starts within a namespace of time.
    fn boot() -> Option<String> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let numbers = fs::read_link("/proc/self/ns/pid").ok()?;
        // A kernel without namespaces of time has one time for all.
        let time = fs::read_link("/proc/self/ns/time").unwrap_or_default();
        Some(format!("{} {} {}", boot.trim(), numbers.display(), time.display()))
    }

    pub(super) fn start_of(pid: u32) -> Start {
        match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => parse(&stat),
            // Without `/proc` every process is missing, this one too.
            Err(error) if error.kind() == ErrorKind::NotFound && has_proc() => Start::NoSuchProcess,
            // Gone between being opened and being read.
            Err(error) if error.raw_os_error() == Some(ESRCH) => Start::NoSuchProcess,
            Err(_) => Start::Unknown,
        }
    }

    const ESRCH: i32 = 3;

    fn has_proc() -> bool {
        fs::exists("/proc/self/stat").unwrap_or(false)
    }

    /// The third field is the state, the 22nd the start. The second, the name in parentheses,
    /// may contain spaces and parentheses itself, so counting starts behind its end.
    fn parse(stat: &str) -> Start {
        let Some((_, rest)) = stat.rsplit_once(')') else { return Start::Unknown };
        let mut fields = rest.split_whitespace();
        // A zombie holds nothing any more.
        if matches!(fields.next(), Some("Z" | "X" | "x")) {
            return Start::NoSuchProcess;
        }
        match fields.nth(18).and_then(|start| start.parse().ok()) {
            Some(start) => Start::At(start),
            None => Start::Unknown,
        }
    }

    /// A start as a wall-clock time, in milliseconds since 1970 UTC.
    pub(super) fn start_ms(start: u64) -> Option<i64> {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let boot = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
        let boot_seconds: i64 = boot.trim().parse().ok()?;
        let since_boot_ms = start.saturating_mul(1_000) / rustix::param::clock_ticks_per_second();
        boot_seconds.checked_mul(1_000)?.checked_add(i64::try_from(since_boot_ms).ok()?)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_name_with_parentheses_does_not_shift_the_fields() {
            let tail = "S 1 1 1 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 2";
            for name in ["(sh)", "(a) S 1 (b))"] {
                assert!(matches!(parse(&format!("77 {name} {tail}")), Start::At(98_765)));
            }
            let zombie = tail.replacen('S', "Z", 1);
            assert!(matches!(parse(&format!("77 (sh) {zombie}")), Start::NoSuchProcess));
            assert!(matches!(parse("77"), Start::Unknown));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::Process;

    #[expect(dead_code, reason = "only a system that tells constructs all of them")]
    pub(super) enum Start {
        At(u64),
        NoSuchProcess,
        Unknown,
    }

    pub(super) fn identify(pid: u32) -> Process {
        Process { pid, boot: None, start: None }
    }

    pub(super) fn start_of(_pid: u32) -> Start {
        Start::Unknown
    }

    pub(super) fn start_ms(_start: u64) -> Option<i64> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn this_process_lives_and_one_that_ended_does_not() {
        let system = System::default();
        let me = system.me();
        assert_eq!(system.liveness(&me), Liveness::Alive);
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let other = system::identify(child.id());
        assert_eq!(system.liveness(&other), Liveness::Alive);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(system.liveness(&other), Liveness::Dead);
    }

    #[test]
    fn a_reused_number_is_seen() {
        let system = System::default();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let now = system::identify(child.id());
        let earlier = Process { start: now.start.map(|start| start - 1), ..now };
        assert_eq!(system.liveness(&earlier), Liveness::Dead);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_process_of_another_boot_or_container_can_not_be_judged() {
        let system = System::default();
        let boot = Some("another boot".to_owned());
        let elsewhere = Process { boot, pid: 4_000_000, ..system.me() };
        assert_eq!(system.liveness(&elsewhere), Liveness::Unknown);
        let silent = Process { pid: 4_000_000, boot: None, start: None };
        assert_eq!(system.liveness(&silent), Liveness::Unknown);
    }

    #[test]
    fn a_number_of_the_former_tool_counts_only_if_its_process_is_old_enough() {
        let system = System::default();
        let me = system.me();
        let started_ms = system::start_ms(me.start.unwrap()).unwrap();
        let liveness = |at_ms| system.former_liveness(me.pid, at_ms);
        assert_eq!(liveness(started_ms + 60_000), Liveness::Alive);
        assert_eq!(liveness(started_ms - 60_000), Liveness::Dead);
        assert_eq!(system.former_liveness(4_000_000, started_ms), Liveness::Dead);
    }
}
