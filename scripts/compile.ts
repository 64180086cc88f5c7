import { join } from "node:path";

export const ROOT = join(import.meta.dir, "..");

/**
 * Compile one entry point to a single file, as it is released. `target` is one of Bun's, such as `linux-x64-musl`;
 * absent: this machine.
 *
 * @throws Error with the compiler's output
 */
export function compile(
  entry: string,
  outfile: string,
  options: { target?: string | undefined; define?: Record<string, string> } = {},
): void {
  run([process.execPath, join(ROOT, "scripts/page.ts")], "the page");
  const command = [
    process.execPath,
    "build",
    join(ROOT, entry),
    "--compile",
    "--minify",
    "--bytecode",
    "--format=esm",
    "--production",
    // Dynamic imports are loaded only when needed: HTTP takes 5 MB of a server's memory.
    "--splitting",
    // The working folder must not be able to change the program's behaviour.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    ...Object.entries(options.define ?? {}).map(([name, value]) => `--define=${name}=${JSON.stringify(value)}`),
    `--outfile=${outfile}`,
    ...(options.target === undefined ? [] : [`--target=bun-${options.target}`]),
  ];
  run(command, entry);
}

function run(command: readonly string[], what: string): void {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    cwd: ROOT,
    // Otherwise this machine's value would be compiled in.
    env: { ...process.env, NODE_ENV: "production" },
  });
  if (exitCode !== 0) throw new Error(`Cannot compile ${what}:\n${stdout}${stderr}`);
}
