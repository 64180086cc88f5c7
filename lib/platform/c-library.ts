import { ptr } from "bun:ffi";

/**
 * A name that every Linux has: musl takes it for its own. No other is tried: Bun looks for a missing library in the
 * working folder, and would run whatever somebody has put there.
 */
export const LINUX_LIBC = "libc.so.6";
export const DARWIN_LIBC = "libSystem.B.dylib";

/** Programs that we start don't inherit the descriptor. Node's constants lack it. */
export const O_CLOEXEC = 0o2000000;

const encoder = new TextEncoder();

/** The result of `load`; undefined on other systems, and when it throws. */
export function onLinux<T>(load: () => T): T | undefined {
  return process.platform === "linux" ? tried(load) : undefined;
}

export function tried<T>(load: () => T): T | undefined {
  try {
    return load();
  } catch {
    return undefined; // the portable way must do
  }
}

/** Three bytes for each of 255 UTF-16 units would do; with a longer name the call fails anyway. */
export const firstName = cString(1024);
export const secondName = cString(1024);
/** The system accepts no longer path (PATH_MAX). */
export const wholePath = cString(4097);

/** A buffer for one C string, reused for the next. */
function cString(bytes: number): (text: string) => ReturnType<typeof ptr> {
  const buffer = new Uint8Array(new ArrayBuffer(bytes));
  const room = buffer.subarray(0, -1);
  const start = ptr(buffer);
  return (text) => {
    const { written, read } = encoder.encodeInto(text, room);
    buffer[read < text.length ? 0 : written] = 0;
    return start;
  };
}
