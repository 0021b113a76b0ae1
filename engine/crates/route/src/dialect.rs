//! Go's and PCRE's regular expressions, rewritten into the language of the `regex` crate (and `fancy-regex`).
//!
//! Facts, where they differ from the `regex` crate:
//! - both: `\Q..\E` is literal; `\d \s \w \b` are ASCII; a `{` that starts no count is literal; in a class `[`,
//!   `&&`, `--`, `~~` are literal; `\<` and `\>` are literal.
//! - Go: `\s` lacks the vertical tab; `\12` is octal; flags are `imsU`; `\C` is any byte.
//! - PCRE (without UTF, as nginx compiles it): `\s` has the vertical tab; `\h \v \N \R` are sets; `$` and `\Z`
//!   also stand before a last newline; `a++` is possessive; `(?#...)` is a comment; `(?'n'..)` names a group.
//!
//! Decisions: what is left as it stands is judged by the compiling crate. A class becomes a class of escapes, so
//! that no character of it can mean anything else.

use crate::escape::{self, Scanner};

/// A pattern as the compiling crate shall see it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub regex: String,
    /// It has a `$` that may also stand before a last newline.
    pub dollar: bool,
    /// It works on characters, not bytes.
    pub unicode: bool,
    /// It cannot run in linear time.
    pub backtracks: bool,
}

/// Who compiles a PCRE pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// `regex`: `$` is left to the caller.
    Linear,
    /// `fancy-regex`
    Backtracking,
}

/// The language a pattern is written in, and who shall compile it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Go,
    Pcre(Target),
}

/// Go's syntax.
pub(crate) fn re2(regex: &str) -> Result<Rewritten, String> {
    rewrite(regex, Language::Go)
}

/// PCRE's syntax.
pub(crate) fn pcre(regex: &str, target: Target) -> Result<Rewritten, String> {
    rewrite(regex, Language::Pcre(target))
}

fn rewrite(regex: &str, language: Language) -> Result<Rewritten, String> {
    let (regex, utf) = match language {
        Language::Go => (regex, true),
        Language::Pcre(_) => verbs(regex)?,
    };
    let mut out =
        Rewritten { regex: String::with_capacity(regex.len() + 16), dollar: false, unicode: utf, backtracks: false };
    let multi_line = language != Language::Go && sets_multi_line(regex);
    let mut scanner = Scanner::new(regex);
    // A quantifier was just read: a `+` makes it possessive in PCRE.
    let mut quantified = false;
    while let Some(next) = scanner.take() {
        let was_quantified = std::mem::take(&mut quantified);
        match next {
            '\\' => escape::outside(&mut scanner, language, &mut out)?,
            '[' => escape::class(&mut scanner, language, utf, &mut out.regex)?,
            '(' => group(&mut scanner, language, &mut out)?,
            '*' | '+' | '?' => {
                if was_quantified && next == '+' && language != Language::Go {
                    out.backtracks = true;
                }
                quantified = !was_quantified;
                out.regex.push(next);
            }
            '{' => match scanner.count() {
                Some(count) => {
                    out.regex.extend(["{", count, "}"]);
                    quantified = true;
                }
                None => out.regex.push_str(r"\{"),
            },
            '}' => out.regex.push_str(r"\}"),
            '$' if language != Language::Go && !multi_line => {
                out.dollar = true;
                out.regex.push_str(if language == Language::Pcre(Target::Linear) { "$" } else { r"(?=\n?\z)" });
            }
            other => out.regex.push(other),
        }
    }
    Ok(out)
}

/// What follows an opening parenthesis.
fn group(scanner: &mut Scanner<'_>, language: Language, out: &mut Rewritten) -> Result<(), String> {
    if language == Language::Go {
        if let Some(flags) = scanner.rest().strip_prefix('?') {
            let flags: String = flags.chars().take_while(|flag| flag.is_ascii_alphabetic() || *flag == '-').collect();
            let named = scanner.rest().starts_with("?P<");
            if let Some(unknown) = flags.chars().find(|flag| !"imsU-".contains(*flag)).filter(|_| !named) {
                return Err(format!("unknown flag `{unknown}` in `(?{flags}`"));
            }
        }
        out.regex.push('(');
        return Ok(());
    }
    if scanner.eat("?#") {
        while scanner.take().is_some_and(|inside| inside != ')') {}
        return Ok(());
    }
    if scanner.eat("?'") {
        let name: String = std::iter::from_fn(|| scanner.take().filter(|part| *part != '\'')).collect();
        out.regex.push_str(&format!("(?P<{name}>"));
        return Ok(());
    }
    if ["?=", "?!", "?<=", "?<!", "?>", "?(", "?P=", "?P>", "?&", "?R", "?|"]
        .iter()
        .any(|it| scanner.rest().starts_with(it))
    {
        out.backtracks = true;
    }
    out.regex.push('(');
    Ok(())
}

