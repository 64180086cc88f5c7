#!/bin/bash
# sshfs 3.7.3 (Debian: sshfs 3.7.3-1.2~deb12u1, openssh-sftp-server). Needs the right to mount FUSE.
# One folder is mounted twice, as on two machines or in two logins. While one mount holds an exclusive flock() on a
# file, an exclusive flock() on the same file in the other mount succeeds as well, at once and without an error. The
# lock is real between the processes of one mount, so a test on one mount says that locks work. Nothing reports that it
# is local.
set -euo pipefail
dpkg-query -W -f '${Version}\n' sshfs | grep -qx '3\.7\.3-1\.2~deb12u1' || { echo "wants sshfs 3.7.3-1.2~deb12u1"; exit 2; }
dir=$(mktemp -d); cd "$dir"; mkdir folder a b; touch folder/file
trap 'cd /; for m in a b; do fusermount3 -u "$dir/$m" 2>/dev/null || true; done; rm -rf "$dir"' EXIT
printf '#!/bin/sh\nexec /usr/lib/openssh/sftp-server\n' > ssh; chmod +x ssh
for m in a b; do sshfs -o ssh_command="$dir/ssh" "any:$dir/folder" "$m"; done

exec 8>> a/file 9>> b/file
flock --exclusive --nonblock 8
if flock --exclusive --nonblock a/file true; then same=got; else same=refused; fi
if flock --exclusive --nonblock 9; then other=got; else other=refused; fi
exec 8>&- 9>&-
echo "while it is held in mount a: a second lock in mount a is $same, in mount b $other"
[ "$same" = refused ] && [ "$other" = got ]
# Seen: while it is held in mount a: a second lock in mount a is refused, in mount b got
