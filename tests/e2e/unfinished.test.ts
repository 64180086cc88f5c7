import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { receiveElsewhere } from "../support/part-process.ts";
import { run } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";

const BLOCK = 1024 * 1024;

async function unfinished(folder: string, ...args: string[]) {
  const { client } = await binaries();
  return run([client, "unfinished", ...args], { cwd: folder });
}

test("unfinished lists what interrupted transfers left here, removes it, and leaves alone what is being written", async () => {
  using folder = new TempFolder();
  mkdirSync(folder.join("in"));
  await (await receiveElsewhere(folder.path, "in/big.bin", { size: 3 * BLOCK, seed: 1, offsets: [0], ending: "crash" }))
    .exited;
  await (await receiveElsewhere(folder.path, "gone.bin", { size: 3 * BLOCK, seed: 1, offsets: [0], ending: "crash" }))
    .exited;
  // As a crash leaves it between the last two steps.
  rmSync(folder.join("gone.bin.commserver-part"));
  const writing = await receiveElsewhere(folder.path, "now.bin", {
    size: 3 * BLOCK,
    seed: 1,
    offsets: [0],
    ending: "stay",
  });
  try {
    const { stdout } = await unfinished(folder.path);
    expect(stdout).toMatch(/^ *SIZE +LAST WRITTEN +OF\n/);
    expect(stdout).toMatch(/^1\.0 MB +\S+ \S+ +in\/big\.bin$/m);
    const listed = JSON.parse((await unfinished("/", folder.path, "--json")).stdout);
    expect(listed.map(({ path }: { path: string }) => path).sort()).toEqual(
      ["gone.bin", "in/big.bin", "now.bin"].map((name) => folder.join(name)),
    );

    const removed = await unfinished(folder.path, "--remove");
    expect(removed).toMatchObject({ exitCode: 0, stderr: "1 file left alone: being written now, or a moment ago.\n" });
    expect(removed.stdout.trim().split("\n").sort()).toEqual([
      "Removed unfinished gone.bin (0 B)",
      "Removed unfinished in/big.bin (1.0 MB)",
    ]);
    expect(readdirSync(folder.join("in"))).toEqual([]);
    expect(readdirSync(folder.path).filter((name) => name.startsWith("now.bin"))).toHaveLength(3);
    expect(JSON.parse((await unfinished(folder.path, "--remove", "--json")).stdout)).toMatchObject([
      { path: "now.bin", removed: false },
    ]);
  } finally {
    writing.kill("SIGKILL");
    await writing.exited;
  }
  expect(await unfinished(folder.path, "--remove")).toMatchObject({ exitCode: 0 });
  expect(readdirSync(folder.path)).toEqual(["in"]);
  expect(await unfinished(folder.path)).toMatchObject({ exitCode: 0, stdout: "", stderr: "Nothing is unfinished.\n" });
  expect(await unfinished(folder.path, "none")).toMatchObject({ exitCode: 6 });
});
