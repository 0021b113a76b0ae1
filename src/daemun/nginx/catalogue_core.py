"""The core: `main`, `events`, servers, locations, access, rewriting, files, logs.

A row is: name, contexts, arguments, verdict, what to know. See catalogue.py for what the letters mean.
"""

from __future__ import annotations

TITLE = "main, events and the core of http"
ROWS = """
absolute_redirect HSL flag yes
accept_mutex E flag idle
accept_mutex_delay E 1 idle
access_log HSLJX 1+* yes
add_header HSLJ 2-3* yes
add_trailer HSLJ 2-3* yes
alias L 1 yes
allow HSLX 1* yes
auth_basic HSLX 1 yes
auth_basic_user_file HSLX 1 yes
auth_request HSL 1 yes
auth_request_set HSL 2* yes
autoindex HSL flag yes
autoindex_exact_size HSL flag yes
autoindex_format HSL 1 yes
autoindex_localtime HSL flag yes
break SLIJ 0* yes
client_body_buffer_size HSL 1 yes
client_body_timeout HSL 1 yes
client_header_buffer_size HS 1 yes
client_header_timeout HS 1 yes
client_max_body_size HSL 1 yes
daemon M flag idle the process stays in front
daemun_certificate HS 1+ yes
debug_connection E 1* idle
debug_points M 1 idle
default_type HSL 1 yes
deny HSLX 1* yes
disable_symlinks HSL 1-2 yes
early_hints HSL 1+* yes
env M 1* idle
error_log MH 1+* yes
error_log SL 1+* idle there is one error log: that of main, or of http
error_page HSLJ 2+* yes
etag HSL flag yes
events M 0{ yes
expires HSLJ 1-2 yes
geo H 1-2{* yes
google_perftools_profiles M 1 no leave it out
gzip_static HSL 1 yes
http M 0{ yes
if SL 1+{* yes
if_modified_since HSL 1 yes
ignore_invalid_headers HS flag yes
index HSL 1+* yes
internal L 0* yes
large_client_header_buffers HS 2 yes
limit_except L 1+{* yes
listen S 1+* yes
load_module M 1* idle what is served is built in
location SL 1-2{* yes
lock_file M 1 idle
log_format H 2+* yes
mail M 0{* no run nginx for mail
map H 2{* yes
master_process M flag idle
max_headers HS 1 yes
max_ranges HSL 1 yes
merge_slashes HS flag yes
mirror HSL 1* yes
mirror_request_body HSL flag yes
multi_accept E flag idle
pcre_jit M flag idle
pid M 1 idle `daemun run` writes none; `daemun nginx` does
port_in_redirect HSL flag yes
real_ip_header HSL 1 yes
real_ip_recursive HSL flag yes
recursive_error_pages HSL flag yes
return SLIJ 1-2* yes
rewrite SLIJ 2-3* yes
root HSLJ 1 yes
satisfy HSL 1 yes
send_timeout HSL 1 yes
server H 0{* yes
server_name S 1+* yes
server_name_in_redirect HSL flag yes
set SLIJ 2* yes
set_real_ip_from HSL 1* yes
split_clients H 2{* yes
stream M 0{* no TCP and UDP routing come later: run nginx for it
thread_pool M 2-3* idle
timer_resolution M 1 idle
try_files SL 2+ yes
types HSL 0{* yes
underscores_in_headers HS flag yes
upstream H 1{* yes
use E 1 idle
user M 1-2 yes
valid_referers SL 1+* yes
worker_aio_requests E 1 idle
worker_connections E 1 idle
worker_cpu_affinity M 1+ idle
worker_priority M 1 idle
worker_processes M 1 yes
worker_rlimit_core M 1 idle
worker_rlimit_nofile M 1 idle
worker_shutdown_timeout M 1 yes
working_directory M 1 idle
"""
