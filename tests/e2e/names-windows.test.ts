/** Names that are paths or drives to Windows: there they are names of the disk, and lead nowhere. In Wine. */
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { BuildSite } from "../support/build-site.ts";
import { BUILDS } from "../support/builds.ts";
import { describeBuild, PREPARE_MS } from "../support/describe-build.ts";
import { snapshot } from "../support/hostile-names.ts";
import { runClient, ServerProcess, USER_ENV } from "../support/processes.ts";
import { writeTree } from "../support/repository.ts";

/** Names of the repository, and what stands for them on a disk of Windows. */
const NAMES: Readonly<Record<string, string>> = {
  "a\\b": "a%5Cb",
  "..\\..\\up": "..%5C..%5Cup",
  "\\\\host\\share": "%5C%5Chost%5Cshare",
  "C:": "C%3A",
  "C:x": "C%3Ax",
  "T: 5.txt": "T%3A 5.txt",
  "x\\": "x%5C",
  "con\\y": "con%5Cy",
};
const TREE = Object.fromEntries(Object.keys(NAMES).flatMap((name) => [name, `d/${name}`].map((path) => [path, name])));
const LOCAL = Object.fromEntries(
  Object.entries(NAMES).flatMap(([name, local]) => [local, `d/${local}`].map((path) => [path, `file ${name}`])),
);

for (const build of BUILDS.filter(({ name }) => name.includes("Windows"))) {
  describeBuild(build, () => {
    test(
      "a client keeps them in its folder, says how they are called there, and sends them back as they were",
      async () => {
        await using site = new BuildSite(build);
        mkdirSync(site.join("linux"));
        writeTree(site.join("linux"), TREE);
        await using server = await ServerProcess.start(["-r", site.join("linux"), "--plaintext", "--open"]);
        const got = await site.client(server.address, "get/here", undefined, "get", ".").finished;
        expect(got).toMatchObject({ exitCode: 0 });
        expect(snapshot(site.join("get"))).toEqual({
          here: "folder",
          "here/d": "folder",
          ...Object.fromEntries(Object.entries(LOCAL).map(([path, content]) => [`here/${path}`, content])),
        });
        expect(got.stderr).toContain("a\\b has another name here: a%5Cb");
        expect(got.stderr).toContain("d/C:x has another name here: d\\C%3Ax");
        const named = await site.client(server.address, "one", undefined, "get", "..\\..\\up", "C:x").finished;
        expect(named).toMatchObject({ exitCode: 0 });
        expect(Object.keys(snapshot(site.join("one"))).sort()).toEqual(["..%5C..%5Cup", "C%3Ax"]);
        const missing = await site.client(server.address, "one", undefined, "get", "d\\none").finished;
        expect(missing).toMatchObject({
          exitCode: 6,
          stderr: expect.stringContaining('The separator between names is "/".'),
        });

        const { address } = await site.serve("repository", "state");
        expect(await site.client(address, "get", undefined, "put", "here", "--as", "back").finished).toMatchObject({
          exitCode: 0,
        });
        expect(snapshot(site.join("repository/back"))).toEqual(snapshot(site.join("get/here")));
      },
      PREPARE_MS,
    );

    test(
      "a server keeps them in its repository, and tells, matches and gives them by their own names",
      async () => {
        await using site = new BuildSite(build);
        const { address, running } = await site.serve("repository", "state");
        const { invite } = JSON.parse(readFileSync(running.output, "utf8").split("\n", 1)[0] ?? "");
        writeTree(site.join("from"), TREE);
        const run = (...args: string[]) =>
          runClient([...args, "--server", address, "--plaintext"], {
            cwd: site.join("from"),
            env: { ...USER_ENV, COMMSERVER_INVITE: invite },
          });
        const outside = () => snapshot(site.path, "");
        const before = Object.keys(outside()).filter((path) => !/^(repository|state|output)/.test(path));
        expect(await run("put", "d", ...Object.keys(NAMES))).toMatchObject({ exitCode: 0 });
        expect(snapshot(site.join("repository"))).toEqual({ d: "folder", ...LOCAL });
        expect(Object.keys(outside()).filter((path) => !/^(repository|state|output)/.test(path))).toEqual(before);

        const listed = async (pattern: string) =>
          ((await run("list", pattern, "--json")).stdout.match(/"path":"[^"]*"/g) ?? [])
            .map((path) => JSON.parse(path.slice(7)))
            .sort();
        expect(await listed("*")).toEqual(["d", ...Object.keys(NAMES)].sort());
        expect(await listed("a\\*")).toEqual(["a\\b"]);
        expect(await listed("d/?\\b")).toEqual(["d/a\\b"]);
        expect(await listed("a/*")).toEqual([]);
        expect(await run("get", "d", "--output", "again/")).toMatchObject({ exitCode: 0 });
        expect(snapshot(site.join("from/again/d"))).toEqual(snapshot(site.join("from/d")));
        expect(await run("rename", "a\\b", "..\\..\\elsewhere")).toMatchObject({ exitCode: 0 });
        expect(await run("remove", "..\\..\\elsewhere", "C:", "C:x")).toMatchObject({ exitCode: 0 });
        expect(await listed("*")).toEqual(["d", ...Object.keys(NAMES).filter((name) => !/^(a|C)/.test(name))].sort());
      },
      PREPARE_MS,
    );
  });
}
