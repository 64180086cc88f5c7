import { readFileSync } from "node:fs";

/** The name of a user of this machine, or `#998`, as sudo takes it, for one that is not in its list. */
export function userName(uid: number, list = "/etc/passwd"): string {
  try {
    const users = readFileSync(list, "utf8").split("\n");
    return users.map((line) => line.split(":")).find(([, , id]) => id === String(uid))?.[0] ?? `#${uid}`;
  } catch {
    return `#${uid}`;
  }
}
