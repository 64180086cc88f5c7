import { join } from "node:path";
import { FILE } from "../peers/peer.ts";
import { nginxPlain, nginxTls, type OpenWebServer, oursPlain, oursTls, type WebServer } from "../peers/web-server.ts";
import type { Goal } from "../support/comparison.ts";
import type { Command } from "../support/family.ts";
import { makeFile } from "../support/sample-data.ts";
import { Workspace } from "../support/workspace.ts";
import { formatBytes, placeOf, type TransferContext, type TransferMeasurement } from "./transfer.ts";
import { measureWeb, processorOf, timeOf, type WebContestant } from "./web-turns.ts";

const SERVERS = [oursPlain, nginxPlain, oursTls, nginxTls];

/** The goals of HTTP: our time and processor time compared with nginx's. */
const PLAIN = { of: oursPlain.name, beside: nginxPlain.name };
const TLS = { of: oursTls.name, beside: nginxTls.name };
const TIME: readonly Goal[] = [
  { ...PLAIN, atMost: 0.95 },
  { ...TLS, atMost: 1.1 },
];
const PROCESSOR: readonly Goal[] = [
  { ...PLAIN, atMost: 1.1 },
  { ...TLS, atMost: 1.1 },
];

/** The range of web-range, and how often it is fetched over one connection, since once is too short to measure. */
const RANGE_BYTES = 200_000_000;
const RANGES = 5;

const CURL = ["curl", "--silent", "--show-error", "--fail", "--insecure"];

/** One file, thrown away. */
export const webGet: TransferMeasurement = {
  name: "web-get",
  title: "a file by curl",
  async run(context) {
    const { file: bytes } = context.sizes;
    using workspace = Workspace.create(bytes);
    makeFile(join(workspace.served, FILE), bytes);
    const command = (server: OpenWebServer) => ({ argv: [...CURL, server.url(FILE)] });
    const runs = await measureWeb(context, { workspace, contestants: each(SERVERS, command), clients: ["curl"] });
    return {
      data: `one file of ${formatBytes(bytes)} random bytes, ${placeOf(workspace)}, thrown away`,
      rounds: context.rounds,
      comparisons: [timeOf(runs, TIME), ...processorOf(runs, bytes, PROCESSOR)],
      notes: [],
    };
  },
};

/** A part of a file. */
export const webRange: TransferMeasurement = {
  name: "web-range",
  title: "a range by curl",
  async run(context) {
    const { file } = context.sizes;
    const bytes = Math.min(RANGE_BYTES, Math.floor(file / 2));
    using workspace = Workspace.create(file);
    makeFile(join(workspace.served, FILE), file);
    const first = Math.floor((file - bytes) / 2);
    const range = ["--range", `${first}-${first + bytes - 1}`];
    const command = (server: OpenWebServer) => ({
      argv: [...CURL, ...range, ...Array.from({ length: RANGES }, () => server.url(FILE))],
    });
    const runs = await measureWeb(context, { workspace, contestants: each(SERVERS, command), clients: ["curl"] });
    return {
      data: `${(bytes / 1e6).toFixed(0)} MB of the middle of a file, ${RANGES} times over one connection, ${placeOf(workspace)}`,
      rounds: context.rounds,
      comparisons: [timeOf(runs, TIME), ...processorOf(runs, RANGES * bytes, PROCESSOR)],
      notes: [],
    };
  },
};

/** Ranges at the same time. */
export const webParallel: TransferMeasurement = {
  name: "web-parallel",
  title: "16 ranges at once by aria2c",
  async run(context: TransferContext) {
    const bytes = Math.floor(context.sizes.file / 4);
    using workspace = Workspace.create(2 * bytes);
    const { target } = workspace;
    const source = join(workspace.served, FILE);
    makeFile(source, bytes);
    const settings = ["--no-conf", "--quiet", "--check-certificate=false", "--file-allocation=none"];
    const parallel = ["--max-connection-per-server=16", "--split=16", "--min-split-size=1M"];
    const command = (server: OpenWebServer) => ({
      argv: ["aria2c", ...settings, ...parallel, `--dir=${target}`, server.url(FILE)],
    });
    const runs = await measureWeb(context, {
      workspace,
      contestants: each(SERVERS, command),
      clients: ["aria2c"],
      arrival: { folder: target, name: FILE, sameAs: source },
    });
    const goals: readonly Goal[] = [
      { ...PLAIN, atMost: 1 },
      { ...TLS, atMost: 1 },
    ];
    return {
      data: `one file of ${formatBytes(bytes)} random bytes, ${placeOf(workspace)}`,
      rounds: context.rounds,
      comparisons: [timeOf(runs, goals), ...processorOf(runs, bytes, [])],
      notes: [],
    };
  },
};

/** The same program with each server. */
export function each(
  servers: readonly WebServer[],
  command: (server: OpenWebServer) => Command,
): readonly WebContestant[] {
  return servers.map((server) => ({ name: server.name, ...(server.ours && { ours: true }), server, command }));
}
