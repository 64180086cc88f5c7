/** Stamped into the binaries by scripts/build.ts. */
declare const COMMSERVER_VERSION: string | undefined;

export const VERSION = typeof COMMSERVER_VERSION === "undefined" ? "0.0.0-dev" : COMMSERVER_VERSION;

/** What `--version` and `version` print. */
export function versionLine(program: string): string {
  return `${program} ${VERSION}\n`;
}
