import { descriptorLimit, openDescriptors } from "../../platform/descriptors.ts";
import type { StampedEvent } from "../../server/event-feed.ts";
import type { CommServer } from "../../server/server.ts";
import type { Metric, Sample } from "./metric-text.ts";

/** Counts by the value of one label. */
class Counts {
  readonly #label: string;
  readonly #counts = new Map<string, number>();

  constructor(label: string) {
    this.#label = label;
  }

  add(value: string, count = 1): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + count);
  }

  get samples(): Sample[] {
    return [...this.#counts].map(([value, count]) => ({ labels: { [this.#label]: value }, value: count }));
  }
}

type Measured = Pick<CommServer, "about" | "seats" | "members" | "memory" | "mail" | "events">;
type Totals = Record<(typeof KEYS)[number], number>;

/** What is measured of a server. Docs: docs/operating.md, "Metrics". Labels come from small fixed sets, never from peers. */
export class ServerMetrics {
  readonly #server: Measured;
  #admitted = 0;
  #warnings = 0;
  #isDraining = false;
  readonly #ended = new Counts("reason");
  readonly #refused = new Counts("code");
  readonly #failed = new Counts("code");
  readonly #changes = new Counts("kind");
  readonly #requests = new Counts("code");
  /** Of sessions that have ended. */
  readonly #former: Totals = { bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0 };

  constructor(server: Measured) {
    this.#server = server;
    server.events.subscribe((event) => this.#count(event));
  }

  #count(event: StampedEvent): void {
    switch (event.event) {
      case "joined":
        if (event.role !== "operator") this.#admitted++;
        break;
      case "left":
        if (event.role === "operator") break;
        this.#ended.add(event.reason);
        for (const key of KEYS) this.#former[key] += event[key];
        break;
      case "refused":
        this.#refused.add(event.code, event.count);
        break;
      case "failed":
        this.#failed.add(event.code, event.count);
        break;
      case "stored":
      case "removed":
      case "renamed":
        this.#changes.add(event.event);
        break;
      case "request":
        this.#requests.add(String(event.status));
        break;
      case "draining":
        this.#isDraining = event.on;
        break;
      case "warning":
        this.#warnings++;
        break;
    }
  }

  /** The metrics as they are now. */
  collect(): Metric[] {
    const { about, seats, memory, mail } = this.#server;
    const { bytesIn, bytesOut, messagesIn, messagesOut } = this.#totals();
    const { user, system } = process.cpuUsage();
    const agent = about.agent.split("/");
    return [
      gauge("commserver_build_info", "The version of the program; always 1.", 1, { version: agent[1] ?? "" }),
      gauge("commserver_seats_max", "Seats.", seats.max),
      gauge("commserver_seats_taken", "Seats that are taken, also by clients whose link is lost.", seats.taken),
      gauge("commserver_queue_max", "Places in the queue for a seat.", seats.maxWaiting),
      gauge("commserver_queue_waiting", "Clients that wait for a seat.", seats.waiting),
      gauge("commserver_draining", "1 while no new client is admitted.", this.#isDraining ? 1 : 0),
      counter("commserver_sessions_total", "Sessions that have begun.", [{ value: this.#admitted }]),
      counter("commserver_sessions_ended_total", "Sessions that have ended, by reason.", this.#ended.samples),
      counter("commserver_refused_total", "Refused peers, by error code.", this.#refused.samples),
      counter("commserver_received_bytes_total", "Bytes from clients.", [{ value: bytesIn }]),
      counter("commserver_sent_bytes_total", "Bytes to clients.", [{ value: bytesOut }]),
      counter("commserver_received_messages_total", "Messages from clients.", [{ value: messagesIn }]),
      counter("commserver_sent_messages_total", "Messages to clients.", [{ value: messagesOut }]),
      ...known("commserver_kept_messages", "Messages that are kept for names that are not here.", mail?.total.messages),
      ...known("commserver_kept_bytes", "What they take.", mail?.total.bytes),
      ...known("commserver_kept_max_bytes", "The most that they may take.", mail?.total.maxBytes),
      counter("commserver_changes_total", "Files stored, removed, renamed by clients.", this.#changes.samples),
      counter("commserver_http_requests_total", "Requests over HTTP, by status.", this.#requests.samples),
      counter("commserver_failures_total", "Requests that failed for want of space, rights …", this.#failed.samples),
      counter("commserver_warnings_total", "Warnings to the operator.", [{ value: this.#warnings }]),
      gauge("commserver_transfer_memory_bytes", "Memory reserved for transfers and lists.", memory.used),
      gauge("commserver_transfer_memory_max_bytes", "The most that may be reserved.", memory.limits.bytes),
      counter("process_cpu_seconds_total", "Processor time, user and system.", [{ value: (user + system) / 1e6 }]),
      gauge("process_resident_memory_bytes", "Resident memory.", process.memoryUsage.rss()),
      gauge("process_start_time_seconds", "When the server started, since 1970.", about.startedAt / 1000),
      ...known("process_open_fds", "Open file descriptors.", openDescriptors()),
      ...known("process_max_fds", "The limit of open file descriptors.", descriptorLimit()),
    ];
  }

  #totals(): Totals {
    const totals = { ...this.#former };
    for (const { counters } of this.#server.members.clients) for (const key of KEYS) totals[key] += counters[key];
    return totals;
  }
}

const KEYS = ["bytesIn", "bytesOut", "messagesIn", "messagesOut"] as const;

function gauge(name: string, help: string, value: number, labels?: Sample["labels"]): Metric {
  return { name, type: "gauge", help, samples: [{ value, ...(labels && { labels }) }] };
}

function counter(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, type: "counter", help, samples };
}

/** Nothing where there is no value. */
function known(name: string, help: string, value: number | undefined): Metric[] {
  return value === undefined ? [] : [gauge(name, help, value)];
}
