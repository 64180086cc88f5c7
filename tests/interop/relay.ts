import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, connect as dial, type Server, type TLSSocket } from "node:tls";

const TLS = { minVersion: "TLSv1.3", ALPNProtocols: ["commserver/1"] } as const;

/** Who stands in the middle: one session of TLS on each side, and what comes from the one goes to the other. */
export class Relay implements AsyncDisposable {
  /** Bytes that a client said inside its TLS. */
  heard = 0;
  /** Sessions of TLS that clients began. */
  met = 0;
  readonly #server: Server;
  readonly #sockets: TLSSocket[] = [];

  private constructor(identity: string, port: number) {
    const pem = readFileSync(identity, "utf8");
    this.#server = createServer({ ...TLS, cert: pem, key: pem }, (client) => {
      this.met++;
      const server = dial({ ...TLS, host: "127.0.0.1", port, rejectUnauthorized: false });
      client.on("data", (bytes: Buffer) => {
        this.heard += bytes.length;
      });
      this.#sockets.push(client, server);
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        from.on("error", () => to.destroy());
        from.pipe(to);
      }
    });
  }

  /** In front of the server at that port, with a certificate of its own. */
  static async open(identity: string, port: number): Promise<Relay> {
    const relay = new Relay(identity, port);
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
