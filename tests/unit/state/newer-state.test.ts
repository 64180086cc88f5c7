import { expect, test } from "bun:test";
import { requireKnownForm } from "../../../lib/state/newer-state.ts";

const read = (content: unknown) => () => requireKnownForm(content, 2, "/state/tokens.json");

test("a file of a later version is refused by name", () => {
  expect(read({ version: 3 })).toThrow(
    expect.objectContaining({ code: "NEWER_STATE", message: expect.stringContaining('"/state/tokens.json"') }),
  );
});

test.each([
  ["of this version", { version: 2 }],
  ["of an earlier one", { version: 1 }],
  ["without a version", {}],
  ["whose version is no whole number", { version: 2.5 }],
  ["whose version is no number", { version: "3" }],
  ["that holds null", null],
  ["that holds a number", 3],
  ["that holds a text", "version"],
])("a file %s is left to its reader", (_, content) => {
  expect(read(content)).not.toThrow();
});
