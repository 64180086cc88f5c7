import { join } from "node:path";
import type { Subprocess } from "bun";

const HERE = import.meta.dir;

/**
 * A process that begins the file `path` below `folder` and reports the outcome: "begun", and then it stays, or the code
 * of the fault.
 */
export async function begunElsewhere(
  folder: string,
  path: string,
  prefix: (command: string[]) => string[] = (command) => command,
): Promise<{ said: string; child: Subprocess<"ignore", "pipe", "inherit"> }> {
  const script = `
    import { LocalStorage } from ${JSON.stringify(join(HERE, "../../lib/storage/local/local.ts"))};
    import { factsOf } from ${JSON.stringify(join(HERE, "storing.ts"))};
    const storage = await LocalStorage.at(process.argv[1]);
    try {
      globalThis.part = await storage.receive(process.argv[2], factsOf(new Uint8Array(3 * 2 ** 20)), "fail");
      console.log("begun");
      setInterval(() => {}, 1_000);
    } catch (error) {
      console.log(error.code);
    }`;
  const command = prefix([process.execPath, "-e", script, folder, path]);
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
  let said = "";
  for await (const piece of child.stdout) {
    said += Buffer.from(piece).toString();
    if (said.includes("\n")) break;
  }
  return { said: said.trim(), child };
}
