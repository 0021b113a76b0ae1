//! The pages of the program's code: after a Plan was applied, those that only starting and building it ran are let go.
//!
//! The kernel maps code in windows of 64 KB around what runs, so that a start (reading a Plan, TLS's providers) leaves
//! megabytes mapped that no request asks for. They are the file's: whatever runs again is mapped again, in microseconds.

use std::ffi::c_void;

use rustix::mm::{madvise, Advice};

/// Unmaps the code of the program and its libraries; what runs is mapped again as it runs.
pub fn give_back() {
    // Without /proc nothing is known, and everything stays.
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    for (start, end) in maps.lines().filter_map(code) {
        // SAFETY: a private mapping of a file that may be run but not written: its pages are the file's own, and are
        // read from there again. Where the kernel refuses, nothing has changed.
        let _ = unsafe { madvise(start as *mut c_void, end - start, Advice::LinuxDontNeed) };
    }
}

/// `55d0c0e00000-55d0c1200000 r-xp 00200000 fe:00 1234  /usr/bin/daemun-engine`: from where to where.
fn code(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    if fields.next()? != "r-xp" || !fields.nth(3)?.starts_with('/') {
        return None;
    }
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_files_is_given_back() {
        assert_eq!(code("1000-3000 r-xp 00200000 fe:00 1234   /usr/bin/daemun-engine"), Some((0x1000, 0x3000)));
        for other in [
            "1000-3000 r--p 00200000 fe:00 1234   /usr/bin/daemun-engine",
            "1000-3000 rwxp 00200000 fe:00 1234   /usr/bin/daemun-engine",
            "1000-3000 r-xp 00000000 00:00 0      [vdso]",
            "1000-3000 r-xp 00000000 00:00 0",
        ] {
            assert_eq!(code(other), None, "{other}");
        }
    }

    #[test]
    fn what_runs_runs_on() {
        give_back();
        assert!(std::fs::read_to_string("/proc/self/maps").is_ok_and(|maps| maps.lines().filter_map(code).count() > 0));
    }
}
