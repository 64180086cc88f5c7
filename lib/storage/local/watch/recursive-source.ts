import fs from "node:fs";
import { sep } from "node:path";
import { errnoOf } from "../../../errno.ts";
import { fromLocalName } from "../names/local-names.ts";
import type { KnownFolder } from "./known-folder.ts";
import type { TreeSink, TreeSource } from "./tree-source.ts";

/** The system's errors when it can watch no more. */
const NO_ROOM = ["ENOSPC", "EMFILE", "ENFILE", "ENOMEM"];

/** Lets the system watch a whole tree, if it can do that itself, or has nothing better. */
export class RecursiveSource implements TreeSource {
  readonly isExact = false;
  readonly #watcher: fs.FSWatcher;

  /** @throws the system's error */
  constructor(root: string, sink: TreeSink) {
    this.#watcher = fs.watch(root, { recursive: true }, (_, name) => {
      // Without a name: there were so many events that the system dropped some.
      if (typeof name === "string" && name !== "") sink.touchedPath(toPath(name));
      else sink.lost();
    });
    // A part of the tree can't be watched, or the root is gone.
    this.#watcher.on("error", (cause) => (NO_ROOM.includes(errnoOf(cause)) ? sink.full() : sink.lost()));
  }

  watch(folder: KnownFolder, place: string): boolean {
    folder.identity = identityOf(place);
    return true;
  }

  isSame({ identity }: KnownFolder, place: string): boolean {
    return identity === identityOf(place);
  }

  noteLook(): void {}

  unwatch(): void {}

  close(): void {
    this.#watcher.close();
  }
}

/** The repository path for a path that the system reports. */
function toPath(local: string): string {
  return local
    .split(sep)
    .map((name) => fromLocalName(name))
    .join("/");
}

/** After a folder was removed, another one may get its number, but the birth time differs. */
function identityOf(place: string): string {
  const { dev, ino, birthtimeNs } = fs.statSync(place, { bigint: true });
  return `${dev} ${ino} ${birthtimeNs}`;
}
