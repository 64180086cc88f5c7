/** The command, in a user namespace of its own with these limits for inotify. */
export function withInotify(limits: { watches: number; instances: number }, command: readonly string[]): string[] {
  const settings = Object.entries(limits).map(([name, value]) => `echo ${value} > /proc/sys/user/max_inotify_${name}`);
  return [
    "unshare",
    "--user",
    "--map-root-user",
    "sh",
    "-c",
    `${settings.join(" && ")} && exec "$@"`,
    "sh",
    ...command,
  ];
}

/** Why there can be no such namespace here; undefined if there can. */
export function missingNamespaces(): string | undefined {
  if (process.platform !== "linux") return "user namespaces are Linux's";
  if (Bun.which("unshare") === null) return "there is no unshare";
  const probe = Bun.spawnSync(withInotify({ watches: 9, instances: 9 }, ["true"]), { stderr: "ignore" });
  return probe.success ? undefined : "a user namespace with limits for inotify can't be made here";
}
