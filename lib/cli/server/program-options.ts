import { processTrace, type Trace } from "../trace-file.ts";
import { VERSION } from "../version.ts";

/** What every part of this program that talks to a peer is given. @throws as processTrace() */
export function programOptions(): { readonly agent: string; readonly trace: Trace } {
  return { agent: `commserver-server/${VERSION}`, trace: processTrace() };
}
