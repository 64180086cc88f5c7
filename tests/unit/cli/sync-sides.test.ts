import { expect, test } from "bun:test";
import { syncSides } from "../../../lib/cli/client/sync-sides.ts";

test.each([
  [["photos", ":photos"], { isSending: true, here: "photos", there: "photos" }],
  [[":photos/2026/", "."], { isSending: false, here: ".", there: "photos/2026" }],
  [[":", "mirror"], { isSending: false, here: "mirror", there: "" }],
  [["mirror", ":."], { isSending: true, here: "mirror", there: "" }],
  [["mirror", ":/photos"], { isSending: true, here: "mirror", there: "photos" }],
  [["C:\\photos", ":photos"], { isSending: true, here: "C:\\photos", there: "photos" }],
  [[":photos", "C:/photos"], { isSending: false, here: "C:/photos", there: "photos" }],
  [["./:odd", ":odd"], { isSending: true, here: "./:odd", there: "odd" }],
])("the side of the repository is the one after a colon: %j", (names, sides) => {
  expect(syncSides({ _: names })).toEqual(sides);
});

test.each([
  [["a", "b"], "neither is"],
  [[":a", ":b"], "both are"],
  [["C:\\a", "D:\\b"], "neither is"],
  [["a"], "a source and a target"],
  [["a", ":b", "c"], "a source and a target"],
  [["", ":b"], '"" names no folder'],
])("%j is a usage error that says why", (names, words) => {
  expect(() => syncSides({ _: names })).toThrow(words);
});

test("a path that leads out of the repository is refused", () => {
  expect(() => syncSides({ _: [":../etc", "a"] })).toThrow("is not a path in the repository");
});
