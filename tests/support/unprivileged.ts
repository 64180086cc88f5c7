import { dlopen } from "bun:ffi";
import { chmodSync } from "node:fs";

const ROOT = 0;
const NOBODY = 65_534;

/** Sets the real, effective and saved user id; unlike process.seteuid(), this affects access(2). */
const setresuid = process.getuid?.() === ROOT ? loadSetresuid() : undefined;

/** Why permissions can't be tested here; undefined if they can. For `test.skipIf`. */
export const noPermissionTests: string | undefined = reason();

/** The name of a test that may be skipped, with the reason when it is. */
export function permissionTest(name: string): string {
  return noPermissionTests === undefined ? name : `${name} (skipped: ${noPermissionTests})`;
}

/**
 * Run `work` as a user who is bound by permissions: root, who may do everything, becomes nobody. `folder` is opened to
 * everyone first, since the temp folders of root are closed.
 */
export async function unprivileged<T>(folder: string, work: () => T | Promise<T>): Promise<T> {
  if (setresuid === undefined) return await work();
  chmodSync(folder, 0o777);
  setresuid(NOBODY, NOBODY, ROOT);
  try {
    return await work();
  } finally {
    setresuid(ROOT, ROOT, ROOT);
  }
}

function reason(): string | undefined {
  if (process.platform === "win32") return "this system has no permission bits";
  if (process.getuid?.() === ROOT && setresuid === undefined) return "root may do everything";
  return undefined;
}

function loadSetresuid(): ((real: number, effective: number, saved: number) => number) | undefined {
  for (const library of ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"]) {
    try {
      return dlopen(library, { setresuid: { args: ["u32", "u32", "u32"], returns: "i32" } }).symbols.setresuid;
    } catch {
      // another libc
    }
  }
  return undefined;
}
