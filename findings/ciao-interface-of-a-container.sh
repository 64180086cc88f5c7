#!/bin/bash
# @homebridge/ciao 1.3.12 (npm): in a container nothing is announced, and advertise() reports success. It takes the names
# of interfaces from `ip -o link show`, which writes a link with its other end, "eth0@if2" (as every container's), and
# keeps the part after "@". No interface has that name. Needs root, Node 20 and iproute2: it makes two network
# namespaces with a cable between them, and removes them.
set -euo pipefail
dir=$(mktemp -d); near=ciao-near-$$ far=ciao-far-$$
trap 'rm -rf "$dir"; ip netns del "$near"; ip netns del "$far"' EXIT; cd "$dir"
npm install --silent --no-fund --no-audit --prefix . @homebridge/ciao@1.3.12 > /dev/null
ip netns add "$near"; ip netns add "$far"
ip link add eth0 netns "$near" type veth peer name eth0 netns "$far"
for end in "$near 10.77.0.1" "$far 10.77.0.2"; do
  read -r name address <<< "$end"
  ip -n "$name" address add "$address/24" dev eth0
  ip -n "$name" link set lo up; ip -n "$name" link set eth0 up
  ip -n "$name" route add default dev eth0
done
cat > announce.cjs <<'JS'
const { getResponder } = require("@homebridge/ciao");
getResponder().createService({ name: "thing", type: "http", port: 8080 }).advertise().then(
  () => setTimeout(() => process.exit(0), 1000),
  (error) => { console.log("error:", error.message); process.exit(1); },
);
JS
cat > listen.cjs <<'JS'
const socket = require("node:dgram").createSocket({ type: "udp4", reuseAddr: true });
let seen = 0;
socket.on("message", (bytes) => { if (bytes.includes("thing")) seen++; });
socket.bind(5353, () => { socket.addMembership("224.0.0.251", "10.77.0.2"); console.error("ready"); });
process.on("SIGTERM", () => { console.log(seen > 0 ? "heard" : "nothing heard"); process.exit(0); });
JS
# The same command without the part after "@", to see that this part is the cause.
mkdir plain; real=$(command -v ip)
printf '#!/bin/sh\n%s "$@" | sed "s/@[^:]*:/:/"\n' "$real" > plain/ip; chmod +x plain/ip
heard() {
  ip netns exec "$far" node listen.cjs 2> ready > heard & local listener=$!
  until [ -s ready ]; do sleep 0.1; done
  ip netns exec "$near" env PATH="$1" node announce.cjs && echo "advertise() succeeded"
  kill "$listener"; wait "$listener" || true
  cat heard
}
{ echo "ip as it is:"; heard "$PATH"; echo "without the other end:"; heard "$dir/plain:$PATH"; } | tee seen
diff seen - <<'SEEN'
ip as it is:
advertise() succeeded
nothing heard
without the other end:
advertise() succeeded
heard
SEEN
