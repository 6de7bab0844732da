#!/bin/sh
# See that Icarus Verilog is there; install it where apt-get and root allow.
set -u

command -v iverilog >/dev/null && exit 0
sudo=
if [ "$(id -u)" != 0 ]; then
    sudo="sudo -n"
    $sudo true 2>/dev/null || sudo=none
fi
if command -v apt-get >/dev/null && [ "$sudo" != none ]; then
    echo "Installing Icarus Verilog with apt-get"
    install="$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends iverilog"
    $install >/dev/null 2>&1 || { $sudo apt-get update -q >/dev/null && $install >/dev/null; }
    command -v iverilog >/dev/null && exit 0
fi
echo "Icarus Verilog is missing. Install it with:" >&2
echo "    sudo apt-get install iverilog" >&2
exit 1
