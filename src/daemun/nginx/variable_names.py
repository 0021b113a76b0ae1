"""nginx's own variables by name: what each is in the Plan, and which of them are not served, with a way around.

A table and nothing else; `variables` reads it. What a configuration defines itself stands in `declared`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from daemun.plan.template import Argument, Cookie, Header, Literal, Part, ResponseHeader, Template, UpstreamHeader
from daemun.plan.variable import Variable

# The nginx whose behaviour this language has.
NGINX_VERSION = "1.31.5"

_NOTHING: Template = ()

KNOWN: Mapping[str, Template] = {
    # — the request —
    "host": (Variable.HOST,),
    "request": (Variable.REQUEST_LINE,),
    "request_method": (Variable.METHOD,),
    "request_uri": (Variable.REQUEST_URI,),
    "uri": (Variable.PATH,),
    "document_uri": (Variable.PATH,),
    "args": (Variable.QUERY,),
    "query_string": (Variable.QUERY,),
    "is_args": (Variable.QUERY_MARK,),
    "server_protocol": (Variable.PROTOCOL,),
    "scheme": (Variable.SCHEME,),
    "https": (Variable.HTTPS,),
    "http2": (Variable.HTTP2,),
    "http3": _NOTHING,
    "content_length": (Variable.REQUEST_LENGTH,),
    "content_type": (Header("content-type"),),
    "request_id": (Variable.REQUEST_ID,),
    "request_length": (Variable.REQUEST_BYTES,),
    "remote_user": (Variable.REMOTE_USER,),
    "fastcgi_script_name": (Variable.PATH,),
    "fastcgi_path_info": _NOTHING,
    # — the connection —
    "remote_addr": (Variable.CLIENT_IP,),
    # Text here, four or sixteen bytes in nginx: alike as a key, and as a key it is used.
    "binary_remote_addr": (Variable.CLIENT_IP,),
    "remote_port": (Variable.CLIENT_PORT,),
    "realip_remote_addr": (Variable.PEER_IP,),
    "realip_remote_port": (Variable.PEER_PORT,),
    "server_addr": (Variable.SERVER_IP,),
    "server_port": (Variable.SERVER_PORT,),
    "server_name": (Variable.SERVER_NAME,),
    "connection": (Variable.CONNECTION_ID,),
    "connection_requests": (Variable.CONNECTION_REQUESTS,),
    "pipe": (Variable.PIPELINED,),
    "hostname": (Variable.HOSTNAME,),
    "pid": (Variable.PROCESS_ID,),
    "nginx_version": (Literal(NGINX_VERSION),),
    # — TLS; client certificates are not asked for, 0-RTT is not taken —
    "ssl_alpn_protocol": (Variable.TLS_ALPN,),
    "ssl_server_name": (Variable.TLS_SERVER_NAME,),
    "ssl_early_data": _NOTHING,
    "ssl_client_verify": (Literal("NONE"),),
    "ssl_client_cert": _NOTHING,
    "ssl_client_raw_cert": _NOTHING,
    "ssl_client_escaped_cert": _NOTHING,
    "ssl_client_s_dn": _NOTHING,
    "ssl_client_i_dn": _NOTHING,
    "ssl_client_s_dn_legacy": _NOTHING,
    "ssl_client_i_dn_legacy": _NOTHING,
    "ssl_client_serial": _NOTHING,
    "ssl_client_fingerprint": _NOTHING,
    "ssl_client_v_start": _NOTHING,
    "ssl_client_v_end": _NOTHING,
    "ssl_client_v_remain": _NOTHING,
    "ssl_client_sigalg": _NOTHING,
    # — the response and the log —
    "status": (Variable.STATUS,),
    "request_body": (Variable.REQUEST_BODY,),
    "body_bytes_sent": (Variable.RESPONSE_BODY_BYTES,),
    "bytes_sent": (Variable.RESPONSE_BYTES,),
    "request_time": (Variable.DURATION_SECONDS,),
    "time_local": (Variable.TIME_COMMON,),
    "time_iso8601": (Variable.TIME_ISO8601,),
    "msec": (Variable.TIME_MSEC,),
    "gzip_ratio": _NOTHING,
    "limit_req_status": _NOTHING,
    "limit_conn_status": _NOTHING,
    # — proxying —
    "proxy_host": (Variable.PROXY_HOST,),
    "proxy_port": (Variable.PROXY_PORT,),
    "proxy_add_x_forwarded_for": (Variable.PROXY_ADD_FORWARDED_FOR,),
    "upstream_bytes_received": (Variable.UPSTREAM_RECEIVED_BYTES,),
    "upstream_bytes_sent": (Variable.UPSTREAM_SENT_BYTES,),
    "upstream_addr": (Variable.UPSTREAM_ADDRESSES,),
    "upstream_status": (Variable.UPSTREAM_STATUSES,),
    "upstream_connect_time": (Variable.UPSTREAM_CONNECT_SECONDS,),
    "upstream_header_time": (Variable.UPSTREAM_HEADER_SECONDS,),
    "upstream_response_time": (Variable.UPSTREAM_RESPONSE_SECONDS,),
    "upstream_response_length": (Variable.UPSTREAM_RESPONSE_BYTES,),
    "upstream_cache_status": _NOTHING,
    "upstream_cache_key": _NOTHING,
    "upstream_cache_last_modified": _NOTHING,
    "upstream_cache_etag": _NOTHING,
}

# What begins with this is a field, cookie or argument of the name that follows.
PREFIXES: Mapping[str, Callable[[str], Part]] = {
    "sent_http_": lambda name: ResponseHeader(_field(name)),
    "upstream_http_": lambda name: UpstreamHeader(_field(name)),
    "http_": lambda name: Header(_field(name)),
    "cookie_": Cookie,
    "arg_": Argument,
}

_BODY = "the body is not at hand as text: let the application log it"
_TLS = "leave it out; $ssl_protocol, $ssl_cipher and $ssl_server_name are served"
_PROXY_PROTOCOL = "with `listen … proxy_protocol`, $remote_addr is the client's address already"

# Known to nginx, not served here: why, or what to use.
NOT_SERVED: Mapping[str, str] = {
    "request_body_file": _BODY,
    "connection_time": "leave it out; $request_time is served",
    "proxy_internal_body_length": "leave it out",
    "proxy_internal_chunked": "leave it out",
    "proxy_protocol_addr": _PROXY_PROTOCOL,
    "proxy_protocol_port": _PROXY_PROTOCOL,
    "proxy_protocol_server_addr": "use $server_addr",
    "proxy_protocol_server_port": "use $server_port",
    "limit_rate": "the rate is not limited: leave it out",
    "ssl_ciphers": _TLS,
    "ssl_curves": _TLS,
    "ssl_session_id": _TLS,
    "ssl_server_cert_type": _TLS,
    "ssl_sigalg": _TLS,
    "ssl_ech_status": _TLS,
    "ssl_ech_outer_server_name": _TLS,
    "upstream_queue_time": "leave it out",
    "upstream_last_server_name": "use $upstream_addr",
    "tcpinfo_rtt": "leave it out",
    "tcpinfo_rttvar": "leave it out",
    "tcpinfo_snd_cwnd": "leave it out",
    "tcpinfo_rcv_space": "leave it out",
    "invalid_referer": "it is served in `if`, `set`, `return` and `add_header`; elsewhere test $http_referer with a `map`",
    "slice_range": "leave `slice` out",
    "secure_link": "check signed links in the application",
    "secure_link_expires": "check signed links in the application",
    "date_local": "use $time_local",
    "date_gmt": "use $time_iso8601",
    "modern_browser": "use `map $http_user_agent`",
    "ancient_browser": "use `map $http_user_agent`",
    "msie": "use `map $http_user_agent`",
    "geoip_country_code": "use `geo`",
    "geoip_country_name": "use `geo`",
    "geoip_city": "use `geo`",
    "uid_got": "use $cookie_NAME",
    "uid_set": "use $cookie_NAME",
    "uid_reset": "use $cookie_NAME",
    "memcached_key": "leave it out",
    "connections_active": "use Daemun's metrics",
    "connections_reading": "use Daemun's metrics",
    "connections_writing": "use Daemun's metrics",
    "connections_waiting": "use Daemun's metrics",
}

NOT_SERVED_PREFIXES: Mapping[str, str] = {
    "sent_trailer_": "use $sent_http_NAME",
    "upstream_trailer_": "use $upstream_http_NAME",
    "proxy_protocol_tlv_": _PROXY_PROTOCOL,
    "jwt_": "check tokens in the application, or with `auth_request`",
    "geoip_": "use `geo`",
    "geoip2_": "use `geo`",
}


def _field(name: str) -> str:
    return name.replace("_", "-")
