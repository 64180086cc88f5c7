/** Names that are names here, and paths or drives to other systems: they pass between two machines that can hold them. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { FolderSite } from "../support/folder-site.ts";
import { snapshot } from "../support/hostile-names.ts";
import { writeTree } from "../support/repository.ts";

/** At the top, and below. */
const TREE = {
  "x:name": "1",
  "C:": "2",
  "T: 5.txt": "3",
  "a\\b": "4",
  "..\\..\\up": "5",
  "d:\\dir/in": "6",
  "plain/T: 6.txt": "7",
  "plain/back\\slash": "8",
};

const DONE = { exitCode: 0, stderr: expect.not.stringMatching(/Left out|error|BAD_PATH/i) };

describe.if(process.platform !== "win32")("names with backslashes, and such as begin like a drive", () => {
  test("come along with the folder that is sent or fetched, at its top, too", async () => {
    await using site = await FolderSite.open();
    writeTree(`${site.here}/t`, TREE);
    expect(await site.run("put", "t")).toMatchObject(DONE);
    expect(snapshot(`${site.repository}/t`)).toEqual(snapshot(`${site.here}/t`));
    expect(await site.run("get", "t", "--output", "again/")).toMatchObject(DONE);
    expect(snapshot(`${site.here}/again/t`)).toEqual(snapshot(`${site.here}/t`));
    const again = await site.run("put", "t", "--json");
    expect(again.stdout).toContain(`"stored":0,"unchanged":${Object.keys(TREE).length},"skipped":0,"failed":0`);
  });

  test("are fetched and sent by their names, at the top of the repository", async () => {
    await using site = await FolderSite.open();
    writeTree(site.here, TREE);
    expect(await site.run("put", ...Object.keys(TREE))).toMatchObject(DONE);
    // Each under its own last name, in the present folder.
    for (const name of ["x:name", "C:", "T: 5.txt", "a\\b", "..\\..\\up", "back\\slash"]) {
      mkdirSync(`${site.here}/to`, { recursive: true });
      expect(await site.run("get", name, "--output", "to/")).toMatchObject(DONE);
      expect(readFileSync(`${site.here}/to/${name}`, "utf8")).toBe(readFileSync(`${site.repository}/${name}`, "utf8"));
    }
    expect(snapshot(`${site.here}/to`)).not.toContainKey("up");
  });

  test("are taken by every command, and in patterns a backslash stands for itself", async () => {
    await using site = await FolderSite.open();
    writeTree(site.repository, { ...TREE, ab: "no", "a*b": "no" });
    const listed = async (...args: string[]) =>
      (await site.run("list", ...args, "--json")).stdout
        .match(/"path":"[^"]*"/g)
        ?.map((path) => JSON.parse(path.slice(7)));
    expect(await listed("a\\b")).toEqual(["a\\b"]);
    expect(await listed("a\\*")).toEqual(["a\\b"]);
    expect(await listed("?:*")).toEqual(["C:", "T: 5.txt", "d:\\dir", "x:name"]);
    expect(await listed("d:\\dir")).toEqual(["d:\\dir/in"]);
    expect(await listed("d:\\*/*")).toEqual(["d:\\dir/in"]);
    const digests = await site.run("digest", "a\\b", "x:name", "d:\\dir/in");
    expect(digests).toMatchObject({ exitCode: 0, stderr: "" });
    // As sha256sum writes such names.
    expect(digests.stdout).toMatch(/^\\\w+ {2}a\\\\b\n\w+ {2}x:name\n\\\w+ {2}d:\\\\dir\/in\n$/);
    expect(await site.run("rename", "a\\b", "e:\\new\\name")).toMatchObject(DONE);
    expect(await site.run("remove", "e:\\new\\name", "x:name", "C:")).toMatchObject(DONE);
    expect(await site.run("remove", "d:\\dir", "--recursive")).toMatchObject(DONE);
    expect(await listed()).toEqual([
      "..\\..\\up",
      "T: 5.txt",
      "a*b",
      "ab",
      "plain",
      "plain/T: 6.txt",
      "plain/back\\slash",
    ]);
  });

  test("are typed into the shell as they are, and in quotes with backslashes doubled or not", async () => {
    await using site = await FolderSite.open();
    writeTree(site.repository, { "a\\b": "1", "c d\\e": "2", "x:y": "3", "end\\": "4" });
    const { stdout, stderr } = await site.type(
      "get a\\b",
      "get c d\\e",
      'get "x:y" to\\here',
      'get "end\\\\"',
      'rename "a\\b" "a\\\\c"',
    );
    expect({ stderr, failed: stdout.match(/BAD_PATH|NOT_FOUND/g) }).toMatchObject({ failed: null });
    expect(snapshot(site.here)).toEqual({
      "a\\b": "file 1",
      "c d\\e": "file 2",
      "to\\here": "file 3",
      "end\\": "file 4",
    });
    expect(Object.keys(snapshot(site.repository))).toContain("a\\c");
  });

  test("may be what --output, --as and --to name", async () => {
    await using site = await FolderSite.open();
    writeTree(site.repository, { f: "f" });
    expect(await site.run("get", "f", "--output", "C:\\out\\")).toMatchObject(DONE);
    expect(await site.run("get", "f", "--output", "x:1")).toMatchObject(DONE);
    expect(await site.run("get", "f", "--as", "y:\\2")).toMatchObject(DONE);
    expect(await site.run("get", "f", "--output", "z:\\new/")).toMatchObject(DONE);
    expect(snapshot(site.here)).toEqual({
      "C:\\out\\": "file f",
      "x:1": "file f",
      "y:\\2": "file f",
      "z:\\new": "folder",
      "z:\\new/f": "file f",
    });
    writeFileSync(`${site.here}/g`, "g");
    expect(await site.run("put", "g", "--to", "t:\\o", "--as", "h:")).toMatchObject(DONE);
    expect(readFileSync(`${site.repository}/t:\\o/h:`, "utf8")).toBe("g");
  });
});
