import { expect, test } from "bun:test";
import fc from "fast-check";
import { decodeHeader, encodeHeader } from "../../lib/protocol/header.ts";
import { Opcode } from "../../lib/protocol/opcode.ts";
import { strangeHeader, validHeader } from "../support/arbitraries.ts";
import { protocolFault } from "../support/outcomes.ts";

test("decodeHeader() gives back every valid header that encodeHeader() wrote, at any offset", () => {
  fc.assert(
    fc.property(validHeader, fc.nat(20), ({ name, flags, stream, length }, offset) => {
      const header = { opcode: Opcode[name], flags, streamId: stream, length };
      const bytes = new Uint8Array(offset + 16).fill(0xee);
      encodeHeader(bytes, offset, header);
      expect(decodeHeader(bytes, offset)).toEqual(header);
    }),
    { numRuns: 500 },
  );
});

test("encodeHeader() gives back every header that decodeHeader() takes; what it does not take is a ProtocolError", () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(strangeHeader, fc.uint8Array({ minLength: 16, maxLength: 16 })), (bytes) => {
      let header: ReturnType<typeof decodeHeader> | undefined;
      const fault = protocolFault(() => {
        header = decodeHeader(bytes);
      });
      expect(fault === undefined).toBe(header !== undefined);
      if (header === undefined) return;
      taken++;
      const encoded = new Uint8Array(16);
      encodeHeader(encoded, 0, header);
      expect(Buffer.from(encoded).toString("hex")).toBe(Buffer.from(bytes).toString("hex"));
    }),
    { numRuns: 1_000 },
  );
  expect(taken).toBeGreaterThan(0);
});
