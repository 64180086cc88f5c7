#!/bin/bash
# GNU tar 1.34 (Debian: tar 1.34+dfsg-1.2+deb12u1), bsdtar 3.6.2 (libarchive-tools 3.6.2-1+deb12u5).
# A time before 1970 with a fraction is one second off between the two, in the pax format of both: bsdtar writes the
# whole seconds rounded down with the fraction behind them (-5.5 as "-6.5"), and reads its own that way. Each reads its
# own tars right, and those of the other wrong.
set -euo pipefail
for wanted in libarchive-tools=3.6.2-1+deb12u5 tar=1.34+dfsg-1.2+deb12u1; do
  dpkg-query -W -f '${Package}=${Version}\n' "${wanted%%=*}" 2>/dev/null | grep -qxF "$wanted" || { echo "wants $wanted"; exit 2; }
done
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
printf x > file; touch -d @-5.5 file
tar --format=pax -cf gnu.tar file; bsdtar --format pax -cf bsd.tar file
for by in gnu bsd; do
  for reader in tar bsdtar; do
    mkdir out; "$reader" -xf "$by.tar" -C out 2>/dev/null
    echo "written by $by as $(grep -ao 'mtime=[-0-9.]*' "$by.tar"), read by $reader: $(stat -c %.1Y out/file)"; rm -r out
  done
done | tee seen
diff seen - <<'SEEN'
written by gnu as mtime=-5.5, read by tar: -5.5
written by gnu as mtime=-5.5, read by bsdtar: -4.5
written by bsd as mtime=-6.5, read by tar: -6.5
written by bsd as mtime=-6.5, read by bsdtar: -5.5
SEEN
