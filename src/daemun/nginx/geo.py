"""`geo`: a table from networks, or ranges of addresses, to text.

Facts (nginx's ngx_http_geo_module.c): values hold no variables; the narrowest network decides; of one network that
stands twice the later line counts, with a warning; `delete` takes one away; for the address of a `proxy` stands what it
says in X-Forwarded-For; `default` is both 0.0.0.0/0 and ::/0. With `ranges` (IPv4 alone) a later range inside an earlier
one cuts it; two that overlap otherwise are an error. The Plan knows networks alone: ranges are written as networks.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network, summarize_address_range

from daemun.nginx.directive import Directive
from daemun.nginx.making import Making
from daemun.nginx.values import complain
from daemun.plan.template import Entry, Geo, Literal, Proxies, Template

_WORDS = ("ranges", "volatile", "proxy_recursive")
_Network = IPv4Network | IPv6Network
_REMEDY = "a network is 192.0.2.0/24, 192.0.2.1 or 2001:db8::/32"


def geo(one: Directive, making: Making) -> Geo:
    """Return the table of a `geo` block; its key is the client's address unless it names another."""
    words = {entry.name for entry in one.block or () if not entry.args}
    entries: list[Directive] = []
    trusted: list[str] = []
    for entry in one.block or ():
        if entry.name in _WORDS and not entry.args:
            continue
        if len(entry.args) != 1:
            complain(making, entry, "invalid number of the geo parameters", kind="syntax")
        elif entry.name == "proxy":
            network = network_of(entry, making, argument=0)
            trusted += [] if network is None else [str(network)]
        else:
            entries.append(entry)
    table = _ranges(entries, making) if "ranges" in words else _networks(entries, making)
    if not trusted:
        return table
    return replace(table, proxies=Proxies(trusted=tuple(trusted), recursive="proxy_recursive" in words))


def _networks(entries: list[Directive], making: Making) -> Geo:
    known: dict[_Network, Entry] = {}
    default: Template = ()
    for entry in entries:
        if entry.name == "default":
            default = _text(entry.args[0])
            continue
        delete = entry.name == "delete"
        network = network_of(entry, making, argument=0 if delete else None)
        if network is None:
            continue
        if delete:
            if known.pop(network, None) is None:
                complain(making, entry, f'no network "{network}" to delete', argument=0, severity="warning")
            continue
        if network in known:
            message = f'duplicate network "{entry.name}", value: "{entry.args[0]}"'
            complain(making, entry, message, severity="warning", kind="duplicate")
        known[network] = Entry(key=str(network), value=_text(entry.args[0]))
    return Geo(networks=tuple(known.values()), default=default, proxies=None)


def network_of(one: Directive, making: Making, *, argument: int | None) -> _Network | None:
    """Return the network an argument (or the name of an entry) is; bits beyond its mask are cut, with a warning."""
    text = one.name if argument is None else one.args[argument]
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        complain(making, one, f'invalid network "{text}"', argument=argument, remedy=_REMEDY)
        return None
    if not _exact(text, network):
        message = f"low address bits of {text} are meaningless"
        complain(making, one, message, argument=argument, severity="warning", remedy=f"write {network}")
    return network


def _exact(text: str, network: _Network) -> bool:
    try:
        return ip_network(text) == network
    except ValueError:
        return False


def _ranges(entries: list[Directive], making: Making) -> Geo:
    """Return a table of ranges: disjoint ones, in the end, each as networks."""
    known: list[tuple[int, int, Template]] = []
    default: Template = ()
    for entry in entries:
        if entry.name == "default":
            default = _text(entry.args[0])
            continue
        delete = entry.name == "delete"
        found = _range(entry, making, argument=0 if delete else None)
        if found is None:
            continue
        first, last = found
        if delete:
            if not _deleted(known, first, last):
                complain(making, entry, "no such address range to delete", argument=0, severity="warning")
        else:
            _insert(known, (first, last, _text(entry.args[0])), entry, making)
    networks = tuple(
        Entry(key=str(network), value=value)
        for first, last, value in sorted(known)
        for network in summarize_address_range(IPv4Address(first), IPv4Address(last))
    )
    return Geo(networks=networks, default=default, proxies=None)


def _range(one: Directive, making: Making, *, argument: int | None) -> tuple[int, int] | None:
    text = one.name if argument is None else one.args[argument]
    first, _, last = text.partition("-")
    try:
        span = int(IPv4Address(first)), int(IPv4Address(last))
    except ValueError:
        span = 1, 0
    if span[0] > span[1]:
        remedy = "a range is 192.0.2.1-192.0.2.99"
        complain(making, one, f'invalid range "{text}"', argument=argument, remedy=remedy)
        return None
    return span


def _deleted(known: list[tuple[int, int, Template]], first: int, last: int) -> bool:
    """Take a range away; only one that is known as a whole is."""
    for at, (begin, end, _) in enumerate(known):
        if (begin, end) == (first, last):
            del known[at]
            return True
    return False


def _insert(
    known: list[tuple[int, int, Template]], new: tuple[int, int, Template], entry: Directive, making: Making
) -> None:
    first, last, _ = new
    for at, (begin, end, value) in enumerate(known):
        if last < begin or first > end:
            continue
        if not (begin <= first and last <= end):
            message = f'range "{entry.name}" overlaps "{IPv4Address(begin)}-{IPv4Address(end)}"'
            complain(making, entry, message, kind="duplicate", remedy="split it where the other begins or ends")
            return
        if (begin, end) == (first, last):
            message = f'duplicate range "{entry.name}", value: "{entry.args[0]}"'
            complain(making, entry, message, severity="warning", kind="duplicate")
        around = [(begin, first - 1, value), (last + 1, end, value)]
        known[at : at + 1] = [*(part for part in around if part[0] <= part[1]), new]
        return
    known.append(new)


def _text(text: str) -> Template:
    return (Literal(text),) if text else ()
