import { rmSync } from "node:fs";
import { Prng } from "../fuzz/prng.ts";
import { Account } from "./account.ts";
import type { ClientFault, ClientRun } from "./client-run.ts";
import type { RunOptions, Way } from "./clients.ts";
import type { Site } from "./site.ts";

/** A folder of the repository that one lane has for itself, with the account of it, and a way to reach the server. */
export class Plot {
  readonly site: Site;
  /** Of the lane, and of its folder in the repository. */
  readonly name: string;
  readonly prng: Prng;
  readonly account = new Account();
  readonly #ways: readonly Way[];
  readonly #token: string;
  #count = 0;

  constructor(site: Site, name: string, options: { ways: readonly Way[]; token?: string }) {
    this.site = site;
    this.name = name;
    this.prng = Prng.of(site.seed, name, 0);
    this.#ways = options.ways;
    this.#token = options.token ?? "default";
  }

  /** Run a client by one of the lane's ways. */
  run(args: readonly string[], options: RunOptions = {}): Promise<ClientRun> {
    const way = this.prng.pick(this.#ways);
    return this.site.clients.run(args, { way, token: this.#token, ...options });
  }

  /** As run(), by the best way there is. */
  runCalmly(args: readonly string[], options: RunOptions = {}): Promise<ClientRun> {
    return this.run(args, { way: "straight", ...options });
  }

  /** A fresh folder of this machine. */
  newFolder(kind: "sent" | "got"): string {
    return this.site.folder("work", this.name, kind, `${++this.#count}`);
  }

  /** A name that nothing here has had. */
  newName(extension: string): string {
    return `f${++this.#count}${extension}`;
  }

  drop(folder: string): void {
    rmSync(folder, { recursive: true, force: true });
  }

  /** Something to do to a client, now and then. */
  someFault(share: number): ClientFault | undefined {
    const { prng } = this;
    if (!prng.chance(share)) return undefined;
    const kind = prng.pick(["kill", "kill", "kill", "stop", "interrupt"] as const);
    // Early: while it connects. Behind its first word: while it moves.
    return prng.chance(0.4)
      ? { kind, afterMs: prng.below(160) }
      : { kind, afterFirstWordMs: prng.below(prng.pick([12, 60, 400])) };
  }

  /** For a transfer that is to be gone on with. */
  killInTheMiddle(): ClientFault | undefined {
    const { prng } = this;
    if (prng.chance(0.2)) return undefined;
    return { kind: prng.pick(["kill", "interrupt"]), afterFirstWordMs: prng.below(25) };
  }

  /** Bytes that the lane has in the repository, as far as that is certain. */
  get bytes(): number {
    const { sizes } = this.site.contents;
    return this.account.certain.reduce((sum, [, state]) => sum + (sizes.get(state) ?? 0), 0);
  }

  find(what: string, detail: string): void {
    this.site.findings.add(what, `${this.name}: ${detail}`);
  }
}
