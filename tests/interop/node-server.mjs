// A CommServer server from PROTOCOL.md alone, that has one token and answers `message`, over TLS.
//
//     node node-server.mjs IDENTITY TOKEN [LIE]     until standard input ends
//
// IDENTITY is a file with a certificate and its key. LIE is "signature" or "welcome": a wrong signature, or
// none. Prints JSON events.
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:tls";
import { attributes, bindingOf, END, emit, encode, fingerprint, framesOf, HEADER, prove, TLS } from "./node-peer.mjs";

const [identity, token, lie] = process.argv.slice(2);
const [user, secret] = token.split(":");
const pem = readFileSync(identity, "utf8");
const salt = createHash("sha256").update(user).digest("base64");

/** One client, from HELLO to its GOAWAY. */
class Visitor {
  #bare = "";
  #challenge = "";

  constructor(socket) {
    this.socket = socket;
  }

  hello({ json }) {
    const { mechanism, message } = json.auth ?? {};
    emit("hello", json);
    if (mechanism !== "SCRAM-SHA-256-PLUS" || !message.startsWith(HEADER)) return this.refuse(17, "No such proof.");
    this.#bare = message.slice(HEADER.length);
    this.#challenge = `r=${attributes(this.#bare).r}${randomBytes(18).toString("base64")},s=${salt},i=4096`;
    return this.socket.write(encode("AUTH", { message: this.#challenge }));
  }

  auth({ json }) {
    const { c, r, p } = attributes(json.message);
    const exchange = [this.#bare, this.#challenge, json.message.slice(0, json.message.lastIndexOf(",p="))].join();
    const { proof, signature } = prove(secret, salt, 4096, exchange);
    const isBound = c === bindingOf(this.socket) && r === attributes(this.#challenge).r;
    const isRight = p === proof && attributes(this.#bare).n === user;
    emit("proof", { isBound, isRight });
    if (!isBound || !isRight) return this.refuse(17, "The proof is not right.");
    const shown = lie === "signature" ? Buffer.alloc(32).toString("base64") : signature;
    if (lie !== "welcome") this.socket.write(encode("AUTH", { message: `v=${shown}` }));
    const members = { version: 1, name: "Client01", role: "write", agent: "node-server", capabilities: [] };
    return this.socket.write(encode("WELCOME", { ...members, credit: 65_536, maxStreams: 8 }));
  }

  open({ json, stream }) {
    const { text } = json.params;
    emit("message", { text });
    this.socket.write(encode("ACCEPT", { text: `${text} ACK`, delivered: ["Server"], failed: [] }, stream, END));
  }

  goaway({ json }) {
    emit("goaway", json);
    this.socket.end();
  }

  refuse(code, message) {
    this.socket.end(encode("REFUSE", { code, message }));
  }
}

const server = createServer({ ...TLS, cert: pem, key: pem }, async (socket) => {
  if (socket.alpnProtocol !== "commserver/1") return socket.destroy();
  const visitor = new Visitor(socket);
  try {
    for await (const frame of framesOf(socket)) visitor[frame.name.toLowerCase()](frame);
    emit("left");
  } catch (error) {
    emit("lost", { message: error.message });
  }
});
server.on("tlsClientError", (error) => emit("tls failed", { message: error.message }));
server.listen(0, "127.0.0.1", () => {
  emit("listening", { port: server.address().port, fingerprint: fingerprint(new X509Certificate(pem).raw) });
});
process.stdin.resume().once("end", () => process.exit());
