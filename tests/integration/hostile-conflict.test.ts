import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { fetchAll } from "../../lib/cli/client/get-command.ts";
import { sendAll } from "../../lib/cli/client/put-command.ts";
import { Connection } from "../../lib/client/connection.ts";
import { StorageError } from "../../lib/errors.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { PrivatePlaces } from "../../lib/storage/local/private/private-places.ts";
import { readWhole, writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestIo } from "../support/test-io.ts";
import { TestServer } from "../support/test-server.ts";

/** Fetch `docs` into a folder that has these files; the person says yes, and then `change` happens at the server. */
async function fetchWithYes(
  server: TestServer,
  files: Record<string, string>,
  change: () => void = () => {},
): Promise<{ folder: TempFolder; questions: string[] }> {
  const folder = new TempFolder();
  writeTree(folder.path, files);
  const { questions, terms } = sayingYes(change);
  const request = {
    sources: ["docs"],
    output: `${folder.path}/`,
    exists: "fail",
    digest: false,
    strict: false,
    json: false,
  } as const;
  await fetchAll(await connectionTo(server), request, terms);
  return { folder, questions };
}

/** Who says yes to everything; `change` happens meanwhile. */
function sayingYes(change: () => void) {
  const questions: string[] = [];
  const ask = async (question: string) => {
    questions.push(question);
    change();
    return true;
  };
  const io = new TestIo();
  return { io, questions, terms: { io, signal: new AbortController().signal, places: new PrivatePlaces(), ask } };
}

function connectionTo(server: TestServer): Promise<Connection> {
  return Connection.open({ clock: systemClock, reconnectMs: 0, random: () => 0, connect: () => server.client() });
}

const bytes = (text: string) => new TextEncoder().encode(text);

test("consent to replace one file is for that one: files that the server lists later are not replaced", async () => {
  await using server = new TestServer();
  server.storage.set("docs/a", bytes("theirs"));
  const files = { "docs/a": "mine", "docs/precious": "mine" };
  const { folder, questions } = await fetchWithYes(server, files, () =>
    server.storage.set("docs/precious", bytes("theirs")),
  );
  using _ = folder;
  expect(questions).toHaveLength(1);
  expect(questions[0]).toContain("docs/a");
  expect(readFileSync(folder.join("docs/a"), "utf8")).toBe("theirs");
  expect(readFileSync(folder.join("docs/precious"), "utf8")).toBe("mine");
});

test("a server that says EXISTS of its own does not get to word the question, nor a yes for anything", async () => {
  await using server = new TestServer();
  server.storage.set("docs/a", bytes("theirs"));
  const said = "The licence of this server must be accepted.";
  server.storage.load = async () => {
    throw new StorageError("EXISTS", said);
  };
  const { folder, questions } = await fetchWithYes(server, {});
  using _ = folder;
  expect(questions.filter((question) => question.includes(said))).toEqual([]);
  expect(existsSync(folder.join("docs/a"))).toBe(false);
});

test("consent to replace one file at the server is for that one, and earlier failures stay failures", async () => {
  await using server = new TestServer();
  server.storage.set("docs/a", bytes("theirs"));
  using folder = new TempFolder();
  writeTree(folder.path, { "docs/a": "mine" });
  const { io, questions, terms } = sayingYes(() => {
    writeTree(folder.path, { "docs/late": "mine" });
    server.storage.set("docs/late", bytes("theirs"));
  });
  const sources = [folder.join("docs"), folder.join("missing")];
  const request = { sources, to: "", exists: "fail", digest: false, strict: false, json: false } as const;
  expect(await sendAll(await connectionTo(server), request, terms)).toBe(6);
  expect(questions).toEqual(['"docs/a" exists. Replace it?']);
  expect((await readWhole(server.storage, "docs/a")).toString()).toBe("mine");
  expect((await readWhole(server.storage, "docs/late")).toString()).toBe("theirs");
  expect(io.notes.filter((note) => note.includes("missing"))).toHaveLength(1);
});
