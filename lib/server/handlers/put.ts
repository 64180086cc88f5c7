import { Nothing } from "../../protocol/methods.ts";
import { PutReceiver } from "../../transfer/put-receiver.ts";
import { failureOf } from "../failure.ts";
import { defineMethod } from "../method.ts";

/** Files and folders from the client, each answered when it is stored for good. */
export const put = defineMethod({
  name: "put",
  role: "write",
  takesBody: true,
  params: Nothing,
  async handle({ stream, member, host }) {
    const { name } = member;
    stream.accept({});
    const receiver = new PutReceiver({
      stream,
      storage: host.storage,
      clock: host.clock,
      digest64: host.digest64,
      onStored: (path, size) => host.events.emit({ event: "stored", name, path, size }),
      describe: (thrown) => failureOf(thrown, "put", member, host),
    });
    await member.transfers.run(() => receiver.run());
    await stream.end();
  },
});
