import { processTrace, type Trace } from "../trace-file.ts";
import { VERSION } from "../version.ts";

/** Options of every part of this program that talks to a peer. @throws as processTrace() */
export function programOptions(): { readonly agent: string; readonly trace: Trace } {
  return { agent: `commserver-server/${VERSION}`, trace: processTrace() };
}
