import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Connections that are opened at once: well below a server's limit. */
const BATCH = 50;
/** Connections from one address of this machine, since a server limits them. */
const PER_ADDRESS = 200;

/** Connections to a server for HTTP, each of which sends one request. */
export class WebConnections implements Disposable {
  readonly #sockets: Socket[] = [];

  /**
   * Open `count` of them. With `reads`, each answer, which has a length, is read, and the connection is idle then;
   * otherwise nothing is read. @throws Error when one can't be opened
   */
  static async open(count: number, url: URL, { reads }: { reads: boolean }): Promise<WebConnections> {
    const all = new WebConnections();
    for (let opened = 0; opened < count; opened += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, count - opened) }, (_, index) =>
        all.#open(url, `127.0.0.${2 + Math.floor((opened + index) / PER_ADDRESS)}`, reads),
      );
      await Promise.all(batch);
    }
    return all;
  }

  /** The number of connections that the server has ended. */
  get ended(): number {
    return this.#sockets.filter(({ readyState }) => readyState === "closed").length;
  }

  async #open({ protocol, hostname, port, pathname }: URL, localAddress: string, reads: boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const at = { host: hostname, port: Number(port), localAddress };
    const isEncrypted = protocol === "https:";
    const socket = isEncrypted ? connectTls({ ...at, rejectUnauthorized: false }) : connect(at);
    this.#sockets.push(socket);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed a connection")));
    socket.on(isEncrypted ? "secureConnect" : "connect", () => {
      socket.write(`GET ${pathname} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`, () => {
        if (reads) return;
        socket.pause();
        resolve();
      });
    });
    if (reads) readAnswer(socket, resolve, reject);
    await promise;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function readAnswer(socket: Socket, resolve: () => void, reject: (error: Error) => void): void {
  let answer = "";
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    answer += text;
    const [head = "", body] = answer.split("\r\n\r\n", 2);
    if (body === undefined) return;
    if (!head.startsWith("HTTP/1.1 200 ")) reject(new Error(`the server answered: ${head.split("\r\n")[0]}`));
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1]);
    if (body.length === length) resolve();
  });
}
