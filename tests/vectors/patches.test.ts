import { describe, expect, test } from "bun:test";
import { createCipheriv } from "node:crypto";
import * as v from "valibot";
import { PIECE_BYTES, PIECES_PER_BLOCK } from "../../lib/block.ts";
import { ChunkKind } from "../../lib/protocol/chunk.ts";
import { PATCHES_CAPABILITY } from "../../lib/protocol/constants.ts";
import { decodeJson } from "../../lib/protocol/json.ts";
import { GetRequest, PutAnswer } from "../../lib/protocol/methods.ts";
import {
  decodePatch,
  MAX_OFFERED_BLOCKS,
  MAX_OFFERED_BYTES,
  MAX_PATCH_BYTES,
  PIECE_DIGEST_BYTES,
} from "../../lib/protocol/patch.ts";
import { blockTag } from "../../lib/storage/local/block-tag.ts";
import { PAGE, readChunks, readVectors } from "../support/protocol-page.ts";

const text = PAGE.replaceAll("\n", " ");
const KEY = Uint8Array.from({ length: 16 }, (_, at) => at);
const BLOCK = Buffer.alloc(16_384, "a");
const OFFSET = 2 * 1_048_576;

/** The records of its examples, and what each is in. */
const records = readVectors()
  .filter(({ name, stream }) => name === "DATA" && stream === 5)
  .map(({ bytes }) => bytes.subarray(16));

describe("the patches of PROTOCOL.md", () => {
  test("have the numbers of lib", () => {
    expect(text).toContain(`A _piece_ is ${PIECE_BYTES} bytes of a block`);
    expect(text).toContain(`a block has ${PIECES_PER_BLOCK} pieces or fewer`);
    expect(text).toContain(
      `${MAX_OFFERED_BYTES} bytes of digests in one record: the pieces of ${MAX_OFFERED_BLOCKS} blocks`,
    );
    expect(text).toContain(`more than ${2 * MAX_OFFERED_BLOCKS} blocks that have not come yet`);
    expect(text).toContain(`both named the capability \`${PATCHES_CAPABILITY}\``);
    expect(MAX_PATCH_BYTES).toBe(63 * 16_384 + 24);
  });

  test("are of a block that its receiver can put together: its tag is that of the example", () => {
    const patch = readChunks().find(({ name }) => name === "PATCH");
    if (patch?.payload.kind !== "hex") throw new Error("The example has no PATCH.");
    expect(patch.offset).toBe(OFFSET);
    const cipher = createCipheriv("aes-128-gcm", KEY, Buffer.from("000000000000000000000002", "hex"));
    cipher.setAAD(BLOCK);
    cipher.final();
    const tag = cipher.getAuthTag();
    expect(Buffer.from(blockTag(BLOCK, KEY, OFFSET))).toEqual(tag);
    expect(decodePatch(patch.payload.bytes, BLOCK.length)).toEqual({ pieces: [], tag });
    expect(ChunkKind.PATCH).toBe(6);
  });

  test("are offered in the records of the examples, of a get and of a put", () => {
    const digest = Buffer.alloc(PIECE_DIGEST_BYTES);
    digest.writeUInt32BE(Number(Bun.hash.xxHash3(BLOCK, 2n) & 0xffff_ffffn));
    const offer = { key: Buffer.from(KEY).toString("base64"), pieces: digest.toString("base64") };
    const requests = records.flatMap((bytes) => {
      const { output, success } = v.safeParse(GetRequest, JSON.parse(bytes.toString()));
      return success && output.path === "disk.img" && !output.holes ? [output] : [];
    });
    expect(requests).toMatchObject([
      { id: 7, offset: OFFSET, ...offer, more: true },
      { id: 7, more: false },
    ]);
    const answers = records.filter((bytes) => bytes.includes('"state"'));
    expect(answers.map((bytes) => decodeJson(PutAnswer, bytes, "An answer"))).toEqual([
      { id: 9, state: "pieces", offset: OFFSET, ...offer },
    ]);
  });
});
