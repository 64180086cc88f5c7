/** What a session of a token for one folder can learn of the rest, and do to it, by every method and every route. */

import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { call, comparable, HIDDEN, LimitedSite, putting, told, WAYS_OUT } from "../support/limited-site.ts";
import { readTable } from "../support/protocol-page.ts";
import { chunk, record } from "../support/raw-chunks.ts";
import { until } from "../support/until.ts";
import type { WebAnswer } from "../support/web-site.ts";

/** Ask, and wait for the answer. */
type Ask = (method: string, params: object, body?: Buffer) => Promise<unknown>;
type Attack = (ask: Ask) => Promise<unknown>;

const eachWay = (attack: (ask: Ask, path: string) => Promise<unknown>): Attack => {
  return async (ask) => {
    for (const path of WAYS_OUT) await attack(ask, path);
  };
};
const forOperators = (method: string, params: object = {}): Attack => {
  return async (ask) => expect(await ask(method, params)).toContain("NOT_ALLOWED");
};

/** By method. A new one needs a line here: what it could tell, and how that is tried. */
const ATTACKS: Readonly<Record<string, Attack>> = {
  status: async (ask) => {
    for (const params of [{}, { limit: 128 }, { here: true }, { before: 1_000 }]) await ask("status", params);
  },
  list: async (ask) => {
    await ask("list", {});
    for (const path of WAYS_OUT) await ask("list", { path });
    for (const glob of ["**", "../**", "**/*.txt", "{out,etc,up}/**", "inbox/**", "/**", "out/*", "**/ZEBRA*"]) {
      await ask("list", { glob, parents: true });
    }
  },
  stat: eachWay((ask, path) => ask("stat", { path })),
  get: eachWay(async (ask, path) => {
    await ask("get", {}, record({ id: 0, path }));
    await ask("get", {}, record({ id: 0, path, digest: true, length: 0 }));
  }),
  put: eachWay(async (ask, path) => {
    for (const exists of ["overwrite", "fail", "skip", "rename"]) {
      await ask("put", {}, putting(path, "mine", exists));
      await ask("put", {}, putting(`${path}/new`, "mine", exists));
    }
    await ask("put", {}, chunk("FOLDER", 0, { path: `${path}/folder` }));
  }),
  remove: eachWay(async (ask, path) => {
    // The links are his own to remove: what they lead to is not.
    if (["out", "file-out", "etc", "up"].includes(path)) return;
    await ask("remove", { path, recursive: true });
  }),
  rename: eachWay(async (ask, path) => {
    await ask("rename", { from: path, to: "taken", overwrite: true });
    await ask("rename", { from: "taken", to: path, overwrite: true });
    await ask("rename", { from: "own.txt", to: `${path}/moved`, overwrite: true });
  }),
  digest: eachWay((ask, path) => ask("digest", { path })),
  // What is watched well is another test.
  watch: async (ask) => {
    for (const path of ["..", "../alice", "/", "out", "alice/ZEBRA.txt"]) {
      if (path.startsWith(".") || path.startsWith("/")) await ask("watch", { path });
    }
    await ask("watch", { glob: "../**" });
  },
  message: async (ask) => {
    for (const to of ["alice", "Client01", "all", "~al", "carol"]) await ask("message", { to, text: "hello" });
  },
  collect: (ask) => ask("collect", {}),
  kick: forOperators("kick", { name: "Client01" }),
  drain: forOperators("drain", { on: true }),
  unfinished: forOperators("unfinished"),
  quit: forOperators("quit"),
  events: forOperators("events"),
  issueToken: forOperators("issueToken", { name: "mallory", role: "operator" }),
  issueCode: forOperators("issueCode", { name: "mallory", role: "operator" }),
  tokens: forOperators("tokens"),
  revokeToken: forOperators("revokeToken", { name: "alice" }),
  issueLink: forOperators("issueLink", { path: "../alice/ZEBRA.txt" }),
  links: forOperators("links"),
  revokeLink: forOperators("revokeLink", { name: "00000000" }),
  // Of these, the first is for others than holders of limited tokens, and the rest for sessions of a share.
  openShare: forOperators("openShare"),
  offerShare: forOperators("offerShare"),
  awaitShare: forOperators("awaitShare"),
  endShare: forOperators("endShare"),
  mailboxes: forOperators("mailboxes"),
  clearMailbox: forOperators("clearMailbox", { name: "alice" }),
};

