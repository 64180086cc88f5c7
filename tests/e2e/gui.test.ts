/** The page of `commserver-client gui` in a real browser, with the compiled programs. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { binaries } from "../support/binaries.ts";
import { newPage, noBrowser, startBrowser } from "../support/browser.ts";
import { GuiProcess } from "../support/gui-process.ts";
import { USER_ENV } from "../support/processes.ts";
import { writeTree } from "../support/repository.ts";
import { TransferSite } from "../support/transfer-site.ts";
import { until } from "../support/until.ts";

const axeSource = readFileSync(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir), "utf8");

test("gui says on the terminal that the server does not answer yet, and serves the page all the same", async () => {
  const { client } = await binaries();
  const gui = Bun.spawn([client, "gui", "--no-open", "--server", "127.0.0.1:1", "--plaintext"], {
    env: USER_ENV,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  try {
    const { value } = await gui.stdout.getReader().read();
    expect(new TextDecoder().decode(value)).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#key=/);
  } finally {
    gui.kill("SIGTERM");
  }
  expect(await gui.exited).toBe(0);
  expect(await new Response(gui.stderr).text()).toStartWith(
    "Cannot connect to 127.0.0.1:1: nobody listens there. The page connects as soon as the server answers.\n",
  );
});

/** What axe objects to, when nothing moves any more; run in the page. */
const AXE = `(async () => {
  await Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})));
  const { violations } = await axe.run();
  return violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html).slice(0, 3) }));
})()`;

