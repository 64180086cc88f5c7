import { expect, test } from "bun:test";
import { binaries } from "../support/binaries.ts";
import { run, ServerProcess } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { describeWith, program } from "./peer.ts";
import { buildFirst } from "./site.ts";

const ENV = { PATH: process.env["PATH"] ?? "" };

/** What `openssl s_client` tells of a server; it ends with the connection, or when it has nothing more to say. */
function sClient(port: number, ...flags: string[]) {
  const command = [program("openssl"), "s_client", "-connect", `127.0.0.1:${port}`, ...flags];
  return run(command, { env: ENV, stdin: "" });
}

buildFirst();

describeWith("openssl")("openssl, as the judge of the compiled server", () => {
  test("finds TLS 1.3 with our protocol inside, and the fingerprint that the server tells", async () => {
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["-r", folder.path]);
    const { stdout } = await sClient(server.port, "-tls1_3", "-alpn", "commserver/1");
    expect(stdout).toContain("New, TLSv1.3");
    expect(stdout).toContain("ALPN protocol: commserver/1");
    const pem = folder.join("certificate.pem");
    await Bun.write(pem, /-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----\n/s.exec(stdout)?.[0] ?? "");
    const shown = await run([program("openssl"), "x509", "-in", pem, "-noout", "-fingerprint", "-sha256"], {
      env: ENV,
    });
    const digest = Buffer.from(shown.stdout.split("=")[1]?.replaceAll(":", "").trim() ?? "", "hex");
    const fingerprint = `SHA256:${digest.toString("base64").replaceAll("=", "")}`;
    const told = await run([(await binaries()).server, "identity", "--state-dir", server.stateDir]);
    expect(told.stdout.trim()).toBe(fingerprint);
    expect(server.events[0]?.["fingerprint"]).toBe(fingerprint);
  });

  test.each([
    ["TLS 1.2", ["-tls1_2"]],
    ["TLS 1.1", ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]],
    ["TLS 1.0", ["-tls1", "-cipher", "ALL:@SECLEVEL=0"]],
  ])("is refused with %s", async (_, flags) => {
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["-r", folder.path]);
    const { exitCode, stdout } = await sClient(server.port, ...flags, "-alpn", "commserver/1");
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain("no peer certificate available");
    expect(await server.event("refused")).toMatchObject({
      code: "TLS_FAILED",
      address: expect.stringMatching(/:\d+$/),
    });
  });

  test.each([
    ["no protocol inside", []],
    ["another protocol inside", ["-alpn", "h2"]],
    ["one of a later version", ["-alpn", "commserver/2"]],
  ])("with %s gets no session", async (_, flags) => {
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["-r", folder.path, "--open"]);
    // Without an end of its input it waits for the server to close.
    const { stdout } = await sClient(server.port, "-tls1_3", ...flags, "-ign_eof");
    expect(stdout).not.toContain("ALPN protocol: ");
    expect(await server.event("refused")).toMatchObject({ code: "TLS_FAILED" });
  });
});
