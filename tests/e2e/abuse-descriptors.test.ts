/** A server, or a client, that may have few files open at once: nobody waits in vain, and nothing spins. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { EXIT_OF } from "../../lib/cli/exit-codes.ts";
import { Client } from "../../lib/client/client.ts";
import { Operator } from "../../lib/client/operator.ts";
import { parseInvite } from "../../lib/protocol/invite.ts";
import { systemClock } from "../../lib/session/clock.ts";
import type { Address } from "../../lib/transport/address.ts";
import { connect } from "../../lib/transport/socket.ts";
import { processorSeconds, runClient, ServerProcess } from "../support/processes.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const FEW = 32;
const CLIENTS = 30;
const MB = 1_048_576;

class Site implements AsyncDisposable {
  readonly folder: TempFolder;
  readonly server: ServerProcess;
  readonly #security: string;
  readonly #peers: RawPeer[] = [];

  private constructor(folder: TempFolder, server: ServerProcess, security: string) {
    this.folder = folder;
    this.server = server;
    this.#security = security;
  }

  static async open(security: string, ...args: string[]): Promise<Site> {
    const folder = new TempFolder();
    mkdirSync(folder.join("repo"));
    writeFileSync(folder.join("repo/a.txt"), "alpha");
    const flags = ["-r", folder.join("repo"), ...(security === "plain" ? ["--plaintext"] : []), ...args];
    return new Site(folder, await ServerProcess.start(flags, { openFiles: FEW }), security);
  }

  async client(address?: Address): Promise<Client> {
    const trust = this.#security === "tls" && address === undefined ? { verify() {} } : undefined;
    const at = address ?? ({ kind: "tcp", host: "127.0.0.1", port: this.server.port } as const);
    const transport = await connect(at, { timeoutMs: 20_000, trust });
    const { token } = parseInvite(this.server.events[0]?.["invite"]);
    const options = { transport, clock: systemClock, agent: "honest", wait: false, timeoutMs: 20_000 };
    return Client.connect(address === undefined ? { ...options, token } : options);
  }

  /** Connections that say nothing. */
  async silence(count: number): Promise<void> {
    for (let index = 0; index < count; index++) this.#peers.push(await RawPeer.connect(this.server.port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) peer.abort();
    await this.server[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

// Limits and processor time are those of Linux.
describe.skipIf(process.platform !== "linux").each(["plain", "tls"])(
  "over %s, a server of 32 descriptors",
  (security) => {
    test("and 30 silent connections does nothing while nothing is to do, says what it lacks, and lets in who comes, and operators", async () => {
      await using site = await Site.open(security);
      await site.silence(CLIENTS);
      const before = processorSeconds(site.server.pid);
      await Bun.sleep(3_000);
      const used = processorSeconds(site.server.pid) - before;
      console.log(`${security}: ${used.toFixed(2)} s of processor time in 3 s`);
      // It was a whole core: accept() failed, and was tried again.
      expect(used).toBeLessThan(0.5);
      for (let round = 0; round < 5; round++) {
        await site.silence(10);
        const client = await site.client();
        expect((await client.send(`round ${round}`)).text).toBe(`round ${round} ACK`);
        await client.close();
      }
      const operator = new Operator(await site.client({ kind: "unix", path: `${site.server.stateDir}/operator.sock` }));
      expect((await operator.client.status()).seats.max).toBe(site.server.events[0]?.["maxClients"]);
      await operator.client.close();
      const { message } = await site.server.event("warning");
      expect(message).toStartWith("Only 32 files may be open at once, too few for 3 seats and 16 waiting clients");
      expect(readdirSync(`/proc/${site.server.pid}/fd`).length).toBeLessThan(FEW);
    });

    test("answers 30 clients that come at once, each at once, and has all its seats taken by those who come again", async () => {
      await using site = await Site.open(security, "--max-clients", "64");
      const seats = site.server.events[0]?.["maxClients"] as number;
      expect(seats).toBeLessThan(FEW / 2);
      const outcomes = await Promise.allSettled(Array.from({ length: CLIENTS }, () => site.client()));
      const clients = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
      const codes = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.code] : []));
      expect(clients.length).toBeGreaterThan(0);
      // The others are cut off, at once: there are no words before TLS, and a reset may overtake them.
      const known = ["SERVER_FULL", "UNAVAILABLE", "CANNOT_CONNECT", "LOST", "TLS_FAILED"];
      for (const code of codes) expect(known).toContain(code);
      while (clients.length < seats) clients.push(await until(() => site.client().catch(() => undefined)));
      for (const client of clients) expect((await client.send("in")).text).toBe("in ACK");
      await expect(site.client()).rejects.toMatchObject({ code: "SERVER_FULL" });
      await Promise.all(clients.map((client) => client.close()));
    });
  },
);

