/** Rights by every build: with the C library of musl, without any, and on Windows, which has none of these. */
import { expect, test } from "bun:test";
import { chmodSync, statSync } from "node:fs";
import { BLOCK_BYTES } from "../../lib/block.ts";
import { BuildSite } from "../support/build-site.ts";
import { BUILDS } from "../support/builds.ts";
import { describeBuild } from "../support/describe-build.ts";

/** Of two blocks: with a part, and a journal. */
const BYTES = BLOCK_BYTES + 1_000;

for (const build of BUILDS) {
  describeBuild(build, () => {
    const isWindows = build.name.includes("Windows");
    // Without the C library nobody can tell whether the bits of the group are those of a list.
    const knowsLists = !build.name.includes("without code made at run time");

    test("what is private arrives private, and what is replaced keeps its rights", async () => {
      await using site = new BuildSite(build);
      const { address } = await site.serve("repository", "state");
      const modeOf = (path: string) => (statSync(site.join(path)).mode & 0o7777).toString(8);
      const put = async (content: string, mode: number, ...flags: string[]) => {
        await Bun.write(site.join("from/a"), content.repeat(BYTES));
        chmodSync(site.join("from/a"), mode);
        expect(await site.client(address, "from", undefined, "put", "a", ...flags).finished).toMatchObject({
          exitCode: 0,
        });
        expect(await Bun.file(site.join("repository/a")).text()).toBe(content.repeat(BYTES));
      };
      await put("A", 0o600);
      if (!isWindows) expect(modeOf("repository/a")).toBe("600");
      chmodSync(site.join("repository/a"), 0o640);
      await put("B", 0o644, "--overwrite");
      if (!isWindows) expect(modeOf("repository/a")).toBe(knowsLists ? "640" : "600");

      chmodSync(site.join("repository/a"), 0o600);
      expect(await site.client(address, "get", undefined, "get", "a").finished).toMatchObject({ exitCode: 0 });
      if (!isWindows) expect(modeOf("get/a")).toBe("600");
      chmodSync(site.join("get/a"), 0o644);
      await put("C", 0o644, "--overwrite");
      const again = site.client(address, "get", undefined, "get", "a", "--overwrite");
      expect(await again.finished).toMatchObject({ exitCode: 0 });
      if (!isWindows) expect(modeOf("get/a")).toBe("644");
      expect(await Bun.file(site.join("get/a")).text()).toBe("C".repeat(BYTES));
    }, 180_000);
  });
}
