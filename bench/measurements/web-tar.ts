import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { FILE, TREE } from "../peers/peer.ts";
import { oursPlain, oursTls } from "../peers/web-server.ts";
import type { Goal } from "../support/comparison.ts";
import { makeFile } from "../support/sample-data.ts";
import { Workspace } from "../support/workspace.ts";
import { formatBytes, placeOf, type TransferMeasurement } from "./transfer.ts";
import { measureWeb, processorOf, timeOf, type WebContestant } from "./web-turns.ts";

const MEMBERS = 64;

/** A folder as an archive, beside one file with as many bytes. */
export const webTar: TransferMeasurement = {
  name: "web-tar",
  title: "a folder as a tar by curl",
  async run(context) {
    const member = Math.max(1, Math.floor(context.sizes.file / 2 / MEMBERS));
    const bytes = MEMBERS * member;
    using workspace = Workspace.create(2 * bytes);
    const tree = join(workspace.served, TREE);
    makeFile(join(workspace.served, FILE), bytes);
    mkdirSync(tree);
    for (let index = 0; index < MEMBERS; index++) makeFile(join(tree, `file-${index}.bin`), member);
    const contestants = [oursPlain, oursTls].flatMap((server): WebContestant[] =>
      [`${TREE}/?archive=tar`, FILE].map((path) => ({
        name: `${path === FILE ? "file" : "tar"}, ${server.name}`,
        server,
        command: ({ url }) => ({ argv: ["curl", "--silent", "--show-error", "--fail", "--insecure", url(path)] }),
      })),
    );
    const runs = await measureWeb(context, { workspace, contestants, clients: ["curl"] });
    // 0.9 of the rate is 1 / 0.9 of the time.
    const goals = [oursPlain, oursTls].map(
      ({ name }): Goal => ({ of: `tar, ${name}`, beside: `file, ${name}`, atMost: 1.11 }),
    );
    return {
      data: `${MEMBERS} files of ${formatBytes(member)} and one of ${formatBytes(bytes)}, ${placeOf(workspace)}, thrown away`,
      rounds: context.rounds,
      comparisons: [timeOf(runs, goals), ...processorOf(runs, bytes, [])],
      notes: [],
    };
  },
};
