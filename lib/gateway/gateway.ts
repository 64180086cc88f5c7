import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { CommError, toCommError } from "../errors.ts";
import { AccessError } from "../server/access/account.ts";
import type { GatewayParts } from "../server/parts.ts";
import type { Transport } from "../session/transport.ts";
import { identify } from "./credentials.ts";
import { answerFailed } from "./failed-call.ts";
import { type KnownHosts, requireHost } from "./host-check.ts";
import { HttpCall } from "./http-call.ts";
import { HttpConnection } from "./http-connection.ts";
import { type ConnectionLimits, HttpConnections, IDLE_MS } from "./http-connections.ts";
import { HttpFault } from "./http-fault.ts";
import { linkVisit } from "./link-resource.ts";
import { checkMessage, hasBody } from "./message-check.ts";
import { refuseInTurn, refuseRaw, statusOfFault } from "./raw-answer.ts";
import { parseTarget } from "./request-target.ts";
import { Routes } from "./routes.ts";
import { shownTarget, withoutSecrets } from "./shown-target.ts";

/** The most bytes of a request's head, its first line included. */
export const MAX_HEAD_BYTES = 16 * 1024;
/** The most characters of a target that an event shows. */
const MAX_TOLD = 1_024;

export interface GatewayOptions extends ConnectionLimits {
  readonly server: GatewayParts;
  readonly knownHosts: KnownHosts;
  /** Whether methods that change the repository are answered. */
  readonly mayWrite: boolean;
}

/**
 * The HTTP door. node:http reads requests and writes the heads of answers; connections, limits and bodies are ours.
 *
 *   fork ─ HttpConnection ─ node:http ─ HttpCall ─ identify() ─ Guests ─ Routes ─ file, folder, put ─ Storage
 */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #http: Server;
  readonly #routes: Routes;
  readonly #connections: HttpConnections;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#routes = new Routes(options);
    const { clock, lifecycle } = options.server;
    this.#connections = new HttpConnections(options, clock, lifecycle.stopping);
    this.#http = http.createServer({
      maxHeaderSize: MAX_HEAD_BYTES,
      keepAliveTimeout: IDLE_MS,
      // Bodies have their own limits: request-body.ts.
      requestTimeout: 0,
      insecureHTTPParser: false,
    });
    const take = (request: IncomingMessage, response: ServerResponse) => this.#take(request, response);
    this.#http.on("request", take);
    // Decide before the body, so that nobody sends a body that will be refused.
    this.#http.on("checkContinue", take);
    this.#http.on("checkExpectation", take);
    this.#http.on("upgrade", (_request, connection) =>
      refuseInTurn(connection as HttpConnection, "501 Not Implemented"),
    );
    this.#http.on("connect", (_request, connection) =>
      refuseInTurn(connection as HttpConnection, "405 Method Not Allowed"),
    );
    this.#http.on("clientError", (error, connection) => this.#refuse(connection as HttpConnection, error));
  }

  /** Take a connection that speaks HTTP. */
  accept(transport: Transport): void {
    const connection = new HttpConnection(transport);
    if (!this.#connections.admit(connection)) {
      connection.start();
      return void connection.destroy();
    }
    this.#http.emit("connection", connection);
    connection.start();
  }

  /** End every connection at once. */
  abort(): void {
    this.#connections.abort();
  }

  /**
   * Refuse bytes that are not a request. Requests before them are answered first: nothing may get into another answer.
   */
  #refuse(connection: HttpConnection, error: Error): void {
    const status = statusOfFault(error);
    const { requests, latest } = connection;
    if (requests > 0 && latest?.complete === true) refuseInTurn(connection, status);
    else if (requests > 1) connection.fault = status;
    else refuseRaw(connection, status);
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const connection = request.socket as unknown as HttpConnection;
    connection.latest = request;
    connection.expectBody(Number(request.headers["content-length"] ?? 0));
    this.#connections.work(connection);
    void connection
      .inTurn(() => this.#answer(request, response, connection))
      // A bug of ours, which must end this connection only.
      .catch(() => connection.destroy())
      .finally(() => {
        if (connection.requests === 0) this.#connections.rest(connection);
      });
  }

  async #answer(request: IncomingMessage, response: ServerResponse, connection: HttpConnection): Promise<void> {
    const { server } = this.#options;
    const call = new HttpCall({ request, response, connection, clock: server.clock });
    try {
      await call.inTurn();
      if (connection.fault !== undefined && connection.latest === request) refuseRaw(connection, connection.fault);
      else await this.#answerGuest(call);
    } catch (thrown) {
      this.#fail(call, thrown);
    } finally {
      await call.sent();
      call.finish();
      this.#tell(call);
    }
  }

  #tell(call: HttpCall): void {
    const { request, response, guest, bytesIn, bytesOut, isWhole } = call;
    if (guest === undefined) return;
    const { name } = guest.member;
    const { method = "", url = "" } = request;
    const outcome = isWhole ? "whole" : "cut";
    this.#options.server.events.emit({
      event: "request",
      name,
      method,
      target: (call.shownTarget ?? shownTarget(url)).slice(0, MAX_TOLD),
      status: response.statusCode,
      bytes: this.#routes.isUpload(method) ? bytesIn : bytesOut,
      outcome,
    });
  }

  /** @throws CommError */
  async #answerGuest(call: HttpCall): Promise<void> {
    const { server, knownHosts } = this.#options;
    const { request, connection } = call;
    const { host } = checkMessage(request);
    const { method = "" } = request;
    if (!this.#routes.has(method)) {
      const allow = this.#routes.allowed;
      throw new HttpFault("UNKNOWN_METHOD", `This server accepts ${allow}.`, { status: 405, headers: { allow } });
    }
    if (hasBody(request) && !this.#routes.takesBody(method))
      throw new HttpFault("BAD_PARAMS", `${method} takes no body.`, { status: method === "MKCOL" ? 415 : 400 });
    if (method === "OPTIONS") return call.reply(204, this.#routes.options);
    const target = parseTarget(request.url ?? "");
    const link = linkVisit(call, target, server);
    const account = link?.account ?? (await identify(request.headers.authorization, connection, server.access));
    if (account.token === undefined && !connection.isEncrypted) requireHost(target.authority ?? host, knownHosts);
    const guest = server.guests.enter(account, connection.peer, connection.peerAddress);
    call.guest = guest;
    const done = guest.session.begin(call);
    try {
      await (link?.answer(call, server) ?? this.#routes.answer(call, target, guest));
      if (call.endedBy !== undefined && !call.response.headersSent) {
        const { code, message } = call.endedBy;
        throw new CommError(code === "OK" ? "CANCELLED" : code, message);
      }
    } finally {
      done();
    }
  }

  #fail(call: HttpCall, thrown: unknown): void {
    const { server } = this.#options;
    const { connection, response, guest, request } = call;
    if (response.headersSent) return void connection.destroy();
    if (connection.destroyed) return;
    // Its body is not read as a request.
    if (hasBody(request)) call.endsConnection();
    const method = this.#routes.ruleOf(request.method ?? "");
    if (guest === undefined) this.#noteRefused(connection, toCommError(thrown));
    answerFailed(call, thrown, method, server);
  }

  #noteRefused({ peer, group }: HttpConnection, error: CommError): void {
    if (error.code === "TOKEN_REQUIRED") return; // most programs ask once without a token
    const { code } = error;
    const message = error instanceof AccessError ? error.detail : error.message;
    this.#options.server.guests.noteRefused({ address: peer, group, code, message: withoutSecrets(message) });
  }
}