/// `(*UTF8)` and its kind at the start; whether one of them asks for characters.
fn verbs(mut regex: &str) -> Result<(&str, bool), String> {
    let mut utf = false;
    while let Some((verb, rest)) = regex.strip_prefix("(*").and_then(|rest| rest.split_once(')')) {
        match verb {
            "UTF" | "UTF8" => utf = true,
            "ANYCRLF" | "LF" | "NO_JIT" | "NO_START_OPT" => {}
            other => return Err(format!("`(*{other})` is not supported")),
        }
        regex = rest;
    }
    Ok((regex, utf))
}

/// Some group turns `m` on; then `$` keeps the meaning both crates give it.
fn sets_multi_line(regex: &str) -> bool {
    regex.split("(?").skip(1).any(|flags| flags.chars().take_while(char::is_ascii_alphabetic).any(|flag| flag == 'm'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::pattern::CompiledPattern;
    use plan::matching::{Dialect, Pattern};

    fn compiled(regex: &str, dialect: Dialect) -> Result<CompiledPattern, crate::Problem> {
        CompiledPattern::new(&Pattern { regex: regex.into(), dialect, ignore_case: false, slot: Some(0) })
    }

    fn check(dialect: Dialect, cases: &[(&str, &str, bool)]) {
        for (regex, subject, expected) in cases {
            let pattern = compiled(regex, dialect).unwrap_or_else(|problem| panic!("{problem}"));
            assert_eq!(pattern.is_match(subject.as_bytes()), Ok(*expected), "{regex} on {subject:?}");
        }
    }

    #[test]
    fn both_dialects() {
        for dialect in [Dialect::Re2, Dialect::Pcre] {
            check(
                dialect,
                &[
                    (r"^\Qa.b*\E$", "a.b*", true),
                    (r"^\Qa.b*\E$", "axbb", false),
                    (r"^\Qab\E+$", "abbb", true),
                    (r"^\Qopen(", "open(", true),
                    (r"^[\Q]-[\E]+$", "]-[", true),
                    (r"^\d+$", "42", true),
                    (r"^\d+$", "٤", false),
                    (r"^\w$", "é", false),
                    (r"^[\D]+$", "ab", true),
                    (r"^[^\d]$", "4", false),
                    (r"\bfoo\b", "a foo b", true),
                    (r"\bfoo\b", "afoob", false),
                    (r"o\Bo", "foo", true),
                    (r"^a{,2}$", "a{,2}", true),
                    (r"^a{x}$", "a{x}", true),
                    (r"^a{2}$", "aa", true),
                    (r"^a{2,}$", "aaa", true),
                    (r"^[a[b]$", "[", true),
                    (r"^[]a]+$", "]a", true),
                    (r"^[a&&b]+$", "&", true),
                    (r"^[a~~b]+$", "~", true),
                    (r"^[a-]+$", "-", true),
                    (r"^[-a]+$", "-", true),
                    (r"^[[:alpha:]-]+$", "a-b", true),
                    (r"^\<a\>$", "<a>", true),
                    (r"^\x41\x{42}$", "AB", true),
                    (r"^\/a\-b\_$", "/a-b_", true),
                    (r"^(?P<year>\d{4})$", "2025", true),
                    (r"^(?<year>\d{4})$", "2025", true),
                    (r"^(?i)ABC$", "abc", true),
                    (r"^(?i:A)b$", "aB", false),
                    (r"^a|b$", "xb", true),
                    ("", "", true),
                    ("é", "café", true),
                ],
            );
        }
    }

    #[test]
    fn go_only() {
        check(
            Dialect::Re2,
            &[
                (r"^a$", "a\n", false),
                (r"^\s$", "\u{b}", false),
                (r"^\s$", "\u{c}", true),
                (r"^.$", "é", true),
                (r"^\pL+$", "é", true),
                (r"^\p{Greek}$", "α", true),
                (r"^[\p{Greek}x]+$", "αx", true),
                (r"^\101$", "A", true),
                (r"^a\z", "a", true),
                (r"^(?U)a+b$", "aab", true),
            ],
        );
        assert_eq!(compiled("^a.$", Dialect::Re2).unwrap().is_match(b"a\xFF"), Ok(true));
        for wrong in ["(", "a\\", r"\1", r"\Z", r"(?=a)", r"[a", r"\y", "(?x)a", r"\x{110000}", "a**{1001}("] {
            assert!(compiled(wrong, Dialect::Re2).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pcre_only() {
        check(
            Dialect::Pcre,
            &[
                (r"\.php$", "/x.php\n", true),
                (r"\.php$", "/x.php\n\n", false),
                (r"\.php\z", "/x.php\n", false),
                (r"\.php\Z", "/x.php\n", true),
                (r"(?!x)a$", "a\n", true),
                (r"^(?!/api)", "/apx", true),
                (r"^(?!/api)", "/api/x", false),
                (r"(?<=a)b", "ab", true),
                (r"^(a+)-\1$", "aa-aa", true),
                (r"^(a+)-\1$", "aa-a", false),
                (r"^(?<x>a+)-\k<x>$", "aa-aa", true),
                (r"^(?<x>a+)-\k{x}$", "aa-aa", true),
                (r"^(?'x'a+)-(?P=x)$", "aa-aa", true),
                (r"^(a)\g1\g{1}$", "aaa", true),
                (r"^a++a", "aaa", false),
                (r"^(?>a+)a", "aaa", false),
                (r"^\s\h\v$", "\u{b}\t\n", true),
                (r"^a(?#comment)b$", "ab", true),
                (r"(?!x)^\w$", "é", false),
                (r"(?!x)^[\d[]\b", "[a", true),
                (r"^.$", "é", false),
                (r"^..$", "é", true),
                (r"(*UTF8)^.$", "é", true),
                (r"^[é]+$", "é", true),
                (r"^[\xC3\xA9]+$", "é", true),
                (r"(?m)^b$", "a\nb\nc", true),
                (r"\.(gif|jpe?g)$", "/a.jpeg", true),
                (r"^/users/(.+\.(?:gif|jpe?g|png))$", "/users/x.png", true),
            ],
        );
        assert_eq!(compiled(r"^a\xFF.$", Dialect::Pcre).unwrap().is_match(b"a\xFF\xFE"), Ok(true));
        assert_eq!(compiled(r"(?!b)^a.$", Dialect::Pcre).unwrap().is_match(b"a\xFE"), Ok(true));
        for wrong in ["(", "a\\", "(*COMMIT)a", "[a", r"\y"] {
            assert!(compiled(wrong, Dialect::Pcre).is_err(), "{wrong}");
        }
    }

    #[test]
    fn captures_are_of_the_subject() {
        for (dialect, regex) in [
            (Dialect::Re2, r"/(?P<n>.)b(c)?$"),
            (Dialect::Pcre, r"/(?<n>.)b(c)?$"),
            (Dialect::Pcre, r"(?!x)/(?<n>.)b(c)?$"),
        ] {
            let mut captures = crate::Captures::new();
            assert_eq!(compiled(regex, dialect).unwrap().capture(b"\xFF/\xFEb", &mut captures), Ok(true), "{regex}");
            assert_eq!(captures.group(0, 0), Some(&b"/\xFEb"[..]), "{regex}");
            assert_eq!(captures.named(0, "n"), Some(&b"\xFE"[..]), "{regex}");
            assert_eq!(captures.group(0, 2), None, "{regex}");
        }
    }

    #[test]
    fn a_pattern_that_takes_too_long_gives_up() {
        let pattern = compiled(r"^(?!x)(a|aa)+\1$", Dialect::Pcre).unwrap();
        let limit = pattern.is_match(&[b'a'; 60].iter().copied().chain(*b"!").collect::<Vec<u8>>());
        assert_eq!(limit.map_err(|limit| limit.pattern.to_owned()), Err(r"^(?!x)(a|aa)+\1$".to_owned()));
    }
}
