# What the steps of .ci share; sourced by each, from the repository's root.
set -euo pipefail
# a compiler that is started without one of its own reads what it inherits, and so takes a log for a program
exec </dev/null
cd "$(dirname "${BASH_SOURCE[0]}")/.."

section() { printf '\n== %s\n' "$1"; }

# debian PACKAGE...: installs those that are missing
debian() {
    local package missing=()
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ "${#missing[@]}" -eq 0 ] && return
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# ran "portable, neon" COMMAND...: the command runs the tests, and their kernels ran on exactly these instruction sets
ran() {
    local expected="instruction sets that ran: $1" log
    shift
    log=$(mktemp)
    "$@" 2>&1 | tee "$log"
    if ! grep -q "$expected\$" "$log"; then
        echo "failed: no line \"$expected\" above"
        exit 1
    fi
    rm "$log"
}
