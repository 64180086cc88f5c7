/** What a server measures of itself, read as Prometheus reads it. */
import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import parsePrometheus from "parse-prometheus-text-format";
import { type Metric, metricText } from "../../lib/daemon/metrics/metric-text.ts";
import { openMetricsDoor } from "../../lib/daemon/metrics/metrics-door.ts";
import { binaries } from "../support/binaries.ts";
import { run, runClient, ServerProcess } from "../support/processes.ts";
import { Program } from "../support/program.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const ROOT = join(import.meta.dir, "../..");

describe("a server with --metrics", () => {
  /** Each metric with its only value, or its values by label. */
  async function values(address: string): Promise<Record<string, any>> {
    const response = await fetch(`http://${address}/metrics`);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const families = parsePrometheus(await response.text());
    return Object.fromEntries(
      families.map(({ name, metrics }) => [
        name,
        metrics.length === 1 && metrics[0]?.labels === undefined
          ? Number(metrics[0]?.value)
          : Object.fromEntries(metrics.map(({ labels, value }) => [Object.values(labels ?? {})[0], Number(value)])),
      ]),
    );
  }

  test("counts sessions, bytes, messages and refusals, and says that it is well", async () => {
    using folder = new TempFolder();
    await Bun.write(folder.join("files/big.bin"), new Uint8Array(3_000_000));
    const flags = ["-r", folder.join("files"), "--metrics", "0", "--max-clients", "1", "--writable"];
    await using server = await ServerProcess.start(flags);
    const metrics = server.events[0]?.["metrics"] as string;
    expect(metrics).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(await values(metrics)).toMatchObject({
      commserver_seats_max: 1,
      commserver_seats_taken: 0,
      commserver_sessions_total: 0,
      commserver_build_info: expect.any(Object),
    });
    const env = { XDG_STATE_HOME: folder.join("client") };
    const at = ["--server", server.address, "--accept-new"];
    expect((await runClient(["get", "big.bin", "-o", folder.join("got/"), ...at])).exitCode).toBe(0);
    expect((await runClient(["send", "hello", ...at])).exitCode).toBe(0);
    await Bun.write(folder.join("new.txt"), "new");
    expect((await runClient(["put", folder.join("new.txt"), ...at])).exitCode).toBe(0);
    expect((await runClient(["list", ...at], { env })).exitCode).toBe(5);
    await server.event("left", { name: "Client03" });
    await server.event("refused");
    // Operators are not counted.
    const { server: program } = await binaries();
    expect((await run([program, "console", "status", "--state-dir", server.stateDir])).exitCode).toBe(0);
    await server.event("left", { name: "Operator" });
    const after = await values(metrics);
    expect(after).toMatchObject({
      commserver_seats_taken: 0,
      commserver_sessions_total: 3,
      commserver_sessions_ended_total: { exit: 3 },
      commserver_refused_total: { TOKEN_REQUIRED: 1 },
      commserver_received_messages_total: 1,
      commserver_changes_total: { stored: 1 },
      commserver_transfer_memory_bytes: 0,
    });
    expect(after["commserver_sent_bytes_total"]).toBeGreaterThan(3_000_000);
    expect(after["process_resident_memory_bytes"]).toBeGreaterThan(1_000_000);
    const health = await fetch(`http://${metrics}/healthz`);
    expect([health.status, await health.text()]).toEqual([200, '{"status":"ok"}\n']);
  });

  test("counts the bytes of a session while it runs", async () => {
    using folder = new TempFolder();
    await Bun.write(folder.join("big.bin"), new Uint8Array(2_000_000));
    await using server = await ServerProcess.start(["-r", folder.path, "--metrics", "0", "--limit-rate", "200KB"]);
    const metrics = server.events[0]?.["metrics"] as string;
    const { client } = await binaries();
    await using _ = new Program([client, "get", "big.bin", "-o", "/dev/null", "--server", server.address]);
    await until(async () => (await values(metrics))["commserver_sent_bytes_total"] > 200_000);
    expect(await values(metrics)).toMatchObject({ commserver_seats_taken: 1, commserver_sessions_ended_total: {} });
  });

  test("is not well without its repository, and says when it drains", async () => {
    using folder = new TempFolder();
    await Bun.write(folder.join("files/a"), "a");
    await using server = await ServerProcess.start(["-r", folder.join("files"), "--metrics", "127.0.0.1:0"]);
    const health = async () => {
      const response = await fetch(`http://${server.events[0]?.["metrics"]}/healthz`);
      return [response.status, ((await response.json()) as { status: string }).status];
    };
    Bun.spawnSync(["mv", folder.join("files"), folder.join("moved")]);
    expect(await health()).toEqual([503, "no repository"]);
    Bun.spawnSync(["mv", folder.join("moved"), folder.join("files")]);
    expect(await health()).toEqual([200, "ok"]);
  });
});

