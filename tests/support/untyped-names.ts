import { libc } from "../../lib/platform/libc.ts";

/** Until this is disposed of, folders don't tell which names are folders, as on some disks (DT_UNKNOWN). */
export function withUntypedNames(): Disposable {
  const calls = libc();
  const { getdents64 } = calls;
  Object.assign(calls, {
    getdents64: (fd: number, buffer: Buffer) => {
      const bytes = getdents64?.(fd, buffer) ?? -1;
      // struct linux_dirent64: the length of a record is at 16, the type at 18.
      for (let at = 0; at < bytes; at += buffer.readUInt16LE(at + 16)) buffer[at + 18] = 0;
      return bytes;
    },
  });
  return { [Symbol.dispose]: () => void Object.assign(calls, { getdents64 }) };
}
