"""What has no effect here or is not served: caches, limits, filters, modules.

A row is: name, contexts, arguments, verdict, what to know. See catalogue.py for what the letters mean.
"""

from __future__ import annotations

TITLE = "everything else of nginx and of modules people have"
ROWS = """
add_after_body HSL 1 no add text in the application
add_before_body HSL 1 no add text in the application
add_header_inherit HSLJ 1 yes
add_trailer_inherit HSLJ 1 no(on) repeat the add_trailer lines in the block
addition_types HSL 1+ idle
aio HSL 1 idle
aio_write HSL flag idle
ancient_browser HSL 1+ no use map $http_user_agent
ancient_browser_value HSL 1 no use map $http_user_agent
api L 0-1 no leave it out
auth_delay HSL 1 no(0) leave it out
auth_jwt HSL 1-2 no(off) check tokens in the application, or with auth_request
brotli HSLJ flag no(off) responses are not compressed in this version; gzip_static serves files that are
charset HSLJ 1 yes
charset_map H 2{* no write texts in UTF-8
charset_types HSL 1+* yes
chunked_transfer_encoding HSL flag idle
client_body_in_file_only HSL 1 idle
client_body_in_single_buffer HSL flag idle
client_body_temp_path HSL 1-4 yes
connection_pool_size HS 1 idle
create_full_put_path HSL flag no(off) take uploads in the application
dav_methods HSL 1+ no(off) take uploads in the application
directio HSL 1 idle
directio_alignment HSL 1 idle
empty_gif L 0 no serve the file
flv L 0 no serve the file as it is
gunzip HSL flag no(off) leave it out
gunzip_buffers HSL 2 idle
gzip HSLJ flag idle responses are not compressed; files that are go out with gzip_static
gzip_buffers HSL 2 idle
gzip_comp_level HSL 1 idle
gzip_disable HSL 1+ idle
gzip_http_version HSL 1 idle
gzip_min_length HSL 1 idle
gzip_proxied HSL 1+ idle
gzip_types HSL 1+* idle
gzip_vary HSL flag idle
health_check L 0+ no max_fails and fail_timeout watch the servers
http3 HS flag no(off) HTTP/3 comes later: HTTP/2 is served with http2 on
limit_conn HSL 2* no connections are not limited in this version; max_conns of an upstream is
limit_conn_dry_run HSL 1 idle
limit_conn_log_level HSL 1 idle
limit_conn_status HSL 1 idle
limit_conn_zone H 2* no connections are not limited in this version; max_conns of an upstream is
limit_rate HSLJ 1 no(0) leave it out: rates are not limited in this version
limit_rate_after HSLJ 1 no(0) leave it out: rates are not limited in this version
limit_req HSL 1-3* no requests are not limited in this version: limit them in the application
limit_req_dry_run HSL 1 idle
limit_req_log_level HSL 1 idle
limit_req_status HSL 1 idle
limit_req_zone H 3-4* no requests are not limited in this version: limit them in the application
limit_zone H 3 no leave it out
lingering_close HSL 1 idle the engine lingers by itself
lingering_time HSL 1 idle
lingering_timeout HSL 1 idle
log_not_found HSL flag idle
log_subrequest HSL flag idle
map_hash_bucket_size H 1 idle
map_hash_max_size H 1 idle
match H 1{ no leave it out
min_delete_depth HSL 1 idle
modern_browser HSL 1-2 no use map $http_user_agent
modern_browser_value HSL 1 no use map $http_user_agent
more_clear_headers HSLJ 1+ no use proxy_hide_header
more_set_headers HSLJ 1+ no use add_header … always, and proxy_hide_header
mp4 L 0 no serve the file as it is
msie_padding HSL flag idle
msie_refresh HSL flag idle
open_file_cache HSL 1-2 idle changed files are noticed
open_file_cache_errors HSL flag idle
open_file_cache_min_uses HSL 1 idle
open_file_cache_valid HSL 1 idle
open_log_file_cache HSL 1-4 idle
output_buffers HSL 2 idle
override_charset HSLJ flag no(off) write texts in UTF-8
perl LX 1 no run it behind proxy_pass
postpone_output HSL 1 idle
random_index L flag no(off) name an index file
read_ahead HSL 1 idle
referer_hash_bucket_size SL 1 idle
referer_hash_max_size SL 1 idle
request_pool_size HS 1 idle
reset_timedout_connection HSL flag idle
resolver_timeout HSL 1 idle connect timeouts count
rewrite_log HSLIJ flag idle
secure_link HSL 1 no check links in the application
secure_link_md5 HSL 1 no check links in the application
secure_link_secret HSL 1 no check links in the application
send_lowat HSL 1 idle
sendfile HSLJ flag idle the engine chooses
sendfile_max_chunk HSL 1 idle
server_names_hash_bucket_size H 1 idle
server_names_hash_max_size H 1 idle
server_tokens HSL 1 idle no Server is sent, and pages name no version
slice HSL 1 no(0) leave it out
source_charset HSLJ 1 no(off) write texts in UTF-8
spdy_chunk_size HSL 1 no leave it out
spdy_headers_comp HS 1 no leave it out
ssi HSLJ flag no(off) include parts in the application
ssl HS flag no(off) write `listen 443 ssl;`
status_zone SL 1* no leave it out
stub_status SL 0-1 no ask the engine: `daemun explain`, or the statistics of its control socket
sub_filter HSL 2* no change the text in the application
subrequest_output_buffer_size HSL 1 idle
tcp_nodelay HSL flag idle always on
tcp_nopush HSL flag idle
tunnel_pass LJ 0-1 no leave it out
types_hash_bucket_size HSL 1 idle
types_hash_max_size HSL 1 idle
uninitialized_variable_warn HSLIJ flag idle
userid HSL 1 no(off|log) set cookies in the application
variables_hash_bucket_size H 1 idle
variables_hash_max_size H 1 idle
"""
