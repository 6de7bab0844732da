#!/bin/sh
# See that GTKWave and a screen without a monitor are there; install them where apt-get and root allow.
set -u

packages="gtkwave xvfb imagemagick fonts-dejavu-core"
there() { command -v gtkwave && command -v Xvfb && command -v import; }
there >/dev/null && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "Installing GTKWave with apt-get"
    # shellcheck disable=SC2086 # one word per package
    install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages >/dev/null 2>&1; }
    install || { apt-get update -q >/dev/null && install; }
    there >/dev/null && exit 0
fi
echo "GTKWave is missing. Install it with:" >&2
echo "    sudo apt-get install -y --no-install-recommends $packages" >&2
exit 1
