/** A transfer that is refused, for whatever reason and on either side, leaves nothing but what was there. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binaries } from "../support/binaries.ts";
import { isSkipped, launched, missingLauncher, namedWhy, type Refused } from "../support/launched.ts";
import { OtherUser } from "../support/other-user.ts";
import { run, ServerProcess } from "../support/processes.ts";
import { writeTree } from "../support/repository.ts";
import { noSmallDisk, SmallDisk, smallDiskTest } from "../support/small-disk.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { noise } from "../support/transport-recorder.ts";

const MB = 1024 * 1024;
/** A user id that no list of users has. */
const STRANGER = 54_322;
const isRoot = process.getuid?.() === 0;
const LARGE = noise(6 * MB);
const SMALL = "small";
/** In blocks of 512 bytes, of sh: 2 MiB. */
const FILE_SIZE_LIMIT = 4096;

let folder: TempFolder;
let here: string;
let repository: string;

beforeAll(async () => {
  await binaries();
}, 180_000);
beforeEach(() => {
  folder = new TempFolder();
  here = folder.join("here");
  repository = folder.join("repository");
  for (const path of [here, repository]) mkdirSync(path);
});
afterEach(() => folder[Symbol.dispose]());

/** All that is in both folders: each entry with its mode, and its time and content where it is a file. */
function everything(...roots: string[]): Record<string, string> {
  const paths = roots.flatMap((root) =>
    (readdirSync(root, { recursive: true }) as string[]).map((at) => join(root, at)),
  );
  return Object.fromEntries(
    paths.sort().map((path) => {
      const stats = lstatSync(path);
      const content = stats.isFile() ? `${stats.mtimeMs} ${Bun.hash(readFileSync(path))}` : "";
      return [path, `${stats.mode.toString(8)} ${content}`];
    }),
  );
}

interface Refusal {
  readonly args: readonly string[];
  readonly exitCode: number;
  readonly code: string;
  readonly serverArgs?: readonly string[];
  /** Both sides are of a user to whom the repository belongs, and the folder of the client does not. */
  readonly isStranger?: boolean;
  /** A limit of what a file may be, for that side. */
  readonly limited?: "client" | "server";
  /** What the system refuses to the client. */
  readonly refused?: readonly Refused[];
}

/** Run one command, and look that nothing has changed on either side. */
async function refuse({
  args,
  exitCode,
  code,
  serverArgs = [],
  limited,
  isStranger = false,
  refused = [],
}: Refusal): Promise<void> {
  using user = isStranger ? await OtherUser.of(STRANGER) : undefined;
  const [stateDir, home] = [folder.join("state"), folder.join("home")];
  for (const path of [stateDir, home]) mkdirSync(path);
  if (user !== undefined) {
    chmodSync(folder.path, 0o755);
    for (const path of [stateDir, home, repository]) user.own(path);
  }
  const env = { XDG_STATE_HOME: home };
  const programs = await binaries();
  const flags = ["-r", repository, "--writable", ...serverArgs];
  const server = within(limited === "server", [programs.server]);
  await using running =
    (await user?.startServer(flags, { stateDir, env })) ??
    (await ServerProcess.start(flags, { stateDir, env, program: server }));
  const words = [...args, "--json", "-s", running.address];
  const before = everything(here, repository);
  const client = within(limited === "client", [programs.client, ...words]);
  const command = refused.length === 0 ? client : launched(refused, client);
  const done = (await user?.run("client", words, { cwd: here, env })) ?? (await run(command, { cwd: here, env }));
  expect(done.stdout + done.stderr).toContain(`"${code}"`);
  expect(done.exitCode).toBe(exitCode);
  expect(everything(here, repository)).toEqual(before);
}

function within(isLimited: boolean, command: string[]): string[] {
  return isLimited ? ["sh", "-c", `ulimit -f ${FILE_SIZE_LIMIT}; exec "$@"`, "sh", ...command] : command;
}

/** Leave no room at all. */
function fillUp(disk: SmallDisk): void {
  for (const bytes of [MB, 64 * 1024, 4096]) {
    for (let number = 0; ; number++) {
      const file = disk.join(`filler ${bytes} ${number}`);
      try {
        writeFileSync(file, new Uint8Array(bytes));
      } catch {
        rmSync(file);
        break;
      }
    }
  }
}

const DISKS = [
  ["little", 3 * MB],
  ["none", 0],
] as const;

