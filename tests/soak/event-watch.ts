import type { Findings } from "./findings.ts";
import { Tally } from "./tally.ts";

/** Reads the server's events: nothing may fail or warn, names are given once, and who has joined leaves. */
export class EventWatch {
  readonly counts = new Tally();
  /** Names of sessions that have joined and not left. */
  readonly #live = new Set<string>();
  readonly #findings: Findings;
  #highest = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  get live(): readonly string[] {
    return [...this.#live];
  }

  note(event: Record<string, unknown>): void {
    const kind = String(event["event"]);
    const name = String(event["name"]);
    this.counts.add(kind);
    const wrong = (what: string) => this.#findings.add(what, JSON.stringify(event));
    // Disks that are full and rights that are missing are the weather; what the server can't account for is a finding.
    const isDefect = kind === "failed" && ["UNEXPECTED", "INTERNAL", "DISK_FAILED"].includes(String(event["code"]));
    if (isDefect || kind === "warning") wrong(`event ${kind}`);
    if (name === "Operator") return;
    if (kind === "joined") {
      const number = Number(/^Client(\d+)$/.exec(name)?.[1]);
      if (!(number > this.#highest)) wrong("a name that was given before");
      this.#highest = number;
      this.#live.add(name);
    } else if (kind === "left" && !this.#live.delete(name)) {
      wrong("somebody has left who was not there");
    } else if (kind === "left") {
      const reason = String(event["reason"]);
      this.counts.add(`left: ${reason}`);
      if (reason === "protocol error" || reason === "idle" || reason === "kicked") wrong(`left by ${reason}`);
    }
  }

  /** The server was killed, and with it all sessions. */
  forgetAll(): void {
    this.#live.clear();
  }
}
