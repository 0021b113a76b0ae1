"""Media types by file name extension, for the services that are files.

Facts: the extensions are those of nginx's `mime.types`, so that moving a site changes none of them, and what has come since
(`mjs`, `webmanifest`, `markdown`, fonts). The names are IANA's where there are such (RFC 9239: `text/javascript`).
Decisions: a text says that it is UTF-8, as what is written today is; nothing is read from this machine's tables, which
differ.
"""

from __future__ import annotations

from collections.abc import Mapping

# For every other extension: a browser saves it.
OTHERWISE = "application/octet-stream"
_UTF8 = {
    "text/html": "html htm shtml",
    "text/css": "css",
    "text/xml": "xml",
    "text/javascript": "js mjs",
    "text/mathml": "mml",
    "text/plain": "txt",
    "text/markdown": "md markdown",
    "text/csv": "csv",
    "text/calendar": "ics",
    "text/vtt": "vtt",
    "text/vnd.wap.wml": "wml",
    "text/x-component": "htc",
}
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OTHERS = {
    "image/gif": "gif",
    "image/jpeg": "jpeg jpg",
    "image/avif": "avif",
    "image/png": "png",
    "image/svg+xml": "svg svgz",
    "image/tiff": "tif tiff",
    "image/vnd.wap.wbmp": "wbmp",
    "image/webp": "webp",
    "image/x-icon": "ico",
    "image/x-jng": "jng",
    "image/bmp": "bmp",
    "font/woff": "woff",
    "font/woff2": "woff2",
    "font/ttf": "ttf",
    "font/otf": "otf",
    "application/atom+xml": "atom",
    "application/rss+xml": "rss",
    "application/java-archive": "jar war ear",
    "application/json": "json map",
    "application/ld+json": "jsonld",
    "application/manifest+json": "webmanifest",
    "application/mac-binhex40": "hqx",
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/postscript": "ps eps ai",
    "application/rtf": "rtf",
    "application/vnd.apple.mpegurl": "m3u8",
    "application/vnd.google-earth.kml+xml": "kml",
    "application/vnd.google-earth.kmz": "kmz",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-fontobject": "eot",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.oasis.opendocument.graphics": "odg",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.text": "odt",
    f"{_OFFICE}.presentationml.presentation": "pptx",
    f"{_OFFICE}.spreadsheetml.sheet": "xlsx",
    f"{_OFFICE}.wordprocessingml.document": "docx",
    "application/vnd.wap.wmlc": "wmlc",
    "application/wasm": "wasm",
    "application/x-7z-compressed": "7z",
    "application/x-cocoa": "cco",
    "application/x-java-archive-diff": "jardiff",
    "application/x-java-jnlp-file": "jnlp",
    "application/x-makeself": "run",
    "application/x-perl": "pl pm",
    "application/x-pilot": "prc pdb",
    "application/x-rar-compressed": "rar",
    "application/x-redhat-package-manager": "rpm",
    "application/x-sea": "sea",
    "application/x-shockwave-flash": "swf",
    "application/x-stuffit": "sit",
    "application/x-tcl": "tcl tk",
    "application/x-x509-ca-cert": "der pem crt",
    "application/x-xpinstall": "xpi",
    "application/xhtml+xml": "xhtml",
    "application/xspf+xml": "xspf",
    "application/gzip": "gz",
    "application/zip": "zip",
    "audio/flac": "flac",
    "audio/midi": "mid midi kar",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg oga opus",
    "audio/wav": "wav",
    "audio/x-m4a": "m4a",
    "audio/x-realaudio": "ra",
    "video/3gpp": "3gpp 3gp",
    "video/mp2t": "ts",
    "video/mp4": "mp4",
    "video/mpeg": "mpeg mpg",
    "video/ogg": "ogv",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-flv": "flv",
    "video/x-m4v": "m4v",
    "video/x-mng": "mng",
    "video/x-ms-asf": "asx asf",
    "video/x-ms-wmv": "wmv",
    "video/x-msvideo": "avi",
}


def media_types() -> Mapping[str, str]:
    """Return the media type of each extension, as a Content-Type says it."""
    texts = {extension: f"{name}; charset=utf-8" for name, all_ in _UTF8.items() for extension in all_.split()}
    return texts | {extension: name for name, all_ in _OTHERS.items() for extension in all_.split()}
