import { toCommError } from "../errors.ts";
import type { CommServer } from "../server/server.ts";
import { findIdentity, type Identity } from "./identity.ts";
import type { ClientListener } from "./listeners.ts";
import type { DaemonSettings } from "./settings.ts";

export interface ReloadParts {
  readonly settings: Pick<DaemonSettings, "stateDir" | "certificate" | "web">;
  readonly server: Pick<CommServer, "events" | "reloadTokens">;
  readonly clients: Pick<ClientListener, "renew">;
  /** undefined without encryption. */
  readonly identity: Identity | undefined;
  /** New connections see this identity from now on. */
  onIdentity(identity: Identity): void;
}

/** Reads a server's certificate and tokens again, while it runs. What can't be read stays as it was, with a warning. */
export class Reload {
  readonly #parts: ReloadParts;
  #identity: Identity | undefined;

  constructor(parts: ReloadParts) {
    this.#parts = parts;
    this.#identity = parts.identity;
  }

  /** `settings`: names of settings that have changed already, for the event. */
  async run(settings: readonly string[]): Promise<void> {
    const { server } = this.#parts;
    const certificate = await this.#attempt("The certificate", () => this.#reloadIdentity());
    const tokens = await this.#attempt("The list of tokens", async () => server.reloadTokens());
    const changed = [...settings, ...(certificate ? ["certificate"] : []), ...(tokens ? ["tokens"] : [])];
    server.events.emit({ event: "reloaded", changed });
  }

  async #reloadIdentity(): Promise<boolean> {
    const former = this.#identity;
    if (former === undefined) return false;
    const { settings, clients, onIdentity } = this.#parts;
    const identity = await findIdentity(settings.stateDir, settings.certificate);
    if (identity.cert === former.cert && identity.key === former.key) return false;
    clients.renew({ ...identity, withHttp: settings.web !== "off" });
    this.#identity = identity;
    onIdentity(identity);
    return true;
  }

  async #attempt(what: string, read: () => Promise<boolean>): Promise<boolean> {
    try {
      return await read();
    } catch (thrown) {
      const why = toCommError(thrown).message;
      this.#parts.server.events.emit({
        event: "warning",
        message: `${what} can't be read again, and stays as it was: ${why}`,
      });
      return false;
    }
  }
}
