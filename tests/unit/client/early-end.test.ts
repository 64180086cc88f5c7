/** A server that ends its answer while it still owes something. */
import { describe, expect, test } from "bun:test";
import { inOneBatch } from "../../../lib/batches.ts";
import { digestAll } from "../../../lib/client/digests.ts";
import { Download } from "../../../lib/client/download.ts";
import type { TransferItem } from "../../../lib/client/transfer.ts";
import { Upload } from "../../../lib/client/upload.ts";
import { systemClock } from "../../../lib/session/clock.ts";
import { digest64 } from "../../../lib/storage/digest64.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import { faultOf } from "../../support/fault.ts";
import { frame } from "../../support/frames.ts";
import { clientOf, HostileServer } from "../../support/hostile-server.ts";

const END = 1;
const item: TransferItem = { from: "a", to: "a", kind: "file", size: 3, modifiedAt: 0 };
const options = { exists: "fail", clock: systemClock, digest64, onDone() {}, onFailed() {} } as const;

/** A server that accepts each request, and ends its answer at once. */
function ending(welcome: object = {}): HostileServer {
  return new HostileServer(({ name, stream }, link) => {
    if (name === "OPEN") link.say(frame("ACCEPT", {}, stream, END));
  }, welcome);
}

describe("a server that ends its answer too early", () => {
  test("fails a get, over the first link and over the next", async () => {
    using server = ending();
    const items = [item, { ...item, from: "b", to: "b" }];
    const local = new MemoryStorage();
    // So that there is always something that was not asked for yet.
    const download = new Download(() => inOneBatch(items), { ...options, local, isSequential: true });
    for (let link = 1; link <= 2; link++) {
      const client = await clientOf(server);
      expect(await faultOf(() => download.run(client))).toMatchObject({
        code: "BAD_PAYLOAD",
        message: "The server ends before the last request.",
      });
    }
    await download.close();
  });

  test("fails a put", async () => {
    using server = ending();
    const local = new MemoryStorage();
    local.set("a", new Uint8Array(3));
    const upload = new Upload(inOneBatch([{ ...item, local }]), options);
    const client = await clientOf(server);
    expect(await faultOf(() => upload.run(client))).toMatchObject({
      code: "UNEXPECTED_FRAME",
      message: "The server ends before it has answered.",
    });
    await upload.close();
  });

  test("fails digests", async () => {
    using server = ending({ capabilities: ["digests"] });
    const client = await clientOf(server);
    const told: string[] = [];
    const work = digestAll(client, ["a", "b"], {
      clock: systemClock,
      digest64,
      onDigest: (path) => void told.push(path),
      onFailed: (path) => void told.push(path),
    });
    expect(await faultOf(() => work)).toMatchObject({ code: "BAD_PAYLOAD" });
    expect(told).toEqual([]);
  });
});
