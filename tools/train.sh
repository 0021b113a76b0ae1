#!/bin/sh
# Teaches the compiler what is common: builds an engine that counts, has it serve (bench/training.py), and writes into FILE
# the compiler's flags for the engine that is shipped (docs/decisions/training.md).
#
#   tools/train.sh FILE     the counts are kept beside FILE
#
# Where the compiler's llvm-profdata is missing, or the load generator, FILE stays empty and the reason is said.
set -eu

file=$1
cd "$(dirname "$0")/.."
folder=$(cd "$(dirname "$file")" && pwd)

main() {
    if lacking=$(what_is_missing); then
        echo "train: the engine is built without training: $lacking" >&2
        : >"$file"
        return
    fi
    rm -rf "$folder/raw"
    echo "train: building an engine that counts: a few minutes" >&2
    CARGO_ENCODED_RUSTFLAGS="-Cprofile-generate=$folder/raw" \
        cargo build --manifest-path engine/Cargo.toml --locked --release --target-dir "$folder/build"
    # Programs that ran for the build counted as well.
    rm -rf "$folder/raw"
    DAEMUN_ENGINE="$folder/build/release/daemun-engine" .venv/bin/python -m bench.training
    "$(merger)" merge --sparse -o "$folder/counts" "$folder/raw"
    # Cargo looks at flags, not at what they name: other counts are another name.
    counts=$folder/$(sha256sum "$folder/counts" | cut -c1-16).profdata
    rm -f "$folder"/*.profdata
    mv "$folder/counts" "$counts"
    printf '%s' "-Cprofile-use=$counts" >"$file"
}

# Succeeds when something is missing, and says it.
what_is_missing() {
    if [ -z "$(merger)" ]; then
        echo "no llvm-profdata of LLVM $(llvm) (Debian: llvm-$(llvm); rustup component add llvm-tools)"
    elif ! command -v wrk >/dev/null || ! command -v h2load >/dev/null; then
        echo "no load generator (Debian: wrk nghttp2-client)"
    elif [ ! -e "$(rustc --print target-libdir)"/libprofiler_builtins-*.rlib ]; then
        echo "this Rust has no profiler"
    else
        return 1
    fi
}

# The major version of the compiler's LLVM: counts are written and read by the same.
llvm() {
    rustc --version --verbose | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p'
}

# Debian's, or rustup's beside the compiler.
merger() {
    command -v "llvm-profdata-$(llvm)" || find "$(rustc --print target-libdir)/../bin" -name llvm-profdata 2>/dev/null
}

main
