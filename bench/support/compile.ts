import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

/** The compiled programs of this project. */
export interface Programs {
  readonly server: string;
  readonly client: string;
}

/** Build them into `folder`, as they are released. */
export function buildPrograms(folder: string): Programs {
  run(["scripts/build.ts", "--out", folder]);
  return { server: join(folder, "commserver-server"), client: join(folder, "commserver-client") };
}

/** Compile a program of probes/ into `folder`, with the flags of scripts/build.ts, so that only the code differs. */
export function compileProbe(name: string, folder: string): string {
  const outfile = join(folder, name);
  run([
    "build",
    `bench/probes/${name}.ts`,
    "--compile",
    "--minify",
    "--bytecode",
    "--format=esm",
    "--production",
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    `--outfile=${outfile}`,
  ]);
  return outfile;
}

function run(args: readonly string[]): void {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, ...args], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: "production" },
  });
  if (exitCode !== 0) throw new Error(`bun ${args.slice(0, 2).join(" ")} failed:\n${stdout}${stderr}`);
}
