/**
 * What README and docs/ say was run as it is written: every command line, on a machine of the test's own where it needs
 * root, packages or a service; their tables of flags and exit codes.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { EXIT_OF } from "../../lib/cli/exit-codes.ts";
import { makeDeb } from "../../scripts/release/deb.ts";
import { binaries } from "../support/binaries.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { Machine, missingMachine } from "../support/machine.ts";
import { run, ServerProcess, USER_ENV } from "../support/processes.ts";
import { Reader } from "../support/reader.ts";
import { FACTS, programsFolder } from "../support/release.ts";
import { blocksIn, examplesIn, outputPattern } from "../support/shown-examples.ts";
import { TempFolder } from "../support/temp-folder.ts";

const ROOT = join(import.meta.dir, "../..");
const pageOf = (name: string) => Bun.file(join(ROOT, name)).text();
const PAGES = ["README.md", ...[...new Bun.Glob("docs/*.md").scanSync(ROOT)].sort()];

/** Pages whose examples need nothing but a server with the sample repository. */
const SIMPLE = ["docs/client.md", "docs/files.md", "docs/mirror.md", "docs/server.md", "docs/configuration.md"];
/** Pages that are read at a machine. */
const AT_MACHINE = ["README.md", "docs/client.md", "docs/files.md", "docs/http.md", "docs/operating.md"];

/** Lines that are not run here, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  "npm install && npm start    # builds both programs into dist/ and serves ./repository":
    "needs the registry; .ci/run installs and builds",
  "npm install && npm test     # installs and tests everything": "is what runs this test",
  '15 3 * * * commserver-client sync "$HOME/photos" :photos --server lab --delete --max-delete 500 --exclude "*.tmp" --strict >"$HOME/sync.log"':
    "as the line of README, which is run as cron runs it; the examples of docs/mirror.md go this way, too",
  "rclone mount :webdav: /mnt/files --vfs-cache-mode writes": "does not end; tests/e2e/web-dav-clients.test.ts copies",
  "mount -t davfs https://HOST:5050/files/ /mnt/files      # davfs2, as root":
    "asks for name and secret; tests/e2e/web-dav-clients.test.ts mounts so",
};

beforeAll(async () => {
  await binaries();
}, 180_000);

/** A program under the name that the pages use, which finds the server of the test. */
async function script(file: string, command: string): Promise<void> {
  await Bun.write(file, `#!/bin/sh\n${command}\n`);
  chmodSync(file, 0o755);
}

