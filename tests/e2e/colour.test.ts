import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";

const ESCAPE = "\u001b[";

test.each(["client", "server"] as const)(
  "a file gets no colours of the %s, even if the errors have a terminal",
  async (name) => {
    using folder = new TempFolder();
    const program = (await binaries())[name];
    await using screen = new Screen(["sh", "-c", `"$0" --help > help.txt`, program], { cwd: folder.path });
    expect(await screen.exited).toBe(0);
    const written = readFileSync(folder.join("help.txt"), "utf8");
    expect(written).toContain("USAGE");
    expect(written).not.toContain(ESCAPE);
  },
);
