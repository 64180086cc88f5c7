/** The numbers of SECURITY.md are those of the program. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BLOCK_BYTES, MAX_FILE_BYTES } from "../../lib/block.ts";
import { PAGES_PER_LIST, SERVE_FLAGS } from "../../lib/cli/server/serve-flags.ts";
import { MAX_LISTED } from "../../lib/client/path-set.ts";
import { MAX_WORKING_MS } from "../../lib/client/silence-watch.ts";
import { MAX_BYTES } from "../../lib/daemon/default-memory.ts";
import { MAX_PASSING, MAX_UNADMITTED, MAX_UNADMITTED_PER_ADDRESS } from "../../lib/daemon/descriptor-budget.ts";
import {
  FIRST_CREDIT_BYTES,
  HANDSHAKE_MS,
  HEARTBEAT_MS,
  MAX_STREAMS,
  MAX_WINDOW_BYTES,
} from "../../lib/daemon/limits.ts";
import {
  CONNECTION_MS,
  MAX_CONNECTIONS,
  MAX_HEAD_BYTES as METRICS_HEAD_BYTES,
} from "../../lib/daemon/metrics/metrics-door.ts";
import { PROCESSOR_SHARE } from "../../lib/discovery/announcer.ts";
import { MAX_BYTES as MAX_DATAGRAM, MAX_RECORDS } from "../../lib/discovery/datagram-guard.ts";
import { MAX_SERVERS, MAX_SPEAKERS } from "../../lib/discovery/neighbourhood.ts";
import { MAX_OF_SPEAKER } from "../../lib/discovery/speaker.ts";
import { ERRORS } from "../../lib/errors.ts";
import { MAX_RANGES } from "../../lib/gateway/byte-ranges.ts";
import { MAX_DAV_BYTES, MAX_NAME_CHARS, MAX_PROPERTIES } from "../../lib/gateway/dav-request.ts";
import { MAX_HEAD_BYTES } from "../../lib/gateway/gateway.ts";
import { ANSWER_STALLED_MS } from "../../lib/gateway/http-call.ts";
import { MAX_PIPELINED, MAX_UNREAD_BYTES } from "../../lib/gateway/http-connection.ts";
import { HEAD_MS, IDLE_MS } from "../../lib/gateway/http-connections.ts";
import { BODY_STALLED_MS } from "../../lib/gateway/request-body.ts";
import { GLOB_LIMITS } from "../../lib/glob.ts";
import { MAX_HOLES } from "../../lib/holes.ts";
import { MAX_COMPONENTS, MAX_NAME_BYTES, MAX_PATH_BYTES } from "../../lib/path.ts";
import {
  MAX_CONTROL_BYTES,
  MAX_DATA_BYTES,
  MAX_HELLO_BYTES,
  MAX_JSON_DEPTH,
  MAX_TEXT_LENGTH,
} from "../../lib/protocol/constants.ts";
import { MAX_POSITION } from "../../lib/protocol/messages.ts";
import { CODE_MS, MAX_LEFT_OUT, MAX_SHARE_MS, SHARE_MS } from "../../lib/protocol/methods.ts";
import { MAX_OFFERED_BLOCKS, MAX_OFFERED_BYTES } from "../../lib/protocol/patch.ts";
import { MAX_BEGUN, MAX_CODES } from "../../lib/server/access/code-book.ts";
import { MAX_LINKS } from "../../lib/server/access/link-store.ts";
import { MAX_WAITING_PER_GROUP } from "../../lib/server/access/secrets.ts";
import { MAX_REQUESTS } from "../../lib/server/guest-session.ts";
import { GRACE_MS as GUEST_GRACE_MS, MAX_GUEST_TRANSFERS } from "../../lib/server/guests.ts";
import { HOLDER_STALLED_MS } from "../../lib/server/holders.ts";
import { MAX_BYTES as LEFT_OUT_BYTES } from "../../lib/server/left-out-list.ts";
import { KEPT_PER_SECOND } from "../../lib/server/mail/mail.ts";
import { AUTHOR_BYTES, AUTHOR_MESSAGES } from "../../lib/server/mail/mailbox.ts";
import { MAX_LOOKUPS, MAX_SESSION_TRANSFERS } from "../../lib/server/member.ts";
import { memoryLimits } from "../../lib/server/memory-limits.ts";
import { MAX_WATCHES } from "../../lib/server/methods/watch.ts";
import { MAX_BACKLOG } from "../../lib/server/record-backlog.ts";
import { MAX_SHARES, MAX_SHARES_PER_TOKEN } from "../../lib/server/shares/shares.ts";
import { BURST, PER_SECOND } from "../../lib/server/throttle.ts";
import { SILENT_INTERVALS } from "../../lib/session/heartbeat.ts";
import { CONGESTED_BYTES } from "../../lib/session/link.ts";
import { LOOK_MS, restAfter } from "../../lib/storage/local/watch/looking-source.ts";
import { MAX_TOUCHED } from "../../lib/storage/local/watch/touches.ts";
import { MAX_PATHS } from "../../lib/transfer/given-names.ts";
import { LOOK_MS as PAUSED_LOOK_MS } from "../../lib/transport/paused-sockets.ts";
import { readTableOf } from "../support/protocol-page.ts";

const ROOT = join(import.meta.dir, "../..");
const PAGE = readFileSync(join(ROOT, "SECURITY.md"), "utf8");
const KIB = 1024;

const rows = readTableOf(PAGE, "limit", "number", "flag", "answer").map((row) => ({
  limit: row["limit"] as string,
  number: row["number"] as string,
  flag: row["flag"] as string,
  answer: row["answer"] as string,
}));

const handshakes = MAX_UNADMITTED;

const MAX_SESSION_MEMORY = memoryLimits(Number.MAX_SAFE_INTEGER).sessionBytes / KIB / KIB;

const often = `${BURST}, and one in ${1 / PER_SECOND} s`;

/** Limits without a flag, as the page writes them. */
const NUMBERS: Record<string, string> = {
  "HTTP: connections at once": `${MAX_UNADMITTED} and ${MAX_REQUESTS} for each seat`,
  "HTTP: connections without a request": `${handshakes}`,
  "HTTP: the same, of one address": `${MAX_UNADMITTED_PER_ADDRESS}`,
  "HTTP: the head of a request": `${MAX_HEAD_BYTES / KIB} KiB`,
  "HTTP: time for the head of a request": `${HEAD_MS / 1000} s`,
  "HTTP: a connection without a request": `${IDLE_MS / 1000} s`,
  "HTTP: requests ahead of their answers": `${MAX_PIPELINED}`,
  "HTTP: an answer of which nothing is taken": `${ANSWER_STALLED_MS / 1000} s`,
  "HTTP: a body of which nothing comes": `${BODY_STALLED_MS / 1000} s`,
  "HTTP: bytes of a body that nobody reads yet": `${MAX_UNREAD_BYTES / KIB} KiB`,
  "HTTP: a body without a length": `${BLOCK_BYTES / KIB / KIB} MiB`,
  "HTTP: the body of a PROPFIND": `${MAX_DAV_BYTES / KIB} KiB`,
  "HTTP: properties that it names": `${MAX_PROPERTIES}`,
  "HTTP: characters of a property's name": `${MAX_NAME_CHARS}`,
  "HTTP: links, ended ones of a week included": `${MAX_LINKS}`,
  "HTTP: ranges of a request": `${MAX_RANGES}`,
  "HTTP: requests of one client at once": `${MAX_REQUESTS}`,
  "HTTP: transfers of one client that move": `${MAX_GUEST_TRANSFERS}`,
  "HTTP: secrets of one address to be looked at": `${MAX_WAITING_PER_GROUP}`,
  "HTTP: a seat without a request": `${GUEST_GRACE_MS / 1000} s`,
  "announcement: a datagram": `${MAX_DATAGRAM} bytes, ${MAX_RECORDS} records`,
  "announcement: work for datagrams": PROCESSOR_SHARE === 0.05 ? "a twentieth of a core" : "another share",
  "find: servers of one address, of all": `${MAX_OF_SPEAKER}, ${MAX_SERVERS}`,
  "find: addresses that are listened to": `${MAX_SPEAKERS}`,
  "metrics: connections at once": `${MAX_CONNECTIONS}`,
  "metrics: the head of a request": `${METRICS_HEAD_BYTES / KIB} KiB`,
  "metrics: a connection": `${CONNECTION_MS / 1000} s`,
  "connections in their handshake": `${handshakes}`,
  "the same, from one address": `${MAX_UNADMITTED_PER_ADDRESS}`,
  "both, and refused ones that are still open": `${MAX_PASSING}`,
  "open files of the server": "those of the system, shared out",
  "time for TLS, HELLO and the proof": `${HANDSHAKE_MS / 1000} s`,
  "wrong proofs of one address": often,
  "wrong and unknown codes of one address": often,
  "wrong proofs of one code, from all addresses": "1",
  "proofs of one code that are begun": `${MAX_BEGUN}`,
  "codes at once": `${MAX_CODES}`,
  "shares at once, of one token": `${MAX_SHARES}, ${MAX_SHARES_PER_TOKEN}`,
  "the life of a share (`share --expires`)": `${SHARE_MS / 3_600_000} h, at most ${MAX_SHARE_MS / 3_600_000} h`,
  "the life of a code (`--code-expires`)": `${CODE_MS / 60_000} min`,
  "lines in the log for one address and refusal": often,
  "the same for one session and failure": often,
  "silence of a peer": `${(HEARTBEAT_MS * SILENT_INTERVALS) / 1000} s`,
  "checks whether a held-up peer has gone": `one in ${PAUSED_LOOK_MS / 1000} s (Linux)`,
  "requests under way in a session": `${MAX_STREAMS}`,
  "transfers that move in a session": `${MAX_SESSION_TRANSFERS}`,
  "lists and digests at work in a session": `${MAX_LOOKUPS}`,
  "bytes under way on a stream, before its turn": `${FIRST_CREDIT_BYTES / KIB} KiB`,
  "bytes under way on a stream, in its turn": `${MAX_WINDOW_BYTES / KIB / KIB} MiB, less with a rate`,
  "answers that wait for a slow peer": `${CONGESTED_BYTES / KIB} KiB`,
  "the same of one session": `${MAX_SESSION_MEMORY} MiB`,
  "kept messages of one sender's token":
    AUTHOR_MESSAGES === 1 / 2 && AUTHOR_BYTES === 1 / 4 ? "half a mailbox, a quarter of bytes" : "",
  "messages of one sender's token that are kept a second": `${KEPT_PER_SECOND}, twice that at once`,
  "a transfer that idles while others wait": `${HOLDER_STALLED_MS / 1000} s`,
  "`status` a second": PAGES_PER_LIST === 10 ? "ten times that" : "",
  "watches of a session": `${MAX_WATCHES}`,
  "records that wait for a slow reader": `${MAX_BACKLOG.records}, and ${MAX_BACKLOG.bytes / KIB / KIB} MiB`,
  "names in the trailer of a list": `${MAX_LEFT_OUT}, and ${LEFT_OUT_BYTES / KIB} KiB`,
  "changes that wait to be looked at": `${MAX_TOUCHED}`,
  "looks for changes that no system reports": `one in ${LOOK_MS / 1000} s, ${restAfter(LOOK_MS) / LOOK_MS === 99 ? "a hundredth of a core" : ""}`,
  "a pattern": `${GLOB_LIMITS.length} characters, ${GLOB_LIMITS.groups} \`{\`, ${GLOB_LIMITS.stars} \`*\``,
  "alternatives of a pattern": `${GLOB_LIMITS.alternatives}`,
  "HELLO, AUTH; other control frames; DATA": `${MAX_HELLO_BYTES / KIB} KiB; ${MAX_CONTROL_BYTES / KIB} KiB; ${MAX_DATA_BYTES / KIB / KIB} MiB`,
  "nesting of JSON": `${MAX_JSON_DEPTH}`,
  "a path": `${MAX_PATH_BYTES} bytes, ${MAX_NAME_BYTES} and ${MAX_COMPONENTS} components`,
  "a message": `${MAX_TEXT_LENGTH} characters`,
  "holes listed for a file": `${MAX_HOLES}`,
  "blocks of an older file offered ahead": `${2 * MAX_OFFERED_BLOCKS}`,
  "digests of an offer, in one record": `${MAX_OFFERED_BYTES / KIB} KiB`,
  "a file that is put, or fetched": `${MAX_FILE_BYTES / KIB ** 4} TiB`,
  "paths that a transfer remembers": `${MAX_PATHS}, in ${(16 * MAX_PATHS) / KIB ** 2} MiB`,
  "entries of a server's list, for one `get`": `${MAX_LISTED}`,
  "WORKING and nothing else, from a server": `${MAX_WORKING_MS / 3_600_000} h`,
  "place in a server's queue": `${MAX_POSITION}`,
};

