/** Run a tool of the system. @throws Error with what it said */
export function run(command: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): string {
  const [tool = ""] = command;
  if (Bun.which(tool) === null) throw new Error(`A release needs ${tool}, which is not installed.`);
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: { ...process.env, LC_ALL: "C", TZ: "UTC", ...options.env },
  });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}:\n${stdout}${stderr}`);
  return stdout.toString();
}
