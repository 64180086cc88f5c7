/** The digests of files, folders and patterns, in their order, over links that are lost. */
import { describe, expect, test } from "bun:test";
import type { Client } from "../../lib/client/client.ts";
import { Connection } from "../../lib/client/connection.ts";
import { digestFiles } from "../../lib/client/digest-files.ts";
import { digestSources } from "../../lib/client/digest-sources.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { clientOf, HostileServer } from "../support/hostile-server.ts";
import { watch } from "../support/outcomes.ts";
import { chunk } from "../support/raw-chunks.ts";
import { TestServer } from "../support/test-server.ts";
import { sha256Of } from "../support/transfers.ts";

const { signal } = new AbortController();

function connectionOf(connect: () => Promise<Client>, clock = systemClock): Promise<Connection> {
  return Connection.open({ clock, reconnectMs: 60_000, random: () => 0, connect });
}

/** What was told, in its order. */
async function digested(connection: Connection, sources: readonly string[], onTold = () => {}): Promise<string[]> {
  const told: string[] = [];
  const tell = (line: string) => {
    told.push(line);
    onTold();
  };
  await digestSources(sources, {
    ...{ connection, clock: systemClock, digest64, signal },
    onDigest: (path, { sha256 }) => tell(`${path} ${sha256.slice(0, 8)}`),
    onFailed: (path, { code }) => tell(`${path} ${code}`),
    onLeftOut: ({ path, code }) => tell(`${path} left out: ${code}`),
  });
  return told;
}

/** A server whose files hold their own paths. */
function serverWith(...paths: string[]): TestServer {
  const server = new TestServer();
  for (const path of paths) server.storage.set(path, Buffer.from(path));
  return server;
}

const lineOf = (path: string) => `${path} ${sha256Of(Buffer.from(path)).slice(0, 8)}`;

describe("digestSources()", () => {
  test("tells files, folders and patterns in the order in which they were named", async () => {
    await using server = serverWith("a", "docs/b", "docs/c/d", "docs/e", "f.txt", "g", "odd [1]");
    const connection = await connectionOf(() => server.client());
    const docs = ["docs/b", "docs/c/d", "docs/e"].map(lineOf);
    expect(await digested(connection, ["g", "docs", "a", "docs/c", "*.txt", "odd [1]", "g"])).toEqual([
      ...[lineOf("g"), ...docs, lineOf("a"), lineOf("docs/c/d")],
      ...[lineOf("f.txt"), lineOf("odd [1]"), lineOf("g")],
    ]);
    const all = ["a", "docs/b", "docs/c/d", "docs/e", "f.txt", "g", "odd [1]"].map(lineOf);
    expect((await digested(connection, [""])).sort()).toEqual(all);
  });

  test("tells what has none, in its turn, and goes on", async () => {
    await using server = serverWith("a", "docs/b");
    const connection = await connectionOf(() => server.client());
    expect(await digested(connection, ["none", "docs", "docs/none", "*.none", "a"])).toEqual([
      ...["none NOT_FOUND", lineOf("docs/b"), "docs/none NOT_FOUND", "*.none NOT_FOUND", lineOf("a")],
    ]);
  });

  test("continues a folder and the names after it when the link is lost, and tells each once", async () => {
    const paths = Array.from({ length: 3_000 }, (_, index) => `many/${index}`);
    await using server = serverWith(...paths, "a", "z");
    const clients: Client[] = [];
    const connection = await connectionOf(async () => {
      const client = await server.client();
      clients.push(client);
      return client;
    });
    let told = 0;
    const lines = await digested(connection, ["a", "many", "z"], () => {
      if ([1, 2, 500, 2_900].includes(++told)) clients.at(-1)?.abandon();
    });
    expect(clients.length).toBeGreaterThan(1);
    expect([lines[0], lines.at(-1)]).toEqual([lineOf("a"), lineOf("z")]);
    expect(lines.slice(1, -1).sort()).toEqual(paths.map(lineOf).sort());
  });
});

describe("digestFiles()", () => {
  test("keeps the order, and repeats, also of files that the server puts off", async () => {
    const clock = new FakeClock();
    const facts = { size: 3, modifiedAt: 0, executable: false, etag: "e", sha256: "0".repeat(64) };
    let times = 0;
    using server = new HostileServer(
      ({ name, stream, payload }, link) => {
        if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
        if (name === "END") link.say(frame("END", undefined, stream));
        if (name !== "DATA") return;
        for (const line of payload.toString().trim().split("\n")) {
          const { id } = JSON.parse(line);
          const answer =
            times++ === 0
              ? [chunk("FAIL", id, { code: 56, message: "Too many files are open." })]
              : [chunk("FILE", id, facts), chunk("SEAL", id)];
          for (const bytes of answer) link.say(frame("DATA", bytes, stream));
        }
      },
      { capabilities: ["working", "digests"] },
    );
    const connection = await connectionOf(() => clientOf(server, { clock }), clock);
    const told: string[] = [];
    const outcome = watch(
      digestFiles(["a", "b", "a", "c"], {
        ...{ connection, clock, digest64, signal },
        onDigest: (path) => void told.push(path),
        onFailed: (path, { code }) => void told.push(`${path} ${code}`),
      }),
    );
    for (let second = 0; second < 5 && outcome.state === "pending"; second++) await clock.advance(1_000);
    expect(outcome.state).toBe("resolved");
    expect(told).toEqual(["a", "b", "a", "c"]);
  });
});
