import { readFileSync, writeFileSync } from "node:fs";
import { TempFolder } from "./temp-folder.ts";

/** Why openssl can't be used here; undefined if it can. For `test.skipIf`; in CI nothing is skipped. */
export const noOpenssl: string | undefined =
  Bun.which("openssl") === null && process.env["CI"] === undefined ? "there is no openssl here" : undefined;

/** The name of a test that may be skipped, with the reason when it is. */
export function opensslTest(name: string): string {
  return noOpenssl === undefined ? name : `${name} (skipped: ${noOpenssl})`;
}

export function openssl(...args: string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync(["openssl", ...args]);
  if (!success) throw new Error(`openssl ${args.join(" ")}: ${stderr}`);
  return stdout.toString();
}

/** A leaf certificate of an authority, and its key. Both files are PEM. */
export interface Leaf {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority with an intermediate one. */
export class Authority implements Disposable {
  readonly #folder = new TempFolder();
  /** The root. */
  readonly ca = this.#folder.join("root.pem");
  #count = 0;

  constructor() {
    this.#makeKey("root");
    openssl(
      "req",
      "-x509",
      "-new",
      "-key",
      this.#key("root"),
      "-subj",
      "/CN=Test Root",
      "-days",
      "30",
      "-out",
      this.ca,
    );
    this.#sign("between", "Test Between", "root", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign");
  }

  get caPem(): string {
    return readFileSync(this.ca, "utf8");
  }

  /** `names` in openssl's form; with fewer than 0 `days` it has expired. The chain follows the leaf in its file. */
  leaf(names = "DNS:localhost,IP:127.0.0.1", days = 20, kind: "EC" | "RSA" = "EC"): Leaf {
    const name = `leaf${this.#count++}`;
    this.#sign(name, "leaf", "between", `subjectAltName=${names}\nextendedKeyUsage=serverAuth`, days, kind);
    const chain = [name, "between"].map((part) => readFileSync(this.#folder.join(`${part}.pem`), "utf8")).join("");
    const cert = this.#folder.join(`${name}-chain.pem`);
    writeFileSync(cert, chain);
    return { cert, key: this.#key(name) };
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }

  #key(name: string): string {
    return this.#folder.join(`${name}.key`);
  }

  #makeKey(name: string, kind: "EC" | "RSA" = "EC"): void {
    const option = kind === "EC" ? "ec_paramgen_curve:P-256" : "rsa_keygen_bits:2048";
    openssl("genpkey", "-algorithm", kind, "-pkeyopt", option, "-out", this.#key(name));
  }

  #sign(name: string, subject: string, issuer: string, extensions: string, days = 20, kind: "EC" | "RSA" = "EC"): void {
    this.#makeKey(name, kind);
    const [request, extra] = [this.#folder.join(`${name}.csr`), this.#folder.join(`${name}.ext`)];
    writeFileSync(extra, extensions);
    openssl("req", "-new", "-key", this.#key(name), "-subj", `/CN=${subject}`, "-out", request);
    const by = ["-CA", this.#folder.join(`${issuer}.pem`), "-CAkey", this.#key(issuer), "-CAcreateserial"];
    openssl(
      "x509",
      "-req",
      "-in",
      request,
      ...by,
      "-days",
      `${days}`,
      "-extfile",
      extra,
      "-out",
      this.#folder.join(`${name}.pem`),
    );
  }
}