describe.skipIf(process.platform !== "linux")("files and folders through few descriptors", () => {
  function makeTree(folder: TempFolder): void {
    mkdirSync(folder.join("tree/deep"), { recursive: true });
    for (let index = 0; index < 12; index++)
      writeFileSync(folder.join(`tree/large${index}`), Buffer.alloc(2 * MB, index));
    for (let index = 0; index < 60; index++) writeFileSync(folder.join(`tree/deep/small${index}`), `${index}`);
  }

  test("a server of 32 takes a tree: what it has no descriptor for it refuses with OVERLOADED, and the client offers it again", async () => {
    await using site = await Site.open("tls", "--writable");
    makeTree(site.folder);
    const env = { COMMSERVER_INVITE: site.server.events[0]?.["invite"], XDG_STATE_HOME: site.folder.join("home") };
    const command = ["put", "tree", "-s", site.server.address, "--accept-new", "--json"];
    const token = parseInvite(env.COMMSERVER_INVITE).token;
    const put = () =>
      runClient(command, {
        cwd: site.folder.path,
        env: { COMMSERVER_TOKEN: `${token.name}:${token.secret}`, XDG_STATE_HOME: env.XDG_STATE_HOME },
      });
    const exits: number[] = [];
    while (exits.at(-1) !== 0) {
      const { exitCode, stdout } = await put();
      const codes = [...stdout.matchAll(/"code":"([A-Z_]+)"/g)].map(([, code]) => code);
      expect(codes.filter((code) => code !== "OVERLOADED")).toEqual([]);
      expect([0, EXIT_OF.OVERLOADED]).toContain(exitCode);
      exits.push(exitCode);
      // Once where the machine is not very slow.
      expect(exits.length).toBeLessThan(5);
    }
    expect(readdirSync(site.folder.join("repo/tree/deep"))).toHaveLength(60);
    expect(readdirSync(site.folder.join("repo/tree")).sort()).toEqual(readdirSync(site.folder.join("tree")).sort());
  });

  test("a client of 18 fetches and sends a tree whole", async () => {
    using folder = new TempFolder();
    makeTree(folder);
    mkdirSync(folder.join("here"));
    mkdirSync(folder.join("repo"));
    await using server = await ServerProcess.start(["-r", folder.join("repo"), "--writable", "--plaintext"]);
    const { name, secret } = parseInvite(server.events[0]?.["invite"]).token;
    const env = { COMMSERVER_TOKEN: `${name}:${secret}`, XDG_STATE_HOME: folder.join("home") };
    const run = (command: string, cwd: string) =>
      runClient([command, "tree", "-s", server.address, "--plaintext"], { cwd, env, openFiles: 18 });
    expect(await run("put", folder.path)).toMatchObject({ exitCode: 0 });
    expect(await run("get", folder.join("here"))).toMatchObject({ exitCode: 0 });
    for (const below of ["tree", "tree/deep"]) {
      expect(readdirSync(folder.join("here", below)).sort()).toEqual(readdirSync(folder.join(below)).sort());
    }
  });
});
