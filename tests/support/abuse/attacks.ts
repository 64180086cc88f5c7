import type { Attack } from "./site.ts";

/** By what they are of. Counts: in every run, and with COMMSERVER_ABUSE=full. */
export const CONNECTING: readonly Attack[] = [
  { kind: "connects", count: [2_000, 100_000] },
  { kind: "burst", count: [2_000, 8_000] },
  { kind: "silent", count: [300, 800] },
  { kind: "drip-hello", count: [100, 800] },
];

export const SLOW: readonly Attack[] = [
  { kind: "drip-frames", count: [20, 60] },
  { kind: "deaf-downloads", count: [20, 60] },
];

export const FLOODS: readonly Attack[] = [
  { kind: "opens", count: [2, 16] },
  { kind: "opens-and-cancels", count: [2, 16] },
  { kind: "pings", count: [2, 16] },
  { kind: "messages", count: [2, 16] },
  { kind: "tiny-frames", count: [2, 16] },
  { kind: "credits", count: [2, 16] },
  { kind: "resets", count: [2, 16] },
];

/** Where TLS makes a difference. */
export const OVER_TLS: readonly Attack[] = [
  ...CONNECTING,
  { kind: "silent-tcp", count: [300, 800] },
  { kind: "deaf-downloads", count: [20, 60] },
  { kind: "pings", count: [2, 16] },
];
