/** The server that the environment names for commands without `--server`. */
export function serverVariable(): string | undefined {
  return process.env["COMMSERVER_SERVER"]?.trim() || undefined;
}