test("every method has an attack", () => {
  const methods = readTable("method", "role", "params", "result", "body", "trailer").map((row) =>
    row["method"]?.replaceAll("`", ""),
  );
  expect(Object.keys(ATTACKS).sort()).toEqual(methods.sort() as string[]);
});

/** All that an attack hears where the rest is there, or is not. */
async function heardBy(attack: Attack, isAlone: boolean): Promise<string[]> {
  await using site = await LimitedSite.start({ isAlone });
  // Somebody who is there as well.
  const { client: alice } = await site.client(site.all, { nick: "al" });
  await call(alice, "get", {}, record({ id: 0, path: "inbox/alice/ZEBRA.txt" }));
  if (isAlone) await alice.close();
  const { client } = await site.client(site.bob);
  const before = site.rest;
  const heard: string[] = [];
  await attack(async (method, params, body) => {
    const answer = await call(client, method, params, body);
    heard.push(comparable(answer));
    return answer;
  });
  expect(site.rest).toEqual(before);
  return heard;
}

describe("by streams", () => {
  test.each(Object.entries(ATTACKS))(
    "%s answers as if the rest were not there, and leaves it alone",
    async (_, attack) => {
      expect(await heardBy(attack, false)).toEqual(await heardBy(attack, true));
    },
  );

  test("what is his own is there: nothing above fails for another reason", async () => {
    await using site = await LimitedSite.start();
    const { client, heard } = await site.client(site.bob);
    expect(await call(client, "list", {})).toContain("sub/deep.txt");
    expect(await call(client, "get", {}, record({ id: 0, path: "own-link" }))).toContain("his own");
    expect(await call(client, "put", {}, putting("new/mine.txt", "mine"))).toContain('"state":"done"');
    expect(await Bun.file(site.path("inbox/bob/new/mine.txt")).text()).toBe("mine");
    expect(told(heard())).toEqual([]);
    const { client: alice, heard: all } = await site.client(site.all);
    await call(alice, "list", {});
    expect(told(all())).toEqual(HIDDEN);
  });

  test("a watch tells of changes in the folder alone", async () => {
    await using site = await LimitedSite.start();
    const { client, heard } = await site.client(site.bob);
    for (const params of [{}, { glob: "**" }, { path: "out" }]) {
      const stream = client.openStream("watch", params, { isFeed: true });
      await stream.accepted;
      void Array.fromAsync(stream.pieces()).catch(() => {});
    }
    for (const name of ["inbox/alice/ZEBRA-new.txt", "ZEBRA-new.txt", "inbox/new.txt", "inbox/bob/seen.txt"]) {
      writeFileSync(site.path(name), "ZEBRA");
    }
    await until(() => heard().includes('"seen.txt"'));
    expect([told(heard()), heard().includes("new.txt")]).toEqual([[], false]);
  });

  test("messages to all, and names of others, are not for it", async () => {
    await using site = await LimitedSite.start();
    const { client: alice } = await site.client(site.all);
    const received: string[] = [];
    const onMessage = ({ text }: { text: string }) => void received.push(text);
    const { client } = await site.client(site.bob, { onMessage });
    const { client: other } = await site.client(site.bob, { onMessage: () => {} });
    expect((await alice.send("about ZEBRA", "all")).delivered).toEqual([]);
    expect((await other.send("to his own", "all")).delivered).toEqual([client.name]);
    expect((await alice.send("to him", "bob")).delivered).toEqual([client.name, other.name]);
    expect((await (await site.web.access.operator()).client.send("the server stops", "all")).delivered).toEqual([
      client.name,
      other.name,
    ]);
    expect(received).toEqual(["to his own", "to him", "the server stops"]);
  });
});

/** Requests by HTTP, by method: the targets below /files/, and the fields. */
const REQUESTS: Readonly<
  Record<string, readonly { query?: string; fields?: Record<string, string>; body?: string }[]>
