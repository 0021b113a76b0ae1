# Daemun in a container:  docker build -t daemun .
#
#   wheel ── the engine, compiled, in a wheel (or the one in dist/, when it was built before: PROFILE says how, and
#            `make wheel` puts the trained one there, docs/decisions/training.md)
#   venv ─── the wheel and what it needs, in an environment of its own
#   (last) ─ Debian's Python, the environment, an account; nothing that builds
#
# One base for all three. The first process is `daemun-engine init`: it gives up root for the account `daemun`, starts the
# control plane, starts it again when it dies while the engine serves on, and ends with its status when it cannot start.
# docs/howto/docker.md says the rest.

FROM debian:bookworm-slim AS wheel
ENV DEBIAN_FRONTEND=noninteractive
WORKDIR /build
COPY . .
# release: as it is shipped (full LTO, some minutes); fast: thin LTO.
ARG PROFILE=release
# cargo-web and rustc-web: the newer Rust that Debian keeps beside its own for building browsers.
RUN if ! ls dist/*.whl >/dev/null 2>&1; then \
        apt-get -qq update \
        && apt-get -qq install --no-install-recommends -y \
            ca-certificates cargo-web rustc-web gcc g++ cmake libc6-dev python3-venv \
        && python3 -m venv /tools \
        && SETUPTOOLS_RUST_CARGO_PROFILE=$PROFILE /tools/bin/pip wheel --quiet --no-deps --wheel-dir dist . \
    ; fi

FROM debian:bookworm-slim AS venv
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get -qq update \
    && apt-get -qq install --no-install-recommends -y ca-certificates libcap2-bin python3-venv
COPY --from=wheel /build/dist/ /dist/
# An engine that may bind ports below 1024 without being root. Permitted, not effective: the engine raises it, and so
# it runs also where a container has dropped it (`cap_drop: ALL`; then the network's own rule decides).
# `traefik healthcheck` is what compose files written for Traefik call.
RUN python3 -m venv /opt/daemun \
    && /opt/daemun/bin/pip install --quiet --no-cache-dir /dist/*.whl \
    && /opt/daemun/bin/pip uninstall --quiet --yes pip setuptools \
    && setcap cap_net_bind_service=p /opt/daemun/bin/daemun-engine \
    && ln -s daemun /opt/daemun/bin/traefik

FROM debian:bookworm-slim
RUN export DEBIAN_FRONTEND=noninteractive \
    && apt-get -qq update \
    && apt-get -qq install --no-install-recommends -y ca-certificates python3 tzdata \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/*.log /var/log/apt \
    # 1000 is the first account of most machines: what it mounts is readable here. Certificates are kept in
    # /var/lib/daemun, or where compose files written for Traefik have them; new volumes take the owner from here. The
    # group lets a root in that has lost its rights (`cap_drop: ALL`) and so cannot become `daemun`.
    && useradd --uid 1000 --home-dir /var/lib/daemun --shell /usr/sbin/nologin daemun \
    && install -d -o daemun -g root -m 770 /run/daemun /var/lib/daemun /letsencrypt \
    && install -d /etc/daemun /etc/traefik
COPY --from=venv /opt/daemun /opt/daemun
# The state directory is /run/daemun.
ENV PATH=/opt/daemun/bin:$PATH XDG_RUNTIME_DIR=/run DAEMUN_DATA_DIR=/var/lib/daemun PYTHONUNBUFFERED=1
WORKDIR /var/lib/daemun
EXPOSE 80 443
STOPSIGNAL SIGTERM
# No USER: mounted files and Docker's socket are root's, and a file's rights do not count with `no-new-privileges`. So it
# starts as root, and is not root from its first line on (docs/decisions/container.md); `user: "1000"` does without that.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
    CMD ["daemun-engine", "init", "--user", "1000:1000", "--", "daemun", "ping"]
ENTRYPOINT ["daemun-engine", "init", "--user", "1000:1000", "--", "daemun"]
