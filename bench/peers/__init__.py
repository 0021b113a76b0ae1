"""The proxies under test: one module a peer, its configuration as a template beside it.

Every peer gets the same task: HTTP/1.1 on both sides, keep-alive to the origin, logs off, one worker or
thread, and X-Real-IP, X-Forwarded-For, -Proto, -Host and -Port set on every request (`probe` checks it).
"""
