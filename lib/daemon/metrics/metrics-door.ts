import type { Transport, TransportHandler } from "../../session/transport.ts";
import { listen } from "../../transport/socket.ts";
import { formatFor, METRIC_TYPES, type Metric, metricText } from "./metric-text.ts";

/** More connections than that are closed at once. */
export const MAX_CONNECTIONS = 16;
/** The head of a request. */
export const MAX_HEAD_BYTES = 8 * 1024;
/** The whole of a connection. */
export const CONNECTION_MS = 10_000;

/** Whether the server can serve. */
export interface Health {
  readonly status: "ok" | "draining" | "stopping" | "no repository";
  readonly isHealthy: boolean;
}

export interface MetricsSources {
  metrics(): readonly Metric[];
  health(): Promise<Health>;
}

/**
 * Answers `GET /metrics` and `GET /healthz`, and nothing else, one request for each connection: few enough that a local
 * program can't take the server's descriptors or memory.
 *
 * @throws CommError CANNOT_LISTEN
 */
export function openMetricsDoor(
  at: { readonly host: string; readonly port: number },
  sources: MetricsSources,
  closeFrom?: number,
): { readonly port: number; stop(): void } {
  let open = 0;
  const take = (transport: Transport) => {
    if (open >= MAX_CONNECTIONS) return transport.abort();
    open++;
    answerOne(transport, sources, () => open--);
  };
  const { address, stop } = listen({ kind: "tcp", ...at }, take, undefined, closeFrom);
  return { port: address.kind === "tcp" ? address.port : at.port, stop };
}

function answerOne(transport: Transport, sources: MetricsSources, onClosed: () => void): void {
  let head = "";
  let isAnswered = false;
  const timer = setTimeout(() => transport.abort(), CONNECTION_MS);
  const answer = async (request: string): Promise<void> => {
    isAnswered = true;
    const { status, type, body } = await answerTo(request, sources);
    const bytes = Buffer.from(body);
    const fields = `Content-Type: ${type}\r\nContent-Length: ${bytes.length}\r\nCache-Control: no-store\r\nConnection: close`;
    transport.write(Buffer.from(`HTTP/1.1 ${status}\r\n${fields}\r\n\r\n`));
    if (!request.startsWith("HEAD ")) transport.write(bytes);
    transport.close();
  };
  const handler: TransportHandler = {
    onBytes(bytes) {
      if (isAnswered) return;
      head += Buffer.from(bytes).toString("latin1");
      if (head.length > MAX_HEAD_BYTES) transport.abort();
      else if (/\r?\n\r?\n/.test(head)) answer(head).catch(() => transport.abort());
    },
    onDrain() {},
    onClosed() {
      clearTimeout(timer);
      onClosed();
    },
  };
  transport.start(handler);
}

interface Answer {
  readonly status: string;
  readonly type: string;
  readonly body: string;
}

const PLAIN = "text/plain; charset=utf-8";

async function answerTo(request: string, { metrics, health }: MetricsSources): Promise<Answer> {
  const [, method, target] = /^([A-Z]+) ([^ \r\n]+) HTTP\/1\.[01]\r?\n/.exec(request) ?? [];
  if (method === undefined)
    return { status: "400 Bad Request", type: PLAIN, body: "This is not an HTTP/1.1 request.\n" };
  if (method !== "GET" && method !== "HEAD") {
    return { status: "405 Method Not Allowed\r\nAllow: GET, HEAD", type: PLAIN, body: "Only GET and HEAD.\n" };
  }
  switch (target?.replace(/\?.*$/, "")) {
    case "/metrics": {
      const format = formatFor(/^accept:(.*)$/im.exec(request)?.[1] ?? "");
      return { status: "200 OK", type: METRIC_TYPES[format], body: metricText(metrics(), format) };
    }
    case "/healthz": {
      const { status, isHealthy } = await health();
      const body = `${JSON.stringify({ status })}\n`;
      return { status: isHealthy ? "200 OK" : "503 Service Unavailable", type: "application/json", body };
    }
    default:
      return { status: "404 Not Found", type: PLAIN, body: "This port serves /metrics and /healthz.\n" };
  }
}
