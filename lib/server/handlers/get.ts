import { checkPath } from "../../path.ts";
import { GetParams } from "../../protocol/methods.ts";
import { sendFile } from "../../transfer/send-file.ts";
import { defineMethod } from "../method.ts";

/** A file, whole. */
export const get = defineMethod({
  name: "get",
  role: "client",
  params: GetParams,
  async handle({ params, stream, host }) {
    const file = await host.storage.open(checkPath(params.path));
    try {
      await sendFile(stream, file, host.createSha256());
    } finally {
      await file.close();
    }
  },
});
