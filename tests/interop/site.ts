import { beforeAll } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { binaries } from "../support/binaries.ts";
import { type Finished, run, runClient, ServerProcess, USER_ENV } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { LineProcess, type PeerServer, peer, program, runPeer } from "./peer.ts";

/** Flags of a compiled server. Python can't bind a proof to TLS, so there anyone may come. */
export const WIRES: [wire: string, flags: string[]][] = [
  ["TCP, with a proof", ["--plaintext"]],
  ["TLS, without a proof", ["--open"]],
];

/** A server of either kind, and a folder that lives as long as it. */
export class Site<Server extends AsyncDisposable> implements AsyncDisposable {
  readonly folder: TempFolder;
  readonly server: Server;

  constructor(folder: TempFolder, server: Server) {
    this.folder = folder;
    this.server = server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** A compiled server, for Python clients that run in the folder. */
export class CompiledSite extends Site<ServerProcess> {
  /** What a Python client has to be told: what the server shows of itself, or the token of this machine. */
  get flags(): string[] {
    const [listening] = this.server.events;
    return listening?.["tls"] ? ["--pin", listening["fingerprint"]] : ["--token", this.localToken];
  }

  /** The token by which the server's own user comes in. */
  get localToken(): string {
    const file = join(`${USER_ENV["XDG_STATE_HOME"]}`, `commserver/local/${this.server.port}.json`);
    return JSON.parse(readFileSync(file, "utf8")).token;
  }

  /** Options first, then the address, then lines of commands. */
  run(options: string[], lines: string[]) {
    return runPeer([...this.flags, ...options, this.server.address], lines, this.folder.path);
  }

  /** A client that stays. */
  peer(...options: string[]): LineProcess {
    return new LineProcess(peer("client", ...this.flags, ...options, this.server.address), this.folder.path);
  }

  /** Where a compiled client finds the server. */
  get compiledFlags(): string[] {
    return ["-s", this.server.address, ...(this.server.events[0]?.["tls"] ? [] : ["--plaintext"])];
  }

  compiled(...args: string[]): Promise<Finished> {
    return runClient([...args, ...this.compiledFlags]);
  }
}

/** Start a compiled server; without --open it is one without TLS, which wants a proof. */
export function startCompiled(repository: string, options: string[]): Promise<ServerProcess> {
  const wire = options.includes("--open") ? [] : ["--plaintext"];
  return ServerProcess.start(["-r", repository, ...wire, ...options]);
}

/** What a Python server wants to be proven. */
export const TOKEN = `peer:${"0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdef".slice(0, 43)}`;

let identity: Promise<string> | undefined;

/** A certificate and its key in one file. */
export function identityFile(): Promise<string> {
  identity ??= makeIdentity();
  return identity;
}

async function makeIdentity(): Promise<string> {
  const folder = new TempFolder();
  process.once("exit", () => folder[Symbol.dispose]());
  const file = folder.join("identity.pem");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const names = ["-subj", "/CN=peer", "-days", "2", "-keyout", file, "-out", folder.join("certificate.pem")];
  const { exitCode, stderr } = await run([program("openssl"), "req", "-x509", ...key, ...names]);
  if (exitCode !== 0) throw new Error(stderr);
  await Bun.write(file, (await Bun.file(file).text()) + (await Bun.file(folder.join("certificate.pem")).text()));
  return file;
}

export const PROVEN = ["--token", TOKEN];

/** What a Python server is told to be reached in each way. */
type PeerWire = [wire: string, flags: () => Promise<string[]>];
export const PEER_WIRES: [PeerWire, PeerWire] = [
  ["TCP, with a proof", async () => PROVEN],
  ["TLS, without a proof", async () => ["--identity", await identityFile()]],
];

/** A Python server, for compiled clients that know nothing but the token. */
export class PythonSite extends Site<PeerServer> {
  /** The folder of a compiled client. */
  get own(): string {
    return this.folder.path;
  }

  get flags(): string[] {
    return ["-s", this.server.address, this.server.fingerprint === null ? "--plaintext" : "--accept-new"];
  }

  /** What tells a client the same in its environment. */
  get env(): Record<string, string> {
    const state = { XDG_STATE_HOME: this.folder.join("state") };
    return this.server.fingerprint === null ? { ...state, COMMSERVER_TOKEN: TOKEN } : state;
  }

  /** Run the compiled client. */
  run(...args: string[]): Promise<Finished> {
    return runClient([...args, ...this.flags], { cwd: this.own, env: this.env });
  }

  /** A compiled client that stays. */
  async shell(...args: string[]): Promise<LineProcess> {
    const { client } = await binaries();
    return new LineProcess([client, "shell", ...args, ...this.flags], this.own, this.env);
  }
}

/** Invites: what one says. */
export interface Invite {
  readonly n: string;
  readonly a: string[];
  readonly i: string | null;
  readonly t: string;
}

/** Invites: one line, and behind its JSON FNV-1a of it. */
export function writeInvite(invite: Invite): string {
  const json = Buffer.from(JSON.stringify(invite));
  let check = 0x811c9dc5;
  for (const byte of json) check = Math.imul(check ^ byte, 0x01000193) >>> 0;
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(check);
  return `csinvite1_${Buffer.concat([json, sum]).toString("base64url")}`;
}

export function readInvite(line: string): Invite {
  const invite = JSON.parse(Buffer.from(line.replace("csinvite1_", ""), "base64url").subarray(0, -4).toString());
  if (writeInvite(invite) !== line) throw new Error(`${line} is not what the page says of an invite`);
  return invite;
}

/** The programs are built before the first test, and not in its time. */
export function buildFirst(): void {
  beforeAll(async () => {
    await binaries();
  }, 180_000);
}
