"""Every peer by name, in the order of the report."""

from bench.peers import caddy, daemun, h2o, haproxy, nginx, relay, traefik
from bench.peers.running import Peer

PEERS: dict[str, Peer] = {
    peer.name: peer for peer in (daemun.PEER, nginx.PEER, haproxy.PEER, caddy.PEER, h2o.PEER, relay.PEER, traefik.PEER)
}
DEFAULT = ("nginx", "haproxy", "caddy", "h2o", "relay", "daemun")
"""Traefik joins by itself where TRAEFIK names its binary."""
