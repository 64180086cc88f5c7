/** A server without HTTP does not pay for it. */
import { expect, test } from "bun:test";
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
  const loaded = closureOf("server.ts");
  expect(loaded.has("lib/daemon/web-door.ts")).toBe(true);
  expect(loaded.has("lib/gateway/gateway.ts")).toBe(false);
});
