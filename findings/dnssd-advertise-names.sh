#!/bin/bash
# dnssd-advertise 1.1.6 (npm): a service whose name has other characters than ASCII is never announced, and no error says
# so. The size of a packet is counted in UTF-16 units and its names are written in UTF-8, so it is never sent. RFC 6763,
# section 4.1.1, allows any UTF-8. Needs Node 20. Sockets are replaced: nothing is sent to a network.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-fund --no-audit --prefix . dnssd-advertise@1.1.6 > /dev/null
cat > seen.mjs <<'JS'
import dgram from "node:dgram";
import { EventEmitter } from "node:events";
import { advertise } from "dnssd-advertise";

let sent = 0;
class Socket extends EventEmitter {
  bind(_port, onBound) {
    setImmediate(onBound);
  }
  send(message, _offset, _length, _port, _address, onSent) {
    sent++;
    // As a group's own messages come back to it.
    this.emit("message", message, { address: "127.0.0.1", family: "IPv4", port: 5353 });
    onSent(null);
  }
}
for (const name of ["unref", "close", "addMembership", "setMulticastTTL", "setMulticastLoopback", "setMulticastInterface"])
  Socket.prototype[name] = () => {};
dgram.createSocket = () => new Socket();

const errors = [];
const name = process.argv[2];
advertise({ name, type: "x", protocol: "tcp", port: 1, onError: (error) => errors.push(error.message) });
setTimeout(() => {
  console.log(`${name}: ${sent > 0 ? "probed and announced" : "nothing sent"}, ${errors.length} errors`);
  process.exit(0);
}, 4000);
JS
for name in Buero Büro; do node seen.mjs "$name"; done | tee seen
diff seen - <<'SEEN'
Buero: probed and announced, 0 errors
Büro: nothing sent, 0 errors
SEEN
