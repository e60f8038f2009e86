# shellcheck shell=bash
# Common to every script here: where things are, how to speak, how to get Debian packages of another suite.
# Sourced, never run. Needs bash; uses root only through as_root.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${SCHEDCP_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/schedcp}
export ROOT CACHE SCHEDCP_CACHE="$CACHE"
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
    BOLD=$'\033[1m' RED=$'\033[31m' PLAIN=$'\033[0m'
else
    BOLD='' RED='' PLAIN=''
fi

# A step of the work, on standard error: what is about to happen.
step() { printf '%s==> %s%s\n' "$BOLD" "$*" "$PLAIN" >&2; }
say() { printf '    %s\n' "$*" >&2; }

# die WHAT [NEXT]: what happened and why, then what to do about it.
die() {
    printf '%serror:%s %s\n' "$RED" "$PLAIN" "$1" >&2
    [ $# -lt 2 ] || printf '       %s\n' "$2" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif have sudo; then sudo -E "$@"
    else die "'$1' needs root, and this is uid $(id -u) without sudo" "Run this script as root, or install sudo."
    fi
}

# quietly LOG COMMAND…: runs a command with its output in LOG; when it fails, shows the end of LOG and fails.
quietly() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 25 "$log" >&2
        die "'$1' failed" "The whole output is in $log."
    fi
}

# The Debian mirror that this machine itself uses, taken from its apt configuration at run time.
debian_mirror() {
    local site
    site=$(apt-get indextargets --format '$(SITE) $(ORIGIN) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
        awk '$1 ~ /^(https?|file|mirror)/ && $1 ~ /debian\/?$/ && $1 !~ /security/ {print $1; exit}')
    [ -n "$site" ] || die "no Debian mirror in this machine's apt configuration" \
        "Add one to /etc/apt/sources.list (suite $(. /etc/os-release && echo "${VERSION_CODENAME:-stable}"), component main)."
    printf '%s\n' "$site"
}

# apt_of SUITE… -- COMMAND…: runs COMMAND (apt-get, apt-cache) with a private apt configuration that knows these suites,
# so that the machine's own sources stay as they are. The lists are fetched at most once a day.
apt_of() {
    local suites=() dir key=/usr/share/keyrings/debian-archive-keyring.gpg mirror suite
    while [ "$1" != -- ]; do suites+=("$1"); shift; done
    shift
    dir=$CACHE/apt/$(IFS=_; echo "${suites[*]}")
    mkdir -p "$dir"/{lists/partial,cache/archives/partial}
    mirror=$(debian_mirror)
    for suite in "${suites[@]}"; do
        printf 'deb [signed-by=%s] %s %s main\n' "$key" "$mirror" "$suite"
    done >"$dir/sources.list"
    cat >"$dir/apt.conf" <<CONF
Dir::Etc::SourceList "$dir/sources.list";
Dir::Etc::SourceParts "-";
Dir::State::Lists "$dir/lists";
Dir::Cache "$dir/cache";
APT::Sandbox::User "root";
CONF
    if [ -z "$(find "$dir/updated" -mmin -1440 2>/dev/null)" ]; then
        APT_CONFIG=$dir/apt.conf as_root apt-get update -qq >&2 ||
            die "the package lists of ${suites[*]} could not be read" "Check this machine's network and apt configuration."
        touch "$dir/updated"
    fi
    APT_CONFIG=$dir/apt.conf "$@"
}

# fetch_debs DIR SUITE PACKAGE…: unpacks the newest version of each package that SUITE itself holds into DIR.
fetch_debs() {
    local into=$1 suite=$2 package version tmp
    shift 2
    tmp=$(mktemp -d)
    for package in "$@"; do
        version=$(apt_of "$suite" -- apt-cache madison "$package" | awk -F'|' 'NR==1 {gsub(/ /, "", $2); print $2}')
        [ -n "$version" ] || die "Debian's $suite has no package $package" "Has the suite moved? See docs/lab.md."
        (cd "$tmp" && apt_of "$suite" -- apt-get download -qq "$package=$version" >&2)
    done
    mkdir -p "$into"
    for package in "$tmp"/*.deb; do dpkg-deb -x "$package" "$into"; done
    rm -rf "$tmp"
}

# The Swift toolchain, where it is not on the PATH already.
find_swift() {
    local place
    for place in /opt/swift/usr/bin "${HOME:-/root}/.local/share/swiftly/bin"; do
        if ! have swift && [ -x "$place/swift" ]; then export PATH="$place:$PATH"; fi
    done
    have swift || die "there is no Swift toolchain on this machine" \
        "Install Swift 6.1 or later from https://www.swift.org/install/linux/ and put 'swift' on the PATH."
}

release_folder() { printf '%s\n' "$ROOT/.build-release"; }
built_binaries() { printf '%s\n' "$(release_folder)/release"; }

# with_progress LOG COMMAND…: as quietly, with the command's last line shown while it runs, on a terminal.
with_progress() {
    local log=$1 pid
    shift
    mkdir -p "$(dirname "$log")"
    if [ ! -t 2 ]; then quietly "$log" "$@"; return; fi
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        printf '\033[2K\r    %s\r' "$(tail -n 1 "$log" | cut -c "1-$(($(tput cols 2>/dev/null || echo 80) - 6))")" >&2
        sleep 0.5
    done
    printf '\033[2K\r' >&2
    wait "$pid" || { tail -n 25 "$log" >&2; die "'$1' failed" "The whole output is in $log."; }
}

# build_product NAME: the release build of one program.
build_product() {
    with_progress "$CACHE/logs/build-$1.log" swift build --package-path "$ROOT" -c release --static-swift-stdlib \
        --scratch-path "$(release_folder)" --product "$1"
}
