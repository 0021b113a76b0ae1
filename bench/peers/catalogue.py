"""Every peer by name, in the order of the report."""

from bench.peers import caddy, daemun, haproxy, nginx, traefik
from bench.peers.running import Peer

PEERS: dict[str, Peer] = {peer.name: peer for peer in (daemun.PEER, nginx.PEER, haproxy.PEER, caddy.PEER, traefik.PEER)}
DEFAULT = ("nginx", "haproxy", "caddy", "daemun")
"""Traefik joins by itself where TRAEFIK names its binary."""
