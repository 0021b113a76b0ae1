//! Users and their passwords as htpasswd lines have them: `name:hash`, one a line, `#` begins a comment.
//!
//! Hashes: `{SHA}` and `{SSHA}`, `{PLAIN}`, `$apr1$` and `$1$` ([`md5_crypt`]), `$5$` and `$6$` (sha-crypt), `$2…$`
//! (bcrypt). A line with another admits nobody. Slow ones are looked at elsewhere ([`desk`]); what was
//! right once is remembered, by a keyed digest.

pub mod desk;
mod md5_crypt;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use base64::prelude::{Engine as _, BASE64_STANDARD};

/// Remembered passwords; when there are more all are forgotten.
const REMEMBERED: usize = 1024;

pub struct Users {
    all: HashMap<Vec<u8>, Hash>,
    /// Keyed, so that what is remembered tells nothing.
    key: [u8; 32],
    right: Mutex<HashSet<[u8; 32]>>,
}

#[derive(Debug)]
enum Hash {
    Plain(Vec<u8>),
    /// Digest and salt.
    Sha(Vec<u8>, Vec<u8>),
    Md5 {
        magic: &'static str,
        salt: String,
        hash: String,
    },
    Sha256(String),
    Sha512(String),
    Bcrypt(String),
    Unknown,
}

/// What is known of a password at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Right,
    Wrong,
    /// [`Users::verify`] takes its time.
    Slow,
}

