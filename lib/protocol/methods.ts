import * as v from "valibot";

/** Parameters, results and body records of every method, by family. Source: PROTOCOL.md, "Methods". */
export * from "./methods/entries-schemas.ts";
export * from "./methods/events-schemas.ts";
export * from "./methods/files-schemas.ts";
export * from "./methods/message-schemas.ts";
export * from "./methods/operator-schemas.ts";
export * from "./methods/share-schemas.ts";
export * from "./methods/status-schemas.ts";

/** The parameters of a method that takes none. */
export const Nothing = v.object({});
