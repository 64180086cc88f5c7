import { describe, expect, test } from "bun:test";
import { FrameDecoder } from "../../lib/protocol/frame-decoder.ts";
import { loadCorpus } from "./corpus.ts";
import { Findings } from "./finding.ts";
import { Fuzzer } from "./fuzzer.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { ClientSite } from "./targets/client-site.ts";
import { DecoderSite } from "./targets/decoder.ts";
import { MemorySite } from "./targets/memory-site.ts";
import type { SiteOptions } from "./targets/site.ts";
import { openTarget, type TargetName } from "./targets/targets.ts";
import { WebTarget } from "./targets/web-site.ts";

/** Fuzz a target that is broken on purpose: a check that can't fail is a defect. */
async function fuzz(target: TargetName, cases: number, open: typeof openTarget): Promise<Fuzzer> {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const fuzzer = new Fuzzer({
    seed,
    cases: { decoder: 0, memory: 0, client: 0, socket: 0, web: 0, [target]: cases },
    open,
  });
  await fuzzer.run();
  return fuzzer;
}

describe("the fuzzer finds", () => {
  /** A server over memory that is spoiled before it is fuzzed. */
  const spoiled = (spoil: (site: MemorySite) => void) => async (_: TargetName, options: SiteOptions) => {
    const site = await MemorySite.open(options);
    spoil(site);
    return site;
  };
  const oraclesOf = ({ discoveries }: Fuzzer) => discoveries.map(({ oracle }) => oracle);

  test("a decoder that loses a byte between two pieces, with a conversation of few frames", async () => {
    const make: ConstructorParameters<typeof DecoderSite>[1] = (sink) => {
      const decoder = new FrameDecoder(sink);
      const push = decoder.push.bind(decoder);
      decoder.push = (bytes) => push(bytes.length === 3 ? bytes.subarray(1) : bytes);
      return decoder;
    };
    const fuzzer = await fuzz("decoder", 500, async (_, options) => new DecoderSite(options, make));
    expect(oraclesOf(fuzzer)).toContain("frames");
    // How few depends on what is left out first.
    expect(fuzzer.discoveries[0]?.conversation.steps.length).toBeLessThan(20);
  });

  test("a server that does not give seats back", async () => {
    const fuzzer = await fuzz(
      "memory",
      60,
      spoiled(({ test: { server } }) => {
        server.seats.release = () => {};
      }),
    );
    expect(oraclesOf(fuzzer)).toContain("seat");
    expect(fuzzer.discoveries.find(({ oracle }) => oracle === "seat")?.isRepeatable).toBe(true);
  });

  test("memory that stays reserved for sessions that are gone", async () => {
    const spoil = spoiled(({ test: { server } }) => {
      Object.defineProperty(server.memory, "used", { get: () => 1 });
    });
    expect(oraclesOf(await fuzz("memory", 12, spoil))).toContain("budget");
  });

  test("a server that does not answer everybody", async () => {
    const fuzzer = await fuzz(
      "memory",
      6,
      spoiled(({ test: { server } }) => {
        server.members.client = () => {
          throw new TypeError("undefined is not a function");
        };
        Object.defineProperty(server.about, "agent", { get: () => 5 });
      }),
    );
    expect(oraclesOf(fuzzer)).toContain("honest peer");
  });

  test("a server whose handler throws what is no error of the protocol", async () => {
    const fuzzer = await fuzz(
      "memory",
      200,
      spoiled(({ storage }) => {
        storage.load = () => Promise.reject(new RangeError("out of range"));
      }),
    );
    expect(oraclesOf(fuzzer)).toContain("failure");
  });

  test("a file that changes without being asked for", async () => {
    const fuzzer = await fuzz(
      "memory",
      60,
      spoiled(({ storage, test: { server } }) => {
        server.events.subscribe((event) => {
          if (event.event === "joined") storage.set("kept-6f1d9c/sentinel.bin", new Uint8Array(1));
        });
      }),
    );
    expect(oraclesOf(fuzzer)).toContain("file");
  });

  test("a timer that is left, and a promise that nobody has caught", async () => {
    const fuzzer = await fuzz(
      "memory",
      12,
      spoiled(({ clock, test: { server } }) => {
        server.events.subscribe((event) => {
          if (event.event !== "joined") return;
          clock.after(1e9, () => {});
          process.emit("unhandledRejection", new Error("nobody has caught this"), Promise.resolve());
        });
      }),
    );
    expect(oraclesOf(fuzzer)).toContain("timer");
    expect(fuzzer.discoveries.length).toBeGreaterThan(0);
  });

  test("an answer that is not allowed", async () => {
    const fuzzer = await fuzz(
      "memory",
      60,
      spoiled(({ test: { server } }) => {
        const accept = server.accept.bind(server);
        server.accept = (transport, role) => {
          accept(transport, role);
          transport.write(Buffer.from("c50100000000000000000002000000007b7d", "hex"));
        };
      }),
    );
    expect(oraclesOf(fuzzer)).toContain("illegal answer");
  });

  test("a member that is never seen off", async () => {
    const spoil = spoiled(({ test: { server } }) => {
      server.members.remove = () => {};
    });
    expect(oraclesOf(await fuzz("memory", 12, spoil))).toContain("hang");
  });

  test.each(["endless-silence.txt", "endless-silence-accepted.txt"])(
    "clients that wait for ever for a silent server: %s",
    async (name) => {
      const findings = new Findings();
      const site = new ClientSite({ findings, seats: 8, count() {} }, { silenceMs: 1e12 });
      await site.run(
        loadCorpus().filter((conversation) => conversation.name === name),
        true,
      );
      await site[Symbol.asyncDispose]();
      expect(findings.take()[0]).toMatchObject({ oracle: "endless", detail: expect.stringContaining("still waits") });
    },
  );

  test("an HTTP door that sends what is no HTTP", async () => {
    const findings = new Findings();
    await using target = await WebTarget.open({ findings, seats: 8, count() {} });
    const { gateway } = target.site;
    const accept = gateway.accept.bind(gateway);
    gateway.accept = (transport) => {
      const send = transport.write.bind(transport);
      transport.write = (bytes) => send(Buffer.concat([bytes, Buffer.from("\r\n")]));
      accept(transport);
    };
    const conversations = loadCorpus().filter(({ name }) => name === "web-get.txt");
    // As an honest one, who waits until the answer is there: another's turns may be over before.
    await target.run(conversations, true);
    expect(findings.take().map(({ oracle }) => oracle)).toEqual(
      expect.arrayContaining(["illegal answer", "honest peer"]),
    );
  });

  test("a socket that is left open", async () => {
    const left: { stop(): void }[] = [];
    const fuzzer = await fuzz("socket", 2, (target, options) => {
      const count = () => {
        if (left.length > 0) return;
        left.push(Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } }));
      };
      return openTarget(target, { ...options, count });
    });
    for (const listener of left) listener.stop();
    expect(oraclesOf(fuzzer)).toContain("descriptors");
  });

  test("memory that grows", () => {
    const findings = new Findings();
    const watch = new MemoryWatch(findings);
    const kept: number[][] = [];
    for (let checkpoint = 0; checkpoint < 4; checkpoint++) {
      watch.checkpoint();
      kept.push(Array.from({ length: 8_000_000 }, (_, at) => at + 0.5));
    }
    expect(kept).toHaveLength(4);
    expect(findings.take()).toMatchObject([{ oracle: "memory" }]);
  });
});
