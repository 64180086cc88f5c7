import * as v from "valibot";

/** Parameters, results and body records of every method, by family. Source: PROTOCOL.md, "Methods". */
export * from "./methods/entries.ts";
export * from "./methods/events.ts";
export * from "./methods/files.ts";
export * from "./methods/message.ts";
export * from "./methods/operator.ts";
export * from "./methods/status.ts";

/** The parameters of a method that takes none. */
export const Nothing = v.object({});
