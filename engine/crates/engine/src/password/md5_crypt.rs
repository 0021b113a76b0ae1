//! The password hash of FreeBSD (`$1$`) and Apache (`$apr1$`): a thousand rounds of MD5. Old, and in many files.

use md5::{Digest, Md5};

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The hash without magic and salt.
#[must_use]
pub fn hash(password: &[u8], salt: &[u8], magic: &str) -> String {
    let mut inner: [u8; 16] =
        Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize().into();
    let mut context = Md5::new().chain_update(password).chain_update(magic).chain_update(salt);
    let mut left = password.len();
    while left > 0 {
        let n = left.min(16);
        context.update(&inner[..n]);
        left -= n;
    }
    let mut bits = password.len();
    while bits > 0 {
        context.update(if bits & 1 == 1 { &[0][..] } else { &password[..1] });
        bits >>= 1;
    }
    inner = context.finalize().into();
    for round in 0..1000 {
        let odd = round & 1 == 1;
        let mut context = Md5::new();
        context.update(if odd { password } else { &inner[..] });
        if round % 3 != 0 {
            context.update(salt);
        }
        if round % 7 != 0 {
            context.update(password);
        }
        context.update(if odd { &inner[..] } else { password });
        inner = context.finalize().into();
    }
    let mut out = String::with_capacity(22);
    for [a, b, c] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        put(&mut out, u32::from(inner[a]) << 16 | u32::from(inner[b]) << 8 | u32::from(inner[c]), 4);
    }
    put(&mut out, u32::from(inner[11]), 2);
    out
}

/// So many digits to the base 64, the lowest first.
fn put(out: &mut String, mut value: u32, digits: usize) {
    for _ in 0..digits {
        out.push(char::from(ALPHABET[(value & 63) as usize]));
        value >>= 6;
    }
}
