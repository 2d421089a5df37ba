//! One server process: start, stop, and everything that can happen to a server in between.
//!
//! Guards that a process is signalled only while it is our child and has not been waited for, so
//! that no other process can have its id.

use std::{
    fs::File,
    io,
    path::Path,
    process::{Child, ExitStatus},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    account, client,
    client::Reply,
    deadline::Deadline,
    error::{Error, Result},
    run::Run,
    spec::Spec,
    tree,
};

/// One server on its port, with its own data folder. Dropping it stops it.
///
/// The methods block, for milliseconds or until the server has reached the wanted state.
#[derive(Debug)]
pub struct Server {
    spec: Spec,
    run: Arc<Run>,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// Starts a server on a port that nobody has. The specification is asked for again with
    /// another port if somebody was faster.
    pub(crate) fn launch(
        run: &Arc<Run>,
        mut port: impl FnMut() -> Result<u16>,
        mut spec: impl FnMut(u16) -> Result<Spec>,
    ) -> Result<Self> {
        const ATTEMPTS: usize = 4;
        let mut attempt = 1;
        loop {
            let server =
                Self { spec: spec(port()?)?, run: Arc::clone(run), child: Mutex::new(None) };
            let outcome = server.start();
            if outcome.is_err() {
                server.kill();
            }
            match outcome {
                Err(Error::NotReady { tail, .. })
                    if attempt < ATTEMPTS && names_a_taken_port(&tail) =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
                Ok(()) => return Ok(server),
            }
        }
    }

    /// What logs call it, such as `redis_replicated-replica-3`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Its port on 127.0.0.1, 0 for one that listens on a Unix socket only.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.spec.port
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.spec.folder
    }

    /// The file that it writes its messages to.
    #[must_use]
    pub fn log(&self) -> std::path::PathBuf {
        self.run.log_of(&self.spec.name)
    }

    /// The version of the program, as major and minor number.
    #[must_use]
    pub const fn version(&self) -> (u32, u32) {
        let version = self.spec.program.version;
        (version.0, version.1)
    }

    /// The id of the process while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        let mut child = self.child();
        running(&mut child).map(|child| child.id())
    }

    /// Whether it answers a request right now.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.pid().is_some() && self.spec.probe.answers()
    }

    /// Starts it on its port, with the data that it has, and waits until it answers. Nothing
    /// happens if it runs.
    ///
    /// # Errors
    /// [`Error::Process`] if it can not be started, [`Error::NotReady`] if it ends or does not
    /// answer in time.
    pub fn start(&self) -> Result<()> {
        let mut child = self.child();
        if running(&mut child).is_none() {
            *child = Some(self.spawn()?);
        }
        drop(child);
        self.wait_until_ready()
    }

    /// Stops it in an orderly way, and the hard way if that takes too long.
    pub fn stop(&self) {
        self.ask_to_stop();
        self.reap(Duration::from_secs(10));
    }

    /// Ends it at once (SIGKILL), as a crash would. Its children end too, because a database
    /// does not start again while some are left.
    pub fn kill(&self) {
        self.signal_all(Signal::KILL);
        self.reap(Duration::ZERO);
    }

    /// Stops it and starts it on the same port, with the data that it has kept.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn restart(&self) -> Result<()> {
        self.stop();
        self.start()
    }

    /// Makes it stand still (SIGSTOP): its connections stay open and nothing answers on them.
    /// The children of a server that has some stand still too. Returns when they do.
    pub fn pause(&self) {
        let stopped = self.signal_all(Signal::STOP);
        let still = || stopped.iter().copied().all(tree::stands_still).then_some(());
        // One that somebody lets go on meanwhile is waited for in vain.
        let _ = Deadline::after(self.spec.patience).poll(still);
    }

    /// Lets it go on after [`Server::pause`].
    pub fn resume(&self) {
        self.signal_all(Signal::CONT);
    }

    /// Sends a command to a Redis or Valkey, over a way of its own that needs no right, and
    /// returns the answer. A refusal is an answer.
    ///
    /// # Errors
    /// [`Error::Reply`] if the server is of another kind or does not answer.
    pub fn command(&self, words: &[&str]) -> Result<Reply> {
        const LIMIT: Duration = Duration::from_secs(10);
        let failed = |reply: String| Error::Reply {
            server: self.spec.name.clone(),
            command: words.join(" "),
            reply,
        };
        let Some(console) = &self.spec.console else {
            return Err(failed("nothing, as it takes no such commands".to_owned()));
        };
        client::command(&console.address, console.login, words, LIMIT)
            .map_err(|error| failed(error.to_string()))
    }

    /// Sends a command that has to succeed.
    ///
    /// # Errors
    /// As [`Server::command`], and [`Error::Reply`] for a refusal.
    pub fn commanded(&self, words: &[&str]) -> Result<Reply> {
        match self.command(words)? {
            refusal @ Reply::Error(_) => Err(Error::Reply {
                server: self.spec.name.clone(),
                command: words.join(" "),
                reply: refusal.to_string(),
            }),
            reply => Ok(reply),
        }
    }

    /// Asks until it is so, for as long as the server may take to start.
    ///
    /// # Errors
    /// [`Error::NotReady`] if it never is.
    pub fn wait_until(&self, mut holds: impl FnMut() -> bool) -> Result<()> {
        self.wait_for("reach the awaited state", || holds().then_some(()))
    }

    /// Asks it to stop, so that several can stop side by side.
    pub(crate) fn ask_to_stop(&self) {
        self.signal(self.spec.stop_signal);
        // One that stands still could not hear it.
        self.resume();
    }

    /// Whether it stays when it is dropped.
    pub(crate) fn outlives_us(&self) -> bool {
        self.run.is_detached()
    }

    /// Waits until there is something, with an error that names the server if there never is.
    pub(crate) fn wait_for<T>(&self, what: &str, attempt: impl FnMut() -> Option<T>) -> Result<T> {
        let found = Deadline::after(self.spec.patience).poll(attempt);
        found.ok_or_else(|| Error::not_ready(&self.spec.name, what, &self.log()))
    }

    fn spawn(&self) -> Result<Child> {
        let log = self.log();
        let output = File::options().create(true).append(true).open(&log);
        let output = output.map_err(Error::file(&log))?;
        let errors = output.try_clone().map_err(Error::file(&log))?;
        let mut command = self.spec.program.command();
        command.args(&self.spec.args).current_dir(&self.spec.folder);
        command.stdout(output).stderr(errors);
        account::assume(&mut command);
        self.run.place(&mut command);
        let spawned = command.spawn();
        let child =
            spawned.map_err(|source| Error::Process { program: self.spec.name.clone(), source })?;
        self.run.note(&self.spec.name, child.id(), self.spec.stop_signal, &self.spec.probe)?;
        Ok(child)
    }

    fn wait_until_ready(&self) -> Result<()> {
        let mut ended = false;
        let ready = Deadline::after(self.spec.patience).poll(|| {
            ended = self.pid().is_none();
            (ended || self.spec.probe.answers()).then_some(())
        });
        match (ready, ended) {
            (Some(()), false) => Ok(()),
            (Some(()), true) => Err(self.not_ready("stay alive")),
            (None, _) => Err(self.not_ready("answer in time")),
        }
    }

    fn not_ready(&self, what: &str) -> Error {
        Error::not_ready(&self.spec.name, what, &self.log())
    }

    fn signal(&self, signal: Signal) {
        let mut child = self.child();
        if let Some(child) = running(&mut child) {
            send(child.id(), signal);
        }
    }

    /// Sends a signal to the server and its children; which processes these are.
    fn signal_all(&self, signal: Signal) -> Vec<u32> {
        let mut child = self.child();
        let Some(child) = running(&mut child) else { return Vec::new() };
        // Asked first: those of a dead process are no longer its own.
        let descendants = tree::descendants(child.id());
        let all = [vec![child.id()], descendants].concat();
        all.iter().for_each(|pid| send(*pid, signal));
        all
    }

    /// Waits for its end, and brings that about if it does not come in time.
    fn reap(&self, patience: Duration) {
        let mut child = self.child();
        let Some(mut own) = child.take() else {
            return;
        };
        let ended = |own: &mut Child| own.try_wait().ok().flatten();
        if Deadline::after(patience).poll(|| ended(&mut own)).is_none() {
            // The process is ours and not waited for, so neither can fail.
            let _ = own.kill();
            let _ = own.wait();
        }
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.outlives_us() {
            self.stop();
        }
    }
}

