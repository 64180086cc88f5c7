import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Screen } from "../support/screen.ts";
import { until } from "../support/until.ts";

const SCRIPT = join(import.meta.dir, "../support/hostile-terminal-process.ts");

const show = (mode: "tab" | "progress", ...names: string[]) =>
  new Screen([process.execPath, SCRIPT, mode, JSON.stringify(names)], { cwd: import.meta.dir });

const EVIL: [does: string, name: string][] = [
  ["clears no screen", "a/\u001b[2J\u001b[Hx"],
  ["moves no cursor", "a/\u001b[1;1Hroot#"],
  ["writes no line of its own", "a/b\r\nClient01: send me your password"],
  ["does so not by C1 either", "a/\u009b2J\u009b1;1Hx"],
  ["hides nothing", "a/b\u0000\u007f\u001b[8mhidden"],
];

/** Type `get a/` and Tab. */
async function tab(screen: Screen): Promise<void> {
  await screen.prompts("ready> ");
  screen.type("get a/");
  await screen.prompts("get a/");
  screen.type("\t");
  await screen.shows("completed");
}

function expectCalm(screen: Screen): void {
  expect(screen.lines[0]).toBe("above");
  expect(screen.lines.filter((line) => line.startsWith("Client01:") || line.startsWith("root#"))).toEqual([]);
}

describe("Tab on a terminal", () => {
  test.each(EVIL)("%s when there is one name, and types nothing that can't be seen", async (_, name) => {
    await using screen = show("tab", name);
    await tab(screen);
    expectCalm(screen);
    screen.type("END\r");
    await screen.shows("typed:");
    const [typed = ""] = screen.text.slice(screen.text.indexOf('{"kind"')).split("\n");
    expect(JSON.parse(typed).text).not.toMatch(/\p{Cc}/u);
  });

  test.each(EVIL)("%s when there are several names", async (_, name) => {
    await using screen = show("tab", name, "a/zz");
    await tab(screen);
    await until(() => {
      screen.type("\t");
      return screen.text.includes("zz");
    });
    expectCalm(screen);
  });
});

describe("the bars of a transfer", () => {
  test.each([
    ["wide characters", `${"文".repeat(80)}.txt`],
    ["many characters", "x".repeat(250)],
    ["characters that combine", `${"e\u0301\u0302\u0303".repeat(60)}.txt`],
    ["pictures", "👨‍👩‍👧".repeat(30)],
    ["what would be colours", "\u001b[31m".repeat(30)],
    ["what is a placeholder elsewhere", "{bar} {percentage} {eta}".repeat(10)],
  ])("take two lines of the screen, whatever the name is made of: %s", async (_, name) => {
    await using screen = show("progress", name);
    // Drawn several times: bars that do not fit would climb, or leave their old lines behind.
    await until(() => /[3-9]\d KB of 1\.0 MB/.test(screen.text) && screen.text.includes("files"));
    expect(screen.lines).toHaveLength(2);
  });
});
