import type { Attack } from "./site.ts";

/** The attacks by kind. Counts: in every run, and with COMMSERVER_ABUSE=full. */
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

/** Attacks for which TLS makes a difference. */
export const OVER_TLS: readonly Attack[] = [
  ...CONNECTING,
  { kind: "silent-tcp", count: [300, 800] },
  { kind: "deaf-downloads", count: [20, 60] },
  { kind: "pings", count: [2, 16] },
];

/**
 * Sessions that use as much of the server's memory as they can: as many as there are seats by default, and very many.
 */
export const HOARDS = [
  "no-credit",
  "waiting-bodies",
  "unfinished-puts",
  "unread-answers",
  "unacknowledged-pushes",
  "worst",
];
export const FEW = [3, 3] as const;
export const MANY = [30, 200] as const;

/** Ten sessions that request much, and whose links are then cut. */
export const DEAD: readonly Attack[] = [
  { kind: "dead-gets", count: [10, 10] },
  { kind: "dead-puts", count: [10, 10] },
];

/** Flags of a server with room for `attackers` and the two honest clients. */
export const hoardSite = (attackers: number) => [
  "--writable",
  "--max-clients",
  `${attackers + 2}`,
  "--max-lists",
  "1000",
  // A client that is cut off loses its seat at once, since the test waits until the seats are free again.
  "--grace",
  "1",
];
