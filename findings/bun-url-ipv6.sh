#!/bin/bash
# bun 1.4.5 (npm): its URL refuses an IPv6 address that ends in an IPv4 one (RFC 4291, section 2.2) when "::" stands for
# exactly one group, as in [1::2:3:4:192.0.2.7]; with "::" for two groups or more it takes the same form, and Node's URL
# takes all. So such a server can be reached by fetch, by a URL in a config, only under another spelling, and URL.canParse
# is no judge of addresses.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-fund --no-audit --prefix . bun@1.4.5 > /dev/null
cat > hosts.mjs <<'JS'
const runtime = process.versions.bun === undefined ? "node" : `bun ${process.versions.bun}`;
for (const host of ["1::2:3:4:192.0.2.7", "::1:2:3:4:192.0.2.7", "1::2:3:192.0.2.7", "1:2:3:4:5:6:192.0.2.7", "1::2:3:4:c000:207"])
  console.log(`${runtime}: [${host}] ${URL.canParse(`http://[${host}]/`) ? "taken" : "refused"}`);
JS
{ node hosts.mjs; node_modules/.bin/bun hosts.mjs; } | tee seen
diff seen - <<'SEEN'
node: [1::2:3:4:192.0.2.7] taken
node: [::1:2:3:4:192.0.2.7] taken
node: [1::2:3:192.0.2.7] taken
node: [1:2:3:4:5:6:192.0.2.7] taken
node: [1::2:3:4:c000:207] taken
bun 1.4.5: [1::2:3:4:192.0.2.7] refused
bun 1.4.5: [::1:2:3:4:192.0.2.7] refused
bun 1.4.5: [1::2:3:192.0.2.7] taken
bun 1.4.5: [1:2:3:4:5:6:192.0.2.7] taken
bun 1.4.5: [1::2:3:4:c000:207] taken
SEEN
