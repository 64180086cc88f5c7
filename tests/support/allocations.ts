/** Lengths of all buffers that `action` allocates with `new Uint8Array(length)`, in order; views do not count. */
export function allocationsDuring(action: () => void): number[] {
  const original = globalThis.Uint8Array;
  const lengths: number[] = [];
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, args) {
      if (typeof args[0] === "number") lengths.push(args[0]);
      return Reflect.construct(target, args);
    },
  });
  try {
    action();
  } finally {
    globalThis.Uint8Array = original;
  }
  return lengths;
}
