#!/bin/sh
# Finds what Daemun is built, tested and measured with; as root on Debian it installs what is missing.
#
#   tools/setup.sh build    Python >= 3.11 with venv, a C compiler, Rust >= 1.85
#   tools/setup.sh train    what the engine that is shipped is trained with
#   tools/setup.sh test     the programs that tests start; Pebble, an ACME authority, is built with Go
#   tools/setup.sh lint     clippy and rustfmt
#   tools/setup.sh bench    the load generator and the peers
#   tools/setup.sh nginx-tests  Perl, and the modules that nginx's suite uses
#
# What is missing for build, and with CI=1 for anything, is an error; else it is said, and the tests that need it
# skip themselves with the reason. Nothing is downloaded here but Debian's packages and Go modules.
set -eu

cd "$(dirname "$0")/.."

RUST_MINIMUM=1.85
PEBBLE=v2.10.1
# The toolchain that Pebble's module names.
GO_TOOLCHAIN=go1.24.2
missing=""

main() {
    case "${1:-}" in
        build) for_build ;;
        train) for_train ;;
        test) for_test ;;
        lint) for_lint ;;
        bench) for_bench ;;
        nginx-tests) for_nginx_tests ;;
        *) echo "usage: tools/setup.sh build|train|test|lint|bench|nginx-tests" >&2; exit 2 ;;
    esac
    if [ -n "$missing" ]; then
        echo "setup: missing for $1:$missing" >&2
        [ "$1" != build ] && [ -z "${CI:-}" ] || exit 1
    fi
}

for_build() {
    python_is_fit || install "Python and its venv" python3 python3-venv
    python_is_fit || lack "python3 >= 3.11 with venv (Debian: python3 python3-venv)"
    compiles_c || install "a C compiler" gcc libc6-dev
    compiles_c || lack "a C compiler (Debian: gcc libc6-dev)"
    rust_is_fit || install_rust
    rust_is_fit || lack "cargo and rustc >= $RUST_MINIMUM (rustup, or Debian: $(rust_packages))"
}

for_train() {
    need wrk:wrk h2load:nghttp2-client nghttp:nghttp2-client openssl:openssl taskset:util-linux
    # The compiler's own tool reads what it wrote: rustup's component, or Debian's package of the same LLVM.
    llvm=$(rustc --version --verbose | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
    has "llvm-profdata-$llvm" || [ -n "$(find "$(rustc --print sysroot)" -name llvm-profdata)" ] \
        || need "llvm-profdata-$llvm:llvm-$llvm"
}

for_test() {
    # setpriv, prlimit, unshare: util-linux. Tests bind processes to themselves with them, so that none is left behind.
    need setpriv:util-linux prlimit:util-linux unshare:util-linux mount:mount
    # What `daemun trust` uses, what judges the certificates that we make, what others say of our TLS, a browser.
    need certutil:libnss3-tools update-ca-certificates:ca-certificates openssl:openssl testssl:testssl.sh \
        chromium:chromium
    # What nginx.conf is compared with.
    need nginx:nginx-light
    # A Docker engine that the tests start themselves (tests/kit/docker.py), and what its images are made of.
    need dockerd:docker.io tini:tini ip:iproute2 busybox:busybox-static debootstrap:debootstrap \
        sshd:openssh-server ssh:openssh-client
    # The compose files of examples/docker are started, the service unit is judged.
    need docker-compose:docker-compose systemd-analyze:systemd
    pebble_is_built || build_pebble
    pebble_is_built || lack "pebble $PEBBLE (Go, Debian: golang-go, and the module proxy that it is set up with)"
    has h2spec || [ -x .cache/bin/h2spec ] || build_h2spec
    has h2spec || [ -x .cache/bin/h2spec ] || lack "h2spec (tools/h2spec, built with Go; Debian: golang-go)"
}

# The conformance suite for HTTP/2; tools/h2spec/go.mod pins it and all it is made of.
build_h2spec() {
    find_go || return 0
    echo "setup: building h2spec" >&2
    bin="$PWD/.cache/bin"
    (cd tools/h2spec && GOBIN="$bin" GOFLAGS=-mod=readonly go install github.com/summerwind/h2spec/cmd/h2spec) >&2 || true
}

for_lint() {
    cargo clippy --version >/dev/null 2>&1 || add_to_rust clippy
    cargo clippy --version >/dev/null 2>&1 || lack "cargo clippy"
    cargo fmt --version >/dev/null 2>&1 || add_to_rust rustfmt
    cargo fmt --version >/dev/null 2>&1 || lack "cargo fmt"
}

for_bench() {
    need wrk:wrk h2load:nghttp2-client nghttp:nghttp2-client h2o:h2o nginx:nginx-light haproxy:haproxy caddy:caddy \
        openssl:openssl taskset:util-linux dockerd:docker.io tini:tini ip:iproute2 busybox:busybox-static
}

for_nginx_tests() {
    need perl:perl setpriv:util-linux openssl:openssl
    has_perl IO::Socket::SSL || install "IO::Socket::SSL" libio-socket-ssl-perl
    has_perl IO::Socket::SSL || lack "IO::Socket::SSL (Debian: libio-socket-ssl-perl)"
    has_perl Crypt::Misc || install "CryptX" libcryptx-perl
    has_perl Protocol::WebSocket || install "Protocol::WebSocket" libprotocol-websocket-perl
}

has_perl() {
    perl "-M$1" -e1 >/dev/null 2>&1
}

pebble_is_built() {
    [ -x .cache/go/bin/pebble ] && [ -x .cache/go/bin/pebble-challtestsrv ] \
        && [ "$(cat .cache/go/bin/pebble.version 2>/dev/null)" = "$PEBBLE" ]
}

# Debian's Pebble is older than renewal information (RFC 9773).
build_pebble() {
    find_go || return 0
    fetches_toolchains || fetch_toolchain || return 0
    echo "setup: building pebble $PEBBLE" >&2
    module=github.com/letsencrypt/pebble/v2/cmd
    if GOBIN="$PWD/.cache/go/bin" GOTOOLCHAIN="${GOTOOLCHAIN:-auto}" \
        go install "$module/pebble@$PEBBLE" "$module/pebble-challtestsrv@$PEBBLE" >&2; then
        echo "$PEBBLE" >.cache/go/bin/pebble.version
    fi
}

# need PROGRAM:PACKAGE…
need() {
    for pair in "$@"; do
        has "${pair%%:*}" || install "${pair%%:*}" "${pair#*:}"
        has "${pair%%:*}" || lack "${pair%%:*} (Debian: ${pair#*:})"
    done
}

# Go as its own archive puts it, or Debian's.
find_go() {
    [ ! -x /usr/local/go/bin/go ] || PATH="$PATH:/usr/local/go/bin"
    has go || install "Go" golang-go
    has go
}

# Go from 1.21 on fetches the toolchain that a module names.
fetches_toolchains() {
    [ "$(printf '%s\n' go1.21 "$(go env GOVERSION)" | sort -V | head -n 1)" = go1.21 ]
}

# Debian 12's Go does not, but a toolchain is a module, which it checks and unpacks like any other.
fetch_toolchain() {
    module=golang.org/toolchain@v0.0.1-$GO_TOOLCHAIN.$(go env GOOS)-$(go env GOARCH)
    echo "setup: fetching $GO_TOOLCHAIN, for $(go env GOVERSION) cannot build what is needed" >&2
    (cd / && go mod download "$module") >&2 || return 1
    toolchain=$(go env GOMODCACHE)/$module
    chmod +x "$toolchain"/bin/* "$toolchain"/pkg/tool/*/*
    PATH="$toolchain/bin:$PATH"
}

has() {
    # A daemon's place is not on everyone's PATH.
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]
}

