"""Proxying, upstreams, TLS and HTTP/2.

A row is: name, contexts, arguments, verdict, what to know. See catalogue.py for what the letters mean.
"""

from __future__ import annotations

TITLE = "proxying, upstreams, TLS, HTTP/2"
ROWS = """
hash U 1-2* yes
http2 HS flag yes
http2_body_preread_size HS 1 idle
http2_chunk_size HSL 1 idle
http2_idle_timeout HS 1 idle
http2_max_concurrent_pushes HS 1 idle
http2_max_concurrent_streams HS 1 yes
http2_max_field_size HS 1 idle
http2_max_header_size HS 1 idle
http2_max_requests HS 1 idle
http2_push HSL 1 idle
http2_push_preload HSL flag idle
http2_recv_buffer_size H 1 idle
http2_recv_timeout HS 1 idle
include MEHSLU 1* yes
ip_hash U 0* yes
keepalive U 1-2 yes
keepalive_disable HSL 1-2 idle
keepalive_min_timeout HSL 1 idle
keepalive_requests HSLU 1 yes
keepalive_time HSLU 1 yes
keepalive_timeout HSL 1-2 yes
keepalive_timeout U 1 yes
least_conn U 0* yes
least_time U 1-2* yes
ntlm U 0 no leave it out
proxy_bind HSL 1-2 no(off) leave it out: the kernel chooses the address
proxy_buffer_size HSL 1 yes
proxy_buffering HSL flag yes
proxy_buffers HSL 2 yes
proxy_busy_buffers_size HSL 1 idle
proxy_cache HSL 1 no(off) responses are not cached in this version: leave it out
proxy_cache_background_update HSL flag idle
proxy_cache_bypass HSL 1+* idle responses are not cached
proxy_cache_convert_head HSL flag idle
proxy_cache_key HSL 1 idle
proxy_cache_lock HSL flag idle
proxy_cache_lock_age HSL 1 idle
proxy_cache_lock_timeout HSL 1 idle
proxy_cache_max_range_offset HSL 1 idle
proxy_cache_methods HSL 1+ idle
proxy_cache_min_uses HSL 1 idle
proxy_cache_path H 2+* no responses are not cached in this version: leave it out
proxy_cache_purge HSL 1+ no responses are not cached in this version: leave it out
proxy_cache_revalidate HSL flag idle
proxy_cache_use_stale HSL 1+ idle
proxy_cache_valid HSL 1+* idle
proxy_connect_timeout HSL 1 yes
proxy_cookie_domain HSL 1-2* no(off) set the domain of cookies in the application
proxy_cookie_flags HSL 1+* no(off) set the flags of cookies in the application
proxy_cookie_path HSL 1-2* no(off) set the path of cookies in the application
proxy_force_ranges HSL flag no(off) answer ranges in the application
proxy_headers_hash_bucket_size HSL 1 idle
proxy_headers_hash_max_size HSL 1 idle
proxy_hide_header HSL 1* yes
proxy_http_version HSL 1 yes
proxy_ignore_client_abort HSL flag idle a request ends with its client
proxy_ignore_headers HSL 1+* yes
proxy_intercept_errors HSL flag yes
proxy_limit_rate HSL 1 no(0) leave it out: rates are not limited in this version
proxy_max_temp_file_size HSL 1 yes
proxy_method HSL 1 yes
proxy_next_upstream HSL 1+* yes
proxy_next_upstream_timeout HSL 1 yes
proxy_next_upstream_tries HSL 1 yes
proxy_no_cache HSL 1+* idle responses are not cached
proxy_pass LJX 1 yes
proxy_pass_header HSL 1* yes
proxy_pass_request_body HSL flag yes
proxy_pass_request_headers HSL flag yes
proxy_pass_trailers HSL flag yes
proxy_read_timeout HSL 1 yes
proxy_redirect HSL 1-2* yes
proxy_request_buffering HSL flag yes
proxy_request_dynamic HSL flag idle
proxy_send_lowat HSL 1 idle
proxy_send_timeout HSL 1 yes
proxy_set_body HSL 1 no the body goes on as it came: leave it out
proxy_set_header HSL 2* yes
proxy_socket_keepalive HSL flag idle
proxy_ssl_certificate HSL 1 yes
proxy_ssl_certificate_cache HSL 1-3 idle
proxy_ssl_certificate_key HSL 1 yes
proxy_ssl_ciphers HSL 1 idle
proxy_ssl_conf_command HSL 2* no leave it out
proxy_ssl_crl HSL 1 no revocation lists come later: leave it out
proxy_ssl_key_log HSL 1 idle
proxy_ssl_name HSL 1 yes
proxy_ssl_password_file HSL 1 no write the key without a password
proxy_ssl_protocols HSL 1+ idle TLS 1.2 and 1.3 are spoken
proxy_ssl_server_name HSL flag yes
proxy_ssl_session_reuse HSL flag idle
proxy_ssl_trusted_certificate HSL 1 yes
proxy_ssl_verify HSL flag yes
proxy_ssl_verify_depth HSL 1 idle
proxy_store HSL 1 no(off) save files with the application
proxy_store_access HSL 1-3 idle
proxy_temp_file_write_size HSL 1 idle
proxy_temp_path HSL 1-4 yes
queue U 1-2 no leave it out
random U 0-2* yes
resolver HSLU 1+ idle names are resolved by the system's resolver, again when their time is over
server U 1+* yes
ssl_buffer_size HS 1 idle
ssl_certificate HS 1* yes
ssl_certificate_cache HS 1-3 idle
ssl_certificate_compression HS flag idle
ssl_certificate_key HS 1* yes
ssl_ciphers HS 1 yes
ssl_client_certificate HS 1 idle
ssl_conf_command HS 2* no leave it out
ssl_crl HS 1 no revocation lists come later: leave it out
ssl_dhparam HS 1 idle there are only elliptic curves
ssl_early_data HS flag idle no early data is taken
ssl_ecdh_curve HS 1 yes
ssl_ech_file HS 1 no leave it out
ssl_engine M 1 no name the key as a file
ssl_key_log HS 1 idle
ssl_ocsp HS 1 no(off) certificates of clients come later: leave it out
ssl_ocsp_cache HS 1 idle
ssl_ocsp_responder HS 1 idle
ssl_password_file HS 1 yes
ssl_prefer_server_ciphers HS flag idle
ssl_protocols HS 1+* yes
ssl_reject_handshake HS flag yes
ssl_session_cache HS 1-2 idle sessions go on by tickets
ssl_session_ticket_key HS 1* idle
ssl_session_tickets HS flag yes
ssl_session_timeout HS 1 idle
ssl_stapling HS flag idle authorities give no OCSP answers any more
ssl_stapling_file HS 1 idle
ssl_stapling_responder HS 1 idle
ssl_stapling_verify HS flag idle
ssl_trusted_certificate HS 1 idle
ssl_verify_client HS 1 no(off) certificates of clients come later: leave it out
ssl_verify_depth HS 1 idle
state U 1 no name the servers in the file
sticky U 1+* no use ip_hash, or hash $cookie_name consistent
zone U 1-2 idle counts are shared by all threads
"""
