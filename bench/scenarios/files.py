"""CPU time a file, beside nginx with sendfile: `file_small` (4 KB) and `file_large` (1 MB), from the page cache."""

import os
from dataclasses import dataclass

from bench.bed import Bed, answers
from bench.load import Request
from bench.measure import by_peer, notes, rounds
from bench.outcome import Outcome, ratios
from bench.peers import daemun, nginx
from bench.process import until

BOUND = {"nginx": 1.0}


@dataclass(frozen=True, kw_only=True)
class Files:
    """One size of file."""

    name: str
    title: str
    size: int

    def run(self, bed: Bed) -> Outcome:
        """Measures both in interleaved rounds."""
        root = bed.subfolder("files")
        (root / "file.txt").write_bytes(os.urandom(self.size))
        request = Request(path="/file.txt", least_bytes=self.size)
        peers = {
            "nginx": nginx.start_files(bed.subfolder("nginx"), root),
            "daemun": daemun.start_files(bed.subfolder("daemun"), root),
        }
        try:
            for peer in peers.values():
                until(lambda peer=peer: answers(peer.address, request.path), what=f"{peer.name} answering")  # type: ignore[misc]
            samples = rounds(bed, peers, dict.fromkeys(peers, request), proxied=False)
        finally:
            for peer in peers.values():
                peer.process.stop()
        rows = by_peer(samples, list(peers))
        return Outcome(
            scenario=self.name,
            title=self.title,
            unit="µs CPU/request",
            rows=rows,
            verdicts=ratios(rows, BOUND),
            notes=notes(samples),
            details=[one.as_json() for one in samples],
        )


SMALL = Files(name="file_small", title="GET of a file of 4 KB", size=4096)
LARGE = Files(name="file_large", title="GET of a file of 1 MB", size=1 << 20)
