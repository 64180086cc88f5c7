/** Tab in real shells, with names that a hostile server may make up. By the compiled programs. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { KnownServers } from "../../lib/trust/known-servers.ts";
import { binaries } from "../support/binaries.ts";
import { runClient, ServerProcess } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { KINDS, TypingShell } from "../support/typing-shell.ts";

/** Names that are code to a shell that takes them for a part of its line; each begins with a letter of its own. */
const HOSTILE = [
  "a$(touch pwned)",
  "b`touch pwned`",
  "c;touch pwned",
  "d|touch pwned",
  'e"; touch pwned; "',
  "f'; touch pwned; '",
  "g two  words ",
  "h$HOME",
  "i*",
  "j[1].jpg",
  "k{a,b}",
  "l\\'\"$",
  "m!!",
  "n&touch pwned",
  "o>pwned",
  "p=x:y=z",
  "q#x ~",
  "r\\",
  "süß 😀.txt",
  "t$'touch'",
  "u-(touch pwned)",
];
/** Such names are never offered. */
const UNSEEN = ["v\nv", "v\u001b[31mv", "v\u202ev", "v\tv"];

let server: ServerProcess;
let repository: TempFolder;

beforeAll(async () => {
  await binaries();
  repository = new TempFolder();
  for (const name of [...HOSTILE, ...UNSEEN, "vw", "-rf"]) writeFileSync(repository.join(name), "");
  for (const name of ["xdir", "xdir/one two", "ydir 1", "ydir 2"]) mkdirSync(repository.join(name));
  writeFileSync(repository.join("xdir/one two/file"), "");
  server = await ServerProcess.start(["-r", repository.path, "--plaintext", "--open", "--max-clients", "50"]);
}, 180_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  repository[Symbol.dispose]();
});

const isHere = (kind: string) =>
  Bun.which(kind.split(" ")[0] as string) !== null &&
  (!kind.includes("with") || existsSync("/usr/share/bash-completion/bash_completion"));

for (const kind of Object.keys(KINDS)) {
  const isMissing = !isHere(kind) && process.env["CI"] === undefined;
  describe.skipIf(isMissing)(`Tab in ${kind}${isMissing ? " (not installed)" : ""}`, () => {
    const get = () => `commserver-client get --plaintext --server ${server.address} `;

    test("gives a program exactly the names that the server has, and runs none of them", async () => {
      using folder = new TempFolder();
      await using shell = await TypingShell.start(kind, folder);
      for (const name of HOSTILE) {
        const words = await shell.run(`${get()}${[...name][0]}\t`);
        expect(words.slice(4)).toEqual([name]);
      }
      expect((await shell.run(`${get()}v\t`)).slice(4)).toEqual(["vw"]);
      expect(readdirSync(folder.join("here"))).toEqual([]);
    });

    // With bash-completion it is the same script.
    test.each(kind.includes("with") ? [] : ['"', "'"])(
      "within an open quote %s, too",
      async (quote) => {
        using folder = new TempFolder();
        await using shell = await TypingShell.start(kind, folder);
        for (const name of HOSTILE) {
          // What can't be written in this quote may be left out.
          if (/['!]|"$/.test(name)) continue;
          const begun = `${get()}${quote}${[...name][0]}`;
          const words = await shell.run(`${begun}\t`);
          expect(words.slice(4)).toEqual([name]);
        }
        expect(readdirSync(folder.join("here"))).toEqual([]);
      },
      180_000,
    );

    test("goes on within a folder, and with what several names have in common", async () => {
      using folder = new TempFolder();
      await using shell = await TypingShell.start(kind, folder);
      expect((await shell.run(`${get()}x\to\tf\t`)).slice(4)).toEqual(["xdir/one two/file"]);
      expect((await shell.run(`${get()}y\t2\t`)).slice(4)).toEqual(["ydir 2/"]);
    });

    test("completes commands, flags, their values, servers, clients, and names of this machine", async () => {
      using folder = new TempFolder();
      await using shell = await TypingShell.start(kind, folder);
      mkdirSync(folder.join("here/local folder"));
      writeFileSync(folder.join("here/local file"), "");
      expect(await shell.run("commserver-client unf\t--rem\t")).toEqual(["unfinished", "--remove"]);
      expect(await shell.run("commserver-server --web re\t")).toEqual(["--web", "read"]);
      const words = ["token", "add", "x", "--role=operator"];
      expect(await shell.run("commserver-server token add x --role=op\t")).toEqual(words);
      expect(await shell.run("commserver-client put local\\ fi\t")).toEqual(["put", "local file"]);
      const [, local] = await shell.run("commserver-server --repository loc\t");
      // zsh takes its slash away at the end.
      expect(local?.replace(/\/$/, "")).toBe("local folder");
      const output = ["get", "x", "--output=local file"];
      expect(await shell.run("commserver-client get x --output=local\\ fi\t")).toEqual(output);
    });
  });
}

describe("completions", () => {
  const answer = async (...words: string[]) => (await runClient(["completions", "zsh", "--", ...words])).stdout;

  test("of a server that nobody trusts yet, or that does not answer, are none, at once and in silence", async () => {
    using folder = new TempFolder();
    await using stranger = await ServerProcess.start(["-r", folder.path, "--open"]);
    // It takes connections, and says nothing.
    using silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    for (const server of [stranger.address, `127.0.0.1:${silent.port}`, "127.0.0.1:1", "no such name"]) {
      const env = { XDG_STATE_HOME: folder.join("state") };
      const words = ["get", "--server", server, "--accept-new", "--wait", "--timeout", "1000", ""];
      const { exitCode, stdout, stderr } = await runClient(["completions", "zsh", "--", ...words], { env });
      expect({ exitCode, stderr, stdout }).toEqual({ exitCode: 0, stderr: "", stdout: "" });
      expect(existsSync(folder.join("state/commserver/servers"))).toBe(false);
    }
  });

  test("have the names of servers and clients that are here", async () => {
    using folder = new TempFolder();
    const env = { XDG_STATE_HOME: folder.path };
    const identity = `SHA256:${"A".repeat(43)}`;
    new KnownServers(folder.join("commserver")).save({ name: "lab", addresses: [], identity });
    const known = await runClient(["completions", "fish", "--", "list", "-s", ""], { env });
    expect(known.stdout).toBe("words\nlab\n");
    const sending = ["send", "x", "--plaintext", "-s", server.address, "--to", ""];
    expect(await answer(...sending)).toMatch(/^words\nall\n$/);
  });

  test("are made for no other shell", async () => {
    const { exitCode, stderr } = await runClient(["completions", "tcsh"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('completions takes bash, zsh, fish, not "tcsh".');
  });
});
