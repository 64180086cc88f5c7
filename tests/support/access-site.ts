import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseInvite } from "../../lib/protocol/invite.ts";
import { binaries } from "./binaries.ts";
import { type Finished, run, runClient, ServerProcess } from "./processes.ts";
import { TempFolder } from "./temp-folder.ts";

/** A compiled server after its first start, and a user with another home and no state but what the test gives it. */
export class AccessSite implements AsyncDisposable {
  readonly folder: TempFolder;
  server: ServerProcess;
  /** The invite of the first start. */
  readonly invite: string;
  readonly #args: string[];
  /** A file for the trace of the servers that restart() starts. */
  traceTo: string | undefined;

  private constructor(folder: TempFolder, server: ServerProcess, args: string[]) {
    this.folder = folder;
    this.server = server;
    this.invite = server.events[0]?.["invite"];
    this.#args = args;
  }

  static async start(...args: string[]): Promise<AccessSite> {
    const folder = new TempFolder();
    Bun.spawnSync(["mkdir", folder.join("files"), folder.join("home")]);
    writeFileSync(folder.join("files", "a.txt"), "alpha\n");
    const all = ["-r", folder.join("files"), "--host", "127.0.0.1", ...args];
    const options = { stateDir: folder.join("state"), env: { XDG_STATE_HOME: folder.join("owner") } };
    return new AccessSite(folder, await ServerProcess.start(all, options), all);
  }

  /** The environment of another user than the server's. */
  get env(): Record<string, string> {
    return { XDG_STATE_HOME: this.folder.join("home") };
  }

  /** The environment of the server's own user. */
  get ownerEnv(): Record<string, string> {
    return { XDG_STATE_HOME: this.folder.join("owner") };
  }

  get stateDir(): string {
    return this.folder.join("state");
  }

  get fingerprint(): string {
    return this.server.events[0]?.["fingerprint"];
  }

  get address(): string {
    return this.server.address;
  }

  /** `NAME:SECRET` of the first invite. */
  get token(): string {
    const { name, secret } = parseInvite(this.invite).token;
    return `${name}:${secret}`;
  }

  get secret(): string {
    return parseInvite(this.invite).token.secret;
  }

  client(args: string[], options: { env?: Record<string, string>; stdin?: string } = {}): Promise<Finished> {
    const { env, ...rest } = options;
    return runClient(args, { cwd: this.folder.path, ...rest, env: { ...this.env, ...env } });
  }

  async operate(...args: string[]): Promise<Finished> {
    const { server } = await binaries();
    return run([server, ...args, "--state-dir", this.stateDir], { env: this.ownerEnv });
  }

  /** Stop the server, do something, and start it again on the same port. */
  async restart(between: () => unknown = () => {}, ...args: string[]): Promise<void> {
    const { port } = this.server;
    this.server.signal("SIGTERM");
    await this.server.exited();
    await between();
    await this.server[Symbol.asyncDispose]();
    const trace = this.traceTo === undefined ? {} : { COMMSERVER_TRACE: this.traceTo };
    const options = { stateDir: this.stateDir, env: { ...this.ownerEnv, ...trace } };
    this.server = await ServerProcess.start([...this.#args, "--port", `${port}`, ...args], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** The error of a command with --json. */
export function errorOf({ stderr }: Finished): { code: string; message: string; exit: number } {
  const line = stderr.split("\n").find((text) => text.startsWith('{"error"'));
  if (line === undefined) throw new Error(`no error in ${JSON.stringify(stderr)}`);
  return JSON.parse(line).error;
}

/** The files below `folder`, except marks of state folders: their contents, and their modes. */
export function filesBelow(folder: string): { name: string; mode: number; text: string }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== ".commserver-state")
    .map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return {
        name: file.slice(folder.length + 1),
        mode: statSync(file).mode & 0o777,
        text: readFileSync(file, "latin1"),
      };
    });
}
