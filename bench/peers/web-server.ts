import { endFamily } from "../support/family.ts";
import { startServer } from "./commserver.ts";
import { NGINX, type Scheme, startNginx } from "./nginx.ts";
import { missingOf, type PeerOptions } from "./peer.ts";

/** An HTTP server: ours, or one to compare it with. */
export interface WebServer {
  readonly name: string;
  readonly ours?: true;
  /** The programs that it needs and that are not on this machine. */
  missing(): readonly string[];
  /** Start it for the served folder. @throws Error when it fails to listen */
  open(options: WebOptions): Promise<OpenWebServer>;
}

export interface OpenWebServer extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** The address of a file, or with "" of the served folder. */
  url(path: string): string;
  /** NAME:SECRET, where `writable` asks for one. */
  readonly credentials?: string;
}

export type WebOptions = Pick<PeerOptions, "workspace" | "programs" | "writable">;

/** More than any of the clients uses, which come from a few addresses. */
const SEATS = 64;

export const oursPlain: WebServer = {
  name: "commserver",
  ours: true,
  missing: () => [],
  open: (options) => openOurs(options, "http"),
};

export const oursTls: WebServer = {
  name: "commserver TLS 1.3",
  ours: true,
  missing: () => [],
  open: (options) => openOurs(options, "https"),
};

export const nginxPlain: WebServer = {
  name: "nginx",
  missing: () => missingOf(NGINX),
  open: (options) => openNginx(options, "http"),
};

export const nginxTls: WebServer = {
  name: "nginx TLS 1.3",
  missing: () => missingOf(NGINX, "openssl"),
  open: (options) => openNginx(options, "https"),
};

async function openOurs(options: WebOptions, scheme: Scheme): Promise<OpenWebServer> {
  const { programs, writable } = options;
  const { child, port, stateDir } = await startServer({
    ...options,
    clients: SEATS,
    isEncrypted: scheme === "https",
    web: writable ? "on" : "read",
  });
  return {
    pid: child.pid,
    port,
    url: (path) => `${scheme}://127.0.0.1:${port}/files/${path}`,
    ...(writable && { credentials: newToken(programs.server, stateDir) }),
    [Symbol.asyncDispose]: () => endFamily(child),
  };
}

async function openNginx(options: WebOptions, scheme: Scheme): Promise<OpenWebServer> {
  const daemon = await startNginx(options, scheme);
  const { pid, port } = daemon;
  const url = (path: string) => `${scheme}://127.0.0.1:${port}/${path}`;
  return { pid, port, url, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() };
}

/** A token that may write, which needs one. */
function newToken(server: string, stateDir: string): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync([
    ...[server, "token", "add", "bench", "--role", "write", "--state-dir", stateDir, "--json"],
  ]);
  if (exitCode !== 0) throw new Error(`no token can be made: ${stderr}`);
  const { token } = JSON.parse(stdout.toString());
  return token;
}
