"""`-v`, `-V`, `-h`: what nginx says of itself, with the modules that are really here.

Scripts read `nginx version: nginx/1.31.5`, the words in brackets are where builds of distributions put their name;
from `-V` they read `--with-…_module` and `--without-…_module`, which come from the table of directives.
"""

from __future__ import annotations

from collections.abc import Callable

from daemun.run.drop_in.flags import Flags
from daemun.run.drop_in.paths import ACCESS_LOG, CONFIG, ERROR_LOG, PID, PREFIX
from daemun.version import installed_version

# The nginx whose language this is.
LANGUAGE = "1.31.5"

# Modules that are there when one asks for them, and a directive that only they have.
OPTIONAL = {
    "--with-http_ssl_module": "ssl_certificate",
    "--with-http_v2_module": "http2",
    "--with-http_v3_module": "http3",
    "--with-http_realip_module": "set_real_ip_from",
    "--with-http_auth_request_module": "auth_request",
    "--with-http_addition_module": "add_before_body",
    "--with-http_sub_module": "sub_filter",
    "--with-http_dav_module": "dav_methods",
    "--with-http_flv_module": "flv",
    "--with-http_mp4_module": "mp4",
    "--with-http_gunzip_module": "gunzip",
    "--with-http_gzip_static_module": "gzip_static",
    "--with-http_random_index_module": "random_index",
    "--with-http_secure_link_module": "secure_link",
    "--with-http_slice_module": "slice",
    "--with-http_stub_status_module": "stub_status",
    "--with-mail": "mail",
    "--with-stream": "stream",
    "--with-stream_ssl_module": "stream",
    "--with-stream_ssl_preread_module": "ssl_preread",
}
# Modules that are there unless they are left out.
STANDARD = {
    "--without-http_charset_module": "charset",
    "--without-http_gzip_module": "gzip",
    "--without-http_ssi_module": "ssi",
    "--without-http_userid_module": "userid",
    "--without-http_access_module": "allow",
    "--without-http_auth_basic_module": "auth_basic",
    "--without-http_mirror_module": "mirror",
    "--without-http_autoindex_module": "autoindex",
    "--without-http_geo_module": "geo",
    "--without-http_map_module": "map",
    "--without-http_split_clients_module": "split_clients",
    "--without-http_referer_module": "valid_referers",
    "--without-http_rewrite_module": "rewrite",
    "--without-http_proxy_module": "proxy_pass",
    "--without-http_fastcgi_module": "fastcgi_pass",
    "--without-http_uwsgi_module": "uwsgi_pass",
    "--without-http_scgi_module": "scgi_pass",
    "--without-http_grpc_module": "grpc_pass",
    "--without-http_memcached_module": "memcached_pass",
    "--without-http_limit_conn_module": "limit_conn",
    "--without-http_limit_req_module": "limit_req",
    "--without-http_empty_gif_module": "empty_gif",
    "--without-http_browser_module": "ancient_browser",
    "--without-http_upstream_hash_module": "hash",
    "--without-http_upstream_ip_hash_module": "ip_hash",
    "--without-http_upstream_least_conn_module": "least_conn",
    "--without-http_upstream_least_time_module": "least_time",
    "--without-http_upstream_random_module": "random",
    "--without-http_upstream_keepalive_module": "keepalive",
    # What a zone shares among workers is shared among the engine's threads with or without one.
    "--without-http_upstream_zone_module": "upstream",
    "--without-http_upstream_sticky_module": "sticky",
    "--without-http_tunnel_module": "tunnel_pass",
    "--without-http-cache": "proxy_cache",
}


def version_text(flags: Flags, is_served: Callable[[str], bool]) -> str:
    """Return what is said for these flags; `is_served` tells whether a directive works here."""
    text = f"nginx version: nginx/{LANGUAGE} (daemun/{_version()})\n"
    if flags.help:
        text += _HELP
    if flags.configure:
        text += "built with rustls and aws-lc-rs\nTLS SNI support enabled\n"
        text += f"configure arguments: {' '.join(arguments(is_served))}\n"
    return text


def arguments(is_served: Callable[[str], bool]) -> list[str]:
    """Return nginx's configure arguments that would give what is here."""
    places = [
        f"--prefix={PREFIX.rstrip('/')}",
        f"--conf-path={CONFIG}",
        f"--http-log-path={ACCESS_LOG}",
        f"--error-log-path={ERROR_LOG}",
        f"--pid-path={PID}",
    ]
    there = [argument for argument, directive in OPTIONAL.items() if is_served(directive)]
    missing = [argument for argument, directive in STANDARD.items() if not is_served(directive)]
    return [*places, *there, *missing]


def _version() -> str:
    return installed_version() or "checkout"


_HELP = f"""\
Usage: nginx [-?hvVtTq] [-s signal] [-p prefix]
             [-e filename] [-c filename] [-g directives]

Options:
  -?,-h         : this help
  -v            : show version and exit
  -V            : show version and configure options then exit
  -t            : test configuration and exit
  -T            : test configuration, dump it and exit
  -q            : suppress non-error messages during configuration testing
  -s signal     : send signal to a master process: stop, quit, reopen, reload
  -p prefix     : set prefix path (default: {PREFIX})
  -e filename   : set error log file (default: {ERROR_LOG})
  -c filename   : set configuration file (default: {CONFIG})
  -g directives : set global directives out of configuration file

"""
