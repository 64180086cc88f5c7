#!/bin/bash
# bun 1.4.5 (npm) and binutils' strip (seen with 2.40). Also what rpmbuild does to every program by default.
# A program of `bun build --compile` goes through strip with exit 0 and stays as large, but it is another program: a bare bun.
# It answers --version with bun's version, and runs the script that it is given as its first argument, where the program took
# a file name. (patchelf leaves the program what it is.)
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-fund --no-audit --prefix . bun@1.4.5 > /dev/null
echo 'console.log("the program, with", process.argv.slice(2).join(" "));' > program.ts
echo 'console.log("a script");' > script.ts
node_modules/.bin/bun build --compile program.ts --outfile program > /dev/null 2>&1
cp program stripped; strip stripped; echo "strip ends with $?" | tee seen
for name in program stripped; do
  echo "$name --version: $("./$name" --version)"
  echo "$name script.ts: $("./$name" script.ts)"
done | tee -a seen
diff seen - <<'SEEN'
strip ends with 0
program --version: the program, with --version
program script.ts: the program, with script.ts
stripped --version: 1.4.5
stripped script.ts: a script
SEEN