> = {
  GET: [{}, { query: "?archive=zip" }, { query: "?archive=tar" }, { query: "?metalink" }, { query: "?format=json" }],
  HEAD: [{}, { query: "?upload=http-1" }],
  PROPFIND: [{ fields: { depth: "0" } }, { fields: { depth: "1" } }, { query: "/", fields: { depth: "1" } }],
  PUT: [{ body: "mine" }, { body: "mine", fields: { "if-none-match": "*" } }],
  POST: [{ fields: { "tus-resumable": "1.0.0", "upload-length": "4", "content-length": "0" } }],
  PATCH: [{ query: "?upload=http-1", body: "mine" }],
  PROPPATCH: [{ body: '<propertyupdate xmlns="DAV:"><set><prop><a xmlns="b">c</a></prop></set></propertyupdate>' }],
  DELETE: [{}, { query: "?upload=http-1" }],
  MKCOL: [{}, { query: "/made/" }],
  MOVE: [{ fields: { destination: "/files/taken" } }],
  COPY: [{ fields: { destination: "/files/copied" } }],
  OPTIONS: [{}],
};

const encoded = (path: string) => path.split("/").map(encodeURIComponent).join("/");

describe("by HTTP", () => {
  test("every method has a row", async () => {
    await using site = await LimitedSite.start();
    const { headers } = await site.web.ask("/files/", { method: "OPTIONS", token: site.bob });
    expect(Object.keys(REQUESTS).sort()).toEqual((headers["allow"] ?? "").split(", ").sort());
  });

  test.each(Object.keys(REQUESTS))("%s answers as if the rest were not there, and leaves it alone", async (method) => {
    expect(await answersTo(method, false)).toEqual(await answersTo(method, true));
  });

  test("a folder's list, page, archive and properties have nothing of the rest", async () => {
    await using site = await LimitedSite.start();
    for (const target of [
      "/files/",
      "/files/?format=json",
      "/files/?archive=zip",
      "/files/?archive=tar",
      "/files/sub/",
    ]) {
      const { status, body } = await site.web.ask(target, { token: site.bob });
      expect([target, status, told(body.toString("latin1"))]).toEqual([target, 200, []]);
    }
    const fields = { headers: { depth: "1" }, token: site.bob, method: "PROPFIND" };
    const { status, body } = await site.web.ask("/files/", fields);
    expect([status, body.toString().includes("/files/own.txt"), told(body.toString())]).toEqual([207, true, []]);
  });
});

/** All answers to the requests of a method, where the rest is there, or is not. */
async function answersTo(method: string, isAlone: boolean): Promise<string[]> {
  await using site = await LimitedSite.start({ isAlone });
  const before = site.rest;
  const answers: string[] = [];
  const ask = async (target: string, headers: Record<string, string> = {}, body?: string) => {
    const asked = { method, headers, token: site.bob, ...(body !== undefined && { body }) };
    const answer = await site.web.ask(target, asked);
    answers.push(`${target} ${answer.status} ${asText(answer)}`);
  };
  for (const { query = "", fields, body } of REQUESTS[method] ?? []) {
    for (const path of ["", ...WAYS_OUT]) {
      // The links are his own to remove: what they lead to is not.
      if (["DELETE", "MOVE"].includes(method) && ["out", "file-out", "etc", "up", ""].includes(path)) continue;
      for (const place of [encoded(path), path.replaceAll("/", "%2F"), `${encoded(path)}/`]) {
        await ask(`/files/${place}${query}`, fields, body);
      }
    }
  }
  for (const path of ["MOVE", "COPY"].includes(method) ? WAYS_OUT : []) {
    await ask("/files/own.txt", { destination: `/files/${encoded(path)}` });
    await ask("/files/own.txt", { destination: `/files/${encoded(path)}/moved`, overwrite: "T" });
  }
  expect(site.rest).toEqual(before);
  return answers;
}

/** Without what differs between two runs on the same tree. */
function asText({ headers, body }: WebAnswer): string {
  const { date: _, etag: _tag, "last-modified": _time, location = "", ...fields } = headers;
  const text = body
    .toString("latin1")
    .replace(/"etag":"(?:[^"\\]|\\.)*"/g, "")
    .replace(/<D:get(?:etag|lastmodified)>[^<]*/g, "")
    .replace(/<D:creationdate>[^<]*/g, "")
    .replace(/127\.0\.0\.1:\d+/g, "")
    .replace(/etag=[^<"]*/g, "")
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?/g, "");
  return `${JSON.stringify(fields)} ${location.replace(/upload=.*/, "")} ${text}`;
}
