import { type ClientFault, ClientRun } from "./client-run.ts";
import type { Site } from "./site.ts";
import { Window } from "./window.ts";

/** How a client reaches the server. */
export type Way = "straight" | "ipv6" | "weather";

export interface RunOptions {
  readonly way?: Way;
  /** Whose invite it comes with. */
  readonly token?: string;
  readonly cwd?: string;
  readonly fault?: ClientFault | undefined;
  /** Exit codes that are right, 0 beside them always; those of faults that hit it are added. */
  readonly allowed?: readonly number[];
  /** Leave a full server at once. */
  readonly isImpatient?: boolean;
}

/** No command takes longer, however often it comes back. */
const LONGEST_MS = 150_000;
const CONSOLE_MS = 40_000;
/** What no program of ours ever says, whatever is done to it. */
export const DEFECT =
  /UNEXPECTED|unexpected|This is a defect|panic|Segmentation|(?:Type|Range|Reference|Syntax|Assertion)Error|^\s+at .+:\d+/m;

/** Runs the compiled programs, and judges how they end. */
export class Clients {
  readonly #site: Site;
  readonly #programs: { server: string; client: string };
  readonly #running = new Set<ClientRun>();
  readonly #env: Record<string, string>;
  #count = 0;

  constructor(site: Site, programs: { server: string; client: string }) {
    this.#site = site;
    this.#programs = programs;
    this.#env = { XDG_STATE_HOME: site.folder("client-home") };
  }

  get running(): number {
    return this.#running.size;
  }

  /** Start a client, without waiting for it. */
  begin(args: readonly string[], options: RunOptions = {}): ClientRun {
    const { way = "straight", cwd = this.#site.root, fault } = options;
    const { weather } = this.#site;
    const words = this.#words(args, options);
    const run = new ClientRun(this.#programs.client, words, { cwd, env: this.#env, fault });
    run.isInWeather = way === "weather" && !weather.isCalm;
    this.#running.add(run);
    this.#site.operations.add(args[0] ?? "");
    return run;
  }

  /** Open a window with a client in it; `isDeaf`: SIGHUP is ignored there. */
  openWindow(args: readonly string[], { isDeaf, ...options }: RunOptions & { isDeaf: boolean }): Window {
    const command = [this.#programs.client, ...this.#words(args, options)];
    const wrapped = isDeaf ? ["sh", "-c", `trap '' HUP; exec "$@"`, "sh", ...command] : command;
    this.#site.operations.add("window");
    return new Window(wrapped, { cwd: options.cwd ?? this.#site.root, env: this.#env });
  }

  /** Run one to its end, and judge that. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<ClientRun> {
    const run = this.begin(args, options);
    await this.finish(run, options);
    return run;
  }

  /** Wait for the end of one that was begun, and judge it. */
  async finish(run: ClientRun, options: RunOptions = {}): Promise<void> {
    const { findings, faults, log, worst } = this.#site;
    const isInTime = await run.ended(LONGEST_MS);
    this.#running.delete(run);
    run.excuse = this.#excuseOf(run);
    const told = `#${++this.#count} ${tell(run, options)}`;
    log.add("clients", told);
    worst.note(`longest ${run.args[0]} (s)`, (run.endedAt - run.startedAt) / 1000);
    if (run.fault !== undefined) faults.add(`client ${run.fault}`);
    this.#tally(run);
    if (!isInTime) return findings.add("a client that does not end", told);
    if (DEFECT.test(run.stderr)) findings.add("a defect in a client's words", told);
    if (!this.#isRight(run, options)) findings.add("an exit code that is not right", told);
  }

  /** A command of the operator's, through the socket. @returns its standard output */
  async console(...words: string[]): Promise<string> {
    return this.#serverCommand(["console", ...words]);
  }

  /** Words of the operator's to a client, whose link may be lost (3), and who may have left (6). */
  async tell(name: string, text: string, { isSure }: { isSure: boolean }): Promise<void> {
    await this.#serverCommand(["console", `@${name} ${text}`], isSure ? [] : [3, 6]);
  }

  /** @returns the invite */
  async addToken(name: string, role: string): Promise<string> {
    const told = await this.#serverCommand(["token", "add", name, "--role", role, "--json"]);
    return String(JSON.parse(told).invite);
  }

  async revokeToken(name: string): Promise<void> {
    await this.#serverCommand(["token", "revoke", name]);
  }

  killAll(): void {
    for (const run of this.#running) run.signal("SIGKILL");
  }

  #words(args: readonly string[], { way = "straight", token = "default", isImpatient }: RunOptions): string[] {
    const { port, weather } = this.#site;
    const address = { straight: `127.0.0.1:${port}`, ipv6: `[::1]:${port}`, weather: `127.0.0.1:${weather.port}` }[way];
    const patience = isImpatient ? [] : ["--wait"];
    return [...args, "-s", address, "--invite-file", this.#site.inviteFile(token), ...patience];
  }

  #tally(run: ClientRun): void {
    const { outcomes } = this.#site;
    outcomes.add(`exit ${run.code}`);
    if (run.args[0] !== "get" && run.args[0] !== "put") return;
    for (const { event, present, outcome } of run.events) {
      if (event === "started" && Number(present) > 0) outcomes.add("resumed");
      if (event === "restarted") outcomes.add("restarted");
      if (event === "done") outcomes.add(String(outcome));
    }
  }

  #excuseOf(run: ClientRun): string | undefined {
    if (run.fault !== undefined) return `client ${run.fault}`;
    if (run.isInWeather) return "weather";
    return this.#site.disturbances.during(run.startedAt, run.endedAt);
  }

  #isRight(run: ClientRun, options: RunOptions): boolean {
    const { allowed = [], isImpatient } = options;
    const codes = [0, ...allowed];
    if (run.excuse !== undefined) codes.push(3);
    if (run.fault === "kill") codes.push(137);
    // 128: by the signal itself, as the program had not got so far as to take it.
    if (run.fault === "interrupt") codes.push(130, 128);
    if (isImpatient) codes.push(4);
    return codes.includes(run.code);
  }

  async #serverCommand(words: readonly string[], allowed: readonly number[] = []): Promise<string> {
    const { root, stateDir, operations, log, findings, disturbances } = this.#site;
    const run = new ClientRun(this.#programs.server, [...words, "--state-dir", stateDir], {
      cwd: root,
      env: this.#env,
    });
    operations.add(words[0] ?? "");
    await run.ended(CONSOLE_MS);
    log.add("clients", tell(run, {}));
    const isExcused = disturbances.during(run.startedAt, run.endedAt) !== undefined;
    if (run.code !== 0 && !allowed.includes(run.code) && !isExcused)
      findings.add("an operator's command that fails", tell(run, {}));
    return run.lines.join("\n");
  }
}

function tell(run: ClientRun, { way = "straight", token = "default" }: RunOptions): string {
  const took = `${new Date(run.startedAt).toISOString()} + ${run.endedAt - run.startedAt} ms`;
  const words = run.args.map((word) => (/[\s*"]/.test(word) ? JSON.stringify(word) : word)).join(" ");
  const end = `exit ${run.code}${run.fault === undefined ? "" : ` (${run.fault})`}`;
  const lines = run.lines.length > 12 ? [...run.lines.slice(0, 4), "…", ...run.lines.slice(-7)] : run.lines;
  return `${took}: ${words} [${way}, ${token}] ${end}\n    ${[...lines, run.stderr.trimEnd()].join("\n    ")}`;
}
