/**
 * Preloaded into the server of a soak: at SIGUSR2 it collects all garbage, and writes what is left into a file. Memory
 * goes up and down by 70 MB between two collections of a server's own, so only what is left after one tells of a leak.
 */
import { heapStats } from "bun:jsc";
import { renameSync, writeFileSync } from "node:fs";
import { COLLECTED_FILE, type Collected } from "./collected.ts";

process.on("SIGUSR2", () => {
  const file = process.env[COLLECTED_FILE];
  if (file === undefined) return;
  Bun.gc(true);
  const collected: Collected = {
    // With the buffers that objects hold.
    heapMegabytes: heapStats().heapSize / 2 ** 20,
    rssMegabytes: process.memoryUsage.rss() / 2 ** 20,
  };
  writeFileSync(`${file}.new`, JSON.stringify(collected));
  renameSync(`${file}.new`, file);
});
