#!/bin/bash
# sshfs 3.7.3 (Debian: sshfs 3.7.3-1.2~deb12u1). Needs the right to mount FUSE.
# Setting the time 0 (1970-01-01, as reproducible builds and git archives use it) through sshfs sets "now": `touch -d
# @0` and `cp -p` succeed, and rsync or make see a file that has just changed. -1 becomes 2106. Other times lose their
# fraction of a second.
set -euo pipefail
dpkg-query -W -f '${Version}\n' sshfs | grep -qx '3\.7\.3-1\.2~deb12u1' || { echo "wants sshfs 3.7.3-1.2~deb12u1"; exit 2; }
dir=$(mktemp -d); cd "$dir"; mkdir folder disk
trap 'cd /; fusermount3 -u "$dir/disk" 2>/dev/null || true; rm -rf "$dir"' EXIT
printf '#!/bin/sh\nexec /usr/lib/openssh/sftp-server\n' > ssh; chmod +x ssh
sshfs -o ssh_command="$dir/ssh" "any:$dir/folder" disk
before=$(date +%s)
for time in 0 1 -1 1000000000.75; do
  touch "disk/file$time"; touch -d "@$time" "disk/file$time"
  seen=$(stat -c %.2Y "folder/file$time")
  [ "${seen%.*}" -ge "$before" ] && [ "${seen%.*}" -le "$(date +%s)" ] && seen=now
  echo "$time becomes $seen"
done | tee seen
touch -d @0 folder/old; cp -p folder/old disk/copy
[ "$(stat -c %Y folder/copy)" -ge "$before" ] && echo "cp -p of a file of 1970 makes one of now" | tee -a seen
diff seen - <<'SEEN'
0 becomes now
1 becomes 1.00
-1 becomes 4294967295.00
1000000000.75 becomes 1000000000.00
cp -p of a file of 1970 makes one of now
SEEN
