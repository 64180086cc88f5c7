import { readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TempFolder } from "./temp-folder.ts";

/** The calls that decide what survives a power failure, and those that tell which folder a descriptor refers to. */
const CALLS = "openat,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat";
const TMPFS = 0x01021994;

const STORAGE = join(import.meta.dir, "../../lib/storage/local/local.ts");
const PRIVATE = join(import.meta.dir, "../../lib/state/private-file.ts");
const STORING = join(import.meta.dir, "storing.ts");

/** Why system calls can't be traced here, on a disk that survives a reboot; undefined if they can. */
export function missingTrace(): string | undefined {
  if (Bun.which("strace") === null) return "there is no strace";
  if (!Bun.spawnSync(["strace", "-o", "/dev/null", "true"]).success) return "strace may not trace here";
  return statfsSync(tmpdir()).type === TMPFS ? "the folder for temporary files lies in memory alone" : undefined;
}

/**
 * Run `script` in a process of its own, which has a LocalStorage of `folder` as `storage`, store(), factsOf() and
 * writePrivate(). @returns its calls that sync, rename or remove files in `folder`, in the order in which they ended,
 * such as `fsync a.part` or `rename a.part a`. The folder itself is "."; random parts of names are cut out.
 */
export async function callsOf(folder: string, script: string): Promise<string[]> {
  using log = new TempFolder();
  const file = log.join("calls");
  const source = `
    import { LocalStorage } from ${JSON.stringify(STORAGE)};
    import { factsOf, store } from ${JSON.stringify(STORING)};
    import { writePrivate } from ${JSON.stringify(PRIVATE)};
    const [, folder] = process.argv;
    const storage = await LocalStorage.at(folder);
    ${script}`;
  const strace = ["strace", "-f", "-qq", "-y", "-s", "4096", "-e", `trace=${CALLS}`, "-o", file];
  const child = Bun.spawn([...strace, process.execPath, "-e", source, folder], { stderr: "pipe" });
  const stderr = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(stderr);
  return new CallLog(folder).read(readFileSync(file, "utf8"));
}

/** Reads lines such as `1234 fsync(6</folder/name>) = 0`. */
class CallLog {
  readonly #folder: string;
  /** For each thread, its unfinished call. */
  readonly #begun = new Map<string, string>();
  /** The path of each descriptor. */
  readonly #open = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  read(text: string): string[] {
    return text.split("\n").flatMap((line) => this.#readLine(line) ?? []);
  }

  #readLine(line: string): string | undefined {
    const [, thread = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const begin = rest.indexOf(" <unfinished ...>");
    if (begin >= 0) return void this.#begun.set(thread, rest.slice(0, begin));
    const end = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    const [, call = "", args = "", result = ""] =
      /^(\w+)\((.*)\) += (.*)$/.exec(end === undefined ? rest : `${this.#begun.get(thread)}${end}`) ?? [];
    if (result.startsWith("-1")) return undefined;
    if (call === "openat") {
      const [, descriptor = "", path = ""] = /^(\d+)<(.*)>$/.exec(result) ?? [];
      return void this.#open.set(descriptor, path);
    }
    const names = this.#namesIn(args);
    if (names.length === 0) return undefined;
    return [call.replace(/at2?$/, "").replace("fdatasync", "fsync"), ...names].join(" ");
  }

  /** The names in the folder: from a descriptor, a path, or a name relative to a descriptor. */
  #namesIn(args: string): string[] {
    return [...args.matchAll(/\d+<([^>]*)>(?:, "([^"]*)")?|"([^"]*)"/g)].flatMap(([, open, name, path]) => {
      const whole = name === undefined ? (path ?? open ?? "") : join(open ?? "", name);
      const real = whole.replace(/^\/proc\/self\/fd\/(\d+)/, (_, descriptor) => this.#open.get(descriptor) ?? "");
      if (!real.startsWith(this.#folder)) return [];
      return real.slice(this.#folder.length + 1).replace(/(?:\.[0-9a-f]{8})?\.commserver-/, ".") || ".";
    });
  }
}
