import { join } from "node:path";
import type { Subprocess } from "bun";

const HERE = import.meta.dir;

/** How such a process ends: by its own crash, or when the test kills it. */
export type Ending = "crash" | "stay";

/**
 * Begin the file `path` below `folder` in a process of its own, with content of this size and seed (see noise()), write
 * the blocks at `offsets`, and then crash as with kill -9, or stay until it is killed.
 */
export async function receiveElsewhere(
  folder: string,
  path: string,
  { size, seed, offsets, ending }: { size: number; seed: number; offsets: readonly number[]; ending: Ending },
): Promise<Subprocess<"ignore", "pipe", "inherit">> {
  const script = `
    import { LocalStorage } from ${JSON.stringify(join(HERE, "../../lib/storage/local/local.ts"))};
    import { factsOf, writeBlock } from ${JSON.stringify(join(HERE, "storing.ts"))};
    import { noise } from ${JSON.stringify(join(HERE, "transport-recorder.ts"))};
    const content = noise(${size}, ${seed});
    const storage = await LocalStorage.at(process.argv[1]);
    const part = await storage.receive(process.argv[2], factsOf(content), "fail");
    for (const offset of ${JSON.stringify(offsets)}) await writeBlock(part, content, offset);
    console.log("written");
    if (${ending === "crash"}) process.kill(process.pid, "SIGKILL");
    setInterval(() => part, 1_000);
  `;
  const child = Bun.spawn([process.execPath, "-e", script, folder, path], { stdout: "pipe", stderr: "inherit" });
  for await (const chunk of child.stdout) if (Buffer.from(chunk).toString().includes("written")) break;
  if (ending === "crash") await child.exited;
  return child;
}
