"""The access phase: `allow`, `deny`, `auth_basic`, `auth_request`, and `satisfy` over them.

Facts (nginx): rules are asked in order and the first that holds the address decides; `auth_basic off` and
`auth_request off` end what is inherited; a level that has one `allow` or `deny` has none of those above; variables of
`auth_request_set` are inherited by a level that has none of its own. Decision: the file of users is read when the
configuration is loaded (nginx reads it with every request), for the engine reads no files of secrets.
"""

from __future__ import annotations

from pathlib import Path

from daemun.nginx.directive import Directive
from daemun.nginx.geo import network_of
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.nginx.values import choice, complain
from daemun.nginx.variable_names import KNOWN
from daemun.nginx.variables import argument
from daemun.plan.filter import Access, Address, AddressRule, Basic, Gate, Satisfy, SlotValue, Subrequest
from daemun.plan.route import Uri
from daemun.plan.scalars import Id
from daemun.plan.script import Equals, Not
from daemun.plan.template import Literal


def access(level: Level, making: Making, scene: Scene) -> Id | None:
    """Add the access phase of a level; None when everyone is admitted."""
    gates = [
        gate for gate in (_addresses(level, making), _basic(level, making), _request(level, making, scene)) if gate
    ]
    if not gates:
        return None
    satisfy = Satisfy(choice(level, "satisfy", "all", ("all", "any"), making))
    return making.filter(f"{scene.name} access", Access(satisfy=satisfy, gates=tuple(gates)))


def _addresses(level: Level, making: Making) -> Gate | None:
    if not (level.all("allow") or level.all("deny")):
        return None
    nearest = level.owner(("allow", "deny"))
    rules = tuple(
        rule for one in nearest.block if one.name in ("allow", "deny") and (rule := _rule(one, making)) is not None
    )
    return Address(rules) if rules else None


def _rule(one: Directive, making: Making) -> AddressRule | None:
    text = one.args[0]
    if text in ("all", "unix:"):
        return AddressRule(allow=one.name == "allow", network=text)
    network = network_of(one, making, argument=0)
    return None if network is None else AddressRule(allow=one.name == "allow", network=str(network))


def _basic(level: Level, making: Making) -> Gate | None:
    realm, users = level.last("auth_basic"), level.last("auth_basic_user_file")
    if realm is None or realm.args[0] == "off":
        return None
    if users is None:
        # nginx asks for no password then, without a word.
        remedy = "name the users with auth_basic_user_file"
        complain(
            making, realm, "auth_basic has no effect without auth_basic_user_file", severity="warning", remedy=remedy
        )
        return None
    text = argument(realm, 0, making)
    # `auth_basic $realm`: it may turn out to be `off`.
    when = Not(Equals(value=text, to=(Literal("off"),))) if "$" in realm.args[0] else None
    return Basic(realm=text, users=_users(users, making), when=when)


def _users(one: Directive, making: Making) -> Id:
    """Return the secret that holds a file of users; a file that cannot be read admits nobody, as in nginx."""
    path = making.conf_file(one.args[0])
    name = f"users {path}"
    if "$" in path:
        message = "variables in auth_basic_user_file are not served by this version"
        complain(making, one, message, argument=0, kind="not_yet", remedy="name a file in each location")
    elif name not in making.secrets:
        making.files[Path(path)] = None
        try:
            making.secrets[name] = Path(path).read_bytes()
        except OSError as fault:
            making.secrets[name] = b""
            message = f'open() "{path}" failed ({fault.strerror}): nobody is admitted'
            remedy = "make it with `htpasswd -c FILE NAME`, and reload"
            complain(making, one, message, argument=0, severity="warning", kind="file", remedy=remedy)
    return name


def _request(level: Level, making: Making, scene: Scene) -> Gate | None:
    one = level.last("auth_request")
    if one is None or one.args[0] == "off":
        return None
    # nginx takes the URI as it stands, variables and all.
    uri = argument(one, 0, making, captures=scene.captures) if "$" not in one.args[0] else ()
    if "$" in one.args[0]:
        remedy = "write a path; the location it leads to may use variables"
        complain(making, one, "auth_request takes no variables", argument=0, remedy=remedy)
    return Subrequest(
        to=Uri(table=scene.table, uri=uri),
        set=tuple(kept for item in level.all("auth_request_set") if (kept := _kept(item, making, scene)) is not None),
    )


def _kept(one: Directive, making: Making, scene: Scene) -> SlotValue | None:
    name = one.args[0].removeprefix("$").lower()
    if not one.args[0].startswith("$") or not name:
        complain(making, one, f'invalid variable name "{one.args[0]}"', argument=0, suggestion=f"${one.args[0]}")
        return None
    if name in KNOWN:
        message = f'the variable "${name}" is nginx\'s own and cannot be set'
        complain(making, one, message, argument=0, kind="duplicate", remedy="give it another name")
        return None
    value = argument(one, 1, making, captures=scene.captures)
    return SlotValue(slot=making.slot(name), value=value)
