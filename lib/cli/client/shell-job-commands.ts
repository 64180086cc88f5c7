import { escapeText } from "../escape.ts";
import { UsageError } from "../usage-error.ts";
import type { ShellCall, ShellCommand } from "./shell-call.ts";

/** The commands for transfers in the background. */
export const JOB_COMMANDS: Readonly<Record<string, ShellCommand>> = {
  jobs: {
    usage: "jobs",
    description: "Transfers in the background: get PATH &",
    isLocal: true,
    follows: "nothing",
    async run({ jobs, io }) {
      const table = jobs.table(io);
      if (table === undefined) io.note("No job is running.");
      else await io.out(`${table}\n`);
      return 0;
    },
  },
  fg: {
    usage: "fg [N]",
    description: "Show a job until it ends; Ctrl-C ends it, Ctrl-Z lets it go on",
    isLocal: true,
    follows: "numbers",
    async run(call) {
      const [number] = numbersOf(call, "fg", 1);
      const job = call.jobs.find(number);
      // Where a person types, the line says what the job is.
      if (call.io.outIsTty) await call.io.out(`${escapeText(job.command)}\n`);
      return call.jobs.attach(job, call);
    },
  },
  cancel: {
    usage: "cancel N…|all",
    description: "End jobs; the same command resumes them",
    isLocal: true,
    follows: "numbers",
    async run(call) {
      const { jobs } = call;
      const typed = numbersOf(call, "cancel", Number.POSITIVE_INFINITY);
      if (typed.length === 0 && jobs.active.length > 1) throw new UsageError("Which job? cancel N, or cancel all");
      const isAll = typed.some((word) => word.toLowerCase() === "all");
      const meant = isAll
        ? jobs.active
        : typed.length === 0
          ? [jobs.find(undefined)]
          : typed.map((word) => jobs.find(word));
      const over = meant.find(({ isActive }) => !isActive);
      if (over !== undefined) throw new UsageError(`Job ${over.number} has ended.`);
      if (meant.length === 0) throw new UsageError("No job is running.");
      for (const job of meant) job.cancel();
      // Each says so by itself when it has cleaned up.
      await Promise.all(meant.map(({ ended }) => ended));
      return 0;
    },
  },
};

/** @throws UsageError when there are more than `most` */
function numbersOf({ words }: Pick<ShellCall, "words">, command: string, most: number): string[] {
  if (words.length > most) throw new UsageError(`${command} takes the number of one job. See: jobs`);
  return words.map(({ text }) => text);
}
