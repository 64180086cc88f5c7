import type { App } from "../../app/app.ts";
import { PagePort, type ToPage } from "../../app/page-port.ts";
import { toJson } from "../escape.ts";
import type { PageKeys } from "./page-keys.ts";

/** The longest question of a page, in bytes. */
const MAX_QUESTION_BYTES = 4 * 1024 * 1024;
/** How much a page may leave unread before it is closed, in bytes. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
/** How long a page may take to say who it is, in milliseconds. */
const HELLO_MS = 10_000;

/** Nothing but our own files runs, nothing is loaded from elsewhere, and no other page may show this one. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const HEADERS = {
  "Content-Security-Policy": POLICY,
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

interface Page {
  port: PagePort | undefined;
  deadline: ReturnType<typeof setTimeout> | undefined;
}

export interface PageServerOptions {
  readonly app: App;
  readonly keys: PageKeys;
  /** The files of the page by their paths. */
  readonly files: Readonly<Record<string, { readonly type: string; readonly text: string }>>;
  /** 0: any that is free. */
  readonly port: number;
}

/**
 * Serves the page to browsers of this machine alone. A site that a browser has open can reach 127.0.0.1, too, under our
 * address or a name of its own: every request needs our Host and Origin, and every page a secret.
 */
export class PageServer implements AsyncDisposable {
  readonly #options: PageServerOptions;
  readonly #server: Bun.Server<Page>;

  /** @throws Error when the port is taken */
  constructor(options: PageServerOptions) {
    this.#options = options;
    this.#server = Bun.serve<Page>({
      hostname: "127.0.0.1",
      port: options.port,
      maxRequestBodySize: 1024,
      development: false,
      fetch: (request, server) => this.#answer(request, server),
      websocket: {
        maxPayloadLength: MAX_QUESTION_BYTES,
        backpressureLimit: MAX_UNREAD_BYTES,
        closeOnBackpressureLimit: true,
        idleTimeout: 120,
        sendPings: true,
        open: (socket) => {
          socket.data.deadline = setTimeout(() => socket.close(4401, "no hello"), HELLO_MS);
        },
        message: (socket, message) => this.#take(socket, message),
        close: ({ data }) => {
          clearTimeout(data.deadline);
          data.port?.close();
        },
      },
    });
  }

  /** A link that opens the page once. */
  link(): string {
    return `${this.#origin}/#key=${this.#options.keys.issue()}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }

  get #origin(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  async #answer(request: Request, server: Bun.Server<Page>): Promise<Response | undefined> {
    const { pathname } = new URL(request.url);
    if (!this.#isOurs(request)) return plain(403, "This page is for the browsers of this machine, under its address.");
    if (pathname === "/socket") {
      if (request.headers.get("origin") !== this.#origin) return plain(403, "Only our own page may connect.");
      if (server.upgrade(request, { data: { port: undefined, deadline: undefined } })) return undefined;
      return plain(426, "This is a WebSocket.");
    }
    if (pathname === "/admission") return this.#admit(request);
    const { files } = this.#options;
    const file = Object.hasOwn(files, pathname) ? files[pathname] : undefined;
    if (file === undefined) return plain(404, "There is nothing here.");
    if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "This can only be read.");
    return new Response(file.text, { headers: { ...HEADERS, "Content-Type": file.type } });
  }

  /** Exchange the key of a link for a secret of the browser's own. */
  async #admit(request: Request): Promise<Response> {
    if (request.method !== "POST") return plain(405, "A key is sent by POST.");
    if (request.headers.get("origin") !== this.#origin) return plain(403, "Only our own page may connect.");
    const secret = this.#options.keys.admit(await request.text());
    if (secret === undefined) return plain(403, "This link was used before.");
    return new Response(secret, { headers: { ...HEADERS, "Content-Type": "text/plain" } });
  }

  #isOurs(request: Request): boolean {
    const host = request.headers.get("host");
    const origin = request.headers.get("origin");
    return `http://${host}` === this.#origin && (origin === null || origin === this.#origin);
  }

  #take(socket: Bun.ServerWebSocket<Page>, message: string | Buffer): void {
    const { data } = socket;
    let asked: unknown;
    try {
      asked = JSON.parse(String(message));
    } catch {
      return socket.close(4400, "not JSON");
    }
    if (data.port !== undefined) return void data.port.take(asked);
    const secret = (asked as { secret?: unknown } | null)?.secret;
    if (typeof secret !== "string" || !this.#options.keys.knows(secret)) return socket.close(4401, "not admitted");
    clearTimeout(data.deadline);
    data.port = new PagePort(this.#options.app, (answer: ToPage) => {
      socket.send(toJson(answer));
    });
  }
}

function plain(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { ...HEADERS, "Content-Type": "text/plain; charset=utf-8" } });
}
