#!/bin/sh
# machine.sh FOLDER: a machine with systemd as its first process, which has the files of this one and keeps its changes
# in memory. FOLDER is an empty one for its mounts; FOLDER/shared is in the machine as /shared. It runs until this script
# gets a signal, and leaves nothing. Prints the process that has the machine's namespaces below it.
set -eu
if [ "${2:-}" = "" ]; then exec unshare --mount --propagation private sh "$0" "$1" outside; fi
base=$1

if [ "$2" = outside ]; then
  group=$base/groups/commserver-machine-$$
  mkdir "$base/groups" && mount -t cgroup2 none "$base/groups" && mkdir "$group"
  # Of the machine, whose processes have ended.
  leave() { until find "$group" -depth -type d -exec rmdir {} + 2> /dev/null; do sleep 0.1; done; }
  echo $$ > "$group/cgroup.procs"
  unshare --mount --net --pid --uts --ipc --cgroup --fork --kill-child sh "$0" "$base" inside < /dev/null > "$base/log" 2>&1 &
  machine=$!
  echo $$ > "$base/groups/cgroup.procs"
  trap 'kill -9 $machine 2> /dev/null; wait $machine 2> /dev/null || true; leave; exit 0' TERM INT HUP
  echo $machine
  wait $machine || true
  leave
  exit 1
fi

mkdir "$base/disk" && mount -t tmpfs tmpfs "$base/disk"
cd "$base/disk"
mkdir changes work root
mount -t overlay overlay -o lowerdir=/,upperdir=changes,workdir=work root
cd root
mkdir -p shared && mount --bind "$base/shared" shared
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty fuse; do
  if [ -e /dev/$device ]; then touch dev/$device && mount --bind /dev/$device dev/$device; fi
done
mkdir dev/shm dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs run
# No services but those that a test starts, also by apt, which would wait for one.
rm -rf etc/systemd/system/*.wants etc/apt/apt.conf.d/20packagekit
# What takes apt long, and does not matter here: lists of other packages, and an index of all manual pages.
rm -rf var/lib/apt/lists/* var/lib/man-db/auto-update
echo server > etc/hostname
mkdir .outside && pivot_root . .outside && umount -l /.outside
exec env -i container=machine PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=multi-user.target
