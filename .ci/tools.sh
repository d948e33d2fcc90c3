# What the steps of .ci share; sourced by each, from the repository's root.
set -euo pipefail
# a compiler that is started without one of its own reads what it inherits, and so takes a log for a program
exec </dev/null
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Nothing is built twice here with a change between, which is what incremental compilation is for.
export CARGO_INCREMENTAL=0
export CI_START=${CI_START:-$(date +%s)}

# section TITLE: with the minutes since the start
section() {
    local passed=$(($(date +%s) - CI_START))
    printf '\n== %d:%02d %s\n' $((passed / 60)) $((passed % 60)) "$1"
}

# run COMMAND...: says on standard error what it runs
run() {
    printf '$ %s\n' "$*" >&2
    "$@"
}

# debian PACKAGE...: installs those that are missing
debian() {
    local package missing=()
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ "${#missing[@]}" -eq 0 ] && return
    printf '$ apt-get install %s\n' "${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# nightly COMPONENT...: installs a nightly toolchain with them where there is none; fails if that cannot be
nightly() {
    rustup toolchain list | grep -q '^nightly' || rustup toolchain install nightly --profile minimal || return 1
    [ $# -eq 0 ] || rustup component add --toolchain nightly "$@"
}

# ran "portable, neon" COMMAND...: the command runs the tests, whose kernels ran on exactly these instruction sets
ran() {
    local expected="instruction sets that ran: $1" log
    shift
    log=$(mktemp)
    run "$@" 2>&1 | tee "$log"
    if ! grep -q "$expected\$" "$log"; then
        echo "failed: no line \"$expected\" above"
        exit 1
    fi
    rm "$log"
}

# not_run WHAT: says that a step could not run here; `.ci/run` says so again at its end
not_run() {
    echo "NOT RUN: $1"
    mkdir -p target/ci
    echo "NOT RUN: $1" >>target/ci/not-run
}