describe("the pages", () => {
  test("have no command lines but those that are run", async () => {
    const all = (
      await Promise.all(PAGES.map(async (page) => blocksIn(await pageOf(page)).map((block) => ({ page, ...block }))))
    ).flat();
    const languages = new Set(all.map(({ language }) => language));
    expect([...languages].sort()).toEqual(["", "console", "crontab", "json", "sh", "text", "toml"]);
    const commands = all.filter(({ language }) => ["console", "crontab", "sh"].includes(language));
    const covered = (page: string, language: string) =>
      AT_MACHINE.includes(page) || (language === "console" && SIMPLE.includes(page));
    const isLeft = ({ page, language, text }: (typeof commands)[number]) =>
      !covered(page, language) &&
      !text
        .trim()
        .split("\n")
        .every((line) => line in NOT_RUN);
    expect(commands.filter(isLeft)).toEqual([]);
    const lines = all.flatMap(({ text }) => text.split("\n"));
    for (const line of Object.keys(NOT_RUN)) expect(lines).toContain(line);
  });

  test("show what their commands print", async () => {
    await using server = await ServerProcess.start(["--repository", join(ROOT, "repository")]);
    using folder = new TempFolder();
    const programs = await binaries();
    const exec = (variable: string, program: string) => `${variable} exec ${program} "$@"`;
    const { address, stateDir } = server;
    await script(folder.join("bin/commserver-client"), exec(`COMMSERVER_SERVER=${address}`, programs.client));
    await script(folder.join("bin/commserver-server"), exec(`COMMSERVER_STATE_DIR=${stateDir}`, programs.server));
    const env = {
      ...USER_ENV,
      PATH: `${folder.join("bin")}:${process.env["PATH"]}`,
      XDG_CONFIG_HOME: folder.join("config"),
    };
    for (const page of SIMPLE) {
      const all = examplesIn(await pageOf(page));
      expect(all.length).toBeGreaterThan(1);
      for (const { command, output } of all) {
        const { stdout } = await run(["/bin/sh", "-c", command], { cwd: folder.path, env });
        expect(`$ ${command}\n${stdout.trim()}`).toMatch(outputPattern(`$ ${command}\n${output}`));
      }
    }
  });

  test("the exit codes are those of the error table", async () => {
    const table = [...(await pageOf("docs/client.md")).matchAll(/^\| (\d+) +\| .*\|$/gm)].map(([, code]) =>
      Number(code),
    );
    const codes = new Set<number>([0, ...Object.values(EXIT_OF)]);
    expect(table).toEqual([...codes].sort((a, b) => a - b));
  });

  test.each([
    ["server", ["docs/server.md"]],
    ["client", ["docs/client.md", "docs/files.md", "docs/gui.md", "docs/mirror.md", "docs/shell.md"]],
  ] as const)("the flags of the %s exist", async (_, pages) => {
    const programs = await binaries();
    // The pages of one program speak of what the other must be told, too.
    const calls: string[][] = [];
    for (const program of Object.values(programs)) {
      const listed = (await run([program, "--help"])).stdout.split("\nCOMMANDS\n")[1]?.split("\n\n")[0] ?? "";
      const commands = [...listed.matchAll(/^ {2}(\w+)/gm)].map(([, command]) => command as string);
      expect(commands.length).toBeGreaterThan(4);
      calls.push([program], ...commands.map((command) => [program, command]));
    }
    const help = (await Promise.all(calls.map((call) => run([...call, "--help"])))).map(({ stdout }) => stdout).join();
    const text = (await Promise.all(pages.map(pageOf))).join("\n");
    const flags = new Set(
      [...text.matchAll(/`(?!(?:bsd)?tar )[^`\n]*?(--[a-z][a-z-]+)/g)].map(([, flag]) => flag as string),
    );
    expect(flags.size).toBeGreaterThan(4);
    for (const flag of flags) expect(help).toContain(flag);
  });
});

const missing = missingMachine();
/** For a machine that starts, and packages that are installed, beside other tests. */
const PATIENCE_MS = 900_000;

