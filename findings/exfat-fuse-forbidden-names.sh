#!/bin/bash
# exfat-fuse 1.3.0 (Debian: exfat-fuse 1.3.0+git20220115-2, exfatprogs 1.2.0-1+deb12u1). Needs root, for a loop device.
# Creating a file whose name has a character that exFAT forbids fails with ENOENT, "No such file or directory", as if
# its folder were missing: programs make the folder and try again, or report that there is no such folder. mkdir -p
# fails the same way. A name that ends with a dot is kept; the kernel's exfat cuts the dot off. mkfifo fails with an I/O
# error, and leaves an empty plain file under the name.
set -euo pipefail
dpkg-query -W -f '${Version}\n' exfat-fuse | grep -qx '1\.3\.0+git20220115-2' || { echo "wants exfat-fuse 1.3.0+git20220115-2"; exit 2; }
dir=$(mktemp -d); cd "$dir"; mkdir disk
loop=
trap 'cd /; umount "$dir/disk" 2>/dev/null || true; [ -z "$loop" ] || losetup -d "$loop"; rm -rf "$dir"' EXIT
truncate -s 16M image; mkfs.exfat image > /dev/null; loop=$(losetup --find --show image)
mount.exfat-fuse "$loop" disk > /dev/null 2>&1
cat > try.py <<'PY'
import errno, os, stat
def tried(call, *args):
    try: call(*args); return "done"
    except OSError as e: return errno.errorcode[e.errno]
os.chdir("disk")
for name in ("a:b", "what?", "a|b", "end."):
    print(f"{name}: open {tried(lambda n: open(n, 'x').close(), name)}, mkdir {tried(os.mkdir, name + 'd')}")
print("mkfifo", tried(os.mkfifo, "fifo"), "and then", [n for n in os.listdir() if n == "fifo" and stat.S_ISREG(os.lstat(n).st_mode)])
print("kept", sorted(n for n in os.listdir() if n.startswith("end")))
PY
python3 try.py | tee seen
diff seen - <<'SEEN'
a:b: open ENOENT, mkdir ENOENT
what?: open ENOENT, mkdir ENOENT
a|b: open ENOENT, mkdir ENOENT
end.: open done, mkdir done
mkfifo EIO and then ['fifo']
kept ['end.', 'end.d']
SEEN
