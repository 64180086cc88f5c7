#!/bin/bash
# bsdtar 3.6.2 (Debian: libarchive-tools 3.6.2-1+deb12u5), BusyBox 1.35.0 (busybox 1:1.35.0-4+deb12u1+b1), GNU tar 1.34.
# bsdtar stores a file with holes as GNU.sparse 1.0 without being asked. BusyBox tar unpacks it with exit code 0 and no
# word: under GNUSparseFile.0/ instead of its name, with a map in front of the bytes and without the holes. GNU tar, which
# writes such members only with --sparse, reads it right. Whoever takes tars from both must refuse or know this member.
set -euo pipefail
for wanted in libarchive-tools=3.6.2-1+deb12u5 busybox=1:1.35.0-4+deb12u1+b1 tar=1.34+dfsg-1.2+deb12u1; do
  dpkg-query -W -f '${Package}=${Version}\n' "${wanted%%=*}" 2>/dev/null | grep -qxF "$wanted" || { echo "wants $wanted"; exit 2; }
done
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
truncate -s 4M disk.img; printf end | dd of=disk.img bs=1 seek=4194301 conv=notrunc status=none
bsdtar -cf holes.tar disk.img; mkdir busybox gnu
{
  busybox tar -xf holes.tar -C busybox 2>&1; echo "BusyBox ends with $?"
  (cd busybox; find . -type f -printf 'BusyBox: %P, %s bytes\n')
  tar -xf holes.tar -C gnu; cmp gnu/disk.img disk.img && echo "GNU tar: the same file"
} | tee seen
diff seen - <<'SEEN'
BusyBox ends with 0
BusyBox: GNUSparseFile.0/disk.img, 4608 bytes
GNU tar: the same file
SEEN
