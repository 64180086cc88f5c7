import { checkPath } from "../../path.ts";
import { DigestParams } from "../../protocol/methods.ts";
import { type Call, defineMethod } from "../method.ts";
import { DIGEST_NEED } from "../transfer-needs.ts";

/** The SHA-256 of a file. */
export const digest = defineMethod({
  name: "digest",
  role: "read",
  kind: "lists",
  params: DigestParams,
  async handle({ params, stream, member, server }: Call<typeof DigestParams, "digests">) {
    const path = checkPath(params.path, member.paths);
    await member.lookups.run(stream, DIGEST_NEED, async () => {
      stream.accept(await server.digests.digest(path, stream.signal), { end: true });
    });
  },
});
