//! The signals of [`super`]: they wait until they are asked for, so that none is lost between two looks.
//!
//! Facts (signal(7), pid_namespaces(7)): a blocked signal stays pending, also one whose usual effect is to be ignored,
//! also for the first process of a namespace; the mask is inherited over fork and exec. Decision: no handler, no thread
//! and no pipe; blocked signals and `sigtimedwait`, whose limit is the wait before the next start.

use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

/// What asks for an end, and what the control plane understands besides (docs/reference/daemun.md).
const STOPS: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::QUIT];
const OTHERS: [Signal; 3] = [Signal::HUP, Signal::USR1, Signal::USR2];

/// What a signal means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    ChildEnded,
    Stop(Signal),
    Else(Signal),
}

/// All that are held back from us.
pub(super) struct Signals {
    held: libc::sigset_t,
}

impl Signals {
    /// Holds them back from now on. While the process has one thread: a mask is a thread's.
    pub(super) fn hold() -> io::Result<Self> {
        let mut held = empty();
        for signal in STOPS.into_iter().chain(OTHERS).chain([Signal::CHILD]) {
            // SAFETY: the set was initialised by `empty`.
            checked(unsafe { libc::sigaddset(&mut held, signal.as_raw()) })?;
        }
        set_mask(&held)?;
        Ok(Self { held })
    }

    /// Lets the command have them again: it inherits the mask.
    pub(super) fn let_go_in(command: &mut Command) {
        let none = empty();
        // SAFETY: between fork and exec only a system call is made; pthread_sigmask may be (signal-safety(7)).
        unsafe { command.pre_exec(move || set_mask(&none)) };
    }

    /// Waits for the next one; None when `limit` has passed, or something else came in between.
    pub(super) fn wait(&self, limit: Option<Duration>) -> io::Result<Option<Told>> {
        let limit = limit.map(|limit| libc::timespec {
            tv_sec: libc::time_t::try_from(limit.as_secs()).unwrap_or(libc::time_t::MAX),
            // Less than a second: it has room in any number.
            tv_nsec: limit.subsec_nanos() as libc::c_long,
        });
        let limit = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: the set is initialised; no information is asked for; the limit is none, or lives until the call returns.
        let number = unsafe { libc::sigtimedwait(&self.held, std::ptr::null_mut(), limit) };
        if number < 0 {
            let error = io::Error::last_os_error();
            return match error.raw_os_error() {
                Some(libc::EAGAIN | libc::EINTR) => Ok(None),
                _ => Err(error),
            };
        }
        let is = |signal: &Signal| signal.as_raw() == number;
        let stop = STOPS.into_iter().find(is).map(Told::Stop);
        Ok(stop.or_else(|| OTHERS.into_iter().find(is).map(Told::Else)).or(Some(Told::ChildEnded)))
    }
}

fn empty() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises all of the set, and fails for no set that is one.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    }
}

fn set_mask(set: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: the set is initialised; the old one is not asked for.
    match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, set, std::ptr::null_mut()) } {
        0 => Ok(()),
        number => Err(io::Error::from_raw_os_error(number)),
    }
}

fn checked(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
