import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { HereRow, StatusResult } from "../protocol/methods.ts";
import { AskError } from "./channel.ts";
import { formatDuration, formatMoment, formatSize, formatTime, shown } from "./format.ts";
import { t } from "./language.ts";
import { ask } from "./session.ts";

const EVERY_MS = 2_000;
/** How many round trips the curve shows. */
const MAX_TRIPS = 60;

const status = signal<StatusResult | undefined>(undefined);
const trips = signal<readonly number[]>([]);
const error = signal<string | undefined>(undefined);

export function Status() {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const look = async () => {
      try {
        const [answer, trip] = await Promise.all([ask({ ask: "status" }), ask({ ask: "ping" })]);
        status.value = answer as StatusResult;
        trips.value = [...trips.value, trip as number].slice(-MAX_TRIPS);
        error.value = undefined;
      } catch (thrown) {
        error.value = thrown instanceof AskError ? thrown.message : String(thrown);
      }
      timer = setTimeout(look, EVERY_MS);
    };
    void look();
    return () => clearTimeout(timer);
  }, []);
  if (error.value !== undefined)
    return (
      <p class="nothing" role="alert">
        {shown(error.value)}
      </p>
    );
  if (status.value === undefined) return <p class="nothing">{t("loading")}</p>;
  const { self, server, seats, here = [] } = status.value;
  return (
    <div class="status">
      <section class="facts" aria-label={t("server")}>
        <p>
          <strong>
            <bdi>{shown(self.token ?? self.name)}</bdi>
          </strong>{" "}
          <span class="dim">
            {self.name}, {t("role")}: {self.role}
          </span>
        </p>
        <p>{t("seats", { taken: seats.taken, max: seats.max, waiting: seats.waiting })}</p>
        <p class="dim">
          <bdi>{shown(server.agent)}</bdi>, {t("uptime", { time: formatDuration(server.uptimeMs) })}
        </p>
      </section>
      <section class="trips" aria-label={t("roundTrip", { ms: "" })}>
        <p>{t("roundTrip", { ms: (trips.value.at(-1) ?? 0).toFixed(1) })}</p>
        <Curve values={trips.value} />
      </section>
      <h2>{t("here2")}</h2>
      <div class="table" tabIndex={0} role="region" aria-label={t("here2")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("name")}</th>
              <th scope="col">{t("role")}</th>
              <th scope="col">{t("address")}</th>
              <th scope="col">{t("since")}</th>
              <th scope="col">{t("doing")}</th>
              <th scope="col">{t("received")}</th>
              <th scope="col">{t("sent")}</th>
            </tr>
          </thead>
          <tbody>
            {here.map((row) => (
              <Person key={row.name} row={row} isSelf={row.name === self.name} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Person({ row, isSelf }: { row: HereRow; isSelf: boolean }) {
  const { name, token, nick, role, address, startedAt, doing, bytesIn, bytesOut } = row;
  const label = token !== undefined ? `${token} (${name})` : nick !== undefined ? `~${nick} (${name})` : name;
  return (
    <tr class={isSelf ? "is-self" : ""}>
      <th scope="row">
        <bdi>{shown(label)}</bdi>
        {isSelf && ` · ${t("you")}`}
      </th>
      <td>{role}</td>
      <td>
        <bdi>{shown(address)}</bdi>
      </td>
      <td title={formatMoment(startedAt)}>{formatTime(startedAt)}</td>
      <td>{doing.map(shown).join(", ")}</td>
      <td>{formatSize(bytesIn)}</td>
      <td>{formatSize(bytesOut)}</td>
    </tr>
  );
}

/** The last round trips, from left to right. */
function Curve({ values }: { values: readonly number[] }) {
  const most = Math.max(1, ...values);
  const points = values
    .map((value, index) => `${(index / (MAX_TRIPS - 1)) * 100},${30 - (value / most) * 28}`)
    .join(" ");
  return (
    <svg class="curve" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points} />
    </svg>
  );
}
