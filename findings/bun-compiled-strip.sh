#!/bin/bash
# bun 1.4.5 (npm) and binutils' strip (seen with 2.40). rpmbuild strips every program by default, too.
# strip accepts a program of `bun build --compile` with exit 0 and leaves its size as it is, but the result is another
# program: a bare bun. It answers --version with bun's version, and runs its first argument as a script, where the
# original took a file name. (patchelf leaves the program intact.)
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