describe.skipIf(isSkipped(missing))(namedWhy("at a machine with systemd,", missing), () => {
  let machine: Machine;

  beforeAll(async () => {
    machine = await Machine.boot();
    const programs = await programsFolder();
    for (const version of ["0.1.0", "0.2.0"])
      makeDeb({ ...FACTS, version }, "linux-x64", { programs, out: machine.shared });
  }, 180_000);
  afterAll(() => machine?.[Symbol.asyncDispose]());

  async function must(lines: string): Promise<void> {
    expect(await machine.run(lines)).toMatchObject({ exitCode: 0 });
  }

  /** As after a new installation of the machine, with the package when it is `installed`. */
  async function reset(installed: boolean): Promise<void> {
    await must(`
      if dpkg -s commserver > /dev/null 2>&1; then dpkg --purge commserver; fi
      rm -rf /srv/* /var/lib/commserver /root/* /root/.local /root/.config /home/laptop
      cp -r /etc/skel /home/laptop && chown -R laptop:laptop /home/laptop
      mkdir -p /srv/files && cd /root && ln -s /shared/*.deb .
      ${installed ? "dpkg --install ./commserver_0.1.0_amd64.deb" : ""}
    `);
  }

  /** The command of a line of a crontab, run as cron runs it. */
  function atNight(line: string) {
    const command = line.replace(/^(\S+ ){5}/, "");
    const env = "env -i HOME=/home/laptop LOGNAME=laptop SHELL=/bin/sh PATH=/usr/bin:/bin";
    return machine.run(`${env} /bin/sh -c '${command.replaceAll("'", "'\\''")}'`, { seat: "laptop" });
  }

  test(
    "README.md does what it says",
    async () => {
      await reset(false);
      await must(`
      mkdir /srv/files/photos && cd /srv/files
      echo harbour > photos/harbour.jpg; echo lighthouse > photos/lighthouse.jpg; echo report > report.pdf
      head -c 60M /dev/urandom > disk.img
      echo notes > /home/laptop/notes.txt
    `);
      await using reader = new Reader(machine);
      let killed: { again(): Promise<void> } | undefined;
      for (const block of blocksIn(await pageOf("README.md"))) {
        if (block.language === "sh") await reader.run(block, (line) => line in NOT_RUN);
        if (block.language === "console") {
          await reader.compare(block, async (command) => {
            if (command.includes("--reconnect 5"))
              killed = await reader.killWhen("test -s /home/laptop/disk.img.commserver-part");
            else if (command.startsWith("commserver-client get disk.img")) await killed?.again();
          });
        }
        if (block.language === "crontab") {
          const line = block.text.trim();
          await must("cp /srv/files/report.pdf /var/lib/commserver/files");
          expect(await atNight(line)).toMatchObject({ exitCode: 0, stdout: "" });
          expect((await machine.run("cat mirror/report.pdf", { seat: "laptop" })).stdout).toBe("report\n");
          await must("systemctl stop commserver");
          const failed = await atNight(line);
          expect(failed).toMatchObject({ exitCode: 3, stdout: "", stderr: expect.stringContaining("Cannot connect") });
        }
      }
      expect(await machine.run("ls -d /usr/bin/commserver* /etc/commserver")).toMatchObject({
        stdout: "/etc/commserver\n",
      });
    },
    PATIENCE_MS,
  );

  test(
    "docs/operating.md does what it says, and the service is for everybody at the machine",
    async () => {
      await reset(true);
      await must("mkdir -p /srv/files && echo a > /srv/files/a.txt");
      await using reader = new Reader(machine);
      for (const block of blocksIn(await pageOf("docs/operating.md")))
        if (block.language === "sh") await reader.run(block, (line) => line in NOT_RUN);
      // Another user of the machine joins, and then names no server; and has a server of their own.
      const { stdout } = await machine.run(`
      echo a > /var/lib/commserver/files/a.txt
      sudo -u commserver commserver-server token add anna | grep -o "csinvite1_[A-Za-z0-9_-]*" > /shared/invite
      useradd --create-home anna && cd /home/anna && export HOME=/home/anna
      sudo -u anna commserver-client list || echo "exit code $?"
      sudo -u anna commserver-client join --name lab - < /shared/invite
      sudo -u anna commserver-client list
      sudo -u anna timeout 20 commserver-server /srv/files --port 5051 --json | head -n 1
    `);
      expect(stdout).toMatch(
        /^exit code 5\nJoined lab\..*\n.*\n +2 B {2}.* {2}a\.txt\n\{.*"event":"listening".*"stateDir":"\/home\/anna\//,
      );
    },
    PATIENCE_MS,
  );

  test(
    "docs/http.md, docs/files.md and docs/client.md do what they say",
    async () => {
      await reset(true);
      await must(`
      mkdir -p /srv/files/docs /srv/files/photos /backup && cd /srv/files
      echo report > docs/report.pdf; echo harbour > photos/harbour.jpg
      cp -r docs photos /root && cp -r photos /backup && cd /root && echo notes > notes.txt && cp docs/report.pdf . && mkdir repository
      # Its certificate is not from an authority.
      echo insecure > .curlrc
      printf '#!/bin/sh\nexec /usr/bin/rclone --no-check-certificate "$@"\n' > /usr/local/bin/rclone
      printf '#!/bin/sh\necho "CREATE TABLE $1;"\n' > /usr/local/bin/pg_dump
      printf '#!/bin/sh\ncat > /root/$1.restored\n' > /usr/local/bin/psql
      chmod +x /usr/local/bin/rclone /usr/local/bin/pg_dump /usr/local/bin/psql
    `);
      const values = { HOST: "localhost", STATE: "/root/.local/state/commserver" };
      await using reader = new Reader(machine, values);
      await reader.serve("commserver-server /srv/files --writable");
      for (const page of ["docs/files.md", "docs/client.md", "docs/http.md"])
        for (const block of blocksIn(await pageOf(page)))
          if (block.language === "sh") await reader.run(block, (line) => line in NOT_RUN);
      expect((await machine.run("cat /root/shop.restored")).stdout).toBe("CREATE TABLE shop;\n");
      await must(
        "diff -r /srv/files/photos /srv/files/archive/photos && diff -r /srv/files/photos /srv/files/again/photos",
      );
    },
    PATIENCE_MS,
  );
});
