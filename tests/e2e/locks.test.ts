import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { BuildSite, SIZE } from "../support/build-site.ts";
import { BUILDS } from "../support/builds.ts";
import { describeBuild } from "../support/describe-build.ts";
import { until } from "../support/until.ts";

const BUSY = { exitCode: 8, stderr: expect.stringContaining("Another transfer of") };

for (const build of BUILDS) {
  describeBuild(build, () => {
    test("a second put of a name is refused while the first is under way, and that arrives whole", async () => {
      await using site = new BuildSite(build);
      const { address } = await site.serve("repository", "state");
      const first = site.client(address, "a", "A", "put", "big.bin");
      await site.stopWithin("repository", first);
      expect(await site.client(address, "b", "B", "put", "big.bin").finished).toMatchObject(BUSY);
      first.child.kill("SIGCONT");
      expect(await first.finished).toMatchObject({ exitCode: 0 });
      expect(site.lettersIn("repository")).toBe(`${SIZE} of A`);
      expect(readdirSync(site.join("repository"))).toEqual(["big.bin"]);
    });

    test("the same with two servers of one repository, and the second may when the first was killed", async () => {
      await using site = new BuildSite(build);
      const one = await site.serve("repository", "state1");
      const other = await site.serve("repository", "state2");
      const first = site.client(one.address, "a", "A", "put", "big.bin");
      await site.stopWithin("repository", first);
      expect(await site.client(other.address, "b", "B", "put", "big.bin").finished).toMatchObject(BUSY);
      one.running.child.kill("SIGKILL");
      await one.running.finished;
      expect(await site.client(other.address, "b", "B", "put", "big.bin").finished).toMatchObject({ exitCode: 0 });
      expect(site.lettersIn("repository")).toBe(`${SIZE} of B`);
      expect(readdirSync(site.join("repository"))).toEqual(["big.bin"]);
    });

    test("a second get into a folder is refused while the first is under way, and goes on when that was killed", async () => {
      await using site = new BuildSite(build);
      await Bun.write(site.join("repository1/big.bin"), "A".repeat(SIZE));
      await Bun.write(site.join("repository2/big.bin"), "B".repeat(SIZE));
      const one = await site.serve("repository1", "state1");
      const other = await site.serve("repository2", "state2");
      const first = site.client(one.address, "folder", undefined, "get", "big.bin");
      await site.stopWithin("folder", first);
      expect(await site.client(other.address, "folder", undefined, "get", "big.bin").finished).toMatchObject(BUSY);
      first.child.kill("SIGCONT");
      expect(await first.finished).toMatchObject({ exitCode: 0 });
      expect(site.lettersIn("folder")).toBe(`${SIZE} of A`);

      const killed = site.client(one.address, "again", undefined, "get", "big.bin");
      await site.stopWithin("again", killed);
      killed.child.kill("SIGKILL");
      await killed.finished;
      expect(await site.client(one.address, "again", undefined, "get", "big.bin").finished).toMatchObject({
        exitCode: 0,
      });
      expect(site.lettersIn("again")).toBe(`${SIZE} of A`);
      expect(readdirSync(site.join("again"))).toEqual(["big.bin"]);
    });

    test("a state folder is one server's, and the next one's when that was killed", async () => {
      await using site = new BuildSite(build);
      const { running } = await site.serve("repository", "state");
      expect(await site.run(site.serverCommand("repository", "state"))).toMatchObject({
        exitCode: 8,
        stderr: expect.stringContaining("Another server uses the ledger"),
      });
      running.child.kill("SIGKILL");
      await running.finished;
      await site.serve("repository", "state");
    });

    test("the start says when there are no file locks", async () => {
      await using site = new BuildSite(build);
      const { running } = await site.serve("repository", "state");
      const isWarning = () => readFileSync(running.output, "utf8").includes("file locks");
      if (build.hasFlock) expect(isWarning()).toBe(false);
      else await until(isWarning);
    });
  });
}
