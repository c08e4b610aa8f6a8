#!/usr/bin/env bash
# What the tests need from the operating system. Installs it where that is safe (root on a
# Debian-like system); elsewhere says what is missing and fails, so that no test is skipped in silence.
set -euo pipefail

# package | probe: a command that succeeds when it is there | why
NEEDED=(
  'chromium|test -x "${CHROMIUM_PATH:-/usr/bin/chromium}"|end-to-end tests drive a real browser'
  'libfaketime|ls /usr/lib/*/faketime/libfaketime.so.1|a test steps the clock under a running server'
  'iproute2|command -v ip|a test runs over a link between two network namespaces'
  'iptables|command -v iptables|the same test loses packets there'
  'redis-server|command -v redis-server|tests start Redis servers of their own: one, a cluster, sentinels'
  'nginx|command -v nginx|the cluster sample runs behind it, and a browser tests that'
  'haproxy|command -v haproxy|the same sample behind the other proxy'
)

POLICY=/usr/sbin/policy-rc.d
policy_is_ours=no

missing=()

find_missing() {
  missing=()
  local row package probe why
  for row in "${NEEDED[@]}"; do
    IFS='|' read -r package probe why <<<"$row"
    if ! bash -c "$probe" >/dev/null 2>&1; then missing+=("$package"); fi
  done
}

explain_missing() {
  local row package probe why
  for row in "${NEEDED[@]}"; do
    IFS='|' read -r package probe why <<<"$row"
    if [[ " ${missing[*]} " == *" $package "* ]]; then echo "  $package: $why (probe: $probe)"; fi
  done
}

can_install() {
  [[ "$(id -u)" == 0 ]] && [[ -f /etc/debian_version ]] && command -v apt-get >/dev/null
}

# Debian starts a service as it is installed, unless policy-rc.d forbids it with exit code 101. The
# tests start what they need themselves, on ports of their own.
forbid_services() {
  if [[ -e "$POLICY" ]]; then return; fi
  policy_is_ours=yes
  printf '#!/bin/sh\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
}

allow_services() {
  if [[ "$policy_is_ours" == yes ]]; then rm -f "$POLICY"; fi
}

install_missing() {
  export DEBIAN_FRONTEND=noninteractive
  trap allow_services EXIT
  forbid_services
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

find_missing
if ((${#missing[@]} == 0)); then
  echo 'system packages: all present'
  exit 0
fi

if ! can_install; then
  {
    echo 'system packages: missing, and only root on a Debian-like system can add them here:'
    explain_missing
    echo "On Debian or Ubuntu: sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
    echo 'Elsewhere: install the same programs; CHROMIUM_PATH names a Chromium that stands somewhere else.'
  } >&2
  exit 1
fi

echo 'system packages: adding'
explain_missing
install_missing

find_missing
if ((${#missing[@]} > 0)); then
  echo 'system packages: installed, but these probes still fail:' >&2
  explain_missing >&2
  exit 1
fi
echo 'system packages: all present'
