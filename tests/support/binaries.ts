import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");

let built: Promise<{ server: string; client: string }> | undefined;

/** The compiled programs: those in COMMSERVER_DIST when it is set, else built once for this run. */
export function binaries(): Promise<{ server: string; client: string }> {
  built ??= locate();
  return built;
}

async function locate(): Promise<{ server: string; client: string }> {
  const folder = process.env["COMMSERVER_DIST"] ?? (await build());
  return { server: join(folder, "commserver-server"), client: join(folder, "commserver-client") };
}

async function build(): Promise<string> {
  const folder = join(tmpdir(), `commserver-binaries-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  process.on("exit", () => Bun.spawnSync(["rm", "-rf", folder]));
  const builder = Bun.spawn([process.execPath, "scripts/build.ts", "--out", folder], { cwd: root, stderr: "pipe" });
  if ((await builder.exited) !== 0) throw new Error(await new Response(builder.stderr).text());
  return folder;
}
