#!/bin/sh
# Before removing the package; dpkg says "remove" then, rpm says 0. What the server keeps in its state folder stays.
set -e
[ -z "$DPKG_ROOT" ] || exit 0
case "$1" in
  remove | 0) if [ -d /run/systemd/system ]; then systemctl disable --now commserver.service commserver.socket || true; fi ;;
esac
