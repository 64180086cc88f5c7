import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prng } from "../fuzz/prng.ts";
import { binaries } from "../support/binaries.ts";
import { Clients } from "./clients.ts";
import { Contents } from "./contents.ts";
import { Disturbances } from "./disturbances.ts";
import { EventWatch } from "./event-watch.ts";
import { Findings } from "./findings.ts";
import { LogBook } from "./log-book.ts";
import type { SoakOptions } from "./options.ts";
import { ServerLife } from "./server-life.ts";
import { Tally, Worst } from "./tally.ts";
import { Weather } from "./weather.ts";

export const MAX_CLIENTS = 11;
export const GRACE_SECONDS = 3;

/** A server, its folders, ways to it, and the books that are kept on all of them. */
export class Site implements AsyncDisposable {
  readonly root: string;
  readonly repository: string;
  readonly stateDir: string;
  readonly operations = new Tally();
  readonly faults = new Tally();
  /** How clients ended, and what transfers went through. */
  readonly outcomes = new Tally();
  readonly worst = new Worst();
  readonly log = new LogBook();
  readonly disturbances = new Disturbances();
  readonly findings: Findings;
  readonly contents: Contents;
  readonly events: EventWatch;
  readonly weather: Weather;
  readonly server: ServerLife;
  readonly clients: Clients;
  readonly port: number;
  readonly seed: number;
  readonly #endings: (() => void)[] = [];
  /** What can be done at once, when the soak itself is ended. */
  readonly #abandon = (): void => {
    this.server.kill();
    this.clients.killAll();
    for (const end of this.#endings.splice(0)) end();
    rmSync(this.root, { recursive: true, force: true });
  };

  private constructor(options: SoakOptions, programs: { server: string; client: string }) {
    const { seed } = options;
    this.seed = seed;
    this.root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "commserver-soak-"));
    this.repository = this.folder("repository");
    this.stateDir = this.folder("state");
    this.findings = new Findings({ folder: options.keep, log: this.log, seed, print: options.print });
    this.contents = new Contents(seed);
    this.events = new EventWatch(this.findings);
    this.port = freePort();
    this.weather = new Weather(this.port, Prng.of(seed, "weather", 0), this.faults);
    this.server = new ServerLife({
      command: this.#command(programs.server),
      env: { XDG_STATE_HOME: this.folder("server-home") },
      cwd: this.root,
      events: this.events,
      findings: this.findings,
      disturbances: this.disturbances,
      log: this.log,
    });
    this.clients = new Clients(this, programs);
    process.on("exit", this.#abandon);
  }

  static async open(options: SoakOptions): Promise<Site> {
    const site = new Site(options, await binaries());
    try {
      await site.server.start();
      site.writeInvite("default", site.server.invite);
      for (const [name, role] of [
        ["second", "write"],
        ["reader", "read"],
      ] as const) {
        site.writeInvite(name, await site.clients.addToken(name, role));
      }
      return site;
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A folder of the site, made when it is missing. */
  folder(...names: string[]): string {
    const path = join(this.root, ...names);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Done before the folders of the site are removed, however it ends. */
  onEnd(ending: () => void): void {
    this.#endings.push(ending);
  }

  inviteFile(token: string): string {
    return join(this.root, `invite-${token}`);
  }

  writeInvite(token: string, invite: string): void {
    writeFileSync(this.inviteFile(token), invite);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#abandon);
    await this.server.stop();
    this.weather[Symbol.dispose]();
    this.#abandon();
  }

  #command(program: string): string[] {
    const places = [`127.0.0.1:${this.port}`, `[::1]:${this.port}`, `127.0.0.1:${this.weather.port}`];
    const own = ["--port", `${this.port}`, "--json", "--state-dir", this.stateDir, "-r", this.repository, "--writable"];
    const limits = ["--max-clients", `${MAX_CLIENTS}`, "--grace", `${GRACE_SECONDS}`, "--max-waiting", "32"];
    return [program, ...own, ...limits, "--advertise", places.join(",")];
  }
}

/** One that was free a moment ago: the server comes back at it, so it can't be 0. */
function freePort(): number {
  const listener = Bun.listen({ hostname: "::", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
