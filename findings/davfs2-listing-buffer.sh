#!/bin/bash
# davfs2 1.6.1 (Debian 1.6.1-1) on Linux 6.18, over a WebDAV server that is not ours (rclone 1.60.1). Needs root and FUSE.
# In a fresh mount, `ls` and `find` of any folder end with "Invalid argument" while its files open by name: the kernel
# asks a file system in user space for up to 32 KiB of a folder at once, and davfs2 answers EINVAL to what is larger than
# its buffer, whose default is 16 KiB. `buf_size 64` in davfs2.conf mends it; the manual offers that for speed alone.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "root is missing"; exit 2; }
[ "$(dpkg-query -W -f '${Version}' davfs2 2> /dev/null)" = 1.6.1-1 ] || { echo "wants davfs2 1.6.1-1"; exit 2; }
command -v rclone > /dev/null || { echo "rclone is missing"; exit 2; }
case $(uname -r) in 6.18*) ;; *) echo "wants Linux 6.18"; exit 2 ;; esac
dir=$(mktemp -d); cd "$dir"
mkdir served mount; echo hello > served/file
: > log
rclone --config /dev/null serve webdav served --addr 127.0.0.1:0 2>> log & server=$!
trap 'cd /; umount -l "$dir/mount" 2> /dev/null || true; kill $server; rm -rf "$dir"' EXIT
until grep -qo 'http://127.0.0.1:[0-9]*' log; do sleep 0.1; done
url=$(grep -o 'http://127.0.0.1:[0-9]*' log | head -1)
look() {
  printf 'use_locks 0\nask_auth 0\n%s\n' "$2" > conf
  mount -t davfs -o conf="$dir/conf" "$url/" mount < /dev/null 2> /dev/null
  echo "$1: ls says $(ls mount 2>&1 | sed 's/.*: //' | tr '\n' ' ')and the file has $(cat mount/file)"
  umount mount > /dev/null 2>&1
}
{ look "as it is" ""; look "buf_size 64" "buf_size 64"; } | tee seen
diff seen - <<'SEEN'
as it is: ls says Invalid argument and the file has hello
buf_size 64: ls says file lost+found and the file has hello
SEEN