impl Users {
    /// Reads htpasswd lines.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let mut all = HashMap::new();
        for line in text.split(|&b| b == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.first() == Some(&b'#') {
                continue;
            }
            let mut parts = line.splitn(3, |&b| b == b':');
            if let (Some(name), Some(hash)) = (parts.next(), parts.next()) {
                // The first line of a name counts; what follows a second colon is a comment (nginx).
                all.entry(name.to_vec()).or_insert_with(|| Hash::parse(hash));
            }
        }
        let mut key = [0; 32];
        // Without randomness digests are only less secret in the process' own memory.
        let _ = aws_lc_rs::rand::fill(&mut key);
        Self { all, key, right: Mutex::new(HashSet::new()) }
    }

    /// What can be said at once.
    #[must_use]
    pub fn judge(&self, user: &[u8], password: &[u8]) -> Verdict {
        let of = |right| if right { Verdict::Right } else { Verdict::Wrong };
        match self.all.get(user) {
            Some(Hash::Unknown) => Verdict::Wrong,
            Some(Hash::Plain(_) | Hash::Sha(..)) => of(self.verify(user, password)),
            Some(_) if self.remembered().contains(&self.digest(user, password)) => Verdict::Right,
            // A user who is not there takes as long as one who is.
            None if !self.all.values().any(Hash::is_slow) => Verdict::Wrong,
            _ => Verdict::Slow,
        }
    }

    /// Whether the password is the user's.
    #[must_use]
    pub fn verify(&self, user: &[u8], password: &[u8]) -> bool {
        let Some(hash) = self.all.get(user) else {
            if let Some(decoy) = self.all.values().find(|hash| hash.is_slow()) {
                let _ = decoy.is_of(password);
            }
            return false;
        };
        let right = hash.is_of(password);
        if right && hash.is_slow() {
            let mut remembered = self.remembered();
            if remembered.len() >= REMEMBERED {
                remembered.clear();
            }
            remembered.insert(self.digest(user, password));
        }
        right
    }

    fn digest(&self, user: &[u8], password: &[u8]) -> [u8; 32] {
        let mut context = digest::Context::new(&SHA256);
        context.update(&self.key);
        context.update(&(user.len() as u64).to_le_bytes());
        context.update(user);
        context.update(password);
        let mut result = [0; 32];
        result.copy_from_slice(context.finish().as_ref());
        result
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashSet<[u8; 32]>> {
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hash {
    fn parse(hash: &[u8]) -> Self {
        let Ok(text) = std::str::from_utf8(hash) else { return Self::Unknown };
        let decoded = |text: &str| BASE64_STANDARD.decode(text).ok();
        if let Some(plain) = text.strip_prefix("{PLAIN}") {
            return Self::Plain(plain.as_bytes().to_vec());
        }
        if let Some(digest) = text.strip_prefix("{SHA}").and_then(decoded) {
            return Self::Sha(digest, Vec::new());
        }
        if let Some(digest) = text.strip_prefix("{SSHA}").and_then(decoded).filter(|digest| digest.len() > 20) {
            return Self::Sha(digest[..20].to_vec(), digest[20..].to_vec());
        }
        for magic in ["$apr1$", "$1$"] {
            if let Some((salt, hash)) = text.strip_prefix(magic).and_then(|rest| rest.split_once('$')) {
                return Self::Md5 { magic, salt: salt.chars().take(8).collect(), hash: hash.to_owned() };
            }
        }
        match text.get(..3) {
            Some("$5$") => Self::Sha256(text.to_owned()),
            Some("$6$") => Self::Sha512(text.to_owned()),
            Some("$2a" | "$2b" | "$2x" | "$2y") => Self::Bcrypt(text.to_owned()),
            _ => Self::Unknown,
        }
    }

    fn is_slow(&self) -> bool {
        matches!(self, Self::Md5 { .. } | Self::Sha256(_) | Self::Sha512(_) | Self::Bcrypt(_))
    }

    fn is_of(&self, password: &[u8]) -> bool {
        let equal = |one: &[u8], other: &[u8]| verify_slices_are_equal(one, other).is_ok();
        match self {
            Self::Plain(plain) => {
                // Of equal length, so that the comparison tells nothing.
                let digest = |text: &[u8]| digest::digest(&SHA256, text);
                equal(digest(plain).as_ref(), digest(password).as_ref())
            }
            Self::Sha(digest, salt) => {
                let mut context = digest::Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
                context.update(password);
                context.update(salt);
                equal(digest, context.finish().as_ref())
            }
            Self::Md5 { magic, salt, hash } => {
                equal(hash.as_bytes(), md5_crypt::hash(password, salt.as_bytes(), magic).as_bytes())
            }
            Self::Sha256(hash) => {
                text(password).is_some_and(|password| sha_crypt::sha256_check(password, hash).is_ok())
            }
            Self::Sha512(hash) => {
                text(password).is_some_and(|password| sha_crypt::sha512_check(password, hash).is_ok())
            }
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::Unknown => false,
        }
    }
}

fn text(password: &[u8]) -> Option<&str> {
    std::str::from_utf8(password).ok()
}

/// User and password of an Authorization field of the scheme Basic (RFC 7617 section 2).
#[must_use]
pub fn credentials(authorization: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, rest) = authorization.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let mut user = BASE64_STANDARD.decode(wire::field::trim(rest)).ok()?;
    let colon = memchr::memchr(b':', &user)?;
    let password = user.split_off(colon + 1);
    user.truncate(colon);
    Some((user, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `openssl passwd` and `htpasswd`: every one of `secret`.
    const LINES: &str = "\
# a comment
plain:{PLAIN}secret
sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=
apr1:$apr1$salt1234$G61s9lpZAELkzUFCbj/53/
md5:$1$salt1234$GexpiwjB8qThXlxv/yIG6.
sha256:$5$saltstring$C3o4O1TC6aRHF4FI.QSZMXtHbaj2gSXr4sUc/3NcUi.
sha512:$6$saltstring$AIsRs/Ee56G/tC8MEHhvReZTfx8u3rXXMl6eYrjCG9ibix19DxoMBLogdTET5Ukw9Sf7eZTITsuk0Ry5qulYz.
bcrypt:$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW
odd:whatever
plain:{PLAIN}second
noted:{PLAIN}secret:a comment
";

    #[test]
    fn every_hash() {
        let users = Users::parse(LINES.as_bytes());
        for user in ["plain", "sha", "apr1", "md5", "sha256", "sha512", "bcrypt", "noted"] {
            assert!(users.verify(user.as_bytes(), b"secret"), "{user}");
            assert!(!users.verify(user.as_bytes(), b"secret2"), "{user}");
            assert!(!users.verify(user.as_bytes(), b""), "{user}");
        }
        assert!(!users.verify(b"odd", b"whatever"));
        assert!(!users.verify(b"nobody", b"secret"));
        assert!(!users.verify(b"# a comment", b""));
    }

    #[test]
    fn what_was_right_once_is_known() {
        let users = Users::parse(LINES.as_bytes());
        assert_eq!(users.judge(b"sha512", b"secret"), Verdict::Slow);
        assert!(users.verify(b"sha512", b"secret"));
        assert_eq!(users.judge(b"sha512", b"secret"), Verdict::Right);
        assert_eq!(users.judge(b"sha512", b"other"), Verdict::Slow);
        assert_eq!(users.judge(b"sha256", b"secret"), Verdict::Slow);
        assert_eq!(users.judge(b"plain", b"secret"), Verdict::Right);
        assert_eq!(users.judge(b"nobody", b"secret"), Verdict::Slow);
        assert_eq!(Users::parse(b"a:{PLAIN}b").judge(b"nobody", b"secret"), Verdict::Wrong);
    }

    #[test]
    fn basic_credentials() {
        let is = |text: &str| credentials(text.as_bytes());
        assert_eq!(is("Basic YWxpY2U6YTpi"), Some((b"alice".to_vec(), b"a:b".to_vec())));
        assert_eq!(is("bAsIc  YWxpY2U6"), Some((b"alice".to_vec(), Vec::new())));
        for none in ["", "Basic", "Basic !", "Basic YWxpY2U=", "Bearer YWxpY2U6YTpi"] {
            assert_eq!(is(none), None, "{none}");
        }
    }
}
