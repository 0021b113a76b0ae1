//! `daemun-engine init [--user UID:GID] -- COMMAND…`: the first process of a container, or of a service.
//!
//! ```text
//!  starter ── TERM, INT, QUIT, HUP, USR1, USR2 ──► init ──► COMMAND (the control plane) ──► engine
//!                                                   ▲  ◄── dies: its children become ours ────┘
//!                                                   └── reaps all, starts COMMAND again, which adopts the engine
//! ```
//!
//! Facts: who loses his parent becomes a child of the namespace's first process, or of the nearest one that asked for it
//! (prctl(2), `PR_SET_CHILD_SUBREAPER`), before anyone can reap that parent; `waitpid` fails with ECHILD when there are no
//! children at all.
//!
//! Decisions: what is worth keeping is what still serves. So COMMAND is started again when it was killed, and when it
//! ended and left somebody running; when it ended by itself and nobody is left, it was stopped on purpose or could not
//! start, and its status is ours: whoever started us knows what to do about it. It gets a process group of its own, for
//! Ctrl-C in a terminal would reach it twice. One that dies young again and again is started ever later.
//!
//! What it does not do: know the engine or its Plan, read a configuration, open a socket, or start a thread.

mod signals;
mod step_down;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{kill_process, set_child_subreaper, wait, Pid, Signal, WaitOptions, WaitStatus};
use serde_json::json;

use crate::account::Account;
use crate::observe::events::{line, Level};
use signals::{Signals, Told};

/// One that lives longer has done its work, and the next one starts at once.
const YOUNG: Duration = Duration::from_secs(10);
const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// What shells say of a command that cannot be run, and of one that is not there.
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;
/// Added to the number of the signal that killed a command.
const KILLED: u8 = 128;

/// Does what the words after `init` say; returns the exit status.
#[must_use]
pub fn main(words: impl Iterator<Item = OsString>) -> u8 {
    let Wanted { account, program, words } = match Wanted::parse(words) {
        Ok(wanted) => wanted,
        Err(message) => {
            eprintln!("daemun-engine init: {message}: daemun-engine init [--user UID:GID] -- daemun run");
            return CANNOT_RUN;
        }
    };
    if let Some(Err(error)) = account.map(step_down::step_down) {
        eprintln!("daemun-engine init: cannot become the account of --user: {error}");
        return CANNOT_RUN;
    }
    let failed = |error: io::Error| {
        eprintln!("daemun-engine init: {}: {error}", program.to_string_lossy());
        if error.kind() == io::ErrorKind::NotFound {
            NOT_FOUND
        } else {
            CANNOT_RUN
        }
    };
    match Init::start(&program, &words) {
        Ok(init) => init.run().unwrap_or_else(failed),
        Err(error) => failed(error),
    }
}

/// What the command line asks for.
#[derive(Debug)]
struct Wanted {
    /// Whom to become first.
    account: Option<Account>,
    program: OsString,
    words: Vec<OsString>,
}

impl Wanted {
    fn parse(words: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut words = words.peekable();
        let mut account = None;
        if words.next_if(|word| word == "--user").is_some() {
            let text = words.next().unwrap_or_default();
            let text = text.to_string_lossy();
            let parsed = Account::parse(&text).ok_or_else(|| format!("--user {text}: not UID:GID[,GID…] of a user"))?;
            account = Some(parsed);
        }
        let _ = words.next_if(|word| word == "--");
        let program = words.next().ok_or("no command to start")?;
        Ok(Self { account, program, words: words.collect() })
    }
}

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Exited(u8),
    Killed(u8),
}

impl End {
    fn of(status: WaitStatus) -> Self {
        let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Self::Exited(byte(code)),
            (None, number) => Self::Killed(byte(number.unwrap_or(0))),
        }
    }

    /// What we end with for it.
    fn status(self) -> u8 {
        match self {
            Self::Exited(code) => code,
            Self::Killed(number) => KILLED.saturating_add(number),
        }
    }

    fn how(self) -> String {
        match self {
            Self::Exited(code) => format!("exited with {code}"),
            Self::Killed(number) => format!("was killed by signal {number}"),
        }
    }
}

/// How long to wait before the next start, after so many young deaths in a row: one may be an accident.
fn delay(young: u32) -> Duration {
    match young {
        0 | 1 => Duration::ZERO,
        more => FIRST_DELAY.saturating_mul(1 << (more - 2).min(16)).min(LONGEST_DELAY),
    }
}

struct Init {
    command: Command,
    signals: Signals,
    /// The command, while it runs.
    child: Option<Pid>,
    started: Instant,
    young: u32,
    /// When to start it again.
    again: Instant,
    /// With what to end, once it was asked for and the command has ended.
    status: u8,
    stopping: bool,
}

