import { describe, expect, test } from "bun:test";
import { warningText } from "../../../lib/cli/server/warning-words.ts";
import type { DaemonWarning } from "../../../lib/daemon/warnings.ts";
import { CommError } from "../../../lib/errors.ts";
import { StateFolderError } from "../../../lib/state/state-dir.ts";

const ELSEWHERE = "Keep it where only you can read and write: --state-dir.";
const LEFT = { maxClients: 1, maxWaiting: 2, maxFiles: 1 };

const WORDS: readonly (readonly [DaemonWarning, string])[] = [
  [
    { kind: "changeable state", folder: "/s", mode: "0777", isAnothers: false },
    `Others on this machine can change the state folder "/s" (its mode is 0777), and so become an operator of this server. ${ELSEWHERE}`,
  ],
  [
    { kind: "changeable state", folder: "/s", mode: "0755", isAnothers: true },
    `The state folder "/s" belongs to another user, who can change it, and so become an operator of this server. ${ELSEWHERE}`,
  ],
  [
    { kind: "readable key", file: "/k", mode: "0644" },
    `Others on this machine can read this server's key, "/k" (its mode is 0644), and impersonate this server. ${ELSEWHERE}`,
  ],
  [
    { kind: "private place", place: "/r/s" },
    'The repository holds "/r/s", which belongs to CommServer itself: it is never listed, served or changed.',
  ],
  [
    { kind: "few descriptors", limit: 32, wanted: { maxClients: 64, maxWaiting: 16 }, left: LEFT },
    "Only 32 files may be open at once, too few for 64 seats and 16 waiting clients. The server has only 1 seat, 2 waiting clients, " +
      "1 open file. Raise the limit (ulimit -Hn, LimitNOFILE=).",
  ],
  [
    { kind: "unwritable repository", fault: "Read-only." },
    "Clients may write (--writable), but nothing can be written to the repository: Read-only.",
  ],
  [
    { kind: "no file locks", fault: "disk" },
    "No file locks on this disk: folders beside unfinished files are their locks instead. When a machine goes down, its locks end after 2 minutes.",
  ],
  [{ kind: "no local invite", fault: new CommError("DISK_FULL", "Full.") }, "No invite for this machine: Full."],
  [
    { kind: "no local invite", fault: new StateFolderError("DISK_DENIED", "No home.", "homeless") },
    "No invite for this machine: No home: name a folder with --state-dir, or set XDG_STATE_HOME.",
  ],
  [
    { kind: "never started", stateDir: "/my state" },
    'No server has ever run with the state folder "/my state". The invite is for a server that is started with: ' +
      "commserver-server --repository DIR --state-dir '/my state'",
  ],
  [
    { kind: "long socket path", path: "/long", maxBytes: 103 },
    "No operator's socket: its path /long is longer than 103 bytes.",
  ],
  [
    { kind: "exposed socket" },
    "No operator's socket: others on this machine could use it, or put their own in its place. " +
      "Use this server's own terminal, or a token of the role operator.",
  ],
  [{ kind: "no socket", fault: "EACCES" }, "No operator's socket: EACCES"],
];

describe("what a server warns of when it starts", () => {
  test.each(WORDS.map(([warning, words]) => [warning.kind, warning, words] as const))("%s", (_, warning, words) => {
    expect(warningText(warning)).toBe(words);
  });
});
