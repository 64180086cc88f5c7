import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Where a program looks for its file of settings: its user's, then the machine's. The first one that exists counts. */
export function configPlaces(program: string): string[] {
  const name = `${program.replace(/^commserver-/, "")}.toml`;
  const { env, platform } = process;
  if (platform === "win32") {
    const roots = [env["APPDATA"], env["ProgramData"]].filter((root) => root !== undefined);
    return roots.map((root) => join(root, "CommServer", name));
  }
  const machine = join("/etc", "commserver", name);
  const user = userRoot(env["XDG_CONFIG_HOME"] ?? "");
  return user === undefined ? [machine] : [join(user, "commserver", name), machine];
}

/** undefined for a user without a home folder. */
function userRoot(xdg: string): string | undefined {
  // A relative path must be ignored (XDG Base Directory Specification).
  if (isAbsolute(xdg)) return xdg;
  try {
    return join(homedir(), ".config");
  } catch {
    return undefined;
  }
}
