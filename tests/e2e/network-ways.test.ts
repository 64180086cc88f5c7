import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { binaries } from "../support/binaries.ts";
import { describeNetwork, Network, removeNetworks, SERVER_HOST } from "../support/netns.ts";
import { run } from "../support/processes.ts";
import { OPEN_FLAGS, Program, serverCommand } from "../support/program.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

beforeAll(async () => {
  await binaries();
}, 180_000);

afterAll(removeNetworks);

async function status(network: Network, address: string, ...flags: string[]) {
  const { client } = await binaries();
  const command = [client, "status", "--server", address, "--accept-new", ...flags];
  return run(network.atClient(...command));
}

/** The link-local address of the server's end, when both ends have looked whether theirs is taken. */
async function linkLocal(network: Network): Promise<string> {
  await linkLocalOf((...command) => network.atClient(...command));
  return linkLocalOf((...command) => network.atServer(...command));
}

function linkLocalOf(at: (...command: string[]) => string[]): Promise<string> {
  return until(async () => {
    const { stdout } = await run(at("ip", "-6", "-o", "address", "show", "dev", "cable", "scope", "link"));
    return stdout.includes("tentative") ? undefined : /inet6 (fe80:[^/]+)\//.exec(stdout)?.[1];
  });
}

describeNetwork("a server that can't be reached is told in the words of what is the matter:", () => {
  const routes = (network: Network, ...args: string[]) => run(network.atClient("ip", "route", "add", ...args));

  test("nobody listens, no way to the network or the host, a forbidden or a dead one", async () => {
    await using network = await Network.make();
    await linkLocal(network);
    await routes(network, "unreachable", "198.51.100.0/25");
    await routes(network, "prohibit", "198.51.100.128/26");
    await routes(network, "blackhole", "198.51.100.192/26");
    const cases = [
      [SERVER_HOST, "nobody listens there"],
      ["203.0.113.1", "this machine has no route to that network"],
      ["2001:db8::1", "this machine has no route to that network"],
      ["198.51.100.1", "this machine has no route to that host"],
      ["198.51.100.129", "this machine's network forbids it"],
      ["198.51.100.193", "this machine's routes lead nowhere for that address"],
      ["fe80::1%nosuch", "nosuch"],
    ] as const;
    const outcomes = await Promise.all(
      cases.map(async ([host, words]) => {
        const address = host.includes(":") ? `[${host}]:5050` : `${host}:5050`;
        const { exitCode, stderr } = await status(network, address);
        return {
          host,
          exitCode,
          isTold: stderr.includes(`Cannot connect to ${address}: `) && stderr.includes(words),
          stderr,
        };
      }),
    );
    for (const outcome of outcomes) expect(outcome).toMatchObject({ exitCode: 3, isTold: true });
  }, 180_000);

  test("a host that does not answer to its address, which Bun tells as a refusal after three seconds", async () => {
    await using network = await Network.make();
    // Not every kernel gives up so soon: then the client's own time is what ends it.
    const script = `
      const { cannotConnect } = await import(${JSON.stringify(join(import.meta.dir, "../../lib/transport/connect-fault.ts"))});
      const cause = Object.assign(new Error("Failed to connect"), { code: "ECONNREFUSED" });
      for (const ms of [10, 3_070]) {
        const { message } = await cannotConnect({ kind: "tcp", host: "10.83.0.77", port: 5050 }, cause, ms);
        console.log(message);
      }`;
    const { stdout } = await run(network.atClient(process.execPath, "-e", script));
    expect(stdout.split("\n").slice(0, 2)).toEqual([
      "Cannot connect to 10.83.0.77:5050: nobody listens there.",
      "Cannot connect to 10.83.0.77:5050: the host does not answer.",
    ]);
  }, 180_000);

  test("a network that is down", async () => {
    await using network = await Network.make();
    await run(network.atClient("ip", "link", "set", "cable", "down"));
    const { exitCode, stderr } = await status(network, `${SERVER_HOST}:5050`);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("this machine has no route to that network");
  }, 180_000);

  test("a link-local address that says no interface, where there is none to look for it", async () => {
    await using network = await Network.make();
    await run(network.atClient("ip", "link", "set", "cable", "down"));
    const { exitCode, stderr } = await status(network, "[fe80::1]:5050");
    expect(exitCode).toBe(3);
    expect(stderr).toContain("it is a link-local address, and needs the network interface: [fe80::1%eth0]");
    const { server } = await binaries();
    using folder = new TempFolder();
    const started = await run([server, "--host", "fe80::1", "-r", folder.path, "--state-dir", folder.join("state")]);
    expect(started.exitCode).toBe(10);
    expect(started.stderr).toContain("needs the network interface: fe80::1%eth0");
  }, 180_000);
});

describeNetwork("link-local addresses", () => {
  test("are listened at as [ADDRESS%INTERFACE], and reached with the interface or without", async () => {
    await using network = await Network.make();
    using folder = new TempFolder();
    writeTree(folder.join("repository"), { a: "x" });
    const host = await linkLocal(network);
    const command = await serverCommand(folder.join("state"), folder.join("repository"), "--host", `[${host}%cable]`);
    await using server = new Program(network.atServer(...command), { cwd: folder.path });
    const { port } = await server.event("listening");
    for (const address of [`[${host}%cable]:${port}`, `[${host}]:${port}`]) {
      const { exitCode, stdout, stderr } = await status(network, address);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      expect(stdout).toContain("You are Client");
    }
  }, 180_000);

  test("are in the invite when there are no others, and bring a client to the server", async () => {
    await using network = await Network.make();
    using folder = new TempFolder();
    writeTree(folder.join("repository"), { a: "x" });
    const host = await linkLocal(network);
    for (const at of [network.atServer, network.atClient]) {
      await run(at.call(network, "ip", "-4", "address", "flush", "dev", "cable"));
    }
    const command = await serverCommand(folder.join("state"), folder.join("repository"));
    const closed = command.filter((word) => !OPEN_FLAGS.includes(word));
    await using server = new Program(network.atServer(...closed), { cwd: folder.path });
    const { port } = await server.event("listening");
    const { server: program, client } = await binaries();
    const made = await run([program, "token", "add", "bob", "--state-dir", folder.join("state")]);
    const invite = /csinvite1_\S+/.exec(made.stdout)?.[0] ?? "";
    expect(invite).not.toBe("");
    const home = ["--state-dir", folder.join("client")];
    const joined = await run(network.atClient(client, "join", invite, "--name", "near", ...home));
    expect({ exitCode: joined.exitCode, stderr: joined.stderr }).toMatchObject({ exitCode: 0 });
    const known = await run(network.atClient(client, "servers", ...home));
    expect(known.stdout).toContain(`[${host}]:${port}`);
    const { exitCode, stdout, stderr } = await run(network.atClient(client, "list", "--server", "near", ...home));
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain("a");
  }, 180_000);
});
