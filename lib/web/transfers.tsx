import type { Resolution } from "../app/asks.ts";
import type { JobFacts } from "../app/events.ts";
import { baseName, formatCount, formatDuration, formatFiles, formatSize, shown } from "./format.ts";
import { Icon, IconButton } from "./icon.tsx";
import { t } from "./language.ts";
import { jobs, order } from "./session.ts";

const MOVING = ["waiting", "running", "asking", "paused"];

export function isUnderWay({ state }: JobFacts): boolean {
  return MOVING.includes(state);
}

export function Transfers() {
  if (jobs.value.length === 0) return <p class="nothing">{t("noTransfers")}</p>;
  // The newest first, and what asks before all.
  const shownJobs = jobs.value.toReversed().sort((a, b) => Number(b.state === "asking") - Number(a.state === "asking"));
  return (
    <ul class="jobs">
      {shownJobs.map((job) => (
        <JobCard key={job.id} job={job} />
      ))}
    </ul>
  );
}

function JobCard({ job }: { job: JobFacts }) {
  const { id, state, from, into, troubles, error, current } = job;
  const title = t(from === "there" ? "fetching" : "sending", { what: whatOf(job) });
  return (
    <li class={`job ${state}`} aria-label={title}>
      <header>
        <Icon
          name={
            state === "done"
              ? "check"
              : state === "failed"
                ? "circle-alert"
                : from === "there"
                  ? "arrow-down-to-line"
                  : "arrow-up-from-line"
          }
        />
        <div class="job-title">
          <strong>
            <bdi>{title}</bdi>
          </strong>
          <span class="dim">
            <bdi>{t("into", { path: shown(into === "" ? t("root") : into) })}</bdi>
          </span>
        </div>
        <JobTools job={job} />
      </header>
      {isUnderWay(job) && <Bar job={job} label={title} />}
      <p class="job-line" role="status">
        {lineOf(job)}
      </p>
      {state === "running" && current !== undefined && (
        <p class="dim current">
          <bdi>{shown(current)}</bdi>
        </p>
      )}
      {state === "asking" && <Conflicts job={job} />}
      {error !== undefined && <p class="bad">{shown(error.message)}</p>}
      {troubles.length > 0 && (
        <details>
          <summary>{t("failedCount", { count: formatCount(job.files.failed || troubles.length) })}</summary>
          <ul>
            {troubles.map(({ path, error: { message } }) => (
              <li>
                <bdi>{shown(path)}</bdi>: {shown(message)}
              </li>
            ))}
          </ul>
        </details>
      )}
      <span class="unseen">{id}</span>
    </li>
  );
}

function JobTools({ job: { id, state } }: { job: JobFacts }) {
  const act = (ask: "pause" | "resume" | "cancel" | "dismiss") => () => void order({ ask, job: id });
  return (
    <div class="job-tools">
      {["waiting", "running", "asking"].includes(state) && (
        <IconButton icon="pause" label={t("pause")} onClick={act("pause")} />
      )}
      {state === "paused" && <IconButton icon="play" label={t("resume")} onClick={act("resume")} />}
      {state === "failed" && <IconButton icon="play" label={t("tryAgain")} onClick={act("resume")} />}
      {MOVING.includes(state) ? (
        <IconButton icon="x" label={t("cancel")} onClick={act("cancel")} />
      ) : (
        <IconButton icon="x" label={t("dismiss")} onClick={act("dismiss")} />
      )}
    </div>
  );
}

function Bar({ job: { bytes, isPlanned }, label }: { job: JobFacts; label: string }) {
  const share = bytes.planned === 0 ? 0 : Math.min(1, bytes.done / bytes.planned);
  return (
    <progress aria-label={label} max={1} {...(isPlanned || bytes.done > 0 ? { value: share } : {})}>
      {Math.round(share * 100)} %
    </progress>
  );
}

function Conflicts({ job: { id, conflicts } }: { job: JobFacts }) {
  if (conflicts === undefined) return null;
  const { count, paths } = conflicts;
  const all = (answer: Resolution) => () => void order({ ask: "resolve", job: id, with: answer });
  return (
    <div class="conflicts" role="alertdialog" aria-label={t("asking")}>
      <p>{count === 1 ? t("oneConflict") : t("conflict", { count: formatCount(count) })}</p>
      <ul>
        {paths.map((path) => (
          <li>
            <bdi>{shown(path)}</bdi>
          </li>
        ))}
      </ul>
      <div class="buttons">
        <button type="button" class="danger" onClick={all("overwrite")}>
          {t("replace")}
        </button>
        <button type="button" class="plain" onClick={all("rename")}>
          {t("keepBoth")}
        </button>
        <button type="button" class="plain" onClick={all("skip")}>
          {t("skip")}
        </button>
      </div>
    </div>
  );
}

function whatOf({ paths }: JobFacts): string {
  const first = shown(baseName(paths[0] ?? ""));
  return paths.length === 1 ? first : t("andMore", { first, count: formatCount(paths.length - 1) });
}

/** How far it is, in a line. */
export function lineOf({ state, files, bytes, rate, isPlanned }: JobFacts): string {
  switch (state) {
    case "waiting":
      return t("waiting");
    case "paused":
      return t("paused");
    case "asking":
      return t("asking");
    case "cancelled":
      return t("cancelled");
    case "failed":
      return t("failedJob");
    case "done": {
      const skipped = files.skipped > 0 ? `, ${t("skippedCount", { count: formatCount(files.skipped) })}` : "";
      return t("done", { files: formatFiles(files.done), size: formatSize(bytes.done) }) + skipped;
    }
    case "running": {
      const running = t("running", {
        done: formatSize(bytes.done),
        planned: formatSize(bytes.planned),
        rate: formatSize(rate),
      });
      const left = bytes.planned - bytes.done;
      if (rate === 0 || !isPlanned || left <= 0) return running;
      return `${running}, ${t("left", { time: formatDuration((left / rate) * 1000) })}`;
    }
  }
}

/** What is under way, below the files. */
export function Strip({ onOpen }: { onOpen(): void }) {
  const moving = jobs.value.filter(isUnderWay);
  const [job] = moving.filter(({ state }) => state === "asking").concat(moving);
  if (job === undefined) return null;
  return (
    <button type="button" class={`strip ${job.state}`} onClick={onOpen}>
      <Bar job={job} label={t("transfers")} />
      <span>
        <bdi>{whatOf(job)}</bdi>: {lineOf(job)}
        {moving.length > 1 ? ` (+${moving.length - 1})` : ""}
      </span>
    </button>
  );
}
