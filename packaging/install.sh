#!/bin/sh
# Installs CommServer: both programs, their completions and manual pages. Or takes them away again.
#
#   sh install.sh [--prefix DIR] [--from PLACE] [--target TARGET]
#   sh install.sh --uninstall [--prefix DIR]
#
# PREFIX is /usr/local for root, ~/.local for others. PLACE has the files of a release: an address that begins with
# https://, http:// or file://, or a folder. TARGET is found out, such as linux-x64, linux-arm64-musl, darwin-arm64.
set -eu

# Where the release is; filled in when it is made.
place=""

prefix=""
target=""
uninstall=no

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

usage() {
  sed -n '2,8s/^# \{0,1\}//p' "$0"
}

while [ $# -gt 0 ]; do
  case "$1" in
    --prefix | --from | --target)
      [ $# -ge 2 ] || fail "$1 needs a value."
      case "$1" in
        --prefix) prefix=$2 ;;
        --from) place=$2 ;;
        --target) target=$2 ;;
      esac
      shift 2
      ;;
    --uninstall)
      uninstall=yes
      shift
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) fail "unknown word $1; see --help." ;;
  esac
done

if [ -z "$prefix" ]; then
  if [ "$(id -u)" = 0 ]; then prefix=/usr/local; else prefix=${HOME:?}/.local; fi
fi
# The names of what was installed, below the prefix.
list=$prefix/share/commserver/installed-files

# Remove what an earlier run has installed, except the files that the list in $1 names.
remove_old() {
  [ -f "$list" ] || return 0
  while IFS= read -r file; do
    case "$file" in
      "" | /* | *..*) continue ;;
    esac
    if [ -n "${1:-}" ] && grep -Fqx -- "$file" "$1"; then continue; fi
    rm -f -- "$prefix/$file"
  done < "$list"
}

if [ "$uninstall" = yes ]; then
  [ -f "$list" ] || fail "nothing is installed in $prefix."
  remove_old
  rm -f -- "$list"
  rmdir -- "$prefix/share/commserver" 2> /dev/null || true
  echo "CommServer is removed from $prefix. Your state folder and settings stay."
  exit 0
fi

find_target() {
  case "$(uname -s)" in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    *) fail "there is nothing for $(uname -s) here; on Windows, unpack the .zip." ;;
  esac
  case "$(uname -m)" in
    x86_64 | amd64) processor=x64 ;;
    aarch64 | arm64) processor=arm64 ;;
    *) fail "there is nothing for $(uname -m) here." ;;
  esac
  libc=""
  if [ "$system" = linux ] && [ ! -e /lib64/ld-linux-x86-64.so.2 ] && [ ! -e /lib/ld-linux-aarch64.so.1 ]; then
    for loader in /lib/ld-musl-*.so.1; do [ ! -e "$loader" ] || libc=-musl; done
  fi
  echo "$system-$processor$libc"
}

# Copy the file $1 of the release to $2.
take() {
  case "$place" in
    https://* | http://*)
      if command -v curl > /dev/null 2>&1; then
        curl -fsSL --proto-redir =https,http -o "$2" "$place/$1"
      elif command -v wget > /dev/null 2>&1; then
        wget -q -O "$2" "$place/$1"
      else
        fail "curl or wget is needed."
      fi
      ;;
    file://*) cp "${place#file://}/$1" "$2" ;;
    *) cp "$place/$1" "$2" ;;
  esac || fail "can't get $1 from $place."
}

sum_of() {
  if command -v sha256sum > /dev/null 2>&1; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

[ -n "$target" ] || target=$(find_target)
if [ -z "$place" ]; then
  place=$(cd "$(dirname "$0")" && pwd)
  [ -f "$place/SHA256SUMS" ] || fail "say with --from where the release is."
fi
place=${place%/}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

take SHA256SUMS "$work/SHA256SUMS"
# 64 digits, two spaces, the name.
line=$(grep -E "^[0-9a-f]{64}  commserver-[0-9][0-9A-Za-z.+-]*-$target\.tar\.gz\$" "$work/SHA256SUMS" | head -n 1) || true
[ -n "$line" ] || fail "the release at $place has nothing for $target."
archive=${line#*  }
echo "Getting $archive"
take "$archive" "$work/$archive"
[ "$(sum_of "$work/$archive")" = "${line%% *}" ] || fail "$archive is not what SHA256SUMS says: nothing was installed."

folder=$work/${archive%.tar.gz}
tar -xzf "$work/$archive" -C "$work"
(cd "$folder" && find bin share -type f) > "$work/files"

while IFS= read -r file; do
  mkdir -p -- "$prefix/$(dirname "$file")"
  # A program that runs keeps its old file.
  cp -- "$folder/$file" "$prefix/$file.new"
  chmod "$(if [ "${file#bin/}" = "$file" ]; then echo 644; else echo 755; fi)" "$prefix/$file.new"
  mv -f -- "$prefix/$file.new" "$prefix/$file"
done < "$work/files"
# Both programs are one file under two names, where the disk can have that.
cd "$prefix/bin"
if cmp -s commserver-server commserver-client && ln commserver-server commserver-client.new 2> /dev/null; then
  mv -f commserver-client.new commserver-client
fi
cd - > /dev/null
remove_old "$work/files"
mkdir -p -- "$(dirname "$list")"
cp -- "$work/files" "$list"

echo "CommServer is installed in $prefix."
case ":$PATH:" in
  *":$prefix/bin:"*) ;;
  *) echo "Add it to your PATH: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
