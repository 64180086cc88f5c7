/** What a release has: archives, packages that are installed and removed, the script that installs, manual pages. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { helpFor } from "../../lib/cli/help.ts";
import { manPage } from "../../scripts/man-page.ts";
import { makeArchive } from "../../scripts/release/archive.ts";
import { makeDeb } from "../../scripts/release/deb.ts";
import { makeRpm } from "../../scripts/release/rpm.ts";
import { billOfMaterials } from "../../scripts/release/sbom.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { type Finished, run } from "../support/processes.ts";
import { FACTS, missingPackagers, programsFolder, smallPrograms, smallRelease } from "../support/release.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestIo } from "../support/test-io.ts";
import { wholeClient, wholeServer } from "../support/whole-programs.ts";

const ROOT = `${import.meta.dir}/../..`;
const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent" };
const VERSION = /^commserver-client \d+\.\d+\.\d+\n$/;

const digestOf = (file: string) => new Bun.CryptoHasher("sha256").update(readFileSync(file)).digest("hex");
const ended = async (command: string[]): Promise<Finished> => {
  const finished = await run(command, { env });
  expect(finished).toMatchObject({ exitCode: 0 });
  return finished;
};

const missing = missingPackagers();

describe.skipIf(isSkipped(missing))(namedWhy("a package", missing), () => {
  let programs: string;
  let folder: TempFolder;
  beforeAll(async () => {
    programs = await programsFolder();
    folder = new TempFolder();
  }, 180_000);
  afterAll(() => folder[Symbol.dispose]());

  async function uses(root: string): Promise<void> {
    // A strip would have made a bare runtime of it.
    for (const name of ["client", "server"])
      expect(digestOf(`${root}/usr/bin/commserver-${name}`)).toBe(digestOf(`${programs}/commserver-${name}`));
    expect((await ended([`${root}/usr/bin/commserver-client`, "--version"])).stdout).toMatch(VERSION);
    expect(readFileSync(`${root}/usr/share/man/man1/commserver-client.1`, "utf8")).toContain(".Sh EXIT STATUS");
    for (const place of ["bash-completion/completions/commserver-server", "zsh/site-functions/_commserver-client"])
      expect(statSync(`${root}/usr/share/${place}`).mode & 0o777).toBe(0o644);
    expect(readFileSync(`${root}/usr/share/fish/vendor_completions.d/commserver-client.fish`, "utf8")).toContain(
      "complete -c commserver-client",
    );
  }

  test("for Debian is installed, works, and goes", async () => {
    const out = folder.join("deb");
    mkdirSync(out);
    const file = `${out}/${makeDeb(FACTS, "linux-x64", { programs, out })}`;
    expect(readdirSync(out)).toEqual(["commserver_0.1.0_amd64.deb"]);
    const first = digestOf(file);
    makeDeb(FACTS, "linux-x64", { programs, out });
    expect(digestOf(file)).toBe(first);

    const root = folder.join("deb-root");
    for (const part of ["info", "updates", "triggers"]) mkdirSync(`${root}/var/lib/dpkg/${part}`, { recursive: true });
    writeFileSync(`${root}/var/lib/dpkg/status`, "");
    const dpkg = ["dpkg", `--root=${root}`, "--force-depends", "--force-script-chrootless", `--log=${root}/log`];
    await ended([...dpkg, "--install", file]);
    await uses(root);
    await ended([...dpkg, "--purge", "commserver"]);
    expect(existsSync(`${root}/usr`)).toBe(false);
  });

  test("for Fedora and its like is installed, works, and goes", async () => {
    const out = folder.join("rpm");
    mkdirSync(out);
    const file = `${out}/${makeRpm(FACTS, "linux-x64", { programs, out })}`;
    expect(readdirSync(out)).toEqual(["commserver-0.1.0-1.x86_64.rpm"]);
    const first = digestOf(file);
    makeRpm(FACTS, "linux-x64", { programs, out });
    expect(digestOf(file)).toBe(first);

    const root = folder.join("rpm-root");
    mkdirSync(root);
    const rpm = ["rpm", "--root", root, "--nodeps", "--noscripts"];
    await ended([...rpm, "--install", file]);
    await uses(root);
    await ended([...rpm, "--erase", "commserver"]);
    expect(existsSync(`${root}/usr/bin/commserver-client`)).toBe(false);
  });
});

describe.skipIf(isSkipped(missing))(namedWhy("an archive", missing), () => {
  test.each(["linux-arm64-musl", "windows-x64"] as const)(
    "of %s has everything, and the same bytes each time",
    async (target) => {
      using folder = new TempFolder();
      const programs = smallPrograms(folder);
      const digests = [1, 2].map((time) => {
        const out = folder.join(String(time));
        mkdirSync(out);
        return digestOf(`${out}/${makeArchive(FACTS, target, { programs, out })}`);
      });
      expect(digests[0]).toBe(digests[1] as string);
      const [name = ""] = readdirSync(folder.join("1"));
      const list = name.endsWith("zip") ? ["unzip", "-Z1"] : ["tar", "-tf"];
      const { stdout } = await ended([...list, folder.join("1", name)]);
      const end = name.endsWith("zip") ? ".exe" : "";
      for (const place of [`bin/commserver-server${end}`, `bin/commserver-client${end}`, "LICENSE", "README.md"])
        expect(stdout.split("\n")).toContain(`commserver-0.1.0-${target}/${place}`);
    },
  );
});

test("the bill of materials has each package that the programs need, the runtime, and no day of its making", () => {
  const bill = JSON.parse(billOfMaterials(FACTS));
  expect(bill).toMatchObject({ bomFormat: "CycloneDX", metadata: { timestamp: "2023-11-14T22:13:20.000Z" } });
  const names = bill.components.map(({ name }: { name: string }) => name);
  const { dependencies } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));
  for (const name of [...Object.keys(dependencies), "bun"]) expect(names).toContain(name);
  expect(billOfMaterials(FACTS)).toBe(billOfMaterials(FACTS));
});

describe("install.sh", () => {
  const target = `${process.platform}-${process.arch}` as "linux-x64";
  const install = (...args: string[]) => run(["sh", `${ROOT}/packaging/install.sh`, ...args], { env });

  test("installs, upgrades, and takes away what it has installed", async () => {
    using folder = new TempFolder();
    const prefix = folder.join("my prefix");
    const first = await smallRelease(folder, target);
    expect(await install("--from", first, "--prefix", prefix)).toMatchObject({ exitCode: 0, stderr: "" });
    const program = `${prefix}/bin/commserver-client`;
    expect((await run([program], { env })).stdout).toBe("commserver-client 0.1.0\n");
    expect(existsSync(`${prefix}/share/man/man1/commserver-server.1`)).toBe(true);

    const second = await smallRelease(folder, target, "0.2.0");
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) => new Response(Bun.file(second + new URL(request.url).pathname)),
    });
    const old = `${prefix}/share/commserver/old`;
    writeFileSync(old, "");
    appendFileSync(`${prefix}/share/commserver/installed-files`, "share/commserver/old\n../outside\n");
    writeFileSync(folder.join("outside"), "");
    const upgraded = await install("--from", `http://127.0.0.1:${server.port}/`, "--prefix", prefix);
    expect(upgraded).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await run([program], { env })).stdout).toBe("commserver-client 0.2.0\n");
    expect(existsSync(old)).toBe(false);

    expect((await install("--uninstall", "--prefix", prefix)).exitCode).toBe(0);
    const left = readdirSync(prefix, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(left).toEqual([]);
    expect(existsSync(folder.join("outside"))).toBe(true);
    expect((await install("--uninstall", "--prefix", prefix)).stderr).toContain("nothing is installed in");
  });

  test("installs nothing that is not what SHA256SUMS says, nor what is not there", async () => {
    using folder = new TempFolder();
    const release = await smallRelease(folder, target);
    const prefix = folder.join("prefix");
    const none = await install("--from", `file://${release}`, "--prefix", prefix, "--target", "linux-m68k");
    expect(none).toMatchObject({ exitCode: 1 });
    expect(none.stderr).toContain("has nothing for linux-m68k");
    appendFileSync(`${release}/commserver-0.1.0-${target}.tar.gz`, "x");
    const changed = await install("--from", `file://${release}`, "--prefix", prefix);
    expect(changed).toMatchObject({ exitCode: 1 });
    expect(changed.stderr).toContain("nothing was installed");
    expect(existsSync(prefix)).toBe(false);
  });

  test.skipIf(isSkipped(Bun.which("shellcheck") === null ? "no shellcheck" : undefined))(
    "and the scripts of packages are as shellcheck wants them",
    async () => {
      const scripts = readdirSync(`${ROOT}/packaging/scripts`).map((name) => `${ROOT}/packaging/scripts/${name}`);
      expect((await run(["shellcheck", `${ROOT}/packaging/install.sh`, ...scripts], { env })).stdout).toBe("");
    },
  );
});

describe("the manual page", () => {
  const noMandoc = Bun.which("mandoc") === null ? "no mandoc" : undefined;
  for (const program of [wholeClient, wholeServer]) {
    const page = manPage(program, { version: "0.1.0", date: "2026-11-30" });

    test.skipIf(isSkipped(noMandoc))(`of ${program.name} is mdoc without a warning`, async () => {
      using folder = new TempFolder();
      writeFileSync(folder.join("page.1"), page);
      expect((await run(["mandoc", "-T", "lint", "-W", "warning", folder.join("page.1")], { env })).stdout).toBe("");
    });

    test.skipIf(isSkipped(noMandoc))(
      `of ${program.name} is read with any locale, and says what --help says`,
      async () => {
        using folder = new TempFolder();
        writeFileSync(folder.join("page.1"), page);
        const { stdout } = await run(["mandoc", "-T", "ascii", "-O", "width=200", folder.join("page.1")], { env });
        const text = stdout.replaceAll(/.\x08/g, "").replaceAll(/\s+/g, " ");
        expect(page).not.toContain("u2026");
        const io = new TestIo();
        const usages = helpFor(program, undefined, io).split("USAGE\n")[1]?.split("\n\n")[0];
        for (const usage of usages?.split("\n") ?? []) expect(text).toContain(usage.trim());
      },
    );

    test(`of ${program.name} has each command, flag and exit code`, () => {
      const text = page.replaceAll("\\-", "-");
      for (const [name, { args }] of Object.entries(program.commands)) {
        expect(text).toMatch(new RegExp(`^\\.Ss ${name}( |$)`, "m"));
        for (const [flag, { type }] of Object.entries(args))
          if (type !== "positional") expect(text).toContain(`Fl -${flag}`);
      }
      for (const code of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130]) expect(text).toContain(`.It ${code}\n`);
    });
  }
});
