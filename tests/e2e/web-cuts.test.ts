/** The compiled server with --web on: uploads that a full disk or the end of the server breaks off, and how they go on. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AccessSite } from "../support/access-site.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { run } from "../support/processes.ts";
import { Random } from "../support/random.ts";
import { noSmallDisk, SmallDisk } from "../support/small-disk.ts";
import { until } from "../support/until.ts";

const MIB = 1024 * 1024;
const content = Buffer.from(new Random("web cuts").bytes(6 * MIB + 3));

const url = (site: AccessSite, path: string) => `http://127.0.0.1:${site.server.port}/files/${path}`;
const curlArgs = (site: AccessSite, ...args: string[]) => ["curl", "-sS", "--user", site.token, ...args];
const curl = (site: AccessSite, ...args: string[]) => run(curlArgs(site, ...args), { cwd: site.folder.path });
const status = async (site: AccessSite, ...args: string[]) =>
  (await curl(site, "-o", "answer", "-w", "%{http_code} %{size_upload}", ...args)).stdout;

const missing = Bun.which("curl") === null ? "there is no curl" : noSmallDisk;
describe.skipIf(isSkipped(missing))(namedWhy("a server with --web on, on a disk of 10 MB", missing), () => {
  test("curl fills a small disk, is told so, and goes on when there is room", async () => {
    using disk = new SmallDisk(10 * MIB);
    await using site = await AccessSite.start(
      ...["--repository", disk.path, "--web", "on", "--writable", "--plaintext", "--keep-free", "0"],
    );
    writeFileSync(site.folder.join("large"), content);
    writeFileSync(site.folder.join("too-large"), Buffer.alloc(12 * MIB));
    expect(await status(site, "-T", "too-large", url(site, "x"))).toBe("507 0");
    expect(readFileSync(site.folder.join("answer"), "utf8")).toStartWith("NO_SPACE: ");
    expect(readdirSync(disk.path)).toEqual([]);

    const upload = Bun.spawn(
      curlArgs(site, "-T", "large", "--limit-rate", "2M", "-w", "%{http_code}", url(site, "x")),
      {
        cwd: site.folder.path,
        stdout: "pipe",
      },
    );
    await until(() => readdirSync(disk.path).some((name) => statSync(join(disk.path, name)).size >= 2 * MIB));
    await run(["sh", "-c", `cat /dev/zero > ${disk.join("filler")}`], { cwd: site.folder.path });
    const answer = await new Response(upload.stdout).text();
    expect(answer).toMatch(/^NO_SPACE: .*507$/s);
    expect(existsSync(disk.join("x"))).toBe(false);

    rmSync(disk.join("filler"));
    const { stdout } = await curl(site, "-i", "-C", `${content.length - 1}`, "-T", "large", url(site, "x"));
    const [, offset = ""] = /^upload-offset: (\d+)/im.exec(stdout) ?? [];
    expect(Number(offset)).toBeGreaterThanOrEqual(2 * MIB);
    expect(await status(site, "-C", offset, "-T", "large", url(site, "x"))).toStartWith("201 ");
    expect(readFileSync(disk.join("x")).equals(content)).toBe(true);
    expect(readdirSync(disk.path)).toEqual(["x"]);
  });
});

test("an upload in pieces goes on after kill -9, where the server says", async () => {
  await using site = await AccessSite.start("--web", "on", "--writable", "--plaintext");
  const authorization = `Basic ${Buffer.from(site.token).toString("base64")}`;
  const ask = (place: string, method: string, headers: Record<string, string>, body?: Uint8Array | ReadableStream) =>
    fetch(new URL(place, url(site, "")), {
      method,
      headers: { authorization, "tus-resumable": "1.0.0", ...headers },
      ...(body !== undefined && { body }),
    });
  const piece = (offset: number) => ({
    "upload-offset": `${offset}`,
    "content-type": "application/offset+octet-stream",
  });
  const begun = await ask("large", "POST", { "upload-length": `${content.length}` });
  const place = begun.headers.get("location") ?? "";
  const files = () => readdirSync(site.folder.join("files")).filter((name) => name !== "a.txt");
  const isCut = Promise.withResolvers<void>();
  const slow = new ReadableStream({
    async start(controller) {
      controller.enqueue(content.subarray(0, 3 * MIB + 5));
      await isCut.promise;
      controller.close();
    },
  });
  const first = ask(place, "PATCH", { ...piece(0), "x-expected-entity-length": `${content.length}` }, slow);
  const cut = first.then(
    () => "answered",
    () => "cut",
  );
  const have = async () => Number((await ask(place, "HEAD", {})).headers.get("upload-offset"));
  await until(async () => (await have()) >= 2 * MIB);
  site.server.signal("SIGKILL");
  await site.server.exited();
  expect(await cut).toBe("cut");
  isCut.resolve();
  await site.restart();
  expect(existsSync(site.folder.join("files", "large"))).toBe(false);
  const offset = await have();
  expect(offset).toBeWithin(2 * MIB, 3 * MIB + 1);
  const rest = await ask(place, "PATCH", piece(offset), content.subarray(offset));
  expect([rest.status, rest.headers.get("upload-offset")]).toEqual([204, `${content.length}`]);
  expect(readFileSync(site.folder.join("files", "large")).equals(content)).toBe(true);
  expect(files()).toEqual(["large"]);
});
