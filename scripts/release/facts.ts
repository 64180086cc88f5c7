import packageJson from "../../package.json" with { type: "json" };
import { ROOT } from "../compile.ts";
import { run } from "./run.ts";

/** What every part of a release has in common. */
export interface ReleaseFacts {
  readonly version: string;
  /** The time of all its files, in seconds since 1970. */
  readonly epoch: number;
}

/** The facts of the present commit; SOURCE_DATE_EPOCH goes before its time (reproducible-builds.org). */
export function releaseFacts(): ReleaseFacts {
  const given = process.env["SOURCE_DATE_EPOCH"];
  const epoch = Number(given ?? run(["git", "log", "-1", "--format=%ct"], { cwd: ROOT }));
  if (!Number.isSafeInteger(epoch)) throw new Error(`SOURCE_DATE_EPOCH=${given} is no time.`);
  return { version: packageJson.version, epoch };
}

/** `2026-11-30`, in UTC. */
export function dateOf({ epoch }: ReleaseFacts): string {
  return new Date(epoch * 1000).toISOString().slice(0, 10);
}