impl Init {
    fn start(program: &OsStr, words: &[OsString]) -> io::Result<Self> {
        let signals = Signals::hold()?;
        // Not needed by the first process of a namespace, and no harm there.
        set_child_subreaper(Some(Pid::INIT))?;
        let mut command = Command::new(program);
        command.args(words).process_group(0);
        Signals::let_go_in(&mut command);
        let now = Instant::now();
        let mut init =
            Self { command, signals, child: None, started: now, young: 0, again: now, status: 0, stopping: false };
        init.start_command()?;
        Ok(init)
    }

    fn run(mut self) -> io::Result<u8> {
        loop {
            // Before the first wait, too: it may have ended already.
            if let Some(status) = self.reap()? {
                return Ok(status);
            }
            let waits = self.child.is_none() && !self.stopping;
            let limit = waits.then(|| self.again.saturating_duration_since(Instant::now()));
            match self.signals.wait(limit)? {
                Some(Told::ChildEnded) => {}
                Some(Told::Stop(signal)) => {
                    self.stopping = true;
                    self.pass_on(signal);
                }
                // Whoever has mended something does not want to wait.
                Some(Told::Else(Signal::HUP)) if self.child.is_none() => self.again = Instant::now(),
                Some(Told::Else(signal)) => self.tell_child(signal),
                None if waits => self.start_again(),
                None => {}
            }
        }
    }

    fn start_command(&mut self) -> io::Result<()> {
        let child = self.command.spawn()?;
        self.child = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        self.started = Instant::now();
        Ok(())
    }

    fn start_again(&mut self) {
        if let Err(error) = self.start_command() {
            self.young = self.young.saturating_add(1);
            self.again = Instant::now() + LONGEST_DELAY;
            say(Level::Error, "start_failed", &error.to_string(), LONGEST_DELAY);
        }
    }

    /// Takes leave of all that have ended; tells with what to end, when it is time.
    fn reap(&mut self) -> io::Result<Option<u8>> {
        let mut end = None;
        let is_alone = loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    if self.child == Some(pid) {
                        self.child = None;
                        end = Some(End::of(status));
                    }
                }
                Ok(None) => break false,
                Err(Errno::CHILD) => break true,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        if let Some(end) = end {
            if self.stopping {
                self.status = end.status();
                // It ended without ending its own, or was killed.
                pass_to_all(Signal::TERM);
            } else if is_alone && matches!(end, End::Exited(_)) {
                return Ok(Some(end.status()));
            } else {
                self.mourn(end);
            }
        }
        Ok((self.stopping && is_alone).then_some(self.status))
    }

    fn mourn(&mut self, end: End) {
        let is_young = self.started.elapsed() < YOUNG;
        self.young = if is_young { self.young.saturating_add(1) } else { 0 };
        let delay = delay(self.young);
        self.again = Instant::now() + delay;
        say(Level::Error, "command_ended", &end.how(), delay);
    }

    fn pass_on(&self, signal: Signal) {
        match self.child {
            Some(_) => self.tell_child(signal),
            None => pass_to_all(signal),
        }
    }

    fn tell_child(&self, signal: Signal) {
        if let Some(pid) = self.child {
            // It is ours and not reaped: the number means nobody else.
            let _ = kill_process(pid, signal);
        }
    }
}

/// Tells every child: those that the command left to us.
fn pass_to_all(signal: Signal) {
    let own = std::process::id();
    let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
    for pid in children.split_ascii_whitespace().filter_map(|word| word.parse().ok()).filter_map(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

fn say(level: Level, event: &str, how: &str, again: Duration) {
    let fields = [("how", json!(how)), ("again_in", json!(again.as_secs_f64()))];
    eprint!("{}", line(level, event, fields.into_iter()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_death_is_an_accident_and_more_wait() {
        let delays: Vec<u128> = [0, 1, 2, 3, 4, 7, 8, 9, u32::MAX].map(|young| delay(young).as_millis()).into();
        assert_eq!(delays, [0, 0, 250, 500, 1_000, 8_000, 10_000, 10_000, 10_000]);
    }

    fn parsed(text: &str) -> Option<(bool, String, usize)> {
        let wanted = Wanted::parse(text.split_ascii_whitespace().map(OsString::from)).ok()?;
        Some((wanted.account.is_some(), wanted.program.into_string().ok()?, wanted.words.len()))
    }

    #[test]
    fn words_are_for_us_until_the_command() {
        let daemun = |account: bool, words: usize| Some((account, "daemun".to_owned(), words));
        assert_eq!(parsed("daemun run"), daemun(false, 1));
        assert_eq!(parsed("-- daemun --user 1:1"), daemun(false, 2));
        assert_eq!(parsed("--user 1000:1000 -- daemun"), daemun(true, 0));
        assert_eq!(parsed("--user 1000:1000 daemun"), daemun(true, 0));
        for text in ["", "--", "--user", "--user 1:1", "--user root -- daemun", "--user 0:0 -- daemun"] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn a_status_is_what_a_shell_says() {
        assert_eq!([End::Exited(0), End::Exited(3), End::Killed(9)].map(End::status), [0, 3, 137]);
    }
}
