import type { Transport } from "../../lib/session/transport.ts";
import { facade } from "./facade.ts";
import { frame, parseFrames } from "./frames.ts";

/** A client's transport that removes a capability from HELLO, as if the client did not know it. */
export function withoutCapability(transport: Transport, capability: string): Transport {
  let begun: Buffer | undefined = Buffer.alloc(0);
  return facade(transport, {
    write(bytes) {
      if (begun === undefined) return transport.write(bytes);
      begun = Buffer.concat([begun, bytes]);
      const { frames, rest } = parseFrames(begun);
      const [hello] = frames;
      if (hello === undefined) return true;
      begun = undefined;
      const capabilities = hello.json.capabilities.filter((name: string) => name !== capability);
      return transport.write(Buffer.concat([frame("HELLO", { ...hello.json, capabilities }), rest]));
    },
  });
}
