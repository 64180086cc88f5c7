/** What a mailbox keeps when its process is killed, or its disk is full. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { Mailbox, type MailboxLimits, type NewMail } from "../../../lib/server/mail/mailbox.ts";
import { faultOf } from "../../support/fault.ts";
import { run } from "../../support/processes.ts";
import { noSmallDisk, SmallDisk, smallDiskTest } from "../../support/small-disk.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const LIMITS: MailboxLimits = { messages: 100_000, bytes: 100_000_000, ms: 1_000_000 };
const BOB = { name: "bob", createdAt: 1 };

const mail = (text: string): NewMail => ({
  owner: BOB,
  author: "",
  message: { from: "Client01", to: "bob", text },
  sentAt: 100,
  isPushed: false,
});

const textsIn = (mailbox: Mailbox) => mailbox.take(BOB, 100_000, 200).map(({ message }) => message.text);

/** Run a script with `mailbox` and `mail()`, whose process kills itself at its end. */
async function untilKilled(file: string, script: string): Promise<string> {
  const module = join(import.meta.dir, "../../../lib/server/mail/mailbox.ts");
  const code = `
    import { Mailbox } from ${JSON.stringify(module)};
    const mailbox = Mailbox.open(process.argv[1], ${JSON.stringify(LIMITS)});
    const mail = (text) => ({ ...${JSON.stringify(mail("x"))}, message: { from: "Client01", to: "bob", text } });
    const say = (text) => require("node:fs").writeSync(1, text + "\\n");
    ${script}`;
  const { exitCode, stdout, stderr } = await run([process.execPath, "-e", code, file]);
  if (exitCode !== 128 + 9) throw new Error(`exit code ${exitCode}: ${stderr}`);
  return stdout;
}

const KILL = `process.kill(process.pid, "SIGKILL"); await new Promise(() => {});`;

test("a killed server has kept all that it said it had, and nothing that was acknowledged", async () => {
  using folder = new TempFolder();
  const file = folder.join("mailbox.sqlite");
  await untilKilled(
    file,
    `for (let each = 0; each < 10; each++) mailbox.keep(mail(String(each)));
     mailbox.remove(mailbox.take(${JSON.stringify(BOB)}, 3, 200).map(({ id }) => id));
     mailbox.take(${JSON.stringify(BOB)}, 1, 200);
     ${KILL}`,
  );
  const mailbox = Mailbox.open(file, LIMITS);
  const left = mailbox.take(BOB, 100, 200);
  mailbox.close();
  expect(left.map(({ message }) => message.text)).toEqual(["3", "4", "5", "6", "7", "8", "9"]);
  expect(left.map(({ wasPushed }) => wasPushed)).toEqual([true, ...Array(6).fill(false)]);
});

test("whenever the kill comes, what was said to be kept is there, in order and once", async () => {
  using folder = new TempFolder();
  const file = folder.join("mailbox.sqlite");
  const said = await untilKilled(
    file,
    `setTimeout(() => process.kill(process.pid, "SIGKILL"), 20 + 100 * Math.random());
     for (let each = 0; ; each++) {
       mailbox.keep(mail(String(each)));
       say(String(each));
       await new Promise((resolve) => setImmediate(resolve));
     }`,
  );
  const mailbox = Mailbox.open(file, LIMITS);
  const texts = textsIn(mailbox);
  mailbox.close();
  const promised = said.trim().split("\n").filter(Boolean);
  expect(texts.slice(0, promised.length)).toEqual(promised);
  expect(texts).toEqual(texts.map((_, index) => String(index)));
});

test.skipIf(noSmallDisk !== undefined)(
  smallDiskTest("on a full disk nothing is said to be kept; what was kept stays, and there is room again later"),
  async () => {
    using disk = new SmallDisk(1_000_000);
    const mailbox = Mailbox.open(disk.join("mailbox.sqlite"), LIMITS);
    let kept = 0;
    const { code, message } = await faultOf(() => {
      for (; kept < 1_000; kept++) mailbox.keep(mail(`${kept} ${"x".repeat(8_000)}`));
    });
    expect([code, message]).toEqual(["DISK_FULL", "No room left for the mailbox."]);
    expect(kept).toBeGreaterThan(10);
    expect(mailbox.total.messages).toBe(kept);
    mailbox.close();
    Bun.spawnSync(["mount", "-o", "remount,size=3000000", disk.path]);
    const again = Mailbox.open(disk.join("mailbox.sqlite"), LIMITS);
    expect(textsIn(again).map((text) => Number(text.split(" ")[0]))).toEqual([...Array(kept).keys()]);
    again.keep(mail("later"));
    again.close();
  },
);
