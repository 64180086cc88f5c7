/** The compiled client and a server that lets it in and then does nothing for it, for ever: it ends, with the code that the README says. */
import { beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { EXIT_OF } from "../../lib/cli/exit-codes.ts";
import { binaries } from "../support/binaries.ts";
import { frame } from "../support/frames.ts";
import { type Answer, HostileServer } from "../support/hostile-server.ts";
import { run } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";

beforeAll(async () => {
  await binaries();
}, 180_000);

/** More than a client tries in the time that it is given, were none of them counted. */
const MOST_LINKS = 20;

const cuts: Answer = ({ name }, link) => {
  if (name === "OPEN") link.cut();
};
const acceptsAndCuts: Answer = ({ name, stream }, link) => {
  if (name !== "OPEN") return;
  link.say(frame("ACCEPT", {}, stream));
  link.cut();
};

async function client(server: HostileServer, args: string[], stdin?: string) {
  const programs = await binaries();
  using folder = new TempFolder();
  writeFileSync(folder.join("a.txt"), "a");
  const where = ["--server", `127.0.0.1:${server.listen()}`, "--plaintext"];
  // A home of its own: in that of the other tests a server that was killed may have left an invite for this very port.
  const env = { XDG_STATE_HOME: folder.join("home") };
  return await run([programs.client, ...args, ...where], {
    cwd: folder.path,
    env,
    ...(stdin !== undefined && { stdin }),
  });
}

describe("a server that welcomes and cuts for ever", () => {
  test.each([
    ["get", ["get", "."], cuts],
    ["get of one file", ["get", "a.txt"], cuts],
    ["get", ["get", "."], acceptsAndCuts],
    ["put", ["put", "a.txt"], cuts],
    ["put", ["put", "a.txt"], acceptsAndCuts],
    ["watch", ["watch"], cuts],
    ["watch", ["watch"], acceptsAndCuts],
  ])("is left by %s %p", async (_, args, answer) => {
    using server = new HostileServer(answer);
    const { exitCode } = await client(server, [...args, "--reconnect", "1"]);
    expect(exitCode).toBe(EXIT_OF.LOST);
    expect(server.links.length).toBeLessThan(MOST_LINKS);
  });

  test("is left by a script that is piped in, though it has hundreds of lines to say", async () => {
    using server = new HostileServer(cuts);
    const { exitCode } = await client(server, ["shell", "--reconnect", "1"], "hello\n".repeat(300));
    expect(exitCode).toBe(EXIT_OF.LOST);
    expect(server.links.length).toBeLessThan(MOST_LINKS);
  });
});

describe("a queue that stands still", () => {
  test("is left, with words", async () => {
    using server = new HostileServer(({ name }, link) => {
      if (name === "HELLO") void link.flood(() => frame("QUEUED", { position: 3 }));
    }, null);
    const { exitCode, stderr } = await client(server, ["status", "--wait"]);
    expect(exitCode).toBe(EXIT_OF.UNEXPECTED_FRAME);
    expect(stderr.match(/position 3\./g)).toHaveLength(1);
    expect(stderr).toContain("QUEUED at 3");
  });
});
