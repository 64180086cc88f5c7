import { expect, test } from "bun:test";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { readTextFile } from "../../../lib/state/text-file.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const MODULE = `${import.meta.dir}/../../../lib/state/text-file.ts`;

/** What a process prints that reads its standard input, which is what is at `path`. */
async function readByProcess(path: string): Promise<string> {
  const script = `
    const { readTextFile } = await import(${JSON.stringify(MODULE)});
    console.log(await readTextFile(0).catch(({ code, message }) => code + " " + message));`;
  const stdin = openSync(path, "r");
  try {
    const child = Bun.spawn([process.execPath, "-e", script], { stdin, stdout: "pipe" });
    return (await new Response(child.stdout).text()).trim();
  } finally {
    closeSync(stdin);
  }
}

test("a file that the user has named is read as text", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.join("pem"), "grüße\n");
  expect(await readTextFile(folder.join("pem"))).toBe("grüße\n");
});

test("one that can't be read is named, with the user's own code", async () => {
  using folder = new TempFolder();
  await expect(readTextFile(folder.join("none"))).rejects.toThrow(
    expect.objectContaining({ code: "NO_SUCH_FILE", message: expect.stringContaining(`"${folder.join("none")}"`) }),
  );
});

test("0 is standard input, which is named in words", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.join("in"), "typed\n");
  expect(await readByProcess(folder.join("in"))).toBe("typed");
  expect(await readByProcess(folder.path)).toContain("standard input");
});
