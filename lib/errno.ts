/** The system's name of an error, such as "ENOENT"; "" if it is not a system error. */
export function errnoOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}
