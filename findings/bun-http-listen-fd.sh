#!/bin/bash
# bun 1.4.5 (npm), Node's API: server.listen({ fd }) takes over a socket that already listens (systemd's socket
# activation, restarts without a gap). node:net does so. node:http is documented with the same words, but ignores `fd`
# without an error, emits "listening", and is on another port: clients of the socket that was handed over wait for ever.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-fund --no-audit --prefix . bun@1.4.5 > /dev/null
cat > serve.mjs <<'JS'
const [kind, port] = process.argv.slice(2);
const { createServer } = await import(`node:${kind}`);
const server = createServer().listen({ fd: 3 }, () => {
  const { port: own } = server.address() ?? {};
  console.log(`node:${kind} listens ${own === Number(port) || own === undefined ? "at the socket that was given" : "at another port"}`);
  process.exit(0);
});
JS
cat > give.py <<'PY'
import os, socket, sys
s = socket.create_server(("127.0.0.1", 0))
if s.fileno() != 3: os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.execv(sys.argv[1], [*sys.argv[1:], str(s.getsockname()[1])])
PY
{ for kind in net http; do python3 give.py node_modules/.bin/bun serve.mjs $kind; done
  python3 give.py "$(command -v node)" serve.mjs http | sed 's/^/in Node: /'; } | tee seen
diff seen - <<'SEEN'
node:net listens at the socket that was given
node:http listens at another port
in Node: node:http listens at the socket that was given
SEEN
