#!/bin/sh
# After installing or upgrading the package. The service is neither enabled nor started; one that runs is started again.
set -e
[ -z "$DPKG_ROOT" ] || exit 0
if command -v systemd-sysusers > /dev/null 2>&1; then systemd-sysusers commserver.conf; fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart commserver.service || true
fi
