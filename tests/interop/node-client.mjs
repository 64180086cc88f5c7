// A CommServer client from PROTOCOL.md alone, over TLS with a proof that is bound to it.
//
//     node node-client.mjs INVITE [ADDRESS] message TEXT | list [GLOB]
//
// Prints JSON events. Exit codes: 0 done, 1 the other side broke a rule, 3 refused, 5 another identity.
import { randomBytes } from "node:crypto";
import { connect } from "node:tls";
import {
  attributes,
  bindingOf,
  END,
  emit,
  encode,
  fingerprint,
  framesOf,
  HEADER,
  parseObject,
  prove,
  readInvite,
  TLS,
} from "./node-peer.mjs";

class Ended extends Error {
  constructor(exitCode, message) {
    super(message);
    this.exitCode = exitCode;
  }
}

function require(holds, message, exitCode = 1) {
  if (!holds) throw new Ended(exitCode, message);
}

/** Encryption: a socket whose other end is the one that the invite names. */
async function reach(invite, address) {
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address);
  const socket = connect({ ...TLS, host, port: Number(port), rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  require(socket.alpnProtocol === "commserver/1", `the protocol inside is ${socket.alpnProtocol}`);
  const shown = fingerprint(socket.getPeerCertificate().raw);
  if (shown !== invite.i) socket.destroy();
  require(shown === invite.i, `the server shows ${shown}`, 5);
  return socket;
}

/** The next frame, which is one of these. */
async function take(frames, ...names) {
  const { value: frame, done } = await frames.next();
  require(!done, "the pipe ended");
  if (frame.name === "REFUSE") {
    emit("refused", frame.json);
    throw new Ended(3, frame.json.message);
  }
  require(names.includes(frame.name), `${frame.name} has no place here`);
  return frame;
}

/** Handshake and Proof. */
async function enter(socket, frames, token) {
  const [name, secret] = token.split(":");
  const nonce = randomBytes(18).toString("base64");
  const bare = `n=${name},r=${nonce}`;
  const auth = { mechanism: "SCRAM-SHA-256-PLUS", message: HEADER + bare };
  const grants = { credit: 1_048_576, maxStreams: 8 };
  socket.write(encode("HELLO", { versions: { min: 1, max: 1 }, agent: "node-client", auth, ...grants }));
  const challenge = (await take(frames, "AUTH")).json.message;
  const { r, s, i } = attributes(challenge);
  require(r.startsWith(nonce) && r.length >= nonce.length + 18, "the nonce is not ours with more behind it");
  require(i >= 4096 && i <= 100_000, `the count is ${i}`);
  const final = `c=${bindingOf(socket)},r=${r}`;
  const { proof, signature } = prove(secret, s, Number(i), [bare, challenge, final].join());
  socket.write(encode("AUTH", { message: `${final},p=${proof}` }));
  const answer = (await take(frames, "AUTH")).json.message;
  require(answer === `v=${signature}`, "the server can't prove that it knows the token", 5);
  emit("welcome", (await take(frames, "WELCOME")).json);
}

/** Streams: one request; returns its result and its body. */
async function ask(socket, frames, method, params) {
  socket.write(encode("OPEN", { method, params }, 1, END));
  const accept = await take(frames, "ACCEPT", "RESET");
  require(accept.name === "ACCEPT", `RESET: ${JSON.stringify(accept.json)}`);
  const body = [];
  for (let isOver = accept.flags === END; !isOver; ) {
    const frame = await take(frames, "DATA", "END");
    if (frame.name === "DATA") body.push(frame.payload);
    isOver = frame.name === "END";
  }
  return { result: accept.json, body: Buffer.concat(body).toString() };
}

async function run(words) {
  const invite = readInvite(words.shift());
  const address = /:\d+$/.test(words[0]) ? words.shift() : invite.a[0];
  const socket = await reach(invite, address);
  try {
    const frames = framesOf(socket);
    await enter(socket, frames, invite.t);
    const [command, argument] = words;
    const params = command === "list" ? (argument ? { glob: argument } : {}) : { text: argument };
    const { result, body } = await ask(socket, frames, command, params);
    if (command === "message") emit("result", result);
    else
      emit("listed", {
        entries: body
          .split("\n")
          .filter(Boolean)
          .map((line) => parseObject(Buffer.from(line))),
      });
    socket.end(encode("GOAWAY", { code: 0, message: "exit" }));
    require((await frames.next()).done, "bytes behind GOAWAY");
    emit("closed");
  } finally {
    socket.destroy();
  }
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = error.exitCode ?? 1;
}
