import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Daemon } from "./daemon.ts";
import { FILE, INBOX, missingOf, type OpenPeer, type Peer, type PeerOptions, TREE } from "./peer.ts";

export const NGINX = "nginx";
/** Parallel transfers of curl for many files. */
const PARALLEL = 16;

/** nginx with sendfile, and curl. */
export const nginx: Peer = {
  name: "nginx + curl",
  can: ["getFile", "putFile", "getTree", "discard"],
  missing: () => missingOf(NGINX, "curl"),
  open: (options) => openNginx(options, "http"),
};

/** The same with TLS 1.3. */
export const nginxTls: Peer = {
  name: "nginx TLS 1.3 + curl",
  can: ["getFile", "putFile", "getTree", "discard"],
  missing: () => missingOf(NGINX, "curl", "openssl"),
  open: (options) => openNginx(options, "https"),
};

export type Scheme = "http" | "https";

/** nginx for the served folder. It needs the program NGINX, and openssl for https. */
export async function startNginx({ workspace }: Pick<PeerOptions, "workspace">, scheme: Scheme): Promise<Daemon> {
  const { served } = workspace;
  const home = workspace.newHome("nginx");
  if (scheme === "https") makeCertificate(home);
  const settings = join(home, "nginx.conf");
  return Daemon.start("nginx", home, (port) => {
    writeFileSync(settings, settingsOf({ home, served, port, scheme }));
    return { argv: [NGINX, "-p", home, "-c", settings] };
  });
}

async function openNginx(options: PeerOptions, scheme: Scheme): Promise<OpenPeer> {
  const { workspace } = options;
  const { served, target } = workspace;
  const daemon = await startNginx(options, scheme);
  const url = (path: string) => `${scheme}://127.0.0.1:${daemon.port}/${path}`;
  const curl = (...args: string[]) => ({ argv: ["curl", "--silent", "--show-error", "--fail", "--insecure", ...args] });
  const urls = join(workspace.newHome("nginx-urls"), "urls");
  return {
    pid: daemon.pid,
    operations: {
      getFile: () => curl("--output", join(target, FILE), url(FILE)),
      putFile: () => curl("--upload-file", join(served, FILE), url(`${INBOX}/${FILE}`)),
      getTree: () => {
        writeFileSync(urls, urlsOf(join(served, TREE), url));
        const parallel = ["--parallel", "--parallel-max", String(PARALLEL), "--create-dirs"];
        return { ...curl(...parallel, "--config", urls), cwd: target };
      },
      discard: (file) => curl(url(file)),
    },
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

/** Like Debian's settings, where it matters: as many workers as cores, sendfile, tcp_nopush; but without a log. */
function settingsOf(options: { home: string; served: string; port: number; scheme: Scheme }): string {
  const { home, served, port, scheme } = options;
  const tls = scheme === "https";
  const user = process.getuid?.() === 0 ? "user root;" : "";
  return `daemon off;
${user}
worker_processes auto;
pid ${home}/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  default_type application/octet-stream;
  client_max_body_size 0;
  client_body_temp_path ${home}/body;
  proxy_temp_path ${home}/proxy;
  fastcgi_temp_path ${home}/fastcgi;
  uwsgi_temp_path ${home}/uwsgi;
  scgi_temp_path ${home}/scgi;
  ${tls ? `ssl_protocols TLSv1.3; ssl_certificate ${home}/cert.pem; ssl_certificate_key ${home}/key.pem;` : ""}
  server {
    listen 127.0.0.1:${port}${tls ? " ssl" : ""};
    root ${served};
    autoindex on;
    location /${INBOX}/ { dav_methods PUT; }
  }
}
`;
}

function makeCertificate(home: string): void {
  const { exitCode, stderr } = Bun.spawnSync([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...["-subj", "/CN=127.0.0.1", "-keyout", join(home, "key.pem"), "-out", join(home, "cert.pem")],
  ]);
  if (exitCode !== 0) throw new Error(`openssl can't make a certificate: ${stderr}`);
}

/** Every file of the tree for curl, to be stored under the same name in its working folder. */
function urlsOf(tree: string, url: (path: string) => string): string {
  const files = readdirSync(tree, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map((entry) => join(TREE, entry.parentPath.slice(tree.length), entry.name));
  return names.map((name) => `url = "${url(name)}"\noutput = "${name}"\n`).join("");
}
