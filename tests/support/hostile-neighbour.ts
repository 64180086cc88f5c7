/** Answers to multicast DNS what no honest machine would: `hostile-neighbour.ts ADDRESS`. Prints "ready", and goes on. */
import dgram from "node:dgram";
import packet, { type Answer } from "dns-packet";

const [PORT, GROUP, SERVICE] = [5353, "224.0.0.251", "_commserver._tcp.local"];
const address = process.argv[2] ?? "";

function encode(answers: Answer[]): Buffer {
  return packet.encode({ type: "response", flags: packet.AUTHORITATIVE_ANSWER, answers });
}

function server(name: string, target: string, at: string): Answer[] {
  const fullName = `${name}.${SERVICE}`;
  return [
    { type: "PTR", name: SERVICE, ttl: 120, data: fullName },
    { type: "SRV", name: fullName, ttl: 120, data: { port: 1, target } },
    { type: "TXT", name: fullName, ttl: 120, data: ["txtvers=1", "tls=1", "fp=\u001b[31m", "seats=-1"] },
    { type: "A", name: target, ttl: 120, data: at },
  ];
}

/** Names of one letter a label, each repeated by many records: slow to read for who bounds nothing. */
function slow(bytes: number): Buffer {
  const labels = Buffer.alloc(bytes >> 1, Buffer.from([1, 0x61]));
  const rest = Buffer.from([0, 12, 0, 1, 0, 0, 0, 120, 0, 2, 0xc0, 12]);
  const repeated = Buffer.concat([Buffer.from([0xc0, 12]), rest.subarray(0)]);
  const count = Math.floor(((bytes >> 1) - 40) / repeated.length);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0x8400, 2);
  head.writeUInt16BE(count + 1, 6);
  return Buffer.concat([head, labels, Buffer.from([0]), rest, ...Array(count).fill(repeated)]);
}

const many = Array.from({ length: 50 }, (_, part) =>
  encode(
    Array.from({ length: 100 }, (_, index): Answer => {
      const data = `x${part}-${index}.${SERVICE}`;
      return { type: "PTR", name: SERVICE, ttl: 120, data };
    }),
  ),
);
const packets = [
  encode(server("red\u001b[31m\u202e", "evil.local", address)),
  encode(server("elsewhere", "other.local", "127.0.0.1")),
  encode(server("twisted", "-rf.local", address)),
  slow(1_400),
  slow(9_000),
  slow(60_000),
  Buffer.from("not DNS at all"),
  ...many,
];

const socket = dgram.createSocket({ type: "udp4", reuseAddr: true });
socket.bind(PORT, () => {
  socket.addMembership(GROUP, address);
  socket.setMulticastInterface(address);
  console.log("ready");
});
// Whoever asks is answered.
socket.on("message", (message) => {
  if ((message[2] ?? 0) & 0x80) return;
  for (const each of packets) socket.send(each, PORT, GROUP);
});
process.stdin.on("end", () => process.exit(0)).resume();
