# shellcheck shell=bash disable=SC2034
# setup.sh - what server/up and tests/run share: packages, npm's part, and the build.
# Sourced by bash with `set -euo pipefail`. Everything checks first and does only what is missing,
# so that the second time takes a moment.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

build_packages=(gcc libc6-dev cmake ninja-build pkg-config libwebsockets-dev
    libwebsockets-evlib-uv libmicrohttpd-dev libjansson-dev libpq-dev libssl-dev zlib1g-dev
    libuv1-dev)
run_packages=(postgresql-15 postgresql-client-15 openssl)
test_packages=(libcmocka-dev clang libclang-rt-14-dev chromium fonts-dejavu-core)

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# As root, by sudo, or not at all.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Debian's postgresql-15 makes a cluster of its own on port 5432 and starts it. Nobody here asked
# for that one: the exchange has a private server in its data directory. This drop-in holds it back
# while we install and is taken away again, so the machine's configuration stays as it was.
apt_install() {
    local dropin=/etc/postgresql-common/createcluster.d/hoga.conf held=no status=0
    if ! is_installed postgresql-15 && [ ! -e "$dropin" ]; then
        as_root mkdir -p "$(dirname "$dropin")"
        echo 'create_main_cluster = false' | as_root tee "$dropin" >/dev/null
        held=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o Dpkg::Use-Pty=0 "$@" || status=$?
    if [ "$held" = yes ]; then as_root rm -f "$dropin"; fi
    return $status
}

# install_packages NAME... : those that are missing
install_packages() {
    local missing=() package log
    for package in "$@"; do
        command -v dpkg-query >/dev/null && is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} = 0 ]; then return 0; fi
    if ! command -v apt-get >/dev/null; then
        fail "needs Debian 12's packages ${missing[*]}, and this system has no apt-get"
    fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        fail "needs these packages, and neither are we root nor is there sudo. As root, run:
  apt-get install ${missing[*]}"
    fi
    say "installing ${#missing[@]} packages: ${missing[*]}"
    log=$(mktemp)
    if ! { as_root apt-get update -q && apt_install "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "the packages could not be installed (all of it: $log). As root, try:
  apt-get update && apt-get install ${missing[*]}"
    fi
    rm -f "$log"
}

# npm is taken from Debian only if there is none: a newer one of the user's is as good.
install_node() {
    if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
        install_packages nodejs npm ca-certificates
    fi
}

# install_modules DIR : what DIR/package-lock.json names, once per lock file
install_modules() {
    local dir=$1 stamp=$1/node_modules/.hoga-installed log
    if [ -e "$stamp" ] && cmp -s "$dir/package-lock.json" "$stamp"; then return 0; fi
    say "installing npm packages in ${dir#"$root"/}/"
    log=$(mktemp)
    if ! (cd "$dir" && npm ci --no-audit --no-fund --loglevel=error) >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "npm ci failed in $dir (all of it: $log); is the registry within reach?"
    fi
    rm -f "$log"
    cp "$dir/package-lock.json" "$stamp"
}

# configure DIR TESTING ARGUMENT... : a build directory, made anew if it is another tree's
configure() {
    local dir=$root/$1 testing=$2 fresh=()
    shift 2
    if [ -e "$dir/CMakeCache.txt" ] &&
        ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$dir/CMakeCache.txt"; then
        fresh=(--fresh)
    fi
    # ninja configures again by itself when the build's description changes; tests once wanted stay
    if [ ${#fresh[@]} = 0 ] && [ -e "$dir/build.ninja" ] &&
        { [ "$testing" = OFF ] || grep -qx 'BUILD_TESTING:BOOL=ON' "$dir/CMakeCache.txt"; }; then
        return 0
    fi
    say "configuring ${dir#"$root"/}/"
    if ! (cd "$root" && cmake "${fresh[@]}" "-DBUILD_TESTING=$testing" "$@") >"$dir.log" 2>&1; then
        tail -n 20 "$dir.log" >&2
        fail "cmake failed (all of it: $dir.log)"
    fi
    rm -f "$dir.log"
}

# build DIR TARGET...
build() {
    local dir=$root/$1 status=0
    shift
    say "building ${dir#"$root"/}/"
    ninja -C "$dir" --quiet "$@" || status=$?
    if [ $status != 0 ]; then fail "the build in $dir failed"; fi
}