describe("the door of the metrics", () => {
  let stop = () => {};
  afterEach(() => stop());
  const METRICS: Metric[] = [
    { name: "odd_total", type: "counter", help: "Odd.", samples: [{ labels: { a: 'x"\\\n' }, value: 2 }] },
    { name: "none", type: "gauge", help: "None.", samples: [] },
  ];
  function opened(): number {
    const health = async () => ({ status: "ok", isHealthy: true }) as const;
    const door = openMetricsDoor({ host: "127.0.0.1", port: 0 }, { metrics: () => METRICS, health });
    stop = door.stop;
    return door.port;
  }

  test.each([
    ["/", {}, 404],
    ["/metrics?x=1", {}, 200],
    ["/metrics", { method: "HEAD" }, 200],
    ["/metrics", { method: "POST", body: "x" }, 405],
  ])("answers %p %j with %i", async (path, init, status) => {
    expect((await fetch(`http://127.0.0.1:${opened()}${path}`, init)).status).toBe(status);
  });

  /** Everything that comes back for these bytes. */
  function talk(port: number, text: string): Promise<string> {
    return new Promise((resolve) => {
      let got = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(text));
      socket.on("data", (bytes) => {
        got += bytes;
      });
      socket.on("close", () => resolve(got));
      socket.on("error", () => {});
    });
  }

  test("closes on what is no request, or a head without end", async () => {
    const port = opened();
    expect(await talk(port, "\x16\x03\x01\r\n\r\n")).toStartWith("HTTP/1.1 400 ");
    expect(await talk(port, `GET /metrics HTTP/1.1\r\nx: ${"x".repeat(9_000)}`)).toBe("");
  });

  test("has few connections at once, and room again when they end", async () => {
    const port = opened();
    const idle = Array.from({ length: 16 }, () => connect(port, "127.0.0.1"));
    await Promise.all(idle.map((socket) => new Promise((resolve) => socket.on("connect", resolve))));
    // Those are accepted before this one.
    expect(await talk(port, "GET /metrics HTTP/1.1\r\n\r\n")).toBe("");
    for (const socket of idle) socket.destroy();
    await until(async () => (await talk(port, "GET /metrics HTTP/1.1\r\n\r\n")).includes("odd_total"));
  });

  test("speaks OpenMetrics to those who ask for it", async () => {
    const headers = { accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5" };
    const response = await fetch(`http://127.0.0.1:${opened()}/metrics`, { headers });
    expect(response.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(await response.text()).toBe(
      '# HELP odd Odd.\n# TYPE odd counter\nodd_total{a="x\\"\\\\\\n"} 2\n# HELP none None.\n# TYPE none gauge\n# EOF\n',
    );
  });

  test("writes labels that a parser reads as they were", () => {
    const [family] = parsePrometheus(metricText(METRICS, "text"));
    expect(family).toMatchObject({
      name: "odd_total",
      type: "COUNTER",
      metrics: [{ labels: { a: 'x"\\\n' }, value: "2" }],
    });
  });
});

test("docs/operating.md has the metrics of the code", () => {
  const page = readFileSync(join(ROOT, "docs/operating.md"), "utf8");
  const code = readFileSync(join(ROOT, "lib/daemon/metrics/server-metrics.ts"), "utf8");
  const documented = [...page.matchAll(/^\| `((?:commserver|process)_[a-z_]+)/gm)].map(([, name]) => name);
  const measured = [...code.matchAll(/"((?:commserver|process)_[a-z_]+)"/g)].map(([, name]) => name);
  expect(documented.sort()).toEqual(measured.sort());
});
