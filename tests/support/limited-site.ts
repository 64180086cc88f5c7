import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Client } from "../../lib/client/client.ts";
import type { ClientOptions } from "../../lib/client/client-options.ts";
import type { Role } from "../../lib/protocol/messages.ts";
import type { Token } from "../../lib/protocol/token.ts";
import { type Limits, limitsOf } from "../../lib/server/access/scope.ts";
import { systemClock } from "../../lib/session/clock.ts";
import type { TransportHandler } from "../../lib/session/transport.ts";
import { WrappedTransport } from "../../lib/session/wrapped-transport.ts";
import { chunk } from "./raw-chunks.ts";
import { WebSite } from "./web-site.ts";

/** What nobody may learn who has Bob's token: each name and each content of the rest has one of these words. */
export const HIDDEN = ["alice", "ZEBRA"];

/** The paths that lead, or would lead, out of Bob's folder. */
export const WAYS_OUT = [
  "..",
  "../alice",
  "../alice/ZEBRA.txt",
  "./../alice/ZEBRA.txt",
  "sub/../../alice/ZEBRA.txt",
  "inbox/alice/ZEBRA.txt",
  "inbox/bob/own.txt",
  "alice/ZEBRA.txt",
  "ZEBRA-top.txt",
  "/",
  "/etc/passwd",
  "out",
  "out/ZEBRA.txt",
  "file-out",
  "etc",
  "etc/passwd",
  "up",
  "up/alice/ZEBRA.txt",
];

/** A repository with the folders of Alice and Bob, and links that lead out of Bob's, over streams and HTTP. */
export class LimitedSite implements AsyncDisposable {
  readonly web: WebSite;
  /** Of a token for Bob's folder. */
  readonly bob: Token;
  /** Of one for everything. */
  readonly all: Token;
  readonly #clients: Client[] = [];

  private constructor(web: WebSite, isAlone: boolean) {
    this.web = web;
    const at = (path: string) => web.folder.join(path);
    mkdirSync(at("inbox/bob/sub"), { recursive: true });
    if (!isAlone) {
      mkdirSync(at("inbox/alice"));
      writeFileSync(at("ZEBRA-top.txt"), "ZEBRA of the top");
      writeFileSync(at("inbox/alice/ZEBRA.txt"), "ZEBRA of another");
    }
    writeFileSync(at("inbox/bob/own.txt"), "his own");
    writeFileSync(at("inbox/bob/sub/deep.txt"), "his own, deeper");
    symlinkSync("../alice", at("inbox/bob/out"));
    symlinkSync("../../ZEBRA-top.txt", at("inbox/bob/file-out"));
    symlinkSync("/etc", at("inbox/bob/etc"));
    symlinkSync("..", at("inbox/bob/up"));
    symlinkSync("own.txt", at("inbox/bob/own-link"));
    // Of one time, so that answers can be compared.
    for (const path of ["own.txt", "sub/deep.txt", "sub", ""]) utimesSync(at(`inbox/bob/${path}`), 1e9, 1e9);
    this.bob = this.issue("bob", { folder: "inbox/bob" });
    this.all = this.issue("alice", {});
  }

  /** `isAlone`: without the rest. */
  static async start({ isAlone = false } = {}): Promise<LimitedSite> {
    return new LimitedSite(await WebSite.start({ mayWrite: true, maxClients: 32 }), isAlone);
  }

  issue(name: string, limits: Limits, role: Role = "write"): Token {
    const { tokens, clock } = this.web.access;
    return tokens.add({ name, role, createdAt: clock.wallTime(), expiresAt: null, ...limitsOf(limits) });
  }

  /** A client, and everything that it has received so far. */
  async client(token: Token, options: Partial<ClientOptions> = {}): Promise<{ client: Client; heard: () => string }> {
    const transport = new Recorded(await this.web.access.transport());
    const defaults = { clock: systemClock, agent: "test-client", wait: false, timeoutMs: 5_000 };
    const client = await Client.connect({ ...defaults, token, ...options, transport });
    this.#clients.push(client);
    return { client, heard: () => Buffer.concat(transport.pieces).toString("latin1") };
  }

  path(...names: string[]): string {
    return this.web.folder.join(...names);
  }

  /** All names, links and contents outside Bob's folder. */
  get rest(): Record<string, string> {
    return contentOf(this.web.folder.path, (path) => path === "inbox/bob");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.abandon();
    await this.web[Symbol.asyncDispose]();
  }
}

/** Call a method, with bytes of a body. @returns all that comes of it: the answer, its body, the fault */
export async function call(client: Client, method: string, params: object, body?: Buffer): Promise<string> {
  const stream = client.openStream(method, { ...params }, { body: body !== undefined });
  const heard: string[] = [];
  try {
    if (body !== undefined) {
      await stream.write(body);
      await stream.end();
    }
    heard.push(JSON.stringify(await stream.accepted));
    for await (const piece of stream.pieces()) heard.push(Buffer.from(piece).toString("latin1"));
    heard.push("OK");
  } catch (thrown) {
    const { code, message } = thrown as { code?: string; message: string };
    heard.push(`${code} ${message}`);
  }
  return `${method} ${JSON.stringify(params)}: ${heard.join(" ")}`;
}

/** Without what differs between two runs on the same tree: times, etags, ports, numbers of sessions, checks. */
export function comparable(text: string): string {
  return text
    .replace(/Client\d+/g, "Client##")
    .replace(/"(?:etag|startedAt|uptimeMs|modifiedAt|address|bytesIn|bytesOut|id)":(?:"[^"]*"|\d+)/g, "")
    .replace(/[\0-\x08\x0e-\x1f\x7f-\xff].{0,23}/g, "");
}

/** The body of a `put` of one small file. */
export function putting(path: string, text: string, exists = "overwrite"): Buffer {
  const facts = { path, exists, size: text.length, modifiedAt: 1_000, executable: false, etag: "e" };
  const bytes = text === "" ? [] : [chunk("BLOCK", 0, Buffer.from(text))];
  return Buffer.concat([chunk("FILE", 0, facts), ...bytes, chunk("SEAL", 0)]);
}

/** The words of HIDDEN that a text has. */
export function told(text: string): string[] {
  return HIDDEN.filter((word) => text.includes(word));
}

/** Keeps all that arrives. */
class Recorded extends WrappedTransport {
  readonly pieces: Buffer[] = [];

  override start(handler: TransportHandler): void {
    const onBytes = (bytes: Uint8Array) => {
      this.pieces.push(Buffer.from(bytes));
      handler.onBytes(bytes);
    };
    this.inner.start({
      onBytes,
      onDrain: () => handler.onDrain(),
      onPeerEnd: () => handler.onPeerEnd?.(),
      onClosed: (error) => handler.onClosed(error),
    });
  }
}

function contentOf(root: string, isLeftOut: (path: string) => boolean, folder = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (isLeftOut(path)) continue;
    if (entry.isDirectory()) Object.assign(found, { [path]: "folder" }, contentOf(root, isLeftOut, path));
    else if (entry.isSymbolicLink()) found[path] = readlinkSync(join(root, path));
    else found[path] = `${statSync(join(root, path)).mode} ${readFileSync(join(root, path), "utf8")}`;
  }
  return found;
}
