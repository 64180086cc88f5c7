import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientFault, ClientRun } from "../client-run.ts";
import { unexplained } from "../leftovers.ts";
import { Plot } from "../plot.ts";
import type { Site } from "../site.ts";
import { lookAt, sha256 } from "../tree-digests.ts";
import type { Lane } from "./lane.ts";

const LOG = "growing/server.log";
const COPY = "growing/client.log";
/** It begins anew above this, as a log that is rotated. */
const MAX_BYTES = 6_000_000;
const EVERY_MS = 20;
/** BUSY for so long is no other link that is seen off. */
const MAX_ROUNDS = 40;

/** Fetches and sends logs that grow all the while: what arrives is what was there at one moment. */
export class GrowingLane implements Lane {
  readonly name = "growing";
  readonly plot: Plot;
  readonly #served: Log;
  readonly #sent: Log;
  #hasSent = false;

  constructor(site: Site) {
    this.plot = new Plot(site, "growing", { ways: ["straight", "ipv6", "weather"] });
    this.#served = new Log(join(site.repository, LOG), this.plot);
    this.#sent = new Log(join(this.plot.newFolder("sent"), "client.log"), this.plot);
  }

  async step(): Promise<void> {
    if (this.plot.prng.chance(0.5)) await this.#fetch();
    else await this.#send();
  }

  async settle(): Promise<void> {
    const { account, site } = this.plot;
    account.set(LOG, sha256(this.#served.content));
    for (let rounds = 0; this.#hasSent; rounds++) {
      const run = await this.#put(undefined, true);
      if (run.code === 0) break;
      if (rounds > MAX_ROUNDS) return this.plot.find("a growing file that can't be sent", run.stderr);
      // Another link of ours may still be seen off by the server.
      await Bun.sleep(300);
    }
    if (this.#hasSent) account.set(COPY, sha256(readFileSync(join(site.repository, COPY))));
  }

  async #fetch(): Promise<void> {
    const folder = this.plot.newFolder("got");
    const least = this.#served.begin();
    const fault = this.plot.someFault(0.2);
    // 8: it changes while it moves, and again each time that it begins again.
    const run = await this.plot.run(["get", LOG, "--json"], { cwd: folder, fault, allowed: [8] });
    if (run.code === 8 && !run.isInWeather)
      this.plot.find("a growing file that was refused", `${run.lines.join("\n")}\n${run.stderr}`);
    this.#served.end();
    const { files, unfinished } = lookAt(folder);
    if (files.has("server.log")) this.#judge(this.#served, join(folder, "server.log"), least, run.lines);
    if (run.code === 0 && files.size !== 1) this.plot.find("a growing file that did not come", run.lines.join("\n"));
    const left = run.code === 0 ? unexplained(unfinished, false) : [];
    if (left.length > 0) this.plot.find("unfinished files behind a growing one", left.join(", "));
    this.plot.drop(folder);
  }

  async #send(): Promise<void> {
    const least = this.#sent.begin();
    this.#hasSent = true;
    const run = await this.#put(this.plot.someFault(0.2), false);
    this.#sent.end();
    const isDone = run.events.some(({ event, kind }) => event === "done" && kind === "file");
    if (isDone) return this.#judge(this.#sent, join(this.plot.site.repository, COPY), least, run.lines);
    if (run.code === 8 && !run.lines.join("\n").includes("BUSY")) {
      this.plot.find("a growing file that was refused", `${run.lines.join("\n")}\n${run.stderr}`);
    }
  }

  /** 8: the server has not seen off yet the link of the one that was killed before. */
  #put(fault: ClientFault | undefined, isCalm: boolean): Promise<ClientRun> {
    const args = ["put", this.#sent.file, "--to", "growing", "--overwrite", "--json"];
    const options = { fault, allowed: [8] };
    return isCalm ? this.plot.runCalmly(args, options) : this.plot.run(args, options);
  }

  /** What has arrived is the beginning of the log, and at least what was there when the command began. */
  #judge(log: Log, file: string, least: number, lines: readonly string[]): void {
    const arrived = readFileSync(file);
    const isBeginning = log.content.subarray(0, arrived.length).equals(arrived);
    if (isBeginning && arrived.length >= least) return;
    const detail = `${arrived.length} bytes of ${log.content.length}, at least ${least}: ${lines.join("\n")}`;
    this.plot.find("a growing file that arrived as it never was", detail);
  }
}

/** A file to which somebody writes line after line. */
class Log {
  readonly file: string;
  readonly #plot: Plot;
  #lines = 0;
  #writing: ReturnType<typeof setInterval> | undefined;

  constructor(file: string, plot: Plot) {
    this.file = file;
    this.#plot = plot;
    mkdirSync(join(file, ".."), { recursive: true });
    this.#beginAnew();
  }

  get content(): Buffer {
    return readFileSync(this.file);
  }

  /** @returns bytes that are there now */
  begin(): number {
    if (this.content.length > MAX_BYTES) this.#beginAnew();
    this.#grow();
    this.#writing = setInterval(() => this.#grow(), EVERY_MS);
    return this.content.length;
  }

  end(): void {
    clearInterval(this.#writing);
  }

  #beginAnew(): void {
    rmSync(this.file, { force: true });
    writeFileSync(this.file, "");
    for (let bytes = this.#plot.prng.between(100_000, 3_000_000); bytes > 0; bytes -= this.#grow());
  }

  /** @returns bytes that came */
  #grow(): number {
    const line = `${++this.#lines} ${"of this log ".repeat(this.#plot.prng.below(400))}\n`;
    appendFileSync(this.file, line);
    return line.length;
  }
}
