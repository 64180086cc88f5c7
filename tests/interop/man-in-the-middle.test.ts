import { expect, test } from "bun:test";
import { runClient, ServerProcess } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { describeWith } from "./peer.ts";
import { Relay } from "./relay.ts";
import { buildFirst, identityFile, readInvite, writeInvite } from "./site.ts";

buildFirst();

describeWith("openssl")("somebody in the middle, with a certificate of their own", () => {
  test("passes on a proof in vain: it is bound to the channel of the client, which is another", async () => {
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["-r", folder.path]);
    await using relay = await Relay.open(await identityFile(), server.port);
    const env = {
      XDG_STATE_HOME: folder.join("home"),
      COMMSERVER_TOKEN: readInvite(server.events[0]?.["invite"]).t,
    };
    const { exitCode, stderr } = await runClient(["send", "hi", "--json", "--accept-new", "-s", relay.address], {
      env,
    });
    expect({ exitCode, code: JSON.parse(stderr.split("\n").at(-2) ?? "").error.code }).toEqual({
      exitCode: 5,
      code: "ACCESS_DENIED",
    });
    const { message } = await server.event("refused", { code: "ACCESS_DENIED" });
    expect(message).toContain("bound to another channel");
    expect(relay.heard).toBeGreaterThan(0);
  });

  test("hears nothing at all from a client that knows whom it expects", async () => {
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["-r", folder.path]);
    await using relay = await Relay.open(await identityFile(), server.port);
    const invite = readInvite(server.events[0]?.["invite"]);
    const env = {
      XDG_STATE_HOME: folder.join("home"),
      COMMSERVER_INVITE: writeInvite({ ...invite, a: [relay.address] }),
    };
    const { exitCode, stderr } = await runClient(["send", "hi", "--json"], { env });
    expect({ exitCode, code: JSON.parse(stderr).error.code }).toEqual({ exitCode: 5, code: "WRONG_IDENTITY" });
    expect(relay.heard).toBe(0);
  });

  test("is no way around the token, once the server requires one", async () => {
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["-r", folder.path]);
    await using relay = await Relay.open(await identityFile(), server.port);
    const env = { XDG_STATE_HOME: folder.join("home") };
    const flags = ["--accept-new", "-s", relay.address];
    expect(await runClient(["status", ...flags], { env })).toMatchObject({ exitCode: 5, stdout: "" });
    expect(await server.event("refused")).toMatchObject({ code: "TOKEN_REQUIRED" });
  });
});
