"""`proxy_pass` and everything `proxy_…` of a level, as the Plan's Proxy.

Facts (nginx): requests are read whole before they go on, answers are read ahead of a slow client, into 8 buffers and
then a file of 1 GB; Date, Server, X-Pad and X-Accel-… of the upstream are not shown unless `proxy_pass_header` says so.
What goes where is in passing.py, fields in request_headers.py, Location in location_rewrites.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from daemun.errors import Place
from daemun.nginx.alternatives import Alternative, alternatives
from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.location_rewrites import location_rewrites
from daemun.nginx.making import Making
from daemun.nginx.passing import Passed, parse_pass
from daemun.nginx.request_headers import RequestFields, request_fields
from daemun.nginx.scene import Scene
from daemun.nginx.transports import Kept, Transports
from daemun.nginx.upstream_tls import UpstreamTlsMaker
from daemun.nginx.upstreams import Upstreams
from daemun.nginx.values import complain, flag, number, origin, size
from daemun.nginx.variables import template
from daemun.plan import filter as plan_filter
from daemun.plan import route, service
from daemun.plan.scalars import Id
from daemun.plan.template import Template

HIDDEN = (
    "date",
    "server",
    "x-pad",
    "x-accel-expires",
    "x-accel-redirect",
    "x-accel-limit-rate",
    "x-accel-buffering",
    "x-accel-charset",
)
# What a level says of all that it passes on, wherever to.
_NAMES = frozenset(
    [
        "proxy_hide_header",
        "proxy_pass_header",
        "proxy_pass_request_headers",
        "proxy_pass_request_body",
        "proxy_pass_trailers",
        "early_hints",
        "proxy_request_buffering",
        "client_body_buffer_size",
        "proxy_buffering",
        "proxy_buffers",
        "proxy_max_temp_file_size",
        "proxy_ignore_headers",
        "proxy_intercept_errors",
        "proxy_method",
    ]
)
_REQUEST_BODY = 16_384
_IGNORABLE = frozenset(
    [
        "x-accel-redirect",
        "x-accel-expires",
        "x-accel-limit-rate",
        "x-accel-buffering",
        "x-accel-charset",
        "expires",
        "cache-control",
        "set-cookie",
        "vary",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxied:
    """The action, and the filter of request fields that belongs to it."""

    action: route.Proxy
    filters: tuple[Id, ...]


# What servers and locations say for themselves, and nothing here asks for: all that is around them means the same.
_APART = frozenset(
    [
        "listen",
        "server_name",
        "location",
        "root",
        "index",
        "access_log",
        "error_log",
        "ssl_certificate",
        "ssl_certificate_key",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What `_NAMES` come to on a level."""

    pass_headers: bool
    pass_body: bool
    trailers: bool
    informational: bool
    request_body: route.Buffering
    response_body: route.Buffering
    hide: tuple[str, ...]
    accel: bool
    intercept_errors: bool
    method: Template | None


