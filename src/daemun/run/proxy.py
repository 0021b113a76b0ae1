"""`daemun proxy`: a whole configuration from a few words, in the same typed values that a file gives.

    proxy_values(Options(listen=(":8080",), to=("http://127.0.0.1:8000",))) ──► Static, Dynamic

No second path: the words become the tree of a document, and go through the Traefik language like any other.
"""

from __future__ import annotations

from daemun.config.document import Document, Spot, Tree
from daemun.errors import ConfigError, Problem
from daemun.run.options import Options
from daemun.traefik.dynamic import Dynamic, build_dynamic
from daemun.traefik.read import build_static
from daemun.traefik.static import Static

FILE = "command line"


# Names for which the local authority signs when none is given; all of them mean this machine.
LOCAL = ("localhost", "*.localhost", "127.0.0.1", "::1")


def proxy_values(options: Options) -> tuple[Static, Dynamic]:
    """Return the configuration: every listener's traffic goes to these servers. Raises ConfigError."""
    entry_points: dict[str, Tree] = {
        "web" if not index else f"web{index + 1}": {"address": _address(text)}
        for index, text in enumerate(options.listen)
    }
    domains: list[Tree] = [{"main": name} for name in options.hosts or LOCAL]
    for index, text in enumerate(options.listen_tls):
        name = "websecure" if not index else f"websecure{index + 1}"
        entry_points[name] = {"address": _address(text), "http": {"tls": {"domains": domains}}}
    servers: list[Tree] = [{"url": _url(url)} for url in options.to]
    static, problems = build_static(_document({"entryPoints": entry_points, "log": {"level": options.log_level}}))
    dynamic, more = build_dynamic(
        [
            _document(
                {
                    "http": {
                        "routers": {"proxy": {"rule": "PathPrefix(`/`)", "service": "proxy"}},
                        "services": {"proxy": {"loadBalancer": {"servers": servers, "strategy": options.strategy}}},
                    }
                }
            )
        ]
    )
    wrong: list[Problem] = [problem for problem in (*problems, *more) if problem.is_error]
    if static is None or wrong:
        raise ConfigError(problems=wrong)
    return static, dynamic


def _document(data: dict[str, Tree]) -> Document:
    nowhere = Spot(line=0, column=0)
    return Document(file=FILE, text="", data=data, spots=lambda: nowhere)


def _address(text: str) -> str:
    """Take `8080` for `:8080`."""
    return f":{text}" if text.isdigit() else text


def _url(text: str) -> str:
    """Take `:8000` and `8000` for a port of this machine, and a name without scheme for HTTP."""
    if text.isdigit():
        return f"http://127.0.0.1:{text}"
    if text.startswith(":"):
        return f"http://127.0.0.1{text}"
    return text if "://" in text or text.startswith("unix:") else f"http://{text}"
