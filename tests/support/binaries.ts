import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");
const cache = join(root, "node_modules/.cache/commserver-binaries");

/** The number of builds of other source states that are kept, since others may be testing them. */
const KEPT = 2;

let located: Promise<{ server: string; client: string }> | undefined;

/** The compiled programs: those in COMMSERVER_DIST when it is set, else of the present source, built when it is new. */
export function binaries(): Promise<{ server: string; client: string }> {
  located ??= locate();
  return located;
}

async function locate(): Promise<{ server: string; client: string }> {
  const folder = process.env["COMMSERVER_DIST"] ?? (await build());
  return { server: join(folder, "commserver-server"), client: join(folder, "commserver-client") };
}

async function build(): Promise<string> {
  return cachedBuild("native", async (into) => {
    const builder = Bun.spawn([process.execPath, "scripts/build.ts", "--out", into], { cwd: root, stderr: "pipe" });
    const [log, exitCode] = await Promise.all([new Response(builder.stderr).text(), builder.exited]);
    if (exitCode !== 0) throw new Error(log);
  });
}

/**
 * The folder of `make`'s build of the present source. It is named after the source, so that two runs at once do not
 * collide; `kind` distinguishes several builds of one source.
 */
export async function cachedBuild(kind: string, make: (into: string) => Promise<void> | void): Promise<string> {
  const folder = join(cache, `${sourceDigest()}-${kind}`);
  if (existsSync(folder)) return folder;
  const building = `${folder}.${process.pid}`;
  mkdirSync(building, { recursive: true });
  await make(building);
  prune(kind);
  // Another run may have been faster: its build is as good.
  if (existsSync(folder)) rmSync(building, { recursive: true });
  else renameSync(building, folder);
  return folder;
}

/** Of the sizes and times of its files: each file of tests asks, and reading all would take ten times as long. */
function sourceDigest(): string {
  const digest = new Bun.CryptoHasher("sha256").update(Bun.version);
  const files = [
    ...new Bun.Glob("lib/**/*.{ts,tsx,css,html,svg}").scanSync(root),
    "server.ts",
    "client.ts",
    "commserver.ts",
    "package.json",
    "scripts/build.ts",
    "scripts/compile.ts",
    "scripts/page.ts",
    "scripts/targets.ts",
  ];
  for (const file of files.sort()) {
    const { size, mtimeMs } = statSync(join(root, file));
    digest.update(`\n${file} ${size} ${mtimeMs}`);
  }
  return digest.digest("hex").slice(0, 16);
}

function prune(kind: string): void {
  const age = (name: string) => statSync(join(cache, name)).mtimeMs;
  const whole = readdirSync(cache).filter((name) => name.endsWith(`-${kind}`));
  for (const old of whole.sort((a, b) => age(b) - age(a)).slice(KEPT))
    rmSync(join(cache, old), { recursive: true, force: true });
}
