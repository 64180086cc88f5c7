import { afterEach, expect, mock, spyOn, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { store } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";

afterEach(() => {
  mock.restore();
});

test("a small file comes although the name that its part was to have is another part's", async () => {
  using folder = new TempFolder();
  const storage = await LocalStorage.at(folder.path);
  writeFileSync(folder.join("a.11111111.commserver-part"), "another's");
  const ids = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"] as const;
  let asked = 0;
  spyOn(crypto, "randomUUID").mockImplementation(() => ids[Math.min(asked++, 1)] ?? ids[0]);
  expect(await store(storage, "a", noise(10))).toBe("a");
  expect(asked).toBe(2);
  expect(readdirSync(folder.path).sort()).toEqual(["a", "a.11111111.commserver-part"]);
});
