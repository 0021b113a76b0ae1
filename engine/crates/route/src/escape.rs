//! Escapes and classes of a regex, rewritten: the small print of [`crate::dialect`].

use std::fmt::Write;

use crate::dialect::{Language, Rewritten, Target};

/// A pattern read from left to right.
pub(crate) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(regex: &'a str) -> Self {
        Self { rest: regex }
    }

    pub(crate) const fn rest(&self) -> &'a str {
        self.rest
    }

    pub(crate) fn take(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    pub(crate) fn eat(&mut self, text: &str) -> bool {
        let after = self.rest.strip_prefix(text);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// `{n}`, `{n,}` or `{n,m}`, its brace just taken; None when it is no count.
    pub(crate) fn count(&mut self) -> Option<&'a str> {
        let end = self.rest.find('}')?;
        let inside = &self.rest[..end];
        let (low, high) = inside.split_once(',').unwrap_or((inside, ""));
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if low.is_empty() || !number(low) || !number(high) {
            return None;
        }
        self.rest = &self.rest[end + 1..];
        Some(inside)
    }

    /// As many characters as are accepted, `most` at most.
    fn run(&mut self, most: usize, accepted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.char_indices().take(most).take_while(|(_, next)| accepted(*next)).last();
        let (run, rest) = self.rest.split_at(end.map_or(0, |(at, last)| at + last.len_utf8()));
        self.rest = rest;
        run
    }

    fn until(&mut self, end: &str) -> &'a str {
        let (inside, rest) = self.rest.split_once(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        inside
    }

    /// What stands in `{}`, `<>` or quotes.
    fn bracketed(&mut self) -> Option<&'a str> {
        let end = [("{", "}"), ("<", ">"), ("'", "'")]
            .into_iter()
            .find_map(|(open, close)| self.eat(open).then_some(close))?;
        Some(self.until(end))
    }
}

