//! `plan::files` and `plan::route::TryFiles` made ready.

use std::sync::Arc;

use plan::fault::FaultKind;
use plan::files::{Alias, Coding, Files, IfModifiedSince, Listing, MimeTypes, Symlinks};
use plan::route::{Otherwise, TryFiles};
use plan::template::{Part, Template};
use rustc_hash::FxHashMap;
use wire::precondition::Since;

use super::links::Links;
use super::route::{JumpRun, RespondRun};
use crate::control::error::CallError;
use crate::template::Text;

/// Media types by extension.
pub struct TypesRun(FxHashMap<Box<[u8]>, Box<[u8]>>);

/// Extensions of media types are no longer than this; a file's may be.
const LONGEST: usize = 64;

impl TypesRun {
    #[must_use]
    pub fn build(types: &MimeTypes) -> Self {
        let entry = |(extension, media): (&String, &String)| {
            (extension.to_ascii_lowercase().into_bytes().into(), media.clone().into_bytes().into())
        };
        Self(types.iter().map(entry).collect())
    }

    /// The media type of an extension, whatever its case.
    #[must_use]
    pub fn find(&self, extension: &[u8]) -> Option<&[u8]> {
        let mut lower = [0u8; LONGEST];
        let lower = lower.get_mut(..extension.len())?;
        lower.copy_from_slice(extension);
        lower.make_ascii_lowercase();
        self.0.get(&*lower).map(|media| &**media)
    }
}

pub struct FilesRun {
    pub root: Text,
    pub alias: AliasRun,
    pub index: Vec<Text>,
    /// The number of the table in which an index is searched.
    pub index_table: Option<u32>,
    pub listing: Option<Listing>,
    pub fallback: Option<Vec<u8>>,
    pub codings: Vec<CodingRun>,
    /// Codings go to every client.
    pub always: bool,
    pub vary: bool,
    pub http10: bool,
    pub proxied: bool,
    pub types: Arc<TypesRun>,
    pub default_type: Vec<u8>,
    pub symlinks: SymlinksRun,
    pub etag: bool,
    pub since: Since,
    pub max_ranges: Option<u32>,
    pub redirect: Option<Text>,
}

pub enum AliasRun {
    Off,
    /// So many bytes of the path are cut off.
    Cut(usize),
    Whole,
}

pub struct CodingRun {
    /// Its token in Accept-Encoding and Content-Encoding.
    pub token: &'static [u8],
    pub suffix: &'static [u8],
}

pub enum SymlinksRun {
    Follow,
    /// Looked at behind this leading part of the name; those of the same owner may be let through.
    Guard {
        from: Text,
        same_owner: bool,
    },
}

pub struct TryFilesRun {
    pub files: FilesRun,
    pub candidates: Vec<Candidate>,
    /// The number of the route through whose action goes what was found.
    pub found: Option<u32>,
    pub otherwise: OtherwiseRun,
}

/// A path to try.
pub struct Candidate {
    /// Of a directory without the slash that says so: its redirect follows, unless the client's own path had one (nginx).
    pub path: Text,
    pub directory: bool,
}

impl Candidate {
    fn build(template: &Template, links: &Links<'_>) -> Result<Self, CallError> {
        let mut path = template.clone();
        let directory = match path.last_mut() {
            Some(Part::Literal(text)) if text.ends_with('/') => {
                text.pop();
                true
            }
            _ => false,
        };
        Ok(Self { path: Text::build(&path, links)?, directory })
    }
}

pub enum OtherwiseRun {
    Jump(JumpRun),
    Fail(FaultKind),
    Respond(RespondRun),
}

impl TryFilesRun {
    /// Makes candidates ready; `files` is where they are.
    ///
    /// # Errors
    /// What in it cannot be run.
    pub fn build(tries: &TryFiles, files: FilesRun, links: &Links<'_>) -> Result<Self, CallError> {
        Ok(Self {
            files,
            candidates: tries.candidates.iter().map(|one| Candidate::build(one, links)).collect::<Result<_, _>>()?,
            found: tries.found.as_ref().map(|route| links.route(route)).transpose()?,
            otherwise: match &tries.otherwise {
                Otherwise::Jump(jump) => OtherwiseRun::Jump(JumpRun::build(jump, links)?),
                Otherwise::Fail(kind) => OtherwiseRun::Fail(*kind),
                Otherwise::Respond(respond) => OtherwiseRun::Respond(RespondRun::build(respond, links)?),
            },
        })
    }
}

impl FilesRun {
    /// Makes files ready; `types` is the table it names.
    ///
    /// # Errors
    /// What in it cannot be run.
    pub fn build(files: &Files, types: Arc<TypesRun>, links: &Links<'_>) -> Result<Self, CallError> {
        let text = |template| Text::build(template, links);
        let guard = |from, same_owner| Ok::<_, CallError>(SymlinksRun::Guard { from: text(from)?, same_owner });
        if files.index_table.is_some() {
            links.note_jump();
        }
        Ok(Self {
            root: text(&files.root)?,
            alias: match &files.alias {
                Alias::Off => AliasRun::Off,
                Alias::Prefix(prefix) => AliasRun::Cut(prefix.len()),
                Alias::Whole => AliasRun::Whole,
            },
            index: files.index.iter().map(text).collect::<Result<_, _>>()?,
            index_table: files.index_table.as_ref().map(|table| links.table(table)).transpose()?,
            listing: files.listing.clone(),
            fallback: files.fallback.as_ref().map(|path| path.clone().into_bytes()),
            codings: files.precompressed.codings.iter().map(|coding| CodingRun::of(*coding)).collect(),
            always: files.precompressed.always,
            vary: files.precompressed.vary,
            http10: files.precompressed.http10,
            proxied: files.precompressed.proxied,
            types,
            default_type: files.default_type.clone().into_bytes(),
            symlinks: match &files.symlinks {
                Symlinks::Follow => SymlinksRun::Follow,
                Symlinks::Refuse { from } => guard(from, false)?,
                Symlinks::SameOwner { from } => guard(from, true)?,
            },
            etag: files.etag,
            since: match files.if_modified_since {
                IfModifiedSince::Off => Since::Never,
                IfModifiedSince::Exact => Since::Exact,
                IfModifiedSince::Before => Since::Before,
            },
            max_ranges: files.max_ranges,
            redirect: files.redirect.as_ref().map(text).transpose()?,
        })
    }
}

impl CodingRun {
    fn of(coding: Coding) -> Self {
        match coding {
            Coding::Br => Self { token: b"br", suffix: b".br" },
            Coding::Zstd => Self { token: b"zstd", suffix: b".zst" },
            Coding::Gzip => Self { token: b"gzip", suffix: b".gz" },
        }
    }
}
