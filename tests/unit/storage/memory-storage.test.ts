import { expect, test } from "bun:test";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";

test("a folder in memory has the mode that it was made with, and then the one that it was finished with", async () => {
  const storage = new MemoryStorage();
  const modeOf = async (path: string) => (await storage.stat(path)).mode;
  await storage.makeFolder("above/folder", 0o700);
  expect(await modeOf("above/folder")).toBe(0o700);
  expect(await modeOf("above")).toBeUndefined();
  await storage.makeFolder("above/folder", 0o777);
  expect(await modeOf("above/folder")).toBe(0o700);
  await storage.finishFolder("above/folder", 0o500);
  expect(await modeOf("above/folder")).toBe(0o500);
});
