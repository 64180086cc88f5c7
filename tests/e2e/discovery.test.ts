/** Servers that announce themselves, over a network of the test's own; Avahi is the judge of what they say. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Avahi, missingAvahi } from "../support/avahi.ts";
import { binaries } from "../support/binaries.ts";
import { describeNetwork, Network, removeNetworks, SERVER_HOST } from "../support/netns.ts";
import { type Finished, run } from "../support/processes.ts";
import { Program } from "../support/program.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const TYPE = "_commserver._tcp";
const CLIENT_HOST = "10.83.0.2";

beforeAll(async () => {
  await binaries();
}, 180_000);

afterAll(removeNetworks);

const noAvahi = missingAvahi();
if (noAvahi !== undefined && !process.env["CI"])
  console.warn(`tests of announcements with Avahi are skipped: ${noAvahi}.`);
const testAvahi = test.skipIf(noAvahi !== undefined && !process.env["CI"]);

/** A network with a server at one end, and a user who knows none at the other. */
class Site implements AsyncDisposable {
  readonly network: Network;
  readonly #folder = new TempFolder();
  readonly #servers: Program[] = [];

  private constructor(network: Network) {
    this.network = network;
    writeTree(this.#folder.join("repository"), { "a.txt": "alpha" });
  }

  static async make(): Promise<Site> {
    return new Site(await Network.make());
  }

  /** A server on a machine called lab, and the event of its start. */
  async serve(name: string, ...flags: string[]): Promise<{ program: Program; started: Record<string, any> }> {
    const { server } = await binaries();
    const places = ["-r", this.#folder.join("repository"), "--state-dir", this.#folder.join(`state-${name}`)];
    const script = 'hostname lab && exec "$@"';
    const command = [
      "unshare",
      "--uts",
      "sh",
      "-c",
      script,
      "sh",
      server,
      "--port",
      "0",
      "--json",
      ...places,
      ...flags,
    ];
    const env = { PATH: process.env["PATH"] ?? "", XDG_STATE_HOME: this.#folder.join("owner") };
    const program = new Program(this.network.atServer(...command), { env });
    this.#servers.push(program);
    return { program, started: await program.event("listening") };
  }

  operate(name: string, ...command: string[]): Promise<Finished> {
    return binaries().then(({ server }) =>
      run([server, "console", ...command, "--state-dir", this.#folder.join(`state-${name}`)]),
    );
  }

  async client(...args: string[]): Promise<Finished> {
    const { client } = await binaries();
    return run(this.network.atClient(client, ...args), { env: { XDG_STATE_HOME: this.#folder.join("user") } });
  }

  /** What `find` has found, for programs. */
  async found(): Promise<Record<string, any>[]> {
    const { exitCode, stdout } = await this.client("find", "--listen", "2", "--json");
    return exitCode === 0 ? JSON.parse(stdout) : [];
  }

  /** As found(), when it is what it shall be: an announcement takes a second or two. */
  foundOnce(fits: (found: Record<string, any>[]) => boolean): Promise<Record<string, any>[]> {
    return until(async () => {
      const found = await this.found();
      return fits(found) ? found : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
    await this.network[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

describeNetwork("a server with --announce", () => {
  test("is found, with name, address, identity and seats; without it, it is not", async () => {
    await using site = await Site.make();
    await site.serve("quiet");
    const { started } = await site.serve("a", "--announce", "--max-clients", "7");
    expect(started["announced"]).toBe("lab");
    const [server, ...others] = await site.foundOnce((found) => found.length > 0);
    expect(others).toEqual([]);
    const address = `${SERVER_HOST}:${started["port"]}`;
    expect(server).toMatchObject({ name: "lab", tls: true, fingerprint: started["fingerprint"], seats: 7, known: [] });
    expect(server?.["addresses"][0]).toBe(address);
    expect(server?.["connect"]).toStartWith(`commserver-client --server ${address}`);
    const shown = await site.client("find");
    expect(shown.exitCode).toBe(0);
    expect(shown.stdout).toContain(`lab   ${address}`);
    expect(shown.stdout).toContain(started["fingerprint"]);
    expect(shown.stderr).toContain("commserver-client join INVITE");
  }, 180_000);

  test("is shown as known once it was joined, and one that takes its name is warned of", async () => {
    await using site = await Site.make();
    const { program, started } = await site.serve("a", "--announce");
    expect((await site.client("join", started["invite"])).exitCode).toBe(0);
    const [known] = await site.foundOnce((found) => found.length > 0);
    expect(known).toMatchObject({ name: "lab", known: ["lab"] });
    expect(known?.["connect"]).toBe("commserver-client --server lab");
    program.signal("SIGTERM");
    await program.ended();
    const imitator = await site.serve("b", "--announce");
    const [other] = await site.foundOnce((found) => found.length > 0);
    expect(other).toMatchObject({ name: "lab", known: [], differs: { name: "lab", identity: started["fingerprint"] } });
    expect(other).not.toHaveProperty("connect");
    const { exitCode, stdout, stderr } = await site.client("find");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("NOT AS KNOWN");
    expect(stderr).toContain("Warning: lab is not the server known as lab");
    expect(stderr).toContain(imitator.started["fingerprint"]);
    expect(stderr).not.toContain("--server");
  }, 180_000);

  test("is not found any more when it stops, is killed, or drains; and again when it admits clients", async () => {
    await using site = await Site.make();
    const [stopped, killed] = [await site.serve("a", "--announce"), await site.serve("b", "--announce")];
    await site.serve("c", "--announce", "--announce-name", "Third floor");
    const all = await site.foundOnce((found) => found.length === 3);
    // Two of one name: one of them has been renamed.
    const names = all.map(({ name }) => name);
    expect(names).toContain("lab");
    expect(names).toContain("Third floor");
    expect(names.filter((name) => /^lab \(\w+\)$/.test(name))).toHaveLength(1);
    stopped.program.signal("SIGTERM");
    expect((await stopped.program.ended()).exitCode).toBe(0);
    killed.program.signal("SIGKILL");
    await killed.program.ended();
    expect((await site.found()).map(({ name }) => name)).toEqual(["Third floor"]);
    expect((await site.operate("c", "drain")).exitCode).toBe(0);
    await site.foundOnce((found) => found.length === 0);
    const none = await site.client("find", "--listen", "1", "--json");
    expect(none.exitCode).toBe(6);
    expect(none.stdout).toBe("");
    expect(JSON.parse(none.stderr).error).toMatchObject({ code: "NO_SUCH_SERVER", exit: 6 });
    expect((await site.operate("c", "drain", "off")).exitCode).toBe(0);
    await site.foundOnce((found) => found.length === 1);
  }, 180_000);

  test("is reached by its machine's name, which the system can't look up", async () => {
    await using site = await Site.make();
    const { started } = await site.serve("a", "--announce", "--open");
    await site.foundOnce((found) => found.length > 0);
    const server = ["--server", `lab.local:${started["port"]}`];
    const refused = await site.client("list", ...server);
    expect(refused.exitCode).toBe(5);
    expect(refused.stderr).toContain(`The identity of lab.local:${started["port"]} is not known`);
    const listed = await site.client("list", ...server, "--accept-new");
    expect(listed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("a.txt") });
    expect((await site.client("list", "--server", "nobody.local", "--timeout", "1")).exitCode).toBe(3);
  }, 180_000);

  test("follows its networks: a cable that was out, and another address", async () => {
    await using site = await Site.make();
    await site.network.setLink("down");
    const { started } = await site.serve("a", "--announce");
    await site.network.setLink("up");
    await site.foundOnce((found) => found.length > 0);
    await run(site.network.atServer("ip", "-4", "address", "flush", "dev", "cable"));
    await run(site.network.atServer("ip", "address", "add", "10.83.0.9/24", "dev", "cable"));
    await site.foundOnce(([server]) => server?.["addresses"][0] === `10.83.0.9:${started["port"]}`);
  }, 180_000);

  test("runs on where another program has the port for itself, and warns", async () => {
    await using site = await Site.make();
    const take = `
      const socket = require("node:dgram").createSocket("udp4");
      socket.bind(5353, () => console.log("taken"));`;
    await using taker = new Program(site.network.atServer(process.execPath, "-e", take));
    await taker.hear((line) => line === "taken");
    const { program } = await site.serve("a", "--announce");
    const { message } = await program.event("warning");
    expect(message).toContain("can't be announced on a network: another program has UDP port 5353 for itself");
    expect((await site.operate("a", "status")).exitCode).toBe(0);
  }, 180_000);

  test("that only its own machine reaches is not announced, and says so", async () => {
    await using site = await Site.make();
    await run(site.network.atServer("ip", "link", "set", "lo", "up"));
    const { program, started } = await site.serve("a", "--announce", "--host", "127.0.0.1");
    expect(started["announced"]).toBeNull();
    expect((await program.event("warning"))["message"]).toStartWith("Not announced: the server listens only at");
  }, 180_000);
});

describeNetwork("find", () => {
  test("asks from a port of its own where another program has that of multicast DNS for itself", async () => {
    await using site = await Site.make();
    const take = `
      const socket = require("node:dgram").createSocket("udp4");
      socket.bind(5353, () => console.log("taken"));`;
    await using taker = new Program(site.network.atClient(process.execPath, "-e", take));
    await taker.hear((line) => line === "taken");
    await site.serve("a", "--announce");
    await site.foundOnce((found) => found.length === 1);
  }, 180_000);

  test("on no network says so", async () => {
    await using site = await Site.make();
    await run(site.network.atClient("ip", "link", "set", "cable", "down"));
    const { exitCode, stderr } = await site.client("find", "--listen", "1");
    expect(exitCode).toBe(3);
    expect(stderr).toContain("This machine's networks can't be asked for servers: this machine is on no network.");
  }, 180_000);

  test("and the server withstand a hostile neighbour", async () => {
    await using site = await Site.make();
    const { started } = await site.serve("a", "--announce", "--open");
    await site.foundOnce((found) => found.length === 1);
    const script = join(import.meta.dir, "../support/hostile-neighbour.ts");
    await using neighbour = new Program(site.network.atServer(process.execPath, script, SERVER_HOST));
    await neighbour.hear((line) => line === "ready");
    // So many datagrams come that the answer of the real one may be lost; the next search hears it.
    const stdout = await until(async () => {
      const { exitCode, stdout, stderr } = await site.client("find", "--listen", "4");
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      expect(stdout).not.toMatch(/[\u001b\u202e]/);
      return stdout.includes("lab  ") && stdout.includes("red\\u{1b}[31m\\u{202e}") ? stdout : undefined;
    });
    expect(stdout).not.toContain("127.0.0.1");
    expect(stdout).not.toContain("-rf.local");
    const address = `${SERVER_HOST}:${started["port"]}`;
    expect((await site.client("ping", "--server", address, "--accept-new")).exitCode).toBe(0);
  }, 180_000);
});

describeNetwork("Avahi", () => {
  testAvahi(
    "sees the server come and go, with all that it says, and the name of its machine",
    async () => {
      await using site = await Site.make();
      await using avahi = await Avahi.start(site.network, "judge");
      const browser = avahi.program("avahi-browse", "-p", TYPE);
      const { program, started } = await site.serve("a", "--announce", "--announce-name", "Third floor");
      const name = "Third\\032floor";
      await browser.hear((line) => line.startsWith("+") && line.includes(`;${name};${TYPE};local`));
      const [line] = await until(async () => {
        const lines = await avahi.browse(TYPE);
        return lines.length > 0 ? lines : undefined;
      });
      expect(line).toContain(`;${name};${TYPE};local;lab.local;`);
      expect(line).toContain(`;${started["port"]};`);
      for (const text of ["txtvers=1", "tls=1", `fp=${started["fingerprint"]}`, "seats=3"])
        expect(line).toContain(`"${text}"`);
      program.signal("SIGTERM");
      await browser.hear((line) => line.startsWith("-") && line.includes(`;${name};`));
    },
    180_000,
  );

  testAvahi(
    "on the client's machine shares the port with find, and is found as any other",
    async () => {
      await using site = await Site.make();
      await using avahi = await Avahi.start(site.network, "judge");
      await site.serve("a", "--announce");
      avahi.program("avahi-publish-service", "By Avahi", TYPE, "6060", "txtvers=1", "tls=0", "seats=2");
      const found = await site.foundOnce((found) => found.length === 2);
      expect(found).toMatchObject([
        { name: "By Avahi", tls: false, fingerprint: null, seats: 2 },
        { name: "lab", tls: true },
      ]);
      expect(found[0]?.["addresses"]).toContain(`${CLIENT_HOST}:6060`);
      expect(found[0]?.["connect"]).toContain(" --plaintext");
    },
    180_000,
  );
});

describe("the flags of an announcement", () => {
  test("are checked", async () => {
    const { server } = await binaries();
    const unnamed = await run([server, "--announce-name", "lab"]);
    expect(unnamed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--announce-name needs --announce") });
    const dotted = await run([server, "--announce", "--announce-name", "a.b"]);
    expect(dotted).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("without dots") });
  });
});
