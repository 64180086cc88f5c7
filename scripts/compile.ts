import { join } from "node:path";

export const ROOT = join(import.meta.dir, "..");

/**
 * Compile one entry point to a single file, as it is released. `target` is one of Bun's, such as `linux-x64-musl`;
 * absent: this machine.
 *
 * @throws Error with what the compiler said
 */
export function compile(
  entry: string,
  outfile: string,
  options: { target?: string | undefined; define?: Record<string, string> } = {},
): void {
  const command = [
    process.execPath,
    "build",
    join(ROOT, entry),
    "--compile",
    "--minify",
    "--bytecode",
    "--format=esm",
    "--production",
    // What is imported when it is needed is loaded then: HTTP takes 5 MB of a server.
    "--splitting",
    // The folder that a person starts it in must not be able to change what it does.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    ...Object.entries(options.define ?? {}).map(([name, value]) => `--define=${name}=${JSON.stringify(value)}`),
    `--outfile=${outfile}`,
    ...(options.target === undefined ? [] : [`--target=bun-${options.target}`]),
  ];
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, {
    cwd: ROOT,
    // Else it would be baked in as it is here.
    env: { ...process.env, NODE_ENV: "production" },
  });
  if (exitCode !== 0) throw new Error(`Cannot compile ${entry}:\n${stdout}${stderr}`);
}