/// The child, if it has not ended.
fn running(child: &mut Option<Child>) -> Option<&mut Child> {
    let ended = |outcome: io::Result<Option<ExitStatus>>| !matches!(outcome, Ok(None));
    child.take_if(|child| ended(child.try_wait()));
    child.as_mut()
}

/// Sends a signal to a process that may have ended.
pub(crate) fn send(pid: u32, signal: Signal) {
    // The system hands out process ids as this very type.
    if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
        // The only failure is that it has ended, and then there is nothing to do.
        let _ = kill_process(pid, signal);
    }
}

fn names_a_taken_port(tail: &str) -> bool {
    // Redis, MySQL and PostgreSQL use the system's words; Memcached too.
    tail.contains("ddress already in use")
}

#[cfg(test)]
mod tests {
    use super::*;

    mod memcached {
        use std::net::TcpListener;

        use super::*;
        use crate::{
            client::{Address, Probe},
            find::{Engine, resolve},
            port,
            spec::args,
        };

        #[test]
        #[ignore = "needs a live service"]
        fn a_port_that_was_taken_meanwhile_is_replaced() {
            let taken = TcpListener::bind("127.0.0.1:0").expect("some port is free");
            let taken_port = taken.local_addr().expect("it is bound").port();
            let run = Run::shared().expect("the target folder can be written");
            let name = run.name("taken");
            let folder = run.folder_for(&name).expect("the folder can be written");
            let program = resolve(Engine::Memcached).expect("there is one");
            let mut ports = vec![port::free().expect("some port is free"), taken_port];
            let spec = |port: u16| {
                Ok(Spec {
                    name: name.clone(),
                    program: program.clone(),
                    args: args!["-l", "127.0.0.1", "-p", port.to_string()],
                    folder: folder.clone(),
                    port,
                    probe: Probe::Memcached(Address::Port(port)),
                    console: None,
                    stop_signal: Signal::TERM,
                    patience: Duration::from_secs(30),
                })
            };
            let server = Server::launch(&run, || Ok(ports.pop().unwrap_or(taken_port)), spec)
                .unwrap_or_else(|error| panic!("{error}"));
            assert_ne!(server.port(), taken_port);
            assert!(server.answers());
        }
    }
}
