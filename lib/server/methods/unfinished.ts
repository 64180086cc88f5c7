import { Nothing, type UnfinishedRecord } from "../../protocol/methods.ts";
import { encodeRecord } from "../../protocol/records.ts";
import { type Call, defineMethod } from "../method.ts";

/** Unfinished files of interrupted and running transfers. */
export const unfinished = defineMethod({
  name: "unfinished",
  role: "operator",
  params: Nothing,
  async handle({ stream, server }: Call<typeof Nothing, "storage">) {
    stream.accept({});
    for await (const { path, size, modifiedAt } of server.storage.unfinished()) {
      await stream.write(encodeRecord({ path, size, modifiedAt } satisfies UnfinishedRecord));
    }
    await stream.end();
  },
});
