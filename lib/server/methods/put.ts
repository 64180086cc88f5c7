import { Nothing } from "../../protocol/methods.ts";
import { GivenNames } from "../../transfer/given-names.ts";
import { PutReceiver } from "../../transfer/put-receiver.ts";
import { failureOf } from "../failure.ts";
import { type Call, defineMethod } from "../method.ts";
import { PUT_NEED, putSizes } from "../transfer-needs.ts";

/** Files and folders from the client, each answered when it is durably stored. */
export const put = defineMethod({
  name: "put",
  role: "write",
  takesBody: true,
  forDrop: true,
  params: Nothing,
  async handle({
    stream,
    member,
    server,
  }: Call<typeof Nothing, "storage" | "transfers" | "events" | "failures" | "clock">) {
    const { name } = member;
    const { digest64, blockTag, buffers, maxWindow } = server.transfers;
    stream.accept({});
    await member.transfers.run(stream, PUT_NEED, (grant) => {
      const { window, ...sizes } = putSizes(grant.bytes, maxWindow);
      // The names of a transfer that continues in another stream after its link was lost.
      const names = member.cutNames ?? new GivenNames();
      member.cutNames = undefined;
      const receiver = new PutReceiver({
        names,
        paths: member.paths,
        knowsHoles: member.knowsHoles,
        stream,
        storage: server.storage,
        clock: server.clock,
        digest64,
        blockTag: member.knowsPatches ? blockTag : undefined,
        buffers,
        ...sizes,
        onStored: (path, size) => server.events.emit({ event: "stored", name, path, size }),
        describe: (thrown) => failureOf(thrown, { name, method: "put" }, server.failures),
      });
      grant.isAtWork = () => receiver.isAtWork;
      stream.widen(window);
      // This counts as progress: bytes that arrived before the link is lost need not be sent again.
      stream.keepArrived();
      return receiver.run().catch((thrown) => {
        member.cutNames = names;
        throw thrown;
      });
    });
    await stream.end();
  },
});
