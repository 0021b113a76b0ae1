"""`python -m tools.nginx_tests SUITE [FILE…]`: runs the files and says how each went; see `--help`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tools.nginx_tests.run import Bench, Ran, missing_programs, run, script_for
from tools.nginx_tests.score import HERE, PAGE, page, reasons, summary


def main() -> int:
    """Run what the command line says; 0 when every file passed, or the page was written."""
    options = _options()
    if lacks := missing_programs():
        sys.exit(f"missing: {' '.join(lacks)} (Debian's packages)")
    files = options.files or (HERE / "files.txt").read_text(encoding="utf-8").split()
    user = options.user if os.geteuid() == 0 else None
    bench = Bench(
        suite=options.suite.resolve(),
        program=options.nginx.absolute(),
        engine=None if options.engine is None else options.engine.absolute(),
        script="" if options.engine is None else script_for(user),
        user=user,
        limit=options.limit,
    )
    done: dict[str, Ran] = {}
    with ThreadPoolExecutor(options.jobs) as pool:
        for finished in as_completed([pool.submit(run, name, bench) for name in files]):
            ran = finished.result()
            done[ran.name] = ran
            print(summary(ran), flush=True)
            if options.keep is not None:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{ran.name}.tap").write_text(ran.text, encoding="utf-8")
    runs = [done[name] for name in files]
    passed = sum(ran.verdict == "passed" for ran in runs)
    print(f"{passed} of {len(runs)} files wholly passed")
    if options.json is not None:
        options.json.write_text(json.dumps({ran.name: [ran.verdict, *ran.outcome.failed] for ran in runs}, indent=1))
    if options.page:
        PAGE.write_text(page(runs, reasons(), options.revision), encoding="utf-8")
        return 0
    return 0 if passed == len(runs) else 1


def _options() -> argparse.Namespace:
    here = Path(sys.executable).parent
    parser = argparse.ArgumentParser(prog="python -m tools.nginx_tests")
    parser.add_argument("suite", type=Path, help="the folder of nginx-tests")
    parser.add_argument("files", nargs="*", help="files of the suite; those of files.txt when none is named")
    parser.add_argument("--nginx", type=Path, default=here / "daemun", help="the program; started under the name nginx")
    parser.add_argument("--engine", type=Path, default=None, help="Daemun's engine; without it the program is nginx's")
    parser.add_argument("--user", default="nobody", help="who runs it, when we are root")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for one file")
    parser.add_argument("--keep", type=Path, help="a folder for what each file said")
    parser.add_argument("--json", type=Path, help="a file for the verdicts")
    parser.add_argument("--page", action="store_true", help="write docs/reference/nginx-tests.md")
    parser.add_argument("--revision", default="a snapshot", help="which suite, for the page")
    options = parser.parse_args()
    if options.nginx.name == "daemun" and options.engine is None:
        named = os.environ.get("DAEMUN_ENGINE") or shutil.which("daemun-engine", path=str(here))
        if named is None:
            parser.error("no engine: --engine, or DAEMUN_ENGINE")
        options.engine = Path(named)
    return options


if __name__ == "__main__":
    sys.exit(main())
