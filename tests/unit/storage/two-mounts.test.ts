import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { isSkipped, namedWhy } from "../../support/launched.ts";
import { begunElsewhere } from "../../support/lock-script.ts";
import { missingOverlay, missingSshfs, overlayMount, sshfsMounts } from "../../support/mounts.ts";

const cases = [
  ["two sshfs mounts of a folder, and the folder itself", sshfsMounts, missingSshfs()],
  ["an overlay, and its upper layer", overlayMount, await missingOverlay()],
] as const;

for (const [what, open, missing] of cases) {
  describe.skipIf(isSkipped(missing))(namedWhy(what, missing), () => {
    test("have one holder of an unfinished file at a time, and another when that was killed", async () => {
      if (missing !== undefined) throw new Error(missing);
      await using ways = await open();
      const { paths } = ways;
      const [real = ""] = paths;
      for (const [index, first] of paths.entries()) {
        const holder = await begunElsewhere(first, `file${index}`);
        expect(holder.said).toBe("begun");
        for (const other of paths) expect((await begunElsewhere(other, `file${index}`)).said).toBe("BUSY");
        holder.child.kill("SIGKILL");
        await holder.child.exited;
        const next = await begunElsewhere(paths[(index + 1) % paths.length] ?? real, `file${index}`);
        expect(next.said).toBe("begun");
        next.child.kill("SIGKILL");
        await next.child.exited;
      }
      expect(readdirSync(real).filter((name) => name.endsWith("-part"))).toHaveLength(paths.length);
    });
  });
}
