import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { FULL } from "../../lib/storage/local/watch/best-source.ts";
import { binaries } from "../support/binaries.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { missingNamespaces, withInotify } from "../support/namespace.ts";
import { ServerProcess } from "../support/processes.ts";
import { clientCommand, Program } from "../support/program.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";

const missing = missingNamespaces();

describe.skipIf(isSkipped(missing))(namedWhy("a server whose system has little room for inotify", missing), () => {
  const cases = [
    ["watches", { watches: 2, instances: 50 }],
    ["instances", { watches: 1_000, instances: 0 }],
  ] as const;

  test.each(cases)(
    "looks from time to time with too few %s; who watches and the operator are told once",
    async (_, limits) => {
      using folder = new TempFolder();
      writeTree(folder.path, { "repository/a/b/c/old": "x" });
      const program = withInotify(limits, [(await binaries()).server]);
      await using server = await ServerProcess.start(["-r", folder.join("repository"), "--open"], { program });
      await using watcher = new Program(await clientCommand(server.address, "watch"));
      await using reader = new Program(await clientCommand(server.address, "watch", "--json"));
      expect(await watcher.hear((line) => line !== "")).toBe(`(${FULL.message})`);
      expect(JSON.parse(await reader.hear((line) => line.startsWith("{")))).toEqual({
        change: "missed",
        count: 0,
        message: FULL.message,
      });
      writeFileSync(folder.join("repository/a/b/c/new"), "x");
      await watcher.hear((line) => line.startsWith("added") && line.includes("a/b/c/new"));
      writeFileSync(folder.join("repository/a/b/c/old"), "longer");
      await watcher.hear((line) => line.startsWith("changed") && line.includes("a/b/c/old"));
      server.signal("SIGTERM");
      await server.exited();
      const warnings = server.events.filter(({ event }) => event === "warning").map(({ message }) => message);
      expect(warnings.filter((message) => message === FULL.advice)).toHaveLength(1);
      expect(server.events.filter(({ event }) => event === "failed")).toEqual([]);
    },
  );
});
