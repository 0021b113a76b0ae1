//! Static files. In the order of the flow: [`name`] puts a file's name together, [`open`] opens it, [`mod@head`] says what
//! it is and whether all of it is sent, [`listing`] shows a directory, [`body`] sends; here it is decided which file is
//! meant: of a directory its index, else a listing, else what the Plan falls back to.
//!
//! Facts (nginx): any method but GET, HEAD and POST is refused at once, POST where there is a file; a directory without
//! its slash is a redirect, with it and without an index forbidden. What the disk has now is what is served: nothing is
//! remembered between requests.

pub mod body;
pub mod head;
pub mod listing;
pub mod name;
pub mod open;

use plan::fault::FaultKind;
use rustix::fs::FileType;

use self::open::{Links, Missing, Opened};
use crate::exchange::{Answer, Exchange};
use crate::fault::Fault;
use crate::snapshot::files::{AliasRun, CodingRun, FilesRun, TryFilesRun};

/// What became of a request for a file.
pub enum Served {
    Answer(Answer),
    /// Another path (decoded), to be searched for in the table of this number; the query stays.
    Again {
        table: u32,
        path: Vec<u8>,
    },
}

/// Serves the file that the current path names.
///
/// # Errors
/// Why there is none.
pub fn serve(exchange: &mut Exchange<'_, '_>, run: &FilesRun) -> Result<Served, Fault> {
    let path = name::decoded(exchange);
    admit(exchange)?;
    let served = if path.ends_with(b"/") { directory(exchange, run, &path) } else { file(exchange, run, &path) };
    match (served, &run.fallback) {
        (Err(fault), Some(fallback)) if fault.kind == FaultKind::NotFound && !is_post(exchange) => {
            match name::put_together(exchange, run, fallback) {
                Some(name) => named(exchange, run, fallback, &name).map_err(|_| fault),
                None => Err(fault),
            }
        }
        (served, _) => served,
    }
}

fn admit(exchange: &Exchange<'_, '_>) -> Result<(), Fault> {
    match exchange.request.head.method() {
        b"GET" | b"HEAD" | b"POST" => Ok(()),
        _ => Err(Fault::new(FaultKind::MethodNotAllowed, "files have GET and HEAD")),
    }
}

/// A candidate that is there.
pub struct Found {
    /// The path of the request from now on; none where its name does not come from a path.
    pub path: Option<Vec<u8>>,
    /// What its extension is taken from where there is no such path (nginx).
    text: Vec<u8>,
    name: Vec<u8>,
}

/// Serves what was found, whose path is the request's by now.
///
/// # Errors
/// Why it cannot be served.
pub fn serve_found(exchange: &mut Exchange<'_, '_>, run: &FilesRun, found: &Found) -> Result<Served, Fault> {
    if found.path.is_some() {
        return serve(exchange, run);
    }
    admit(exchange)?;
    named(exchange, run, &found.text, &found.name)
}

/// Looks for the first candidate that there is.
#[must_use]
pub fn find(exchange: &mut Exchange<'_, '_>, run: &TryFilesRun) -> Option<Found> {
    let path = name::decoded(exchange);
    run.candidates.iter().find_map(|candidate| {
        let text = candidate.path.render(&exchange.scope());
        let rest = cut(run, &path, &text);
        let name = name::put_together(exchange, &run.files, rest)?;
        let links = Links::of(exchange, &run.files, &name);
        let found = open::look(&name, links.as_ref()).ok()?;
        // Whatever is no directory is a file here; serving it says more.
        let path = uri(run, &path, rest);
        ((found == FileType::Directory) == candidate.directory).then_some(Found { path, text, name })
    })
}

fn is_post(exchange: &Exchange<'_, '_>) -> bool {
    exchange.request.head.method() == b"POST"
}

fn not_found(name: &[u8]) -> Fault {
    Fault::new(FaultKind::NotFound, format!("{} is not there", name.escape_ascii()))
}

fn missing(why: Missing, name: &[u8]) -> Fault {
    match why {
        Missing::Absent | Missing::NotDirectory => not_found(name),
        Missing::Forbidden => Fault::new(FaultKind::Forbidden, format!("{} may not be read", name.escape_ascii())),
        Missing::Broken(error) => Fault::new(FaultKind::Internal, format!("{}: {error}", name.escape_ascii())),
    }
}

/// Serves the file of a path that does not end in a slash.
fn file(exchange: &mut Exchange<'_, '_>, run: &FilesRun, path: &[u8]) -> Result<Served, Fault> {
    let Some(name) = name::of_path(exchange, run, path) else { return Err(not_found(path)) };
    named(exchange, run, path, &name)
}

/// Serves the file of this name; `path` is what was asked for.
fn named(exchange: &mut Exchange<'_, '_>, run: &FilesRun, path: &[u8], name: &[u8]) -> Result<Served, Fault> {
    let links = Links::of(exchange, run, name);
    let mut varies = false;
    if !run.codings.is_empty() && !is_post(exchange) {
        let found = precompressed(exchange, run, name, links.as_ref());
        varies = found.varies;
        if let Some((opened, coding)) = found.opened {
            return Ok(Served::Answer(head::answer(exchange, run, path, opened, Some(coding), varies)));
        }
    }
    let opened = match open::open(name, links.as_ref()) {
        Ok(opened) => opened,
        Err(why) if varies => {
            // Who takes the coding has it.
            let answer = exchange.fault(missing(why, name));
            exchange.response.add(b"Vary", b"Accept-Encoding");
            return Ok(Served::Answer(answer));
        }
        Err(why) => return Err(missing(why, name)),
    };
    match opened.kind() {
        FileType::Directory => return Ok(Served::Answer(head::redirect(exchange, run, path))),
        FileType::RegularFile => {}
        _ => return Err(not_found(name)),
    }
    if is_post(exchange) {
        return Err(Fault::new(FaultKind::MethodNotAllowed, "files have GET and HEAD"));
    }
    Ok(Served::Answer(head::answer(exchange, run, path, opened, None, varies)))
}

