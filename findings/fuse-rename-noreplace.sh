#!/bin/bash
# sshfs 3.7.3, exfat-fuse 1.3.0, ntfs-3g 2022.10.3 (Debian 12's). Needs root, for a loop device.
# renameat2(RENAME_NOREPLACE) to a free name fails with EINVAL on these, though plain rename() works. To a taken name
# the same call fails with EEXIST, as it should: the kernel looks before it asks the file system. So a program that
# probes for support with a taken name, which can do no harm, wrongly concludes that the call is supported.
set -euo pipefail
for want in 'sshfs 3.7.3-1.2~deb12u1' 'exfat-fuse 1.3.0+git20220115-2' 'ntfs-3g 1:2022.10.3-1+deb12u4'; do
  [ "$(dpkg-query -W -f '${Package} ${Version}' "${want% *}")" = "$want" ] || { echo "wants $want"; exit 2; }
done
dir=$(mktemp -d); cd "$dir"; mkdir folder served sshfs exfat-fuse ntfs-3g
loop=
trap 'cd /; for m in sshfs exfat-fuse ntfs-3g; do umount "$dir/$m" 2>/dev/null || true; done; [ -z "$loop" ] || losetup -d "$loop"; rm -rf "$dir"' EXIT
printf '#!/bin/sh\nexec /usr/lib/openssh/sftp-server\n' > ssh; chmod +x ssh
sshfs -o ssh_command="$dir/ssh" "any:$dir/served" sshfs
truncate -s 16M exfat.img ntfs.img
mkfs.exfat exfat.img > /dev/null; loop=$(losetup --find --show exfat.img); mount.exfat-fuse "$loop" exfat-fuse > /dev/null 2>&1
mkfs.ntfs -F -q ntfs.img > /dev/null 2>&1; ntfs-3g ntfs.img ntfs-3g

cat > try.py <<'PY'
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def noreplace(old, new):
    if libc.renameat2(-100, old.encode(), -100, new.encode(), 1) == 0: return "done"
    return errno.errorcode[ctypes.get_errno()]
for where in sys.argv[1:]:
    for name in ("one", "two", "three"): open(f"{where}/{name}", "w").close()
    taken, free = noreplace(f"{where}/one", f"{where}/two"), noreplace(f"{where}/one", f"{where}/free")
    os.rename(f"{where}/three", f"{where}/four")
    print(f"{where}: to a free name {free}, to a taken name {taken}, plain rename done")
PY
python3 try.py folder sshfs exfat-fuse ntfs-3g | tee seen
diff seen - <<'SEEN'
folder: to a free name done, to a taken name EEXIST, plain rename done
sshfs: to a free name EINVAL, to a taken name EEXIST, plain rename done
exfat-fuse: to a free name EINVAL, to a taken name EEXIST, plain rename done
ntfs-3g: to a free name EINVAL, to a taken name EEXIST, plain rename done
SEEN
