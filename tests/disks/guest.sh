#!/usr/bin/env bash
# The tests of this folder on the kernel's own vfat and exfat, in a virtual machine: for machines whose kernel lacks them.
# Needs qemu-system-x86, dosfstools, exfatprogs and cpio, and root's view of /; the kernel and busybox come as Debian's packages, which are only unpacked.
#   tests/disks/guest.sh [FOLDER FOR KERNEL AND INITRD] [ARGUMENTS OF bun test …]
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:-$(mktemp -d)}
shift || true
[ $# -gt 0 ] || set -- test --timeout 600000 tests/disks -t "on kernel"
mkdir -p "$work"
cd "$work"

if [ ! -e initrd.gz ]; then
  kernel=$(apt-cache depends linux-image-amd64 | awk '/Depends:/ { print $2; exit }')
  apt-get download "$kernel" busybox-static
  for package in ./*.deb; do dpkg-deb -x "$package" unpacked; done
  rm -rf initrd && mkdir -p initrd/{bin,proc,sys,dev,root,lib/modules}
  cp unpacked/bin/busybox initrd/bin/
  cp unpacked/boot/vmlinuz-* vmlinuz
  # What the guest needs, with what that needs.
  add() {
    local file
    file=$(find unpacked/lib/modules -name "${1//_/[-_]}.ko" | head -1)
    # Built into the kernel, or there already.
    [ -n "$file" ] && ! grep -qsx "$1" initrd/order || return 0
    for needed in $(tr '\0' '\n' < "$file" | sed -n 's/^depends=//p' | tr ',-' ' _'); do add "$needed"; done
    cp "$file" "initrd/lib/modules/$1"
    echo "$1" >> initrd/order
  }
  for module in virtio_pci 9p 9pnet_virtio fuse loop vfat exfat nls_cp437 nls_iso8859_1 nls_utf8 nls_ascii; do add "$module"; done
  cat > initrd/init << 'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc && mount -t sysfs sys /sys && mount -t devtmpfs dev /dev
while read -r module; do insmod "/lib/modules/$module"; done < /order
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose root /root
# Without /proc, Bun ends with "abort() called" before its first line.
mount -t proc proc /root/proc && mount -t sysfs sys /root/sys && mount -t devtmpfs dev /root/dev
mount -t tmpfs -o size=12G tmpfs /root/tmp
mkdir /root/dev/shm /root/dev/pts; mount -t devpts devpts /root/dev/pts
ip link set lo up
chroot /root /bin/sh -c "$(sed 's/.*guest=//' /proc/cmdline | base64 -d)"
echo "guest ended with $?"
poweroff -f
INIT
  chmod +x initrd/init
  (cd initrd && find . | cpio --quiet -o -H newc | gzip -1) > initrd.gz
fi

bun=$(readlink -f "$here/node_modules/bun/bin/bun.exe")
command="cd $here && HOME=/tmp PATH=$PATH:/usr/sbin:/sbin TMPDIR=/tmp BUN_RUNTIME_TRANSPILER_CACHE_PATH=0 $bun ${*@Q}"
# Without hardware for it; KVM that is emulated itself is slower still.
qemu-system-x86_64 -accel "${ACCEL:-tcg,thread=multi}" -cpu max -smp 2 -m "${GUEST_MB:-4096}" -nographic -no-reboot \
  -kernel vmlinuz -initrd initrd.gz \
  -fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap -device virtio-9p-pci,fsdev=root,mount_tag=root \
  -append "console=ttyS0 quiet panic=-1 guest=$(base64 -w0 <<< "$command")" < /dev/null | tee guest.log
grep -q '^guest ended with 0' guest.log
