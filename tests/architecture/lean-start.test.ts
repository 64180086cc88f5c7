/** What a program has no use for at its start is not loaded then. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";

const root = join(import.meta.dir, "../..");

/** Type imports load nothing; `import()` loads later. */
function loadedBy(file: string): string[] {
  const source = readFileSync(join(root, file), "utf8");
  return [...source.matchAll(/^(?:import|export) (?!type )(?:[^;]*? from )?"([^"\n]+)"/gm)].map(([, specifier = ""]) =>
    specifier.startsWith(".") ? posix.join(posix.dirname(file), specifier) : specifier,
  );
}

function closureOf(file: string, seen = new Set<string>()): Set<string> {
  for (const loaded of loadedBy(file)) {
    if (seen.has(loaded)) continue;
    seen.add(loaded);
    if (loaded.endsWith(".ts")) closureOf(loaded, seen);
  }
  return seen;
}

test("the start of the server loads no gateway", () => {
  const loaded = closureOf("lib/cli/server/serve-command.ts");
  expect(loaded.has("lib/daemon/web-door.ts")).toBe(true);
  expect(loaded.has("lib/gateway/gateway.ts")).toBe(false);
  expect(loaded.has("lib/daemon/metrics/open-metrics.ts")).toBe(false);
  expect(loaded.has("lib/daemon/announcing.ts")).toBe(true);
  expect(loaded.has("node:dgram")).toBe(false);
});

test.each(["lib/cli/server/serve-command.ts", "lib/cli/server/invite-command.ts", "lib/cli/client/join-command.ts"])(
  "codes load their cryptography, and pictures of them, when one is used: %s",
  (command) => {
    const loaded = closureOf(command);
    expect([...loaded].filter((each) => each.startsWith("@noble/") || each.startsWith("lib/codes/"))).toEqual([]);
    expect(loaded.has("uqr")).toBe(false);
  },
);

test.each(["lib/cli/client/client-program.ts", "lib/cli/server/server-program.ts"])(
  "the table of commands loads none of them: %s",
  (program) => expect([...closureOf(program)]).toEqual([]),
);

test.each(["client.ts", "server.ts"])("what comes before a restart is little: %s", (program) => {
  expect([...closureOf(program)].sort()).toEqual(["lib/cli/runtime-settings.ts", "lib/platform/restart.ts"]);
});

/** What every command loads, and the most common one with it. */
const COMMON = closureOf("lib/cli/run-program.ts");
const LISTING = closureOf("lib/cli/client/list-command.ts", new Set(COMMON));

test("what looks for heavy modules sees what a command needs", () => {
  expect(LISTING.has("lib/client/client.ts")).toBe(true);
  expect(COMMON.has("node:fs")).toBe(true);
});

describe("the start of each command loads", () => {
  test.each([["lib/client/client.ts"], ["lib/transport/socket.ts"], ["lib/cli/client/list-command.ts"]])(
    "no %s",
    (each) => expect(COMMON.has(each)).toBe(false),
  );
});

describe("the start of list loads", () => {
  // Each takes milliseconds; net and readline load the streams of Node, too.
  test.each([
    ["node:net"],
    ["node:tls"],
    ["node:stream"],
    ["node:readline"],
    ["node:crypto"],
    ["node:dns/promises"],
    ["node:dgram"],
    ["dns-packet"],
    ["lib/cli/client/shell.ts"],
    ["lib/cli/terminal/line-editor.ts"],
    ["lib/client/transfer-job.ts"],
  ])("no %s", (each) => expect(LISTING.has(each)).toBe(false));
});
