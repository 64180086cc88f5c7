import { dlopen } from "bun:ffi";
import fs from "node:fs";
import { firstName, LINUX_LIBC, O_CLOEXEC } from "./c-library.ts";

/** inotify(7). Linux only. */
export interface InotifyCalls {
  /** Open a new, non-blocking instance. Returns its descriptor, -1 when none is left. */
  init(): number;
  /**
   * Watch the file or folder at `path` for the events in `mask`. Returns its watch, the same for the same file; -1 on
   * failure.
   */
  add(instance: number, path: string, mask: number): number;
  remove(instance: number, watch: number): void;
}

const { O_NONBLOCK } = fs.constants;

export function loadInotify(): InotifyCalls {
  const { symbols } = dlopen(LINUX_LIBC, {
    inotify_init1: { args: ["i32"], returns: "i32" },
    inotify_add_watch: { args: ["i32", "ptr", "u32"], returns: "i32" },
    inotify_rm_watch: { args: ["i32", "i32"], returns: "i32" },
  });
  return {
    init: () => symbols.inotify_init1(O_NONBLOCK | O_CLOEXEC),
    add: (instance, path, mask) => symbols.inotify_add_watch(instance, firstName(path), mask),
    remove: (instance, watch) => void symbols.inotify_rm_watch(instance, watch),
  };
}