describe.skipIf(noBrowser !== undefined)("the page of gui", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  }, 180_000);
  afterAll(() => browser?.close());

  const row = (page: Page, side: "here" | "there", name: string) =>
    page.locator(`.${side} .row`).filter({ has: page.getByText(name, { exact: true }) });
  const choose = (page: Page, side: "here" | "there", name: string) => row(page, side, name).locator(".mark").click();
  const tab = (page: Page, name: string) => page.locator(".views").getByRole("button", { name }).click();

  async function opened(site: TransferSite, options: Parameters<typeof newPage>[1] = {}) {
    const gui = await GuiProcess.start(site.server.address, site.here);
    const page = await newPage(browser, options);
    await page.goto(gui.url);
    await page.locator(".link.up").waitFor();
    return {
      gui,
      page,
      async [Symbol.asyncDispose]() {
        await page.close();
        await gui[Symbol.asyncDispose]();
      },
    };
  }

  test("moves files and folders both ways, and asks about those that exist", async () => {
    await using site = await TransferSite.open({ "a.txt": "theirs", "docs/b.txt": "b" });
    writeTree(site.here, { "mine.txt": "mine" });
    await using open = await opened(site);
    const { page } = open;
    await choose(page, "there", "a.txt");
    await choose(page, "there", "docs");
    await page.getByRole("button", { name: "Fetch to this machine" }).click();
    await row(page, "here", "docs").waitFor();
    await until(() => Bun.file(`${site.here}/docs/b.txt`).exists());
    await choose(page, "here", "mine.txt");
    await page.getByRole("button", { name: "Send to the repository" }).click();
    await row(page, "there", "mine.txt").waitFor();
    expect(readFileSync(`${site.repository}/mine.txt`, "utf8")).toBe("mine");

    writeFileSync(`${site.here}/a.txt`, "my own");
    await choose(page, "there", "a.txt");
    await page.getByRole("button", { name: "Fetch to this machine" }).click();
    await tab(page, "Transfers");
    await page.getByText("1 file exists at the target.").waitFor();
    await page.getByRole("button", { name: "Keep both" }).click();
    await until(() => Bun.file(`${site.here}/a (2).txt`).exists());
    expect(readFileSync(`${site.here}/a.txt`, "utf8")).toBe("my own");
    expect(page.complaints).toEqual([]);
  });

  test("works by keys alone: open, go up, make a folder, rename, remove", async () => {
    await using site = await TransferSite.open({ "docs/b.txt": "b" });
    await using open = await opened(site);
    const { page } = open;
    await row(page, "there", "docs").waitFor();
    const grid = page.locator("#grid-there");
    await grid.focus();
    await grid.press("Home");
    await grid.press("Enter");
    await row(page, "there", "b.txt").waitFor();
    await grid.press("Home");
    await grid.press("F2");
    await page.getByRole("textbox", { name: "New name" }).fill("c.txt");
    await page.keyboard.press("Enter");
    await row(page, "there", "c.txt").waitFor();
    expect(readFileSync(`${site.repository}/docs/c.txt`, "utf8")).toBe("b");
    await grid.focus();
    await grid.press("Delete");
    await page.locator("dialog").getByRole("button", { name: "Remove" }).click();
    await page.locator(".there").getByText("This folder is empty.").waitFor();
    await grid.focus();
    await grid.press("Backspace");
    await row(page, "there", "docs").waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("Select all").waitFor();
    await page.keyboard.press("Escape");
    expect(await page.locator("dialog").count()).toBe(0);
  });

  test("shows who is here, and carries messages both ways", async () => {
    await using site = await TransferSite.open();
    await using open = await opened(site);
    const { page } = open;
    await tab(page, "Status");
    await page.locator("tbody tr").waitFor();
    expect(await page.locator("tbody").textContent()).toContain("Client01");
    await tab(page, "Messages");
    await page.getByRole("textbox", { name: "Write a message" }).fill("hello");
    await page.keyboard.press("Enter");
    await page.getByText("hello ACK").waitFor();
    await tab(page, "Files");
    expect(await site.run("send", "<b>are</b> you there?", "--to", "Client01")).toMatchObject({ exitCode: 0 });
    await page.locator(".badge", { hasText: "1" }).waitFor();
    await tab(page, "Messages");
    // Somebody else's words are text, whatever they look like.
    await page.getByText("<b>are</b> you there?").waitFor();
  });

  test("outlives a reload, and a lost server; a used link opens nothing; its end is told", async () => {
    await using site = await TransferSite.open({ "a.txt": "a" });
    await using open = await opened(site);
    const { gui, page } = open;
    expect(page.url()).not.toContain("key");
    await page.reload();
    await row(page, "there", "a.txt").waitFor();
    const second = await newPage(browser);
    await second.goto(gui.url);
    await second.getByText("This page needs a link of its own").waitFor();
    await second.close();
    gui.signal("SIGTERM");
    await page.getByText("The program on this machine has ended").waitFor();
    expect(await gui.exited).toBe(0);
  });

  test("shows a hundred thousand files, of which it draws those in sight", async () => {
    await using site = await TransferSite.open();
    mkdirSync(`${site.here}/many`);
    for (let count = 0; count < 100_000; count++) writeFileSync(`${site.here}/many/f${count}`, "");
    await using open = await opened(site);
    const { page } = open;
    await row(page, "here", "many").dblclick();
    await page.locator(".here").getByText("100,000 entries").waitFor();
    expect(await page.locator(".here .row").count()).toBeLessThan(100);
    await page.locator("#grid-here").press("End");
    await row(page, "here", "f99999").waitFor();
    await page.locator("#filter-here").fill("f4242");
    await page.locator(".here").getByText("11 entries").waitFor();
  });

  test("has nothing that axe objects to, light and dark, wide and narrow", async () => {
    await using site = await TransferSite.open({ "a.txt": "a", "docs/b": "b" });
    await using open = await opened(site, { bypassCSP: true });
    const { page } = open;
    await row(page, "there", "a.txt").click();
    await page.getByRole("button", { name: "Fetch to this machine" }).click();
    await until(() => Bun.file(`${site.here}/a.txt`).exists());
    await page.evaluate(axeSource);
    const faults: unknown[] = [];
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      for (const name of ["Files", "Transfers", "Messages", "Status"]) {
        await tab(page, name);
        if (name === "Status") await page.locator("tbody tr").waitFor();
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          const found = (await page.evaluate(AXE)) as object[];
          for (const fault of found) faults.push({ width, name, colorScheme, ...fault });
        }
        if (!(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")))
          faults.push({ width, name, id: "wider than the window" });
      }
    }
    expect(faults).toEqual([]);
  });
});