/// What an escape stands for, in and outside a class.
enum Escaped {
    /// One character, or one byte when the pattern works on bytes.
    Code(u32),
    /// The inside of a class.
    Set(&'static str),
    NegatedSet(&'static str),
    /// `\Q..\E`
    Literal(String),
    /// `\p{..}`, as it stands.
    Property(String),
    /// Nothing that can stand in a class.
    Other(char),
}

const DIGITS: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const GO_SPACE: &str = r"\t\n\x0C\r\x20";
const PCRE_SPACE: &str = r"\t-\r\x20";
const HORIZONTAL: &str = r"\t\x20\xA0";
const VERTICAL: &str = r"\n-\r\x85";

/// The backslash is taken.
fn escaped(scanner: &mut Scanner<'_>, language: Language) -> Result<Escaped, String> {
    let go = language == Language::Go;
    let space = if go { GO_SPACE } else { PCRE_SPACE };
    let next = scanner.take().ok_or("it ends in a backslash")?;
    Ok(match next {
        'Q' => Escaped::Literal(scanner.until("\\E").to_owned()),
        'E' => Escaped::Literal(String::new()),
        'd' => Escaped::Set(DIGITS),
        'D' => Escaped::NegatedSet(DIGITS),
        'w' => Escaped::Set(WORD),
        'W' => Escaped::NegatedSet(WORD),
        's' => Escaped::Set(space),
        'S' => Escaped::NegatedSet(space),
        'h' if !go => Escaped::Set(HORIZONTAL),
        'H' if !go => Escaped::NegatedSet(HORIZONTAL),
        'v' if !go => Escaped::Set(VERTICAL),
        'V' if !go => Escaped::NegatedSet(VERTICAL),
        'N' if !go => Escaped::NegatedSet(r"\n"),
        'a' => Escaped::Code(0x07),
        'e' if !go => Escaped::Code(0x1B),
        'f' => Escaped::Code(0x0C),
        'n' => Escaped::Code(0x0A),
        'r' => Escaped::Code(0x0D),
        't' => Escaped::Code(0x09),
        'v' => Escaped::Code(0x0B),
        'c' if !go => {
            let control = scanner.take().filter(char::is_ascii).ok_or("`\\c` without its character")?;
            Escaped::Code(u32::from(control.to_ascii_uppercase()) ^ 0x40)
        }
        'x' => Escaped::Code(hex(scanner, go)?),
        '0' => Escaped::Code(octal(scanner, 0, 2)),
        '1'..='7' if go && scanner.rest().starts_with(|next: char| next.is_digit(8)) => {
            Escaped::Code(octal(scanner, next.to_digit(8).unwrap_or(0), 2))
        }
        'p' | 'P' => {
            let name =
                scanner.bracketed().map_or_else(|| scanner.run(1, |_| true).to_owned(), |name| format!("{{{name}}}"));
            Escaped::Property(format!("\\{next}{name}"))
        }
        other if other.is_ascii_alphanumeric() => Escaped::Other(other),
        other => Escaped::Code(u32::from(other)),
    })
}

fn hex(scanner: &mut Scanner<'_>, go: bool) -> Result<u32, String> {
    let digits = match scanner.rest().starts_with('{') {
        true => scanner.bracketed().unwrap_or(""),
        false => scanner.run(2, |next| next.is_ascii_hexdigit()),
    };
    if digits.is_empty() && !go {
        return Ok(0);
    }
    u32::from_str_radix(digits, 16).map_err(|_| format!("`\\x{digits}` is no character"))
}

fn octal(scanner: &mut Scanner<'_>, first: u32, more: usize) -> u32 {
    let digits = scanner.run(more, |next| next.is_digit(8));
    digits.chars().filter_map(|digit| digit.to_digit(8)).fold(first, |code, digit| code * 8 + digit)
}

/// An escape outside a class; its backslash is taken.
pub(crate) fn outside(scanner: &mut Scanner<'_>, language: Language, out: &mut Rewritten) -> Result<(), String> {
    let backtracking = language == Language::Pcre(Target::Backtracking);
    let unicode = out.unicode;
    match escaped(scanner, language)? {
        Escaped::Code(code) => push_code(&mut out.regex, code, unicode)?,
        Escaped::Set(set) => out.regex.extend(["[", set, "]"]),
        Escaped::NegatedSet(set) => out.regex.extend(["[^", set, "]"]),
        Escaped::Literal(text) => text.chars().try_for_each(|part| push_char(&mut out.regex, part))?,
        Escaped::Property(text) => out.regex.push_str(&text),
        Escaped::Other('A') => out.regex.push_str(r"\A"),
        Escaped::Other('z') => out.regex.push_str(r"\z"),
        Escaped::Other('C') => out.regex.push_str(if backtracking { "(?s:.)" } else { "(?s-u:.)" }),
        Escaped::Other('b') if backtracking => {
            out.regex.push_str("(?:(?<![0-9A-Za-z_])(?=[0-9A-Za-z_])|(?<=[0-9A-Za-z_])(?![0-9A-Za-z_]))");
        }
        Escaped::Other('B') if backtracking => {
            out.regex.push_str("(?:(?<![0-9A-Za-z_])(?![0-9A-Za-z_])|(?<=[0-9A-Za-z_])(?=[0-9A-Za-z_]))");
        }
        Escaped::Other('b') => out.regex.push_str(r"(?-u:\b)"),
        Escaped::Other('B') => out.regex.push_str(r"(?-u:\B)"),
        Escaped::Other(other) if language == Language::Go => return Err(format!("unknown escape `\\{other}`")),
        Escaped::Other('Z') if backtracking => out.regex.push_str(r"(?=\n?\z)"),
        Escaped::Other('Z') => {
            out.dollar = true;
            out.regex.push_str(r"\z");
        }
        Escaped::Other('R') => out.regex.push_str(r"(?:\r\n|[\n-\r\x85])"),
        Escaped::Other(other @ ('G' | 'K')) => {
            out.backtracks = true;
            out.regex.extend(['\\', other]);
        }
        Escaped::Other(digit @ '1'..='9') => {
            out.backtracks = true;
            let more = scanner.run(1, |next| next.is_ascii_digit());
            write!(out.regex, "(?:\\{digit}{more})").map_err(|error| error.to_string())?;
        }
        Escaped::Other(kind @ ('k' | 'g')) => {
            out.backtracks = true;
            let name = scanner.bracketed().unwrap_or_else(|| scanner.run(2, |next| next.is_ascii_digit()));
            if name.is_empty() {
                return Err(format!("`\\{kind}` without a group"));
            }
            write!(out.regex, "\\k<{name}>").map_err(|error| error.to_string())?;
        }
        Escaped::Other(other) => return Err(format!("unknown escape `\\{other}`")),
    }
    Ok(())
}

/// A class; its opening bracket is taken.
pub(crate) fn class(
    scanner: &mut Scanner<'_>,
    language: Language,
    unicode: bool,
    out: &mut String,
) -> Result<(), String> {
    out.push_str(if scanner.eat("^") { "[^" } else { "[" });
    let mut first = true;
    loop {
        if scanner.rest().starts_with("[:") && scanner.rest()[2..].contains(":]") {
            out.extend([scanner.until(":]"), ":]"]);
            first = false;
            continue;
        }
        let next = scanner.take().ok_or("a class without its `]`")?;
        if next == ']' && !first {
            break;
        }
        first = false;
        let item = item(scanner, next, language, unicode)?;
        let low = match item {
            Escaped::Code(code) => code,
            other => {
                push_item(out, other, unicode)?;
                continue;
            }
        };
        let range = scanner.rest().starts_with('-') && !scanner.rest().starts_with("-]") && scanner.rest().len() > 1;
        if !range {
            push_item(out, Escaped::Code(low), unicode)?;
            continue;
        }
        scanner.take();
        let next = scanner.take().ok_or("a class without its `]`")?;
        match self::item(scanner, next, language, unicode)? {
            Escaped::Code(high) => {
                push_code(out, low, unicode)?;
                out.push('-');
                push_code(out, high, unicode)?;
            }
            _ if language == Language::Go => return Err("a range that ends in a class".to_owned()),
            other => {
                push_item(out, Escaped::Code(low), unicode)?;
                out.push_str(r"\x2D");
                push_item(out, other, unicode)?;
            }
        }
    }
    out.push(']');
    Ok(())
}

fn item(scanner: &mut Scanner<'_>, next: char, language: Language, unicode: bool) -> Result<Escaped, String> {
    Ok(match next {
        '\\' => match escaped(scanner, language)? {
            Escaped::Other('b') if language != Language::Go => Escaped::Code(0x08),
            Escaped::Other(digit @ '1'..='7') if language != Language::Go => {
                Escaped::Code(octal(scanner, digit.to_digit(8).unwrap_or(0), 2))
            }
            Escaped::Other(other) => return Err(format!("unknown escape `\\{other}` in a class")),
            found => found,
        },
        other if unicode || other.is_ascii() => Escaped::Code(u32::from(other)),
        other => Escaped::Literal(other.to_string()),
    })
}

fn push_item(out: &mut String, item: Escaped, unicode: bool) -> Result<(), String> {
    match item {
        Escaped::Code(code) => push_code(out, code, unicode),
        Escaped::Set(set) => {
            out.push_str(set);
            Ok(())
        }
        Escaped::NegatedSet(set) => {
            out.extend(["[^", set, "]"]);
            Ok(())
        }
        Escaped::Literal(text) if unicode => text.chars().try_for_each(|part| push_code(out, part.into(), true)),
        // Its bytes, each by itself, as PCRE reads a class.
        Escaped::Literal(text) => text.bytes().try_for_each(|byte| push_code(out, byte.into(), false)),
        Escaped::Property(text) => {
            out.push_str(&text);
            Ok(())
        }
        Escaped::Other(other) => Err(format!("unknown escape `\\{other}` in a class")),
    }
}

/// A character that means itself.
fn push_char(out: &mut String, literal: char) -> Result<(), String> {
    if literal.is_ascii() {
        return push_code(out, u32::from(literal), true);
    }
    out.push(literal);
    Ok(())
}

/// A character or byte by its number.
fn push_code(out: &mut String, code: u32, unicode: bool) -> Result<(), String> {
    match char::from_u32(code) {
        Some(plain) if plain.is_ascii_alphanumeric() => out.push(plain),
        _ if code <= 0xFF => write!(out, "\\x{code:02X}").map_err(|error| error.to_string())?,
        Some(_) if unicode => write!(out, "\\x{{{code:X}}}").map_err(|error| error.to_string())?,
        Some(wide) => out.push(wide),
        None => return Err(format!("{code:X} is no character")),
    }
    Ok(())
}
