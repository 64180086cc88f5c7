/** Transfers of the shell in the background, typed and piped, by the compiled programs. */
import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { runClient, ServerProcess } from "../support/processes.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const SLOW = 1_500_000;

beforeAll(async () => {
  await binaries();
}, 180_000);

/** A server with files that take a while, and a folder of a user. */
class Site implements AsyncDisposable {
  readonly #folder = new TempFolder();
  readonly repository = this.#folder.join("repo");
  readonly here = this.#folder.join("here");
  readonly state = this.#folder.join("state");
  readonly args = ["-r", this.repository, "--host", "127.0.0.1", "--writable"];
  server!: ServerProcess;

  static async open(rate = "400K"): Promise<Site> {
    const site = new Site();
    for (const folder of [site.repository, site.here]) mkdirSync(folder);
    for (const name of ["slow.bin", "other.bin"]) writeFileSync(`${site.repository}/${name}`, Buffer.alloc(SLOW, name));
    writeFileSync(`${site.repository}/a.txt`, "theirs\n");
    site.server = await ServerProcess.start([...site.args, "--limit-rate", rate], { stateDir: site.state });
    return site;
  }

  async shell(size: { cols?: number; rows?: number } = {}): Promise<Screen> {
    const { client } = await binaries();
    const screen = new Screen([client, "--server", this.server.address], { cwd: this.here, ...size });
    await screen.prompts("Client01> ");
    return screen;
  }

