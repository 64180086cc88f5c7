import { ptr } from "bun:ffi";

/**
 * A name that every Linux has: musl knows it for itself. No other is tried: Bun looks for one that the system does not
 * have in the working folder, and would run what somebody has put there.
 */
export const LINUX_LIBC = "libc.so.6";
export const DARWIN_LIBC = "libSystem.B.dylib";

/** Programs that we start don't get the descriptor. Node's constants lack it. */
export const O_CLOEXEC = 0o2000000;

const encoder = new TextEncoder();

/** What `load` returns; undefined on another system, and where it throws. */
export function onLinux<T>(load: () => T): T | undefined {
  return process.platform === "linux" ? tried(load) : undefined;
}

export function tried<T>(load: () => T): T | undefined {
  try {
    return load();
  } catch {
    return undefined; // the portable way serves
  }
}

/** Three bytes for each of 255 UTF-16 units would do; a longer name is none, and the call fails. */
export const firstName = cString(1024);
export const secondName = cString(1024);
/** The system takes none that is longer (PATH_MAX). */
export const wholePath = cString(4097);

/** Room for one string as C has it, used again for the next. */
function cString(bytes: number): (text: string) => ReturnType<typeof ptr> {
  const buffer = Buffer.alloc(bytes);
  return (text) => {
    const { written, read } = encoder.encodeInto(text, buffer.subarray(0, -1));
    buffer[read < text.length ? 0 : written] = 0;
    return ptr(buffer);
  };
}
