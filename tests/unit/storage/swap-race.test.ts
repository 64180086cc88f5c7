import { expect, setDefaultTimeout, test } from "bun:test";
import { CommError } from "../../../lib/errors.ts";
import { LocalStorage } from "../../../lib/storage/local.ts";
import { readWhole, writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";

// The one in the preload reaches the first test file only (Bun 1.4.5).
setDefaultTimeout(30_000);

/** In a process of its own: what is served points now inside, now outside, as fast as it can. */
const SWAPPER = `
  const { renameSync, symlinkSync } = require("node:fs");
  process.chdir(process.argv[1]);
  // Bounded: a run that is killed leaves it behind.
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    for (const [target, name] of [["good", "file"], ["../outside/file", "file"], ["in", "folder"], ["../outside", "folder"]]) {
      symlinkSync(target, "next");
      renameSync("next", name);
    }
  }
`;

const ENOUGH = 200;

test.if(process.platform !== "win32")(
  "a link that is swapped all the time never serves what lies outside",
  async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "repository/good": "good", "repository/in/file": "good", "outside/file": "SECRET" });
    const storage = await LocalStorage.at(folder.join("repository"));
    await using swapper = Bun.spawn([process.execPath, "-e", SWAPPER, folder.join("repository")], { stderr: "pipe" });

    const outcomes: Record<string, number> = {};
    const many = (outcome: string) => (outcomes[outcome] ?? 0) >= ENOUGH;
    while (!(many("good") && many("NOT_ALLOWED"))) {
      if (swapper.exitCode !== null) throw new Error(await new Response(swapper.stderr).text());
      for (const path of ["file", "folder/file"]) {
        const outcome = await readWhole(storage, path).then(String, (error) => {
          if (error instanceof CommError) return error.code;
          throw error;
        });
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }
    }
    expect(outcomes).not.toHaveProperty("SECRET");
    expect(outcomes).not.toHaveProperty("INTERNAL");
  },
);