  isWhole(name: string): boolean {
    return existsSync(`${this.here}/${name}`) && statSync(`${this.here}/${name}`).size === SLOW;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

describe("a transfer in the background", () => {
  test.each([40, 80, 100])(
    "gives the prompt back at once, is listed, and says when it is done, at %d columns",
    async (cols) => {
      await using site = await Site.open();
      await using screen = await site.shell({ cols });
      screen.type("get slow.bin &\r");
      await screen.shows("[1] running: get slow.bin");
      await screen.prompts("Client01> ");
      screen.type("hello\r");
      await screen.shows("hello ACK");
      screen.type("jobs\r");
      await until(() => screen.lines.some((line) => /^\[1\] running/.test(line) && !line.includes(":")));
      for (const line of screen.lines) expect(Bun.stringWidth(line)).toBeLessThan(cols);
      screen.type("half a line");
      const squeezed = () => screen.lines.join("").replaceAll(" ", "");
      await until(() => /\d\d:\d\d\[1\]done:getslow\.bin\(1file,1\.5MBin\ds\)/.test(squeezed()));
      await screen.prompts("Client01> half a line");
      expect(site.isWhole("slow.bin")).toBe(true);
      expect(screen.text).not.toMatch(/[░█]/);
    },
  );

  test("goes on in the folder where it began, whatever lcd says later", async () => {
    await using site = await Site.open();
    mkdirSync(`${site.here}/sub`);
    writeFileSync(`${site.here}/mine.bin`, Buffer.alloc(SLOW, "mine"));
    await using screen = await site.shell();
    screen.type("put mine.bin &\rget slow.bin &\rget other.bin new/ &\rlcd sub\r");
    await screen.shows(`${site.here}/sub`);
    for (const number of [1, 2, 3]) await screen.shows(`[${number}] done`);
    expect([site.isWhole("slow.bin"), site.isWhole("new/other.bin")]).toEqual([true, true]);
    expect(statSync(`${site.repository}/mine.bin`).size).toBe(SLOW);
  });

  test("that fails says why in one line, with names that a terminal would not obey", async () => {
    await using site = await Site.open();
    await using screen = await site.shell();
    screen.type("get nowhere.txt &\r");
    await screen.shows('[1] failed: get nowhere.txt: There is no "nowhere.txt" in the repository.');
    screen.type('put "evil\u202etxt.exe" &\r');
    await screen.shows('[2] failed: put "evil\\u{202e}txt.exe"');
    await screen.prompts("Client01> ");
    screen.type("ls &\r");
    await screen.shows("ls can't run in the background");
  });

  test("waits with a question until it is in the foreground", async () => {
    await using site = await Site.open();
    writeFileSync(`${site.here}/a.txt`, "mine\n");
    await using screen = await site.shell();
    screen.type("get a.txt &\r");
    await screen.shows('[1] asks: get a.txt: "a.txt" exists. Replace it? Answer with: fg 1');
    screen.type("y\r");
    await screen.shows("y ACK");
    screen.type("fg\r");
    await screen.prompts("Replace it? [y/N] ");
    screen.type("y\r");
    await screen.shows("Fetched a.txt");
    await screen.prompts("Client01> ");
    expect(readFileSync(`${site.here}/a.txt`, "utf8")).toBe("theirs\n");
  });

  test("goes on after the link was lost", async () => {
    await using site = await Site.open();
    await using screen = await site.shell();
    screen.type("get slow.bin &\r");
    await screen.shows("[1] running");
    await until(() => readdirSync(site.here).length > 0);
    const { port } = site.server;
    await site.server[Symbol.asyncDispose]();
    await screen.prompts("Client01 offline> ");
    site.server = await ServerProcess.start([...site.args, "--port", `${port}`], { stateDir: site.state });
    await screen.shows("[1] done: get slow.bin");
    await screen.prompts("Client02> ");
    expect(site.isWhole("slow.bin")).toBe(true);
    expect(screen.lines.filter((line) => line.includes("Connected again"))).toHaveLength(1);
  });
});

describe("fg", () => {
  test("shows the bars, Ctrl-Z takes the job back, and Ctrl-C ends it", async () => {
    await using site = await Site.open("100K");
    await using screen = await site.shell();
    screen.type("get slow.bin &\rget other.bin &\r");
    await screen.shows("[2] running");
    screen.type("fg 1\r");
    await until(() => /[░█].*slow\.bin/.test(screen.text));
    screen.type("\x1a");
    await screen.shows("[1] goes on in the background");
    await screen.prompts("Client01> ");
    expect(screen.text).not.toMatch(/[░█]/);
    screen.type("fg 2\r");
    await until(() => /[░█].*other\.bin/.test(screen.text));
    screen.type("\x03");
    await screen.shows("Interrupted. What has arrived is kept");
    await screen.prompts("Client01> ");
    screen.type("jobs\r");
    await until(() =>
      screen.lines.filter((line) => /^\[\d\] /.test(line)).some((line) => line.endsWith("get slow.bin")),
    );
    expect(screen.lines.filter((line) => /^\[2\] (?:running|cancelled) {2}/.test(line))).toEqual([]);
    screen.type("cancel all\r");
    await screen.shows("[1] cancelled: get slow.bin (what has arrived is kept)");
  });

  test("a transfer in the foreground goes to the background at Ctrl-Z", async () => {
    await using site = await Site.open();
    await using screen = await site.shell();
    screen.type("get slow.bin\r");
    await screen.shows("░");
    screen.type("\x1a");
    await screen.shows("[1] goes on in the background: get slow.bin");
    await screen.prompts("Client01> ");
    await screen.shows("[1] done: get slow.bin");
  });
});

describe("leaving", () => {
  test("with a job says so first; the same again leaves, and the command resumes later", async () => {
    await using site = await Site.open();
    await using screen = await site.shell();
    screen.type("get slow.bin\r");
    await until(() => /[1-9]\d%/.test(screen.text));
    screen.type("\x1a");
    await screen.prompts("Client01> ");
    screen.type("exit\r");
    await screen.shows("1 job is not finished: get slow.bin.");
    await screen.prompts("Client01> ");
    screen.type("hello\r");
    await screen.shows("hello ACK");
    screen.type("exit\r");
    await until(() => screen.text.split("1 job is not finished").length === 3);
    screen.type("exit\r");
    expect(await screen.exited).toBe(0);
    await site.server.event("left", { name: "Client01", reason: "exit" });
    const again = await runClient(["get", "slow.bin", "-s", site.server.address], { cwd: site.here });
    expect(again.exitCode).toBe(0);
    // It had not to fetch the whole file.
    const [, kilobytes] = /\((\d+) KB/.exec(again.stdout) ?? [];
    expect(Number(kilobytes ?? 0)).toBeLessThan(SLOW / 1_000);
    expect(site.isWhole("slow.bin")).toBe(true);
  });

  test("by SIGTERM ends the jobs, too", async () => {
    await using site = await Site.open("100K");
    await using screen = await site.shell();
    screen.type("get slow.bin &\r");
    await screen.shows("[1] running");
    process.kill(screen.pid, "SIGTERM");
    expect(await screen.exited).toBe(130);
  });
});

describe("piped lines", () => {
  const piped = (site: Site, lines: string) => runClient(["-s", site.server.address], { cwd: site.here, stdin: lines });

  test.each(["", "exit\n"])("run several at once, and the end of them (%j) waits for all", async (end) => {
    await using site = await Site.open("2M");
    const finished = await piped(site, `get slow.bin &\nget other.bin &\nhello\n${end}`);
    expect(finished.exitCode).toBe(0);
    expect(finished.stdout).toContain("hello ACK\n");
    expect(finished.stdout.indexOf("hello ACK")).toBeLessThan(finished.stdout.indexOf("Fetched"));
    expect(finished.stdout).toContain("Fetched slow.bin (1.5 MB, verified)\n");
    expect([site.isWhole("slow.bin"), site.isWhole("other.bin")]).toEqual([true, true]);
  });

  test("have the exit code of a job that failed, and nobody is asked", async () => {
    await using site = await Site.open("2M");
    writeFileSync(`${site.here}/a.txt`, "mine\n");
    expect(await piped(site, "get nowhere &\nhello\n")).toMatchObject({ exitCode: 6 });
    const conflict = await piped(site, "get a.txt &\n");
    expect(conflict.exitCode).toBe(8);
    expect(readFileSync(`${site.here}/a.txt`, "utf8")).toBe("mine\n");
    expect(await piped(site, "get slow.bin &\nfg 1\njobs\n")).toMatchObject({ exitCode: 0 });
  });
});