describe("the limits of SECURITY.md", () => {
  test("without a flag are the constants of the program, all of them", () => {
    const fixed = rows.filter(({ flag }) => flag === "");
    expect(Object.fromEntries(fixed.map(({ limit, number }) => [limit, number]))).toEqual(NUMBERS);
  });

  test("with a flag have the default that the flag has", () => {
    for (const { number, flag } of rows.filter((row) => !["", "`--max-memory`"].includes(row.flag))) {
      for (const [, name] of flag.matchAll(/`--([a-z-]+)`/g)) {
        const { default: fallback } = SERVE_FLAGS[name as keyof typeof SERVE_FLAGS] as { default?: string };
        const written = fallback === undefined ? "none" : name === "idle" ? `${Number(fallback) / 3600} h` : fallback;
        expect(number.replace(/ ([MG]B)/, "$1").split(",")[0]).toBe(written);
      }
    }
  });

  test("of memory is that of a large machine", () => {
    const row = rows.find(({ flag }) => flag === "`--max-memory`");
    const most = MAX_BYTES / KIB / KIB;
    expect(row?.number).toStartWith(`${most} MiB`);
  });

  test("are answered with codes of the error table", () => {
    for (const { answer } of rows.filter((row) => /^[A-Z_]+$/.test(row.answer))) {
      expect(Object.keys(ERRORS)).toContain(answer);
    }
  });
});

test("the tests that SECURITY.md names exist", () => {
  const named = [...PAGE.matchAll(/`((?:contract|unit|integration|interop|e2e|fuzz|soak)\/[^`]*)`/g)].map(
    ([, path]) => path as string,
  );
  expect(named.length).toBeGreaterThan(10);
  for (const path of named) {
    const files = [...new Bun.Glob(path.endsWith("/") ? `${path}**` : `${path}.ts`).scanSync(join(ROOT, "tests"))];
    expect({ path, exists: files.length > 0 || existsSync(join(ROOT, "tests", path)) }).toEqual({ path, exists: true });
  }
});
