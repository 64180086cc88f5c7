import { join } from "node:path";
import { missingOf, type PeerOptions } from "../peers/peer.ts";
import type { OpenWebServer, WebServer } from "../peers/web-server.ts";
import type { Comparison, Goal } from "../support/comparison.ts";
import type { Command } from "../support/family.ts";
import { type Run, runClient } from "../support/run-client.ts";
import { digest } from "../support/sample-data.ts";
import { type Contestant, inOneLine, inTurns } from "../support/turns.ts";
import { Skipped, type Workspace } from "../support/workspace.ts";
import { type Runs, rowsOf } from "./moves.ts";
import type { TransferContext } from "./transfer.ts";

/** A program and the server that it fetches from or sends to. */
export interface WebContestant {
  readonly name: string;
  readonly ours?: true;
  readonly server: WebServer;
  command(server: OpenWebServer): Command;
}

export interface WebTurns extends Pick<PeerOptions, "workspace"> {
  readonly contestants: readonly WebContestant[];
  /** Programs that all of them need. */
  readonly clients: readonly string[];
  readonly writable?: boolean;
  /** The target: emptied before each run, and compared once. */
  readonly arrival?: { readonly folder: string; readonly name: string; readonly sameAs: string };
  readonly rounds?: number;
  readonly warmUp?: boolean;
}

/**
 * Run all contestants in turn, once per round. A contestant whose server is missing has a reason instead of runs.
 *
 * @throws Skipped when a program is missing that all of them need
 */
export async function measureWeb(context: TransferContext, turns: WebTurns): Promise<Runs[]> {
  const { workspace, contestants, clients, writable = false, arrival } = turns;
  const { rounds = context.rounds, warmUp = true } = turns;
  const missing = missingOf(...clients);
  if (missing.length > 0) throw new Skipped(`${missing.join(", ")} not found on this machine`);
  await using servers = new OpenServers({ workspace, programs: context.programs, writable });
  const expected = arrival && (await digest(arrival.sameAs));
  const entrants: Contestant<Run>[] = [];
  const absent = new Map<string, string>();
  for (const { name, server, command } of contestants) {
    const open = await servers.open(server);
    if ("absent" in open) {
      context.note(`${name}: ${open.absent}`);
      absent.set(name, open.absent);
      continue;
    }
    const run = async (round: number) => {
      if (arrival !== undefined) workspace.empty(arrival.folder);
      const done = await runClient(command(open), { home: workspace.home, server: open.pid });
      const isFirst = round === (warmUp ? 0 : 1);
      if (arrival !== undefined && isFirst && (await digest(join(arrival.folder, arrival.name))) !== expected) {
        throw new Error("what arrived is not what was sent");
      }
      return done;
    };
    entrants.push({ name, run });
  }
  const results = await inTurns(entrants, { rounds, warmUp, note: context.note });
  if (arrival !== undefined) workspace.empty(arrival.folder);
  return contestants.map(({ name, ours }): Runs => {
    const result = results.get(name) ?? { absent: absent.get(name) ?? "" };
    return { name, ...(ours && { ours }), ...(Array.isArray(result) ? { runs: result } : result) };
  });
}

/** Servers that are started when first needed. */
export class OpenServers implements AsyncDisposable {
  readonly #options: Pick<PeerOptions, "workspace" | "programs" | "writable">;
  readonly #servers = new Map<WebServer, OpenWebServer | { absent: string }>();

  constructor(options: { workspace: Workspace; programs: PeerOptions["programs"]; writable: boolean }) {
    this.#options = options;
  }

  async open(server: WebServer): Promise<OpenWebServer | { absent: string }> {
    const known = this.#servers.get(server);
    if (known !== undefined) return known;
    const open = await this.#start(server);
    this.#servers.set(server, open);
    return open;
  }

  async #start(server: WebServer): Promise<OpenWebServer | { absent: string }> {
    const missing = server.missing();
    if (missing.length > 0) return { absent: `skipped: ${missing.join(", ")} not found on this machine` };
    try {
      return await server.open(this.#options);
    } catch (error) {
      return { absent: `failed: ${inOneLine(error)}` };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.values()) if (!("absent" in server)) await server[Symbol.asyncDispose]();
  }
}

/** Time from the start of the program to its end. */
export function timeOf(runs: readonly Runs[], goals: readonly Goal[]): Comparison {
  return { what: "time", unit: "s", better: "lower", rows: rowsOf(runs, ({ seconds }) => seconds), goals };
}

/** Processor time for each GiB, of both ends. `goals` are the server's. */
export function processorOf(runs: readonly Runs[], bytes: number, goals: readonly Goal[]): Comparison[] {
  const kind = { unit: "CPU s/GiB", better: "lower" } as const;
  const perGib = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds / (bytes / 1024 ** 3));
  const [server, client] = [rowsOf(runs, (run) => perGib(run.serverCpu)), rowsOf(runs, (run) => perGib(run.clientCpu))];
  return [
    { what: "server's processor time", ...kind, rows: server, goals },
    { what: "client's processor time", ...kind, rows: client },
  ];
}
