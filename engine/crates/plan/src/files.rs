//! Static files: which directory, which file of it, how it is said. What is done when there is none is
//! [`crate::route::TryFiles`]; expiry is a header's matter ([`crate::filter`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::template::Template;
use crate::Id;

/// Answers GET and HEAD with a file under `root`; other methods are the fault `method_not_allowed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Stands before the path, which begins with a slash. Nothing leads out of it: a path with a segment `..`, or a
    /// variable that brings one, is not found.
    pub root: Template,
    pub alias: Alias,
    /// Tried in order where a directory is asked for; the first that begins with a slash is a URI and ends the search.
    pub index: Vec<Template>,
    /// Table in which the URI of an index file is searched again (nginx's internal redirect); without one this route
    /// serves it.
    #[serde(deserialize_with = "crate::explicit")]
    pub index_table: Option<Id>,
    /// How a directory without an index file is shown; forbidden without.
    #[serde(deserialize_with = "crate::explicit")]
    pub listing: Option<Listing>,
    /// Path under `root` of a file that is served with 200 where nothing is found (single-page applications).
    #[serde(deserialize_with = "crate::explicit")]
    pub fallback: Option<String>,
    pub precompressed: Precompressed,
    /// Media types by extension, of the Plan's `mime_types`.
    pub types: Id,
    /// Of any other extension; no Content-Type when empty.
    pub default_type: String,
    pub symlinks: Symlinks,
    pub etag: bool,
    pub if_modified_since: IfModifiedSince,
    /// Ranges that are answered in one response: more get the whole file, 0 turns ranges off. Without a limit, ranges
    /// that would cost more than the whole file get the whole.
    #[serde(deserialize_with = "crate::explicit")]
    pub max_ranges: Option<u32>,
    /// Stands before the path in the Location of a directory without its slash (fault `directory_redirect`). Without
    /// it Location is relative, which holds also where a prefix of the path was cut off.
    #[serde(deserialize_with = "crate::explicit")]
    pub redirect: Option<Template>,
}

/// How `root` and the path are put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Alias {
    /// `root` and the whole path.
    Off,
    /// So many bytes of the path as this prefix has are cut off.
    Prefix(String),
    /// `root` is the whole name (nginx's `alias` in a regex location).
    Whole,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    pub format: ListingFormat,
    /// Sizes in bytes, not rounded.
    pub exact_size: bool,
    /// Times of the machine's zone, not UTC.
    pub local_time: bool,
    /// What the page says it is written in, empty for nothing. Names are cut by characters where it is `utf-8`.
    pub charset: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListingFormat {
    Html,
    Json,
    /// The query's `callback` is called with it; JSON where it names none.
    Jsonp,
    Xml,
}

/// Files that stand compressed beside others (`.br`, `.zst`, `.gz`) and go to clients that take them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Precompressed {
    /// The first is preferred among what a client likes equally.
    pub codings: Vec<Coding>,
    /// Whatever the client takes (nginx `gzip_static always`).
    pub always: bool,
    /// Vary: Accept-Encoding on what has such a file.
    pub vary: bool,
    /// Also to HTTP/1.0 clients.
    pub http10: bool,
    /// Also to requests that carry Via.
    pub proxied: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    Br,
    Zstd,
    Gzip,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Symlinks {
    Follow,
    /// None in a name, `from` aside: a leading part that is not looked at, the whole name is when it is empty.
    Refuse {
        from: Template,
    },
    /// Only those that belong to the owner of what they lead to.
    SameOwner {
        from: Template,
    },
}

/// Which dates of If-Modified-Since mean that the client has the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IfModifiedSince {
    Off,
    /// Its very date.
    Exact,
    /// That and later ones.
    Before,
}

/// Media type by extension, lower-case and without its dot.
pub type MimeTypes = BTreeMap<String, String>;
