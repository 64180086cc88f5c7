import { expect, test } from "bun:test";
import { TempFolder } from "../support/temp-folder.ts";
import { describeInterop, KEPT, PeerServer, runPeer } from "./peer.ts";
import {
  buildFirst,
  CompiledSite,
  identityFile,
  PEER_WIRES,
  PROVEN,
  PythonSite,
  startCompiled,
  TOKEN,
} from "./site.ts";

const [UNEXPECTED, BAD_PAYLOAD, DENIED] = [6, 7, 17];
const NAMES: Record<number, string> = { 6: "UNEXPECTED_FRAME", 7: "BAD_PAYLOAD", 17: "ACCESS_DENIED" };

/** What a client does wrong about its proof, and the code that it is refused with. */
const CLIENT_LIES: [lie: string, code: number][] = [
  ["auth-early", DENIED],
  ["hello-twice", UNEXPECTED],
  ["hello-between", UNEXPECTED],
  ["goaway-between", UNEXPECTED],
  ["ping-between", UNEXPECTED],
  ["plus-unencrypted", DENIED],
  ["plus-header", DENIED],
  ["plus-mechanism", DENIED],
  ["header-y", DENIED],
  ["header-authzid", DENIED],
  ["other-mechanism", BAD_PAYLOAD],
  ["name-comma", BAD_PAYLOAD],
  ["name-equals", BAD_PAYLOAD],
  ["name-empty", BAD_PAYLOAD],
  ["short-nonce", BAD_PAYLOAD],
  ["extension", BAD_PAYLOAD],
  ["first-empty", BAD_PAYLOAD],
  ["first-long", BAD_PAYLOAD],
  ["first-no-scram", BAD_PAYLOAD],
  ["unknown-name", DENIED],
  ["wrong-binding", DENIED],
  ["binding-no-base64", BAD_PAYLOAD],
  ["wrong-proof", DENIED],
  ["short-proof", DENIED],
  ["proof-no-base64", BAD_PAYLOAD],
  ["no-proof", BAD_PAYLOAD],
  ["other-nonce", DENIED],
  ["replayed", DENIED],
  ["final-empty", BAD_PAYLOAD],
  ["final-long", BAD_PAYLOAD],
];

/** Those that come when the server has let the client in already. */
const LATE_LIES = ["auth-twice", "auth-after-welcome"];

/** What a server does wrong about its proof, and why the client leaves. */
const SERVER_LIES: [lie: string, code: number, flags?: string[]][] = [
  ["welcome-unproven", DENIED],
  ["queued-unproven", DENIED, ["--wait"]],
  ["welcome-unsigned", DENIED],
  ["queued-unsigned", DENIED, ["--wait"]],
  ["wrong-signature", DENIED],
  ["short-signature", DENIED],
  ["no-signature", BAD_PAYLOAD],
  ["empty-signature", BAD_PAYLOAD],
  ["other-nonce", BAD_PAYLOAD],
  ["own-nonce-missing", BAD_PAYLOAD],
  ["low-count", BAD_PAYLOAD],
  ["high-count", BAD_PAYLOAD],
  ["no-count", BAD_PAYLOAD],
  ["no-base64", BAD_PAYLOAD],
  ["extension", BAD_PAYLOAD],
  ["signature-first", BAD_PAYLOAD],
  ["empty-challenge", BAD_PAYLOAD],
  ["long-challenge", BAD_PAYLOAD],
  ["goaway-between", UNEXPECTED],
  ["ping-between", UNEXPECTED],
  ["third-auth", UNEXPECTED],
];

/** Each client comes from an address of its own, so that no failed proof tells against another. */
let hosts = 1;
const anotherHost = () => ["--source", `127.0.0.${++hosts}`];

async function compiled(...options: string[]): Promise<CompiledSite> {
  const folder = new TempFolder();
  return new CompiledSite(folder, await startCompiled(folder.path, options));
}

async function python(wire: string[], ...options: string[]): Promise<PythonSite> {
  const folder = new TempFolder();
  return new PythonSite(folder, await PeerServer.start(folder.path, ...wire, ...options));
}

buildFirst();