describe("a get that is refused", () => {
  describe.skipIf(noSmallDisk !== undefined).each(DISKS)("for room, of which there is %s,", (_, room) => {
    let disk: SmallDisk;

    beforeEach(() => {
      disk = new SmallDisk(4 * MB);
      if (room === 0) fillUp(disk);
      here = disk.path;
      writeTree(repository, { "large.bin": LARGE });
    });
    afterEach(() => disk[Symbol.dispose]());

    test.each([
      [["get", "large.bin"]],
      [["get", "large.bin", "--output", "new.bin"]],
      [["get", "large.bin", "--output", "new/er/"]],
      [["get", "large.bin", "--as", "new/er/large.bin"]],
      [["get", "large.bin", "--overwrite"]],
    ])(smallDiskTest("leaves nothing: %j"), async (args) => {
      await refuse({ args, exitCode: 9, code: "DISK_FULL" });
    });
  });

  // Without flock, a folder is the lock. Where its making is what fails, the empty journal stays: another may just have it.
  describe.each([
    [[], [0, 1]],
    [["flock=ENOSYS"], [0, 3]],
  ] as [Refused[], number[]][])("where %j is refused,", (refused, counts) => {
    const missing = noSmallDisk ?? missingLauncher(refused);

    test.skipIf(isSkipped(missing)).each(counts)(
      namedWhy("as the disk takes %d more files and no other leaves nothing", missing),
      async (count) => {
        using disk = new SmallDisk(32 * MB);
        here = disk.path;
        writeTree(repository, { "large.bin": LARGE });
        const { files, ffree } = statfsSync(here);
        Bun.spawnSync(["mount", "-o", `remount,nr_inodes=${files - ffree + count}`, here]);
        await refuse({ args: ["get", "large.bin"], exitCode: 9, code: "DISK_FULL", refused });
      },
    );
  });

  test
    .skipIf(!isRoot)
    .each([
      [["get", "large.bin"]],
      [["get", "small.txt"]],
      [["get", "large.bin", "small.txt", "--output", "new/"]],
      [["get", "docs"]],
    ])("into a folder without permission leaves nothing: %j", async (args) => {
    writeTree(repository, { "large.bin": LARGE, "small.txt": SMALL, "docs/large.bin": LARGE });
    await refuse({ args, exitCode: 9, code: "DISK_DENIED", isStranger: true });
  });

  test.each([
    [["get", "large.bin"]],
    [["get", "small.txt"]],
    [["get", "large.bin", "--output", "small.txt"]],
    [["get", "docs"]],
    [["get", "taken"]],
    [["get", "taken", "--overwrite"]],
    [["get", "large.bin", "--as", "small.txt/large.bin"]],
    [["get", "large.bin", "--as", "docs", "--overwrite"]],
  ])("as something is there leaves that alone, and nothing else: %j", async (args) => {
    writeTree(repository, { "large.bin": LARGE, "small.txt": SMALL, "docs/a": LARGE, "docs/b": SMALL, taken: LARGE });
    writeTree(here, {
      "large.bin": "mine",
      "small.txt": "mine",
      "docs/a": "mine",
      "docs/b": "mine",
      "taken/a": "mine",
    });
    await refuse({ args, exitCode: 8, code: "EXISTS" });
  });

  test("as the file is larger than the user's may be leaves nothing", async () => {
    writeTree(repository, { "large.bin": LARGE });
    await refuse({ args: ["get", "large.bin", "-o", "new/"], exitCode: 9, code: "TOO_LARGE", limited: "client" });
  });
});

describe("a put that is refused", () => {
  beforeEach(() => writeTree(here, { "large.bin": LARGE, "small.txt": SMALL, "docs/large.bin": LARGE }));

  const PUTS = [
    [["put", "large.bin"]],
    [["put", "large.bin", "--to", "new/er"]],
    [["put", "large.bin", "--as", "there.bin", "--overwrite"]],
  ];

  test.each([...PUTS, [["put", "small.txt", "--to", "new/er"]]])("by --quota leaves nothing: %j", async (args) => {
    writeTree(repository, { "there.bin": "there" });
    await refuse({ args, exitCode: 11, code: "QUOTA_EXCEEDED", serverArgs: ["--quota", "8"] });
  });

  describe.skipIf(noSmallDisk !== undefined)("for room", () => {
    let disk: SmallDisk;

    beforeEach(() => {
      disk = new SmallDisk(12 * MB);
      repository = disk.path;
      writeTree(repository, { "there.bin": "there" });
    });
    afterEach(() => disk[Symbol.dispose]());

    test.each([...PUTS, [["put", "small.txt", "--to", "new/er"]]])(
      smallDiskTest("that --keep-free keeps leaves nothing: %j"),
      async (args) => {
        await refuse({ args, exitCode: 11, code: "NO_SPACE", serverArgs: ["--keep-free", "20MB"] });
      },
    );

    test.each(PUTS)(smallDiskTest("of which there is little leaves nothing: %j"), async (args) => {
      writeFileSync(disk.join("filler"), new Uint8Array(9 * MB));
      await refuse({ args, exitCode: 11, code: "NO_SPACE" });
    });

    test.each([...PUTS, [["put", "small.txt", "--to", "new/er"]]])(
      smallDiskTest("of which there is none leaves nothing: %j"),
      async (args) => {
        fillUp(disk);
        await refuse({ args, exitCode: 11, code: "NO_SPACE" });
      },
    );
  });

  test
    .skipIf(!isRoot)
    .each([
      [["put", "large.bin", "--to", "closed"]],
      [["put", "small.txt", "--to", "closed/new"]],
      [["put", "large.bin", "--to", "closed/new"]],
      [["put", "docs", "--to", "closed"]],
      [["put", "large.bin", "--as", "closed/there.bin", "--overwrite"]],
    ])("as the server has no permission leaves nothing: %j", async (args) => {
    writeTree(repository, { "closed/there.bin": "there" });
    await refuse({ args, exitCode: 5, code: "UNWRITABLE", isStranger: true });
  });

  test.each([
    [["put", "large.bin"]],
    [["put", "small.txt"]],
    [["put", "docs"]],
    [["put", "large.bin", "--as", "folder"]],
    [["put", "large.bin", "--as", "folder", "--overwrite"]],
    [["put", "small.txt", "--as", "folder", "--overwrite"]],
    [["put", "docs", "--as", "small.txt", "--overwrite"]],
    [["put", "large.bin", "--to", "small.txt/new", "--overwrite"]],
  ])("as something is there leaves that alone, and nothing else: %j", async (args) => {
    // Of another size: a file of the same size and time would be the same one.
    const other = "there already";
    const there = { "large.bin": other, "small.txt": other, "docs/large.bin": other, "folder/a": other };
    writeTree(repository, there);
    await refuse({ args, exitCode: 8, code: "EXISTS" });
  });

  test.each(PUTS)("as the file is larger than the server's may be leaves nothing: %j", async (args) => {
    writeTree(repository, { "there.bin": "there" });
    await refuse({ args, exitCode: 11, code: "TOO_LARGE", limited: "server" });
  });
});
