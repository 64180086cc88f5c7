/** The compiled server with --web on, and curl: what docs/http.md says of uploads, and of a folder as a tar. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { AccessSite } from "../support/access-site.ts";
import { type Finished, run } from "../support/processes.ts";
import { Random } from "../support/random.ts";
import { until } from "../support/until.ts";

const MIB = 1024 * 1024;
const hasTools = Bun.which("curl") !== null && Bun.which("tar") !== null;
if (!hasTools && Bun.env["CI"] !== "true") console.warn("curl or tar is missing: the tests of uploads are skipped");

describe.skipIf(!hasTools && Bun.env["CI"] !== "true")("a server with --web on", () => {
  let site: AccessSite;
  const content = Buffer.from(new Random("web uploads").bytes(5 * MIB + 3));

  beforeAll(async () => {
    site = await AccessSite.start("--web", "on", "--writable");
    writeFileSync(site.folder.join("large"), content);
  });

  afterAll(() => site[Symbol.asyncDispose]());

  const url = (path: string) => `https://localhost:${site.server.port}/files/${path}`;
  const curlArgs = (...args: string[]) => [
    Bun.which("curl") as string,
    "-sS",
    "--insecure",
    "--pinnedpubkey",
    site.server.events[0]?.["pin"] as string,
    "--user",
    site.token,
    ...args,
  ];
  const curl = (...args: string[]): Promise<Finished> => run(curlArgs(...args), { cwd: site.folder.path });
  const status = (...args: string[]) => curl("-o", "answer", "-w", "%{http_code} %{size_upload}", ...args);
  const served = (...names: string[]) => site.folder.join("files", ...names);

  test("takes a file from curl, whole and with its time", async () => {
    expect((await status("-T", "large", "-H", "X-OC-MTime: 1500000000", url("new/large"))).stdout).toBe(
      `201 ${content.length}`,
    );
    expect(readFileSync(served("new", "large")).equals(content)).toBe(true);
    expect(statSync(served("new", "large")).mtimeMs).toBe(1_500_000_000_000);
    // It asks before a body of this size unless it is told not to.
    expect((await status("-T", "large", "-H", "Expect:", url("new/unasked"))).stdout).toBe(`201 ${content.length}`);
    expect(readFileSync(served("new", "unasked")).equals(content)).toBe(true);
  });

  test("refuses it before a byte of it, when curl asks", async () => {
    writeFileSync(served("kept"), "kept");
    const refused = await status("-T", "large", "-H", "If-None-Match: *", "-H", "Expect: 100-continue", url("kept"));
    expect(refused.stdout).toBe("412 0");
    expect(readFileSync(served("kept"), "utf8")).toBe("kept");
  });

  test("takes what curl reads from a pipe, when it is small", async () => {
    const piped = await run(["sh", "-c", `printf piped | "$@"`, "sh", ...curlArgs("-T", "-", url("piped"))], {
      cwd: site.folder.path,
    });
    expect(piped).toMatchObject({ exitCode: 0 });
    expect(readFileSync(served("piped"), "utf8")).toBe("piped");
  });

  test("never stores the tail that curl -C sends as the file", async () => {
    expect((await status("-C", "-", "-T", "large", url("whole"))).stdout).toBe(`201 ${content.length}`);
    expect((await status("-C", "1000", "-T", "large", url("whole"))).stdout).toStartWith("409 ");
    expect(readFileSync(served("whole")).equals(content)).toBe(true);
  });

  test("goes on with a part after kill -9, where it says that the part ends", async () => {
    mkdirSync(served("cut"));
    const upload = Bun.spawn(curlArgs("--limit-rate", "2M", "-T", "large", url("cut/large")), {
      cwd: site.folder.path,
      stdout: "ignore",
      stderr: "ignore",
    });
    // What is listed may be gone at once.
    const sizeOf = (name: string) => statSync(served("cut", name), { throwIfNoEntry: false })?.size ?? 0;
    await until(() => readdirSync(served("cut")).some((name) => sizeOf(name) >= 2 * MIB));
    site.server.signal("SIGKILL");
    await site.server.exited();
    await upload.exited;
    await site.restart();
    expect(existsSync(served("cut", "large"))).toBe(false);
    const { stdout } = await curl("-i", "-C", `${4 * MIB}`, "-T", "large", url("cut/large"));
    const [, offset = ""] = /^upload-offset: (\d+)/im.exec(stdout) ?? [];
    expect(Number(offset)).toBeWithin(MIB, 5 * MIB);
    if (Number(offset) !== 4 * MIB) {
      const rest = await status("-C", offset, "-T", "large", url("cut/large"));
      expect(rest.stdout).toBe(`201 ${content.length - Number(offset)}`);
    }
    expect(readdirSync(served("cut"))).toEqual(["large"]);
    expect(readFileSync(served("cut", "large")).equals(content)).toBe(true);
  });

  test("makes, moves, copies and removes", async () => {
    const method = (name: string, path: string, ...more: string[]) => curl("-f", "-X", name, ...more, url(path));
    const to = (path: string) => ["-H", `Destination: ${url(path)}`];
    writeFileSync(served("source"), "source");
    expect(await method("MKCOL", "dir")).toMatchObject({ exitCode: 0 });
    expect(await method("COPY", "source", ...to("dir/copy"))).toMatchObject({ exitCode: 0 });
    expect(await method("MOVE", "dir/copy", ...to("dir/moved"))).toMatchObject({ exitCode: 0 });
    expect(readFileSync(served("dir", "moved"), "utf8")).toBe("source");
    expect(await method("DELETE", "dir/")).toMatchObject({ exitCode: 0 });
    expect(existsSync(served("dir"))).toBe(false);
  });

  test("gives a folder as a tar, which goes on at any byte", async () => {
    mkdirSync(served("tree", "d", "ü".repeat(60)), { recursive: true });
    writeFileSync(served("tree", "d", "ü".repeat(60), "long"), content);
    writeFileSync(served("tree", "small"), "small");
    const address = url("tree/?archive=tar");
    expect(await curl("-o", "tree.tar", address)).toMatchObject({ exitCode: 0 });
    const whole = readFileSync(site.folder.join("tree.tar"));
    writeFileSync(site.folder.join("part.tar"), whole.subarray(0, 1_234_567));
    expect(await curl("-C", "-", "-o", "part.tar", address)).toMatchObject({ exitCode: 0 });
    expect(readFileSync(site.folder.join("part.tar")).equals(whole)).toBe(true);
    const env = { LC_ALL: "C.UTF-8" };
    expect(await run(["tar", "xf", "tree.tar"], { cwd: site.folder.path, env })).toMatchObject({ exitCode: 0 });
    const same = await run(["diff", "-r", "tree", "files/tree"], { cwd: site.folder.path });
    expect(same).toMatchObject({ exitCode: 0, stdout: "" });
  });
});
