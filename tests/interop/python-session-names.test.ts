/** Names beside the session's own, between a Python peer from PROTOCOL.md alone and the compiled programs. */
import { expect, test } from "bun:test";
import { TempFolder } from "../support/temp-folder.ts";
import { describeInterop, KEPT } from "./peer.ts";
import { buildFirst, CompiledSite, startCompiled } from "./site.ts";

buildFirst();

describeInterop("a Python client and the compiled server", () => {
  test("name the token and the nick of a sender, and who is here", async () => {
    const folder = new TempFolder();
    await using site = new CompiledSite(folder, await startCompiled(folder.path, ["--plaintext"]));
    await using other = site.peer("--nick", "carol");
    const welcome = await other.event("welcome");
    const lines = ["message hello ~CAROL", `status '{"here":true}'`, "message hello nobody"];
    const { events, ...rest } = await site.run(["--nick", "dave"], lines);
    expect(rest).toEqual(KEPT);
    const names = welcome["token"] === undefined ? {} : { token: welcome["token"] };
    expect(await other.event("message")).toMatchObject({ ...names, nick: "dave", to: "~CAROL", text: "hello" });
    const [sent, status, nobody] = events.filter(({ event }) => event !== "welcome");
    expect(sent).toMatchObject({ delivered: [welcome["name"]] });
    expect(status?.["here"]).toMatchObject([{ nick: "carol" }, { nick: "dave", doing: ["status"] }]);
    expect(nobody).toMatchObject({ code: 42 });
  });
});
