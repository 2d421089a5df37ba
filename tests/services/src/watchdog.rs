//! No server survives the process that started it, however that process ends.
//!
//! A watchdog leads a process group, and every server is born into that group. The watchdog reads
//! from a pipe whose other end only the starting process holds. When that process is gone, by
//! return, panic, Ctrl-C or SIGKILL, the read ends, and the watchdog kills its group. There is no
//! moment at which a server exists and the watchdog does not know of it, and no process id that
//! could have passed to somebody else.
//!
//! The watchdog is the system's `sh` with a fixed script, because a test's binary, whose `main`
//! is not ours, could not start itself in that role.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
};

const SCRIPT: &str = "trap '' HUP INT TERM; read -r _; kill -KILL 0";

#[derive(Debug)]
pub(crate) struct Watchdog(Child);

impl Watchdog {
    pub(crate) fn start() -> io::Result<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT]).current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Self)
    }

    /// Makes the command start in the watched group. If the watchdog is gone, the command can
    /// not start at all.
    pub(crate) fn watch(&self, command: &mut Command) {
        // The system hands out process ids as this very type.
        command.process_group(self.0.id().cast_signed());
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It has killed itself with its group, so there is no outcome to look at.
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_group_ends_with_the_watchdog() {
        let watchdog = Watchdog::start().expect("every system has a shell");
        let mut command = Command::new("sleep");
        watchdog.watch(command.arg("600"));
        let mut child = command.spawn().expect("every system has sleep");
        assert!(child.try_wait().expect("it is our child").is_none());
        drop(watchdog);
        let status = child.wait().expect("it is our child");
        assert!(!status.success(), "{status}");
    }
}