describeInterop("a client that lies about its proof", () => {
  test.each(CLIENT_LIES)("%s: is refused by the compiled server with the code of the page (%d)", async (lie, code) => {
    await using site = await compiled("--max-clients", "1");
    const { events } = await site.run([...anotherHost(), "--lie", lie], []);
    expect(events.at(-1)?.["code"]).toBe(code);
    // It has no seat: there is only one.
    expect((await site.run([], ["message still"])).events).toContainEqual(
      expect.objectContaining({ event: "result", text: "still ACK" }),
    );
  });

  test.each(LATE_LIES)("%s: the compiled server says UNEXPECTED_FRAME, refusing or by GOAWAY", async (lie) => {
    await using site = await compiled();
    const { events } = await site.run([...anotherHost(), "--lie", lie], []);
    expect(events.filter(({ event }) => ["goaway", "refused"].includes(event))).toMatchObject([{ code: UNEXPECTED }]);
  });

  test.each(["auth-unasked"])("%s: the compiled server that is open says UNEXPECTED_FRAME", async (lie) => {
    await using site = await compiled("--open", "--plaintext");
    const options = ["--token", TOKEN, "--lie", lie, site.server.address];
    const { events } = await runPeer(options);
    expect(events.filter(({ event }) => ["goaway", "refused"].includes(event))).toMatchObject([{ code: UNEXPECTED }]);
  });

  test("without TLS in its proof is refused over TLS", async () => {
    await using site = await compiled("--open");
    const { events } = await site.run(["--token", site.localToken], []);
    expect(events).toMatchObject([{ event: "refused", code: DENIED }]);
  });

  test("is THROTTLED after ten wrong proofs, and a right one is let in beside them", async () => {
    await using site = await compiled();
    const codes: unknown[] = [];
    // On a slow machine one more may be heard meanwhile.
    while (codes.at(-1) !== 18) codes.push((await site.run(["--lie", "wrong-proof"], [])).events.at(-1)?.["code"]);
    expect(codes.length).toBeGreaterThan(10);
    expect(new Set(codes.slice(0, -1))).toEqual(new Set([DENIED]));
    for (const at of [[], anotherHost()]) {
      expect((await site.run(at, [])).events[0]).toMatchObject({ event: "welcome" });
    }
  });

  test.each([...CLIENT_LIES, ...LATE_LIES.map((lie): [string, number] => [lie, UNEXPECTED])])(
    "%s: the Python server ends with the reason (%d)",
    async (lie, code) => {
      await using site = await python(PROVEN);
      await runPeer([...PROVEN, "--lie", lie, site.server.address]);
      expect((await site.server.ended()).stderr).toStartWith(`${NAMES[code]}: `);
    },
  );
});

describeInterop("a server that lies about its proof", () => {
  test.each(SERVER_LIES)("%s: the compiled client does not go on (%d)", async (lie, code, flags = []) => {
    await using site = await python(PROVEN, "--lie", lie);
    const { exitCode, stdout, stderr } = await site.run("send", "a secret", "--json", ...flags);
    expect({ exitCode, stdout, code: JSON.parse(stderr).error.code }).toEqual(
      code === DENIED
        ? { exitCode: 5, stdout: "", code: "WRONG_IDENTITY" }
        : { exitCode: 3, stdout: "", code: NAMES[code] as string },
    );
    expect(site.server.events("request")).toEqual([]);
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test("late-auth: the compiled client says UNEXPECTED_FRAME", async () => {
    await using site = await python(PROVEN, "--lie", "late-auth");
    expect(await site.run("send", "hello")).toMatchObject({ exitCode: 3, stdout: "" });
    expect(await site.server.event("goaway")).toMatchObject({ code: UNEXPECTED });
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test.each(PEER_WIRES.slice(1))("over %s, unasked-auth: the compiled client closes", async (_, wire) => {
    await using site = await python(await wire(), "--lie", "unasked-auth");
    const { exitCode, stderr } = await site.run("status", "--json");
    expect({ exitCode, code: JSON.parse(stderr).error.code }).toEqual({ exitCode: 3, code: "UNEXPECTED_FRAME" });
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test.each([...SERVER_LIES, ["late-auth", UNEXPECTED] as (typeof SERVER_LIES)[number]])(
    "%s: the Python client ends with the reason (%d)",
    async (lie, code, flags = []) => {
      await using site = await python(PROVEN, "--lie", lie);
      const { exitCode, stderr } = await runPeer([...PROVEN, ...flags, site.server.address], ["message hello"]);
      expect({ exitCode, stderr }).toEqual({
        exitCode: 1,
        stderr: expect.stringMatching(new RegExp(`^${NAMES[code]}: `)),
      });
    },
  );

  test("one that speaks TLS as somebody else hears nothing from the Python client", async () => {
    await using site = await python(["--identity", await identityFile()]);
    const { exitCode, stderr } = await runPeer(["--pin", `SHA256:${"A".repeat(43)}`, site.server.address]);
    expect(exitCode).toBe(4);
    expect(stderr).toContain(`${site.server.fingerprint}`);
    expect(site.server.events("hello")).toEqual([]);
  });
});
