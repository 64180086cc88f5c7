import fs from "node:fs";
import type { Transport } from "../session/transport.ts";
import { traceTransport } from "../trace/traced-transport.ts";
import { escapeText } from "./escape.ts";
import { UsageError } from "./usage-error.ts";

/** Wraps a transport when there is a trace, and is the transport itself when there is none. */
export type Trace = (transport: Transport) => Transport;

let ofProcess: Trace | undefined;

/** The trace of this process, opened at its first use. @throws as openTrace() */
export function processTrace(): Trace {
  ofProcess ??= openTrace(process.env["COMMSERVER_TRACE"]);
  return ofProcess;
}

/**
 * COMMSERVER_TRACE=FILE appends a line for each frame to FILE, which only its user can read. Each line is written at
 * once, so that a crash loses none.
 *
 * @throws UsageError when FILE can't be written
 */
export function openTrace(file: string | undefined): Trace {
  if (file === undefined || file === "") return (transport) => transport;
  const fd = openFile(file);
  let links = 0;
  let isBroken = false;
  return (transport) => {
    const link = `#${++links}`;
    return traceTransport(transport, (line) => {
      if (isBroken) return;
      try {
        fs.writeSync(fd, `${new Date().toISOString()} ${link} ${escapeText(line)}\n`);
      } catch {
        isBroken = true; // a full disk ends the trace, not the program
      }
    });
  };
}

function openFile(file: string): number {
  try {
    return fs.openSync(file, "a", 0o600);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`COMMSERVER_TRACE: ${file} can't be written (${why}).`, { cause });
  }
}
