import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { escapeGlob, isGlob } from "../../glob.ts";
import type { ConnectSettings } from "./connect-settings.ts";
import type { ShellWord } from "./shell-words.ts";

/** The folder of the repository that the shell is in: names that people type begin there. */
export class ShellFolder {
  /** "" is the root. */
  path = "";

  /** For people: `/docs`. */
  get shown(): string {
    return `/${this.path}`;
  }

  /**
   * A typed path or pattern as one from the root; `.` is the root. `/` in front means the root, too. A path that leads
   * out of the repository stays as it is, for the command to refuse.
   */
  resolve(typed: string): string {
    if (typed === "") return typed;
    const components = typed.startsWith("/") || this.path === "" ? [] : this.path.split("/");
    for (const component of typed.split("/")) {
      if (component === "" || component === ".") continue;
      if (component !== "..") components.push(component);
      else if (components.pop() === undefined) return typed;
    }
    const path = components.join("/");
    if (path === "") return ".";
    // A pattern may lie in a folder whose name looks like one.
    const isBelow = this.path !== "" && path.startsWith(`${this.path}/`);
    return isGlob(typed) && isBelow ? escapeGlob(this.path) + path.slice(this.path.length) : path;
  }
}

/** A typed name of this machine: `~` stands for the user's home. */
export function localName({ text, isQuoted }: ShellWord): string {
  if (isQuoted || !/^~(?:[/\\]|$)/.test(text)) return text;
  return join(homedir(), text.slice(1));
}

/** The settings with full paths: `lcd` changes the folder of the program. */
export function fromRoot(settings: ConnectSettings): ConnectSettings {
  const { server, stateDir, secretFiles } = settings;
  const socket = server?.startsWith("unix:") ? `unix:${resolve(server.slice("unix:".length))}` : server;
  return {
    ...settings,
    server: socket,
    stateDir: resolve(stateDir),
    secretFiles: secretFiles.map((file) => resolve(file)),
  };
}
