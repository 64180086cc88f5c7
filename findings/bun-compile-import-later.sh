#!/bin/bash
# bun 1.4.5 (npm), single-file executables: a module behind import() runs only when it is asked for, but what it imports
# from the runtime by a statement (node:http) is loaded at the start of the program all the same: the bundler moves such
# statements to the top of its one file. The program pays megabytes for a part that it never uses. --splitting, which is
# documented for browsers' downloads, keeps them apart in an executable, too.
set -euo pipefail
[ -x /usr/bin/time ] || { echo "GNU time is missing"; exit 2; }
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-fund --no-audit --prefix . bun@1.4.5 > /dev/null
echo 'if (process.argv.length > 2) await (await import("./door.ts")).open();' > later.ts
echo 'import http from "node:http"; export async function open() { console.log(typeof http.createServer); }' > door.ts
echo 'if (process.argv.length > 2) console.log("no HTTP here");' > never.ts
build() { node_modules/.bin/bun build "$@" --compile --minify --bytecode --format=esm > /dev/null 2>&1; }
build never.ts --outfile=never
build later.ts --outfile=one-file
build later.ts --outfile=split --splitting
# Resident kilobytes of a run that does nothing: the median of seven.
kb() { for _ in 1 2 3 4 5 6 7; do /usr/bin/time -f %M "./$1" 2>&1; done | sort -n | sed -n 4p; }
read -r never one split <<< "$(kb never) $(kb one-file) $(kb split)"
echo "without HTTP $never KB, behind import() $one KB, with --splitting $split KB"
{ [ $((one - never)) -gt 2000 ] && echo "import() alone: loaded at the start"
  [ $((split - never)) -lt 1000 ] && echo "with --splitting: not loaded"
  ./split now; } | tee seen
diff seen - <<'SEEN'
import() alone: loaded at the start
with --splitting: not loaded
function
SEEN