struct Precompressed<'p> {
    opened: Option<(Opened, &'p CodingRun)>,
    /// There is one, for this client or another.
    varies: bool,
}

/// Looks for the compressed file that the client likes best.
fn precompressed<'p>(
    exchange: &Exchange<'_, '_>,
    run: &'p FilesRun,
    name: &[u8],
    links: Option<&Links>,
) -> Precompressed<'p> {
    let head = &exchange.request.head;
    let accepted = head.joined(b"accept-encoding").unwrap_or_default();
    let refused = (head.minor == 0 && !run.http10) || (!run.proxied && head.get_all(b"via").next().is_some());
    let weight = |coding: &CodingRun| match (run.always, refused) {
        (true, _) => 1000,
        (false, true) => 0,
        (false, false) => wire::coding::weight(&accepted, coding.token),
    };
    let mut wanted: Vec<(u16, &CodingRun)> = run.codings.iter().map(|coding| (weight(coding), coding)).collect();
    // Stable: what weighs the same stays in the Plan's order.
    wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let mut whole = name.to_vec();
    let mut varies = false;
    for (weight, coding) in wanted {
        if weight == 0 && (varies || !run.vary) {
            break;
        }
        whole.truncate(name.len());
        whole.extend_from_slice(coding.suffix);
        if weight == 0 {
            varies = open::look(&whole, links).is_ok();
            continue;
        }
        if let Ok(opened) = open::open(&whole, links) {
            varies = run.vary;
            if opened.kind() == FileType::RegularFile {
                return Precompressed { opened: Some((opened, coding)), varies };
            }
        }
    }
    Precompressed { opened: None, varies }
}

/// Serves a directory: its index, or what it holds.
fn directory(exchange: &mut Exchange<'_, '_>, run: &FilesRun, path: &[u8]) -> Result<Served, Fault> {
    let Some(name) = name::of_path(exchange, run, path) else { return Err(not_found(path)) };
    let mut looked = false;
    for index in &run.index {
        let index = index.render(&exchange.scope());
        if index.starts_with(b"/") {
            return again(exchange, run, index);
        }
        if name::climbs(&index) {
            continue;
        }
        let file = [&name[..], &index].concat();
        let links = Links::of(exchange, run, &file);
        match open::look(&file, links.as_ref()) {
            Ok(_) => return again(exchange, run, [path, &index].concat()),
            Err(Missing::Absent) if !looked => {
                looked = true;
                there(exchange, run, &name)?;
            }
            Err(Missing::Absent) => {}
            Err(why) => return Err(missing(why, &file)),
        }
    }
    match &run.listing {
        Some(listing) if !is_post(exchange) => {
            let links = Links::of(exchange, run, &name);
            let opened = open::open(&name, links.as_ref()).map_err(|why| missing(why, &name))?;
            let entries = listing::read(&opened).map_err(|why| missing(why.into(), &name))?;
            Ok(Served::Answer(listing::answer(exchange, listing, path, entries)?))
        }
        _ => {
            // What is fallen back to stands for a directory too.
            let kind = if run.fallback.is_some() { FaultKind::NotFound } else { FaultKind::Forbidden };
            Err(Fault::new(kind, format!("{} has no index", name.escape_ascii())))
        }
    }
}

/// An index file was found, or named as a URI.
fn again(exchange: &mut Exchange<'_, '_>, run: &FilesRun, path: Vec<u8>) -> Result<Served, Fault> {
    match run.index_table {
        Some(table) => Ok(Served::Again { table, path }),
        None => file(exchange, run, &path),
    }
}

/// Whether a directory is there at all: one that may not be looked into is.
fn there(exchange: &Exchange<'_, '_>, run: &FilesRun, name: &[u8]) -> Result<(), Fault> {
    let links = Links::of(exchange, run, name);
    match open::look(name, links.as_ref()) {
        Ok(FileType::Directory) | Err(Missing::Forbidden) => Ok(()),
        Ok(_) => Err(not_found(name)),
        Err(why) => Err(missing(why, name)),
    }
}

/// Of a candidate, what stands behind the root: an alias cuts it as it cuts paths.
fn cut<'a>(run: &TryFilesRun, path: &[u8], candidate: &'a [u8]) -> &'a [u8] {
    match run.files.alias {
        AliasRun::Cut(bytes) => match path.get(..bytes) {
            Some(prefix) => candidate.strip_prefix(prefix).unwrap_or(candidate),
            None => candidate,
        },
        _ => candidate,
    }
}

/// The path that a candidate is from now on.
fn uri(run: &TryFilesRun, path: &[u8], rest: &[u8]) -> Option<Vec<u8>> {
    match run.files.alias {
        AliasRun::Off => Some(rest.to_vec()),
        AliasRun::Cut(bytes) => Some([path.get(..bytes).unwrap_or_default(), rest].concat()),
        AliasRun::Whole => None,
    }
}
