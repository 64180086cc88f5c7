/** A word, or the value of a flag, that is the path of a descriptor which a shell has opened: `<(command)`, `3< file`. */
const DESCRIPTOR = /(?:^|=)(?:\/dev|\/proc\/(?:self|thread-self|\d+(?:\/task\/\d+)?))\/fd\//;

/**
 * Begin this compiled program again, in the same process, with `settings` in its environment: the runtime reads some
 * settings only there, and before any code of the program runs. Call it before anything else is done. What the user has
 * set stays.
 *
 * Returns when all are set already, when the program runs from its source, and where the system can't do it: then it
 * continues without them. The same when it was given descriptors, by a path among its words or by systemd (LISTEN_FDS,
 * sd_listen_fds(3)): the runtime lets only the standard ones pass to what begins again.
 */
export function restartWith(settings: Readonly<Record<string, string>>): void {
  const { argv, argv0, env, execPath, execve } = process;
  const isCompiled = Bun.main.startsWith("/$bunfs/");
  const hasAll = Object.keys(settings).every((name) => env[name] !== undefined);
  const words = argv.slice(2);
  const isGivenDescriptors = env["LISTEN_FDS"] !== undefined || words.some((word) => DESCRIPTOR.test(word));
  if (!isCompiled || hasAll || execve === undefined || isGivenDescriptors) return;
  try {
    execve(execPath, [argv0, ...words], { ...settings, ...env });
  } catch {
    // The runtime's warning comes later: that the call is experimental is nothing that users need to hear.
    process.removeAllListeners("warning");
  }
}
