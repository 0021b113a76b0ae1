"""What the engine knows of an exchange, by name; each stands in a template as it is.

Grouped by the earliest phase in which it has a value; before that it is empty. The order is that of the Rust
twin (`Variable` in engine/crates/plan/src/template.rs).
"""

from __future__ import annotations

from enum import StrEnum


class Variable(StrEnum):
    """One variable; a comment above it says what its name does not."""

    # — accept —
    CLIENT_IP = "client_ip"
    CLIENT_PORT = "client_port"
    # `address:port`
    CLIENT_ADDRESS = "client_address"
    # The peer before realip changed it.
    PEER_IP = "peer_ip"
    PEER_PORT = "peer_port"
    SERVER_IP = "server_ip"
    SERVER_PORT = "server_port"
    LISTENER_ID = "listener_id"
    CONNECTION_ID = "connection_id"
    CONNECTION_REQUESTS = "connection_requests"
    # `p` for a request that came before the response to the one before it was sent, else `.`.
    PIPELINED = "pipelined"
    TLS_VERSION = "tls_version"
    TLS_CIPHER = "tls_cipher"
    TLS_SERVER_NAME = "tls_server_name"
    # The protocol agreed on by ALPN.
    TLS_ALPN = "tls_alpn"
    # The key exchange's group.
    TLS_GROUP = "tls_group"
    # `1` when the session was resumed.
    TLS_RESUMED = "tls_resumed"
    HOSTNAME = "hostname"
    PROCESS_ID = "process_id"
    # `http` or `https`
    SCHEME = "scheme"
    # `on` over TLS.
    HTTPS = "https"
    # `:8080`, the listener's port; nothing when it is the scheme's own.
    PORT_SUFFIX = "port_suffix"

    # — head —
    REQUEST_ID = "request_id"
    METHOD = "method"
    # As received.
    REQUEST_TARGET = "request_target"
    # As received, in origin form: absolute-form targets without scheme and authority.
    REQUEST_URI = "request_uri"
    # The whole request line.
    REQUEST_LINE = "request_line"
    # The current path (PathPolicy's form).
    PATH = "path"
    # What stands after the last dot of its last segment, lower-case; nothing for a name that begins with it.
    PATH_EXTENSION = "path_extension"
    # The current query, without `?`.
    QUERY = "query"
    # `?` when there is a query.
    QUERY_MARK = "query_mark"
    # `HTTP/1.1`
    PROTOCOL = "protocol"
    # `h2` over TLS, `h2c` in clear text; nothing for HTTP/1.
    HTTP2 = "http2"
    # Host as sent, with port.
    HOST_FIELD = "host_field"
    # Host without port, lower-case; the server name when there is none.
    HOST = "host"
    # Host without port, as sent.
    HOST_NAME = "host_name"
    # Host without port, lower-case; the address that was asked when there is none.
    HOST_OR_ADDRESS = "host_or_address"
    # Content-Length as sent.
    REQUEST_LENGTH = "request_length"
    # XFF as received and the client's address, joined by `, `.
    PROXY_ADD_FORWARDED_FOR = "proxy_add_forwarded_for"
    REMOTE_USER = "remote_user"
    # The body as it went upstream, when all of it was in memory before the request was sent; else empty.
    REQUEST_BODY = "request_body"

    # — routed —
    SERVER_NAME = "server_name"
    ROUTE_NAME = "route_name"
    SERVICE_NAME = "service_name"

    # — upstream —
    # What the service is reached as: its id up to a space and without a scheme, or the address the request named.
    PROXY_HOST = "proxy_host"
    PROXY_PORT = "proxy_port"
    UPSTREAM_ADDRESS = "upstream_address"
    UPSTREAM_URL = "upstream_url"
    UPSTREAM_STATUS = "upstream_status"
    # Every endpoint that was asked, and the status of each, joined by `, `; by ` : ` where another service was.
    UPSTREAM_ADDRESSES = "upstream_addresses"
    UPSTREAM_STATUSES = "upstream_statuses"
    UPSTREAM_CONNECT_NANOS = "upstream_connect_nanos"
    UPSTREAM_HEADER_NANOS = "upstream_header_nanos"
    UPSTREAM_RESPONSE_NANOS = "upstream_response_nanos"
    # The same three in seconds, with milliseconds.
    UPSTREAM_CONNECT_SECONDS = "upstream_connect_seconds"
    UPSTREAM_HEADER_SECONDS = "upstream_header_seconds"
    UPSTREAM_RESPONSE_SECONDS = "upstream_response_seconds"
    UPSTREAM_RESPONSE_BYTES = "upstream_response_bytes"
    # Heads and body of the response; head and body of the request. Without what frames chunks.
    UPSTREAM_RECEIVED_BYTES = "upstream_received_bytes"
    UPSTREAM_SENT_BYTES = "upstream_sent_bytes"
    RETRIES = "retries"

    # — response —
    STATUS = "status"
    RESPONSE_BODY_BYTES = "response_body_bytes"
    RESPONSE_BYTES = "response_bytes"

    # — log —
    REQUEST_BODY_BYTES = "request_body_bytes"
    REQUEST_BYTES = "request_bytes"
    START_UTC = "start_utc"
    START_LOCAL = "start_local"
    TIME_COMMON = "time_common"
    TIME_ISO8601 = "time_iso8601"
    TIME_MSEC = "time_msec"
    DURATION_NANOS = "duration_nanos"
    DURATION_MILLIS = "duration_millis"
    # In seconds, with milliseconds.
    DURATION_SECONDS = "duration_seconds"
    OVERHEAD_NANOS = "overhead_nanos"
    # Requests this process has taken.
    REQUEST_COUNT = "request_count"
    # Why an exchange failed; empty when it did not.
    FAULT = "fault"
