import { describe, expect, spyOn, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { LocalFile } from "../../lib/storage/local/local-file.ts";
import { openBelow } from "../support/open-files.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, type Told } from "../support/transfers.ts";
import { noise } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";

const MB = 1024 * 1024;

/** A server over TCP whose file was fetched once: where the system can, it sends the file itself from then on. */
class Site implements AsyncDisposable {
  readonly #folder = new TempFolder();
  readonly file = this.#folder.join("repo", "f");
  server!: TestServer;
  #count = 0;

  static async open(content: Uint8Array): Promise<Site> {
    const site = new Site();
    mkdirSync(site.#folder.join("repo"));
    writeFileSync(site.file, content);
    site.server = new TestServer({ storage: await LocalStorage.at(site.#folder.join("repo")) });
    await site.fetch();
    return site;
  }

  async fetch(): Promise<{ told: Told; fetched: Buffer | undefined; names: string[] }> {
    const target = this.#folder.join(`to${this.#count++}`);
    mkdirSync(target);
    const client = await this.server.tcpClient();
    const told = await fetchAll(client, await LocalStorage.ofUser(target));
    await client.close();
    const names = readdirSync(target);
    return { told, fetched: names.includes("f") ? readFileSync(`${target}/f`) : undefined, names };
  }

  /** What the last session was sent. */
  async lastBytesOut(): Promise<number> {
    const ends = () => this.server.events.filter((event) => event.event === "left");
    await until(() => ends().length === this.#count);
    return ends().at(-1)?.bytesOut ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

/** Give `to` the modification time of `from`, to the nanosecond. */
function touchAs(from: string, to: string): void {
  expect(Bun.spawnSync(["touch", "-r", from, to]).exitCode).toBe(0);
}

describe("a file whose digests the server knows", () => {
  test.each([1, MB + 1, 5 * MB, 9 * MB + 17])("of %d bytes is fetched whole, again and again", async (bytes) => {
    const content = noise(bytes);
    await using site = await Site.open(content);
    for (let round = 0; round < 2; round++) {
      expect((await site.fetch()).fetched?.equals(content)).toBe(true);
      // Once, too: what came wrong would have come again.
      expect(await site.lastBytesOut()).toBeLessThan(bytes + 10_000);
    }
  });

  test("is not read a second time, unless it has changed", async () => {
    await using site = await Site.open(noise(3 * MB, 1));
    using read = spyOn(LocalFile.prototype, "read");
    await site.fetch();
    expect(read).not.toHaveBeenCalled();
    writeFileSync(site.file, noise(3 * MB, 2));
    await site.fetch();
    expect(read).toHaveBeenCalled();
  });

  test("is read again when it has changed", async () => {
    await using site = await Site.open(noise(3 * MB, 1));
    const changed = noise(3 * MB, 2);
    writeFileSync(site.file, changed);
    expect((await site.fetch()).fetched?.equals(changed)).toBe(true);
  });

  test("that has changed without a sign is noticed by its digests, and comes right all the same", async () => {
    await using site = await Site.open(noise(3 * MB, 1));
    const sign = `${site.file}.sign`;
    writeFileSync(sign, "");
    touchAs(site.file, sign);
    const changed = noise(3 * MB, 2);
    writeFileSync(site.file, changed);
    touchAs(sign, site.file);
    rmSync(sign);
    expect((await site.fetch()).fetched?.equals(changed)).toBe(true);
  });

  test("is let go of when it was sent, also when the client is gone in the middle", async () => {
    await using site = await Site.open(noise(9 * MB));
    const before = openBelow(site.file);
    const client = await site.server.tcpClient();
    const stream = client.openStream("get", {}, { body: true });
    await stream.write(Buffer.from('{"id":0,"path":"f"}\n'));
    await stream.read();
    stream.reset("CANCELLED", "enough");
    await client.close();
    await site.fetch();
    await until(() => openBelow(site.file) <= before);
  });
});
