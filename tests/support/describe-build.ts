import { afterAll, beforeAll, describe } from "bun:test";
import type { Build } from "./builds.ts";
import { isSkipped, namedWhy } from "./launched.ts";

/** Wine is slow to start the first program, most of all while other work keeps the processors busy. */
export const PREPARE_MS = 900_000;

/** Tests of one build, which is prepared for them; skipped where it can't run, which fails in CI. */
export function describeBuild(build: Build, tests: () => void): void {
  describe.skipIf(isSkipped(build.missing))(namedWhy(build.name, build.missing), () => {
    beforeAll(async () => {
      if (build.missing !== undefined) throw new Error(build.missing);
      await build.prepare();
    }, PREPARE_MS);
    afterAll(() => build.finish());

    tests();
  });
}