@dataclass(slots=True, kw_only=True)
class Proxying:
    """Makes the action of levels that pass requests on."""

    making: Making
    transports: Transports
    upstreams: Upstreams
    tls: UpstreamTlsMaker
    _passed: dict[str, Passed] = field(default_factory=dict)
    # What was said of these is said once.
    _unreadable: set[Place] = field(default_factory=set)
    _said: dict[Level, _Said] = field(default_factory=dict)
    _defaults: dict[tuple[str, Template, str], tuple[route.LocationRewrite, ...]] = field(default_factory=dict)
    _known: dict[tuple[object, ...], RequestFields] = field(default_factory=dict)
    _fields: dict[tuple[plan_filter.HeaderOp, ...], Id] = field(default_factory=dict)
    # Locations that say the same in the same surroundings: one of many servers is like the other.
    _alike: dict[tuple[object, ...], Proxied] = field(default_factory=dict)

    def alternatives(self, directive: Directive, scene: Scene) -> tuple[Alternative, ...]:
        """Return what a proxy_pass with variables may come to."""
        passed = self._parsed(directive) if "$" in directive.args[0] else None
        return () if passed is None else alternatives(passed, self.making, scene, self.upstreams.blocks)

    def proxy(
        self,
        level: Level,
        scene: Scene,
        directive: Directive,
        *,
        uri_forbidden: str = "",
        instead: Passed | None = None,
    ) -> Proxied | None:
        """Return what a proxy_pass means on a level; None when it means nothing.

        `uri_forbidden` says where no URI may stand in it; `instead` is what its variables came to.
        """
        words = level.words() if level.kind == "location" and level.parent is not None else None
        if words is None or level.parent is None or uri_forbidden or instead is not None:
            passed = instead or self._parsed(directive)
            return None if passed is None else self._proxy(level, scene, directive, passed, uri_forbidden=uri_forbidden)
        key = (words, level.parent.beyond(_APART), scene.origin, scene.path, scene.captures)
        found = self._alike.get(key)
        if found is None:
            before = len(self.making.problems)
            passed = self._parsed(directive)
            found = None if passed is None else self._proxy(level, scene, directive, passed, uri_forbidden="")
            if found is not None and len(self.making.problems) == before:
                self._alike[key] = found
        return found

    def _parsed(self, directive: Directive) -> Passed | None:
        """Return the URL of a proxy_pass, read once for the same text."""
        text = directive.args[0]
        if text not in self._passed and directive.place not in self._unreadable:
            passed = parse_pass(directive, self.making, self.upstreams.known)
            if passed is None:
                self._unreadable.add(directive.place)
                return None
            self._passed[text] = passed
        return self._passed.get(text)

    def _proxy(
        self, level: Level, scene: Scene, directive: Directive, passed: Passed, *, uri_forbidden: str
    ) -> Proxied | None:
        if passed.any_scheme:
            return None
        if uri_forbidden and passed.uri is not None and "$" not in passed.url:
            message = f'"proxy_pass" cannot have URI part in {uri_forbidden}'
            complain(self.making, directive, message, argument=0, remedy=f"write {passed.url.removesuffix(passed.uri)}")
            return None
        fields = self._request_fields(level, passed, scene)
        to, kept = self._service(level, passed, directive, scene)
        secure = self.tls.of(level, passed, scene) if passed.secure else None
        transport = self.transports.use(level, kept, secure, closes=fields.closes)
        retry = self.transports.retry(level)
        kind = self.making.services[to].kind
        own = (kind.transport, kind.retry) if not isinstance(kind, service.Weighted) else (None, None)
        return Proxied(
            action=self._action(
                level,
                scene,
                passed,
                fields,
                service=to,
                transport=None if own[0] == transport else transport,
                retry=None if own[1] == retry else retry,
            ),
            filters=self._filter(fields, scene),
        )

    def _request_fields(self, level: Level, passed: Passed, scene: Scene) -> RequestFields:
        """Return the fields that go upstream, found once for the same lines: a thousand servers write the same."""
        words = tuple([one.args for one in level.all("proxy_set_header")])
        key = (words, passed.host, passed.port, passed.secure, scene.captures)
        found = self._known.get(key)
        if found is None:
            before = len(self.making.problems)
            found = request_fields(level, self.making, passed, scene.captures)
            if len(self.making.problems) == before:
                self._known[key] = found
        return found

    def _action(
        self,
        level: Level,
        scene: Scene,
        passed: Passed,
        fields: RequestFields,
        *,
        service: Id,
        transport: Id | None,
        retry: service.Retry | None,
    ) -> route.Proxy:
        said = self._say(level)
        host = fields.host
        if host is None:
            host = passed.template(passed.host, self.making, scene)
        return route.Proxy(
            service=service,
            target=self._target(passed, scene),
            host=host,
            pass_headers=said.pass_headers,
            pass_body=said.pass_body,
            trailers=said.trailers,
            informational=said.informational,
            request_body=said.request_body,
            response_body=said.response_body,
            upgrade=fields.upgrade,
            hide=said.hide,
            accel=said.accel,
            intercept_errors=said.intercept_errors,
            rewrite_location=self._rewrites(level, scene, passed),
            transport=transport,
            retry=retry,
            method=said.method,
            flush_ms=0,
        )

    def _rewrites(self, level: Level, scene: Scene, passed: Passed) -> tuple[route.LocationRewrite, ...]:
        """Return what becomes of Location; the default is found once for the same URL and path."""
        if level.all("proxy_redirect"):
            return location_rewrites(level, self.making, scene, passed)
        key = (passed.url, scene.origin, scene.path)
        found = self._defaults.get(key)
        if found is None:
            found = self._defaults[key] = location_rewrites(level, self.making, scene, passed)
        return found

    def _say(self, level: Level) -> _Said:
        owner = level.owner(_NAMES)
        found = self._said.get(owner)
        if found is None:
            found = self._said[owner] = self._read(owner)
        return found

    def _read(self, level: Level) -> _Said:
        making = self.making
        buffers = number(level, "proxy_buffers", 8, making) * size(level, "proxy_buffers", 8_192, making, argument=1)
        file = size(level, "proxy_max_temp_file_size", 1_073_741_824, making)
        request_buffer = size(level, "client_body_buffer_size", _REQUEST_BODY, making)
        buffers_requests = flag(level, "proxy_request_buffering", making, default=True)
        buffers_responses = flag(level, "proxy_buffering", making, default=True)
        method = level.last("proxy_method")
        return _Said(
            pass_headers=flag(level, "proxy_pass_request_headers", making, default=True),
            pass_body=flag(level, "proxy_pass_request_body", making, default=True),
            trailers=flag(level, "proxy_pass_trailers", making, default=False),
            informational=level.value("early_hints", "") not in {"", "0"},
            request_body=route.Buffer(memory=request_buffer) if buffers_requests else route.Stream(),
            response_body=route.Ahead(memory=buffers, file=file) if buffers_responses else route.Stream(),
            hide=_hides(level),
            accel="x-accel-redirect" not in self._ignored(level),
            intercept_errors=flag(level, "proxy_intercept_errors", making, default=False),
            method=None if method is None else template(method.args[0], making, method.places[0]),
        )

    def _service(self, level: Level, passed: Passed, directive: Directive, scene: Scene) -> tuple[Id, Kept]:
        """Return the service a URL leads to, and how connections to it are kept."""
        scheme = service.UpstreamScheme.HTTPS if passed.secure else service.UpstreamScheme.HTTP
        if "$" in passed.address:
            return self._dynamic(level, passed, directive, scene, scheme), Kept()
        known = self.upstreams.known.get(passed.host.lower())
        if known is None and passed.port and passed.named.lower() in self.upstreams.known:
            message = f'upstream "{passed.named}" may not have port {passed.port}'
            complain(self.making, directive, message, argument=0, remedy=f"write {passed.named} without a port")
        if known is None or passed.address.startswith("unix:"):
            name = passed.address if passed.address.startswith("unix:") else passed.host
            known = self.upstreams.direct(name, passed.address, directive)
        return self.upstreams.service(known, scheme), known.kept

    def _dynamic(
        self, level: Level, passed: Passed, directive: Directive, scene: Scene, scheme: service.UpstreamScheme
    ) -> Id:
        text = passed.address if passed.port else passed.host
        name = f"{scheme.value}://{text}"
        slot = "" if scene.captures is None else f" {scene.captures}"
        made = f"{name}{slot}"
        if made not in self.making.services:
            address = passed.template(text, self.making, scene)
            self.making.services[made] = service.Service(
                origin=origin(passed.url if passed.here else name, directive),
                kind=service.Dynamic(
                    address=address,
                    scheme=scheme,
                    transport=self.transports.use(level, Kept(), None),
                    retry=self.transports.retry(level),
                ),
            )
        return made

    def _target(self, passed: Passed, scene: Scene) -> route.Target:
        if passed.uri is None:
            return route.Raw()
        if "$" in passed.url:
            # What begins with a variable has no slash of its own, `http://name$request_uri` aside.
            return route.TargetTemplate(passed.template(passed.uri, self.making, scene))
        return route.ReplacePrefix(prefix=scene.path, with_=passed.uri)

    def _filter(self, fields: RequestFields, scene: Scene) -> tuple[Id, ...]:
        if not fields.operations:
            return ()
        known = self._fields.get(fields.operations)
        if known is None:
            known = self._fields[fields.operations] = self.making.filter(
                f"{scene.name} fields", plan_filter.RequestHeaders(fields.operations)
            )
        return (known,)

    def _ignored(self, level: Level) -> frozenset[str]:
        found: set[str] = set()
        for one in level.all("proxy_ignore_headers"):
            for index, name in enumerate(one.args):
                if name.lower() not in _IGNORABLE:
                    complain(self.making, one, f'invalid value "{name}"', argument=index)
                found.add(name.lower())
        return frozenset(found)


def _hides(level: Level) -> tuple[str, ...]:
    """Return the fields of responses that are not passed on, in lower case."""
    more = [one.args[0].lower() for one in level.all("proxy_hide_header")]
    shown = {one.args[0].lower() for one in level.all("proxy_pass_header")}
    return tuple(name for name in dict.fromkeys([*HIDDEN, *more]) if name not in shown)
