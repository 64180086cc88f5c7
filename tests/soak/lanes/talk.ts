import type { ClientRun } from "../client-run.ts";
import { Plot } from "../plot.ts";
import type { Site } from "../site.ts";
import type { Lane } from "./lane.ts";

const PATIENCE_MS = 12_000;
/** For what a disturbed link may have lost. */
const HOPE_MS = 2_000;

/** A shell that others talk to: by its name, to all, by the operator; and that talks itself. */
export class TalkLane implements Lane {
  readonly name = "talk";
  readonly #plot: Plot;
  #count = 0;

  constructor(site: Site) {
    this.#plot = new Plot(site, "talk", { ways: ["straight", "ipv6", "weather"] });
  }

  async step(): Promise<void> {
    const { site, prng } = this.#plot;
    const way = prng.pick(["straight", "ipv6", "weather"] as const);
    const shell = site.clients.begin(["shell", "--reconnect", "20"], { way });
    const self = await this.#heard(shell, /^Connected as (\S+)\.$/);
    for (let round = prng.between(1, 5); self !== undefined && round > 0 && !shell.isOver; round--) {
      await this.#exchange(shell, self);
    }
    const end = prng.next();
    if (end < 0.25) {
      shell.fault = "kill";
      shell.signal("SIGKILL");
    } else if (!shell.isOver) {
      shell.say("exit");
    }
    // A shell that was told of something that failed leaves with its code.
    await site.clients.finish(shell, { way, allowed: [4, 3] });
  }

  async settle(): Promise<void> {}

  async #exchange(shell: ClientRun, self: string): Promise<void> {
    const { prng, site } = this.#plot;
    const text = `word ${++this.#count} of ${site.seed}`;
    const kind = prng.below(5);
    if (kind === 0) {
      shell.say(text);
      await this.#expect(shell, `${text} ACK`, shell);
    } else if (kind === 1) {
      await this.#plot.run(["send", text, "--json"]);
    } else if (kind === 2) {
      await site.clients.tell(self, text, { isSure: !this.#isDisturbed(shell) });
      await this.#expect(shell, text, undefined);
    } else {
      const to = kind === 3 ? self.toLowerCase() : "all";
      const run = await this.#plot.run(["send", text, "--to", to, "--json"], { allowed: [6, 3] });
      if (run.code !== 0) return this.#judgeLoss(shell, run);
      const { delivered } = run.json as { delivered: string[] };
      if (delivered.includes(self)) await this.#expect(shell, text, run);
      else if (kind === 3) this.#plot.find("a message that was not delivered", run.lines.join(""));
    }
  }

  /** A name that nobody has is right for a shell that has gone. */
  #judgeLoss(shell: ClientRun, run: ClientRun): void {
    const isExcused = this.#isDisturbed(shell) || run.excuse !== undefined;
    if (!isExcused) this.#plot.find("a message that failed", `${run.args.join(" ")}: ${run.stderr}`);
  }

  /** The shell shows it, unless something is wrong with the link. */
  async #expect(shell: ClientRun, text: string, sender: ClientRun | undefined): Promise<void> {
    const isHeard = (await this.#heard(shell, new RegExp(`(?:^|: )(${text})$`))) !== undefined;
    if (isHeard || this.#isDisturbed(shell)) return;
    const detail = `${text}: ${shell.lines.slice(-6).join("\n")} ${shell.stderr} ${sender?.lines.join("") ?? ""}`;
    this.#plot.find("a message that does not arrive", detail);
  }

  #isDisturbed(shell: ClientRun): boolean {
    const { disturbances, weather } = this.#plot.site;
    const isInWeather = shell.args.some((arg) => arg === `127.0.0.1:${weather.port}`);
    return isInWeather || disturbances.during(shell.startedAt, Date.now()) !== undefined;
  }

  /** What is in the parentheses of the line that fits; undefined when none comes. */
  async #heard(shell: ClientRun, fits: RegExp): Promise<string | undefined> {
    const from = Date.now();
    for (;;) {
      const patienceMs = this.#isDisturbed(shell) ? HOPE_MS : PATIENCE_MS;
      const line = shell.lines.findLast((one) => fits.test(one));
      if (line !== undefined) return fits.exec(line)?.[1];
      if (shell.isOver || Date.now() > from + patienceMs) return undefined;
      await Bun.sleep(15);
    }
  }
}
