"""The middlewares of Traefik's dynamic configuration, typed, with Traefik's defaults.

One of the models dynamic.py is made of. The kinds this version serves have a field each; the other kinds
Traefik knows are in `not_yet`: a router that uses one is not served, for leaving out an authentication
would be worse than an error. What a middleware becomes in the Plan is in lower_filters.py.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from daemun.config.section import Names, Section

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HIGHEST_PORT = 65535


def _path(value: str) -> str:
    if not value:
        message = "an empty path does nothing: begin with /"
        raise ValueError(message)
    return value


def _field_name(value: str) -> str:
    if not _TOKEN.fullmatch(value):
        message = f"{value!r} cannot be the name of a header"
        raise ValueError(message)
    return value


def _field_value(value: str) -> str:
    if any(char in value for char in "\r\n\0"):
        message = "a header's value cannot contain a line break"
        raise ValueError(message)
    return value


def _scheme(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", value):
        message = f"{value!r} is no scheme: write https or http"
        raise ValueError(message)
    return value


def _port(value: str) -> str:
    if value and not (value.isascii() and value.isdigit() and int(value) <= _HIGHEST_PORT):
        message = f"{value!r} is no port: write a number such as 8443"
        raise ValueError(message)
    return value


FieldName = Annotated[str, AfterValidator(_field_name)]
FieldValue = Annotated[str, AfterValidator(_field_value)]


class AddPrefix(Section):
    """Put a prefix before the path."""

    prefix: Annotated[str, AfterValidator(_path)]


class StripPrefix(Section):
    """Cut the first prefix that fits off the path."""

    # forceSlash is v2's; v3 dropped it from its model and people still write it.
    prefixes: Names
    force_slash: bool = False


class ReplacePath(Section):
    """Replace the whole path."""

    path: Annotated[str, AfterValidator(_path)]


class RedirectScheme(Section):
    """Redirect to another scheme, and port, unless the request has it already."""

    scheme: Annotated[str, AfterValidator(_scheme)]
    port: Annotated[str, AfterValidator(_port)] = ""
    permanent: bool = False


class Chain(Section):
    """Several middlewares under one name."""

    middlewares: Names


class Headers(Section):
    """Change request and response fields; an empty value removes one."""

    not_yet: ClassVar[tuple[str, ...]] = (
        "accessControlAllowCredentials",
        "accessControlAllowHeaders",
        "accessControlAllowMethods",
        "accessControlAllowOriginList",
        "accessControlAllowOriginListRegex",
        "accessControlExposeHeaders",
        "accessControlMaxAge",
        "addVaryHeader",
        "allowedHosts",
        "hostsProxyHeaders",
        "sslProxyHeaders",
        "featurePolicy",
        "sslRedirect",
        "sslTemporaryRedirect",
        "sslHost",
        "sslForceHost",
    )
    # These keep requests out: leaving them away would open what the user closed.
    guarding: ClassVar[frozenset[str]] = frozenset(
        {"allowedHosts", "sslRedirect", "sslTemporaryRedirect", "sslHost", "sslForceHost"}
    )
    custom_request_headers: dict[FieldName, FieldValue] = {}
    custom_response_headers: dict[FieldName, FieldValue] = {}
    sts_seconds: int | None = Field(default=None, ge=0)
    sts_include_subdomains: bool = False
    sts_preload: bool = False
    force_sts_header: bool = Field(default=False, alias="forceSTSHeader")
    frame_deny: bool = False
    custom_frame_options_value: FieldValue = ""
    content_type_nosniff: bool = False
    browser_xss_filter: bool = False
    custom_browser_xss_value: FieldValue = Field(default="", alias="customBrowserXSSValue")
    content_security_policy: FieldValue = ""
    content_security_policy_report_only: FieldValue = ""
    public_key: str = ""
    referrer_policy: FieldValue = ""
    permissions_policy: FieldValue = ""
    is_development: bool = False


class Middleware(Section):
    """One middleware: exactly one kind of option."""

    not_yet: ClassVar[tuple[str, ...]] = (
        "stripPrefixRegex",
        "replacePathRegex",
        "ipWhiteList",
        "ipAllowList",
        "encodedCharacters",
        "errors",
        "rateLimit",
        "redirectRegex",
        "basicAuth",
        "digestAuth",
        "forwardAuth",
        "inFlightReq",
        "buffering",
        "circuitBreaker",
        "compress",
        "passTLSClientCert",
        "retry",
        "contentType",
        "grpcWeb",
        "plugin",
    )
    not_yet_means: ClassVar[dict[str, str]] = {"*": "until then routers that use this middleware are not served"}
    add_prefix: AddPrefix | None = None
    strip_prefix: StripPrefix | None = None
    replace_path: ReplacePath | None = None
    redirect_scheme: RedirectScheme | None = None
    headers: Headers | None = None
    chain: Chain | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        served = (
            self.add_prefix,
            self.strip_prefix,
            self.replace_path,
            self.redirect_scheme,
            self.headers,
            self.chain,
        )
        count = len(self.pending) + sum(kind is not None for kind in served)
        if count != 1:
            what = "is of no kind" if count == 0 else "is of several kinds"
            message = f"a middleware {what}: it must have exactly one, such as stripPrefix or headers"
            raise ValueError(message)
        return self
