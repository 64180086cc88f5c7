import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { clientProgram } from "../../lib/cli/client/client-program.ts";
import { SHELLS, type Shell, shellScript } from "../../lib/cli/completion/shell-scripts.ts";
import { loadProgram } from "../../lib/cli/lazy-program.ts";
import { serverProgram } from "../../lib/cli/server/server-program.ts";
import { ROOT } from "../compile.ts";
import { manPage } from "../man-page.ts";
import { fileOf, PROGRAMS, type Target } from "../targets.ts";
import { dateOf, type ReleaseFacts } from "./facts.ts";

/** A file of a release, by its place in a folder. */
export interface StagedFile {
  readonly place: string;
  readonly mode: number;
  /** Its text, or the file that it is a copy of. */
  readonly content: { readonly text: string } | { readonly file: string };
}

/** README with the pages to which it leads people who use the programs. */
const DOCUMENTS = ["LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "PROTOCOL.md"];
const PAGES = new Bun.Glob("docs/*.{md,svg}");

/** Where a shell looks for the completions of a program, below a prefix. */
const COMPLETION_PLACES: Readonly<Record<Shell, (program: string) => string>> = {
  bash: (program) => `share/bash-completion/completions/${program}`,
  zsh: (program) => `share/zsh/site-functions/_${program}`,
  fish: (program) => `share/fish/vendor_completions.d/${program}.fish`,
};

/** The programs, with all that goes below a prefix such as /usr; `programs` is the folder of the compiled ones. */
export function stagedFiles(facts: ReleaseFacts, target: Target, programs: string): StagedFile[] {
  const compiled = PROGRAMS.map((program): StagedFile => {
    const file = fileOf(program, target);
    return { place: `bin/${file}`, mode: 0o755, content: { file: join(programs, file) } };
  });
  return [...compiled, ...manPages(facts), ...completions()];
}

const WHOLE = await Promise.all([clientProgram, serverProgram].map((program) => loadProgram(program)));

function manPages(facts: ReleaseFacts): StagedFile[] {
  const page = { version: facts.version, date: dateOf(facts) };
  return WHOLE.map((program) => ({
    place: `share/man/man1/${program.name}.1`,
    mode: 0o644,
    content: { text: manPage(program, page) },
  }));
}

function completions(): StagedFile[] {
  return WHOLE.flatMap(({ name }) =>
    SHELLS.map((shell) => ({
      place: COMPLETION_PLACES[shell](name),
      mode: 0o644,
      content: { text: shellScript(shell, name) },
    })),
  );
}

/** What people read, below a folder. */
export function documents(folder: string): StagedFile[] {
  const pages = [...PAGES.scanSync(ROOT)].sort();
  return [...DOCUMENTS, ...pages].map((name) => ({
    place: join(folder, name),
    mode: 0o644,
    content: { file: join(ROOT, name) },
  }));
}

/** The service of systemd and its user, if there is one; below the root. */
export function serviceFiles(): StagedFile[] {
  const places = [
    ["systemd/commserver.service", "usr/lib/systemd/system/commserver.service"],
    ["systemd/commserver.socket", "usr/lib/systemd/system/commserver.socket"],
    ["systemd/sysusers.conf", "usr/lib/sysusers.d/commserver.conf"],
    ["service.toml", "etc/commserver/service.toml"],
  ] as const;
  return places
    .map(([from, place]) => ({ place, mode: 0o644, content: { file: join(ROOT, "packaging", from) } }))
    .filter(({ content }) => existsSync(content.file));
}

/** Make the folder with these files and no others. What is one file under two names stays that. */
export function stage(folder: string, files: readonly StagedFile[]): void {
  rmSync(folder, { recursive: true, force: true });
  const staged = new Map<string, string>();
  for (const { place, mode, content } of files) {
    const file = join(folder, place);
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    if ("text" in content) writeFileSync(file, content.text);
    else {
      const { dev, ino } = statSync(content.file);
      const same = staged.get(`${dev} ${ino}`);
      if (same === undefined) copyFileSync(content.file, file);
      else linkSync(same, file);
      staged.set(`${dev} ${ino}`, file);
    }
    chmodSync(file, mode);
  }
}
