import { describe, expect, test } from "bun:test";
import { routeFault } from "../../../lib/platform/route-fault.ts";
import { isSkipped, namedWhy } from "../../support/launched.ts";

const MODULE = `${import.meta.dir}/../../../lib/platform/route-fault.ts`;
const ALONE = ["unshare", "--user", "--map-root-user", "--net"];

/** Why there can be no machine without a network here; undefined where there can. */
function missingNetworks(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (Bun.which("unshare") === null) return "there is no unshare";
  const { success } = Bun.spawnSync([...ALONE, "true"], { stderr: "ignore" });
  return success ? undefined : "a network namespace can't be made here";
}

const missing = missingNetworks();

describe.skipIf(process.platform !== "linux")("why there is no route", () => {
  test("is nothing where there is one", () => {
    expect(routeFault("127.0.0.1")).toBeUndefined();
  });

  test("is the system's name for it", () => {
    // A broadcast is forbidden where there is a network.
    expect(["EACCES", "ENETUNREACH"]).toContain(routeFault("255.255.255.255") ?? "");
  });

  test.skipIf(isSkipped(missing))(namedWhy("is that no network is reached on a machine without one", missing), () => {
    const script = `
      const { routeFault } = await import(${JSON.stringify(MODULE)});
      console.log(routeFault("192.0.2.1"), routeFault("127.0.0.1"));`;
    const { stdout } = Bun.spawnSync([...ALONE, process.execPath, "-e", script]);
    expect(stdout.toString()).toBe("ENETUNREACH ENETUNREACH\n");
  });

  test("is not that of the address before", () => {
    routeFault("255.255.255.255");
    expect(routeFault("127.0.0.1")).toBeUndefined();
  });

  test("is not asked of names, nor of an interface that is not there", () => {
    expect(routeFault("localhost")).toBeUndefined();
    expect(routeFault("fe80::1%nosuch0")).toBeUndefined();
  });
});
