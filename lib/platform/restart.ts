/**
 * Begin this compiled program again, in the same process, with `settings` in its environment: the runtime reads some
 * settings only there, and before any code of the program runs. Call it before anything else is done. What the user has
 * set stays.
 *
 * Returns when all are set already, when the program runs from its source, and where the system can't do it: then it
 * continues without them.
 */
export function restartWith(settings: Readonly<Record<string, string>>): void {
  const { argv, argv0, env, execPath, execve } = process;
  const isCompiled = Bun.main.startsWith("/$bunfs/");
  const hasAll = Object.keys(settings).every((name) => env[name] !== undefined);
  if (!isCompiled || hasAll || execve === undefined) return;
  try {
    execve(execPath, [argv0, ...argv.slice(2)], { ...settings, ...env });
  } catch {
    // The runtime's warning comes later: that the call is experimental is nothing that users need to hear.
    process.removeAllListeners("warning");
  }
}
