import { expect, test } from "bun:test";
import { describeInterop, LineProcess, peer } from "./peer.ts";

/** Length of the pattern, seed, digest; every length class, and both sides of its limits. */
const VALUES: [length: number, seed: number, digest: string][] = [
  [0, 0, "2d06800538d394c2"],
  [0, 7, "913ae0873e9b7eb8"],
  [1, 0, "c44bdff4074eecdb"],
  [1, 7, "2c45aa60ff5dc0e5"],
  [3, 0, "3698b80191e625f9"],
  [3, 7, "aeb0a523002cb5c7"],
  [4, 0, "2e4ac2f1c52157fc"],
  [4, 7, "a2e6b440c1f197d9"],
  [8, 0, "60e1baa91347a1f2"],
  [8, 7, "a52ed17d2a4acc5b"],
  [9, 0, "9c88fc32c37b56cb"],
  [9, 7, "096f446a1ed9958f"],
  [16, 0, "f9fbd0260ba978df"],
  [16, 7, "c79d803db6400bc0"],
  [17, 0, "c56f339d36cc73d7"],
  [17, 7, "46d0a30cc8096767"],
  [128, 0, "31ccf8dec850d035"],
  [128, 7, "7afbcf24f4be94ec"],
  [129, 0, "c72af4c6ac4dea94"],
  [129, 7, "d9fc8671f168d78c"],
  [240, 0, "e315d53d5129eede"],
  [240, 7, "520c62adde6c5e68"],
  [241, 0, "18773c512b008a63"],
  [241, 7, "8beb9b4b4448525b"],
  [1_024, 0, "b2ac1d11fd7b209b"],
  [1_024, 7, "f2805a31b5e0f4a1"],
  [1_025, 0, "c7fd981796d2137a"],
  [1_025, 7, "2e14dae7edbe0def"],
  [2_048, 0, "424d72d80db83f76"],
  [2_048, 7, "224346b61c0f7798"],
  [70_001, 0, "9b671575af539d26"],
  [70_001, 7, "c15872f1e74d44d0"],
  [1_048_576, 0, "fb752e8769b7731d"],
  [1_048_576, 7, "f6109432385db2dc"],
];

/** What `pattern` of peer.py gives. */
function pattern(length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => index * 31 + (index >> 8) * 7);
}

describeInterop("XXH3 in Python", () => {
  test("has the digests that are written here, and those of Bun", async () => {
    const stdin = JSON.stringify(VALUES.map(([length, seed]) => [length, seed]));
    await using process = new LineProcess(peer("xxh3"));
    process.say(stdin);
    const { exitCode, stderr } = await process.finish();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(JSON.parse(process.lines.join("")).digests).toEqual(VALUES.map(([, , digest]) => digest));
    for (const [length, seed, digest] of VALUES)
      expect(Bun.hash.xxHash3(pattern(length), BigInt(seed)).toString(16).padStart(16, "0")).toBe(digest);
  });
});
