// What both Node programs need of PROTOCOL.md: frames, the keys of SCRAM, and TLS with its exporter.
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

export const OPCODES = {
  HELLO: 1,
  WELCOME: 2,
  REFUSE: 3,
  GOAWAY: 7,
  AUTH: 8,
  OPEN: 16,
  ACCEPT: 17,
  DATA: 18,
  CREDIT: 19,
  END: 20,
  RESET: 21,
};
export const END = 1;
export const TLS = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3", ALPNProtocols: ["commserver/1"] };
export const HEADER = "p=tls-exporter,,";

export function emit(event, members = {}) {
  console.log(JSON.stringify({ event, ...members }));
}

/** Payloads: one object of strict JSON. */
export function parseObject(bytes) {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const value = JSON.parse(text);
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error("it is no object");
  if (measure(value).members !== bare.split(":").length - 1) throw new Error("a member is named twice");
  if (measure(value).depth > 32) throw new Error("it is nested too deep");
  if (/[-+.]|\d[eE]/.test(bare)) throw new Error("a number is not written in digits alone");
  if (!text.isWellFormed() || /\\ud[89a-f]/i.test(JSON.stringify(value).replaceAll("\\\\", "")))
    throw new Error("half a pair");
  return value;
}

/** How many members the objects in a value have, and how deep they are nested. */
function measure(value) {
  if (value === null || typeof value !== "object") return { members: 0, depth: 0 };
  const inner = Object.values(value).map(measure);
  const own = Array.isArray(value) ? 0 : inner.length;
  return {
    members: inner.reduce((sum, { members }) => sum + members, own),
    depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)),
  };
}

/** Frames: 16 bytes of header, and JSON. */
export function encode(name, payload, stream = 0, flags = 0) {
  const body = Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload));
  const header = Buffer.alloc(16);
  header.writeUInt8(0xc5, 0);
  header.writeUInt8(OPCODES[name], 1);
  header.writeUInt16BE(flags, 2);
  header.writeUInt32BE(stream, 4);
  header.writeUInt32BE(body.length, 8);
  return Buffer.concat([header, body]);
}

/** Every frame of a socket, until it ends. */
export async function* framesOf(socket) {
  let rest = Buffer.alloc(0);
  for await (const piece of socket) {
    rest = Buffer.concat([rest, piece]);
    while (rest.length >= 16 && rest.length >= 16 + rest.readUInt32BE(8)) {
      if (rest[0] !== 0xc5) throw new Error(`the magic is ${rest[0]}`);
      const payload = rest.subarray(16, 16 + rest.readUInt32BE(8));
      const name = Object.keys(OPCODES).find((key) => OPCODES[key] === rest[1]) ?? `0x${rest[1].toString(16)}`;
      const json = name === "DATA" || payload.length === 0 ? undefined : parseObject(payload);
      yield { name, flags: rest.readUInt16BE(2), stream: rest.readUInt32BE(4), payload, json };
      rest = rest.subarray(16 + payload.length);
    }
  }
}

/** Encryption: the fingerprint of a certificate. */
export function fingerprint(der) {
  return `SHA256:${createHash("sha256").update(der).digest("base64").replaceAll("=", "")}`;
}

/** Proof: what the channel is called in the proof, in base64. */
export function bindingOf(socket) {
  const exported = socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));
  return Buffer.concat([Buffer.from(HEADER), exported]).toString("base64");
}

const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
const xor = (one, other) => Buffer.from(one.map((byte, index) => byte ^ other[index]));

/** RFC 5802, 3: the proof and the signature for one exchange. */
export function prove(secret, salt, count, exchange) {
  const salted = pbkdf2Sync(secret, Buffer.from(salt, "base64"), count, 32, "sha256");
  const clientKey = hmac(salted, "Client Key");
  const stored = createHash("sha256").update(clientKey).digest();
  return {
    proof: xor(clientKey, hmac(stored, exchange)).toString("base64"),
    signature: hmac(hmac(salted, "Server Key"), exchange).toString("base64"),
  };
}

/** The attributes of a message of SCRAM by their letters. */
export function attributes(message) {
  return Object.fromEntries(message.split(",").map((part) => [part[0], part.slice(2)]));
}

/** Invites: what one says. */
export function readInvite(line) {
  const data = Buffer.from(line.replace(/^csinvite1_/, ""), "base64url");
  const json = data.subarray(0, -4);
  const check = json.reduce((state, byte) => Math.imul(state ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
  if (check !== data.readUInt32BE(json.length)) throw new Error("the invite is damaged");
  return parseObject(json);
}
