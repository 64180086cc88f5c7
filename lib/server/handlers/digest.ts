import { checkPath } from "../../path.ts";
import { DigestParams } from "../../protocol/methods.ts";
import { defineMethod } from "../method.ts";

/** The SHA-256 of a file. */
export const digest = defineMethod({
  name: "digest",
  role: "read",
  kind: "lists",
  params: DigestParams,
  async handle({ params, stream, host }) {
    stream.accept(await host.digests.digest(checkPath(params.path)), { end: true });
  },
});
