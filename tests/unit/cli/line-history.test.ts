import { describe, expect, test } from "bun:test";
import { HistorySearch } from "../../../lib/cli/terminal/history-search.ts";
import { LineHistory } from "../../../lib/cli/terminal/line-history.ts";

const LINES = ["get big.bin", "ls docs", "get a.txt", "put 文字.txt", "ls docs", "GET Old"];

describe("the history of a line", () => {
  test("is walked from the newest line to the oldest, and back to what was typed", () => {
    const history = new LineHistory(["c", "b", "a"], 10);
    expect([history.older(""), history.older("c"), history.older("b"), history.older("a")]).toEqual([
      "c",
      "b",
      "a",
      undefined,
    ]);
    expect([history.newer("a"), history.newer("b"), history.newer("c"), history.newer("")]).toEqual([
      "b",
      "c",
      "",
      undefined,
    ]);
  });

  test("offers only lines that begin as what was typed", () => {
    const history = new LineHistory(LINES, 10);
    expect([history.older("get"), history.older("get big.bin"), history.older("get a.txt")]).toEqual([
      "get big.bin",
      "get a.txt",
      undefined,
    ]);
    expect([history.newer("get a.txt"), history.newer("get big.bin")]).toEqual(["get big.bin", "get"]);
  });

  test("takes a changed line for what was typed", () => {
    const history = new LineHistory(["c", "b"], 10);
    history.older("");
    history.leave();
    expect([history.older("b"), history.older("b")]).toEqual([undefined, undefined]);
  });

  test("has each line once, the newest first, and no more than it may", () => {
    const history = new LineHistory(["b", "a"], 3);
    for (const line of ["c", "a", "  ", "d"]) history.add(line);
    expect(history.lines).toEqual(["d", "a", "c"]);
    expect(new LineHistory(["c", "b", "a"], 2).lines).toEqual(["c", "b"]);
  });
});

describe("a search in the history", () => {
  test("finds the newest line with the query while it is typed, and older ones on demand", () => {
    const search = new HistorySearch(LINES);
    search.type("l");
    expect(search.found).toEqual({ line: "ls docs", at: 0 });
    search.type("s");
    expect(search.found?.line).toBe("ls docs");
    const get = new HistorySearch(LINES);
    get.type("get");
    const found = [get.found?.line];
    for (let count = 0; count < 3; count++) {
      get.older();
      found.push(get.found?.line);
    }
    expect(found).toEqual(["get big.bin", "get a.txt", "GET Old", "GET Old"]);
    expect(get.isFailed).toBe(true);
  });

  test("goes over equal lines at once", () => {
    const search = new HistorySearch(["ls", "ls", "lsx", "ls"]);
    search.type("ls");
    search.older();
    expect(search.found?.line).toBe("lsx");
  });

  test("says where the query is, with capital letters only where they were typed", () => {
    const search = new HistorySearch(LINES);
    search.type("文");
    expect(search.found).toEqual({ line: "put 文字.txt", at: 4 });
    const old = new HistorySearch(LINES);
    old.type("O");
    expect(old.found?.line).toBe("GET Old");
  });

  test("keeps the line that was found last, says that there is no other, and begins again when a letter goes", () => {
    const search = new HistorySearch(LINES);
    search.type("docs");
    search.type("x");
    expect([search.isFailed, search.found?.line, search.query]).toEqual([true, "ls docs", "docsx"]);
    search.erase();
    expect([search.isFailed, search.found?.line]).toEqual([false, "ls docs"]);
    for (let count = 0; count < 4; count++) search.erase();
    expect([search.isFailed, search.query, search.found]).toEqual([false, "", undefined]);
    search.older();
    expect(search.found).toBeUndefined();
  });
});