python_is_fit() {
    "${PYTHON:-python3}" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# A compiler without the C library's headers compiles nothing.
compiles_c() {
    echo '#include <stdlib.h>' | "${CC:-cc}" -E - >/dev/null 2>&1
}

rust_is_fit() {
    has rustc && is_at_least "$(cargo --version 2>/dev/null | cut -d' ' -f2)"
}

is_at_least() {
    [ -n "$1" ] && [ "$(printf '%s\n' "$RUST_MINIMUM" "$1" | sort -V | head -n 1)" = "$RUST_MINIMUM" ]
}

# cargo-web and rustc-web: the newer Rust that Debian keeps beside its own for building browsers.
# They install the ordinary programs `cargo` and `rustc`.
rust_packages() {
    if [ -n "$(apt-cache show cargo-web 2>/dev/null)" ]; then echo cargo-web rustc-web; else echo cargo rustc; fi
}

install_rust() {
    can_install || return 0
    update_lists
    # shellcheck disable=SC2046 # Several packages.
    install "Rust" $(rust_packages)
}

add_to_rust() {
    if has rustup; then
        rustup component add "$1" || true
    elif [ "$1" = clippy ]; then
        install clippy "$(dpkg -s rustc-web >/dev/null 2>&1 && echo rust-web-clippy || echo rust-clippy)"
    else
        install rustfmt "$(dpkg -s rustc-web >/dev/null 2>&1 && echo rustfmt-web || echo rustfmt)"
    fi
}

can_install() {
    [ "$(id -u)" = 0 ] && has apt-get
}

update_lists() {
    [ -n "${lists_are_new:-}" ] || apt-get -qq update || echo "setup: apt-get update failed" >&2
    lists_are_new=1
}

# install WHAT PACKAGE…
install() {
    what=$1
    shift
    can_install || return 0
    update_lists
    echo "setup: installing $what ($*)" >&2
    # RUNLEVEL=1: a package's service, such as nginx's, is not started.
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq install --no-install-recommends -y "$@" >&2 \
        || echo "setup: could not install $*" >&2
}

lack() {
    missing="$missing
  $1"
}

main "$@"
