import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import { listenClients } from "../../../lib/daemon/listeners.ts";
import { CommError } from "../../../lib/errors.ts";
import type { ListenAddress } from "../../../lib/transport/socket.ts";
import * as socket from "../../../lib/transport/socket.ts";

afterEach(() => {
  mock.restore();
});

/** Where a server listens in the end, and tried to before, when listening at these hosts fails so. */
function listening(host: string | undefined, faults: Record<string, string>) {
  const tried: string[] = [];
  spyOn(socket, "listen").mockImplementation((where: ListenAddress) => {
    const address = where.kind === "inherited" ? where.address : where;
    const at = address.kind === "tcp" ? address.host : address.path;
    tried.push(at);
    const fault = faults[at];
    if (fault === undefined) return { address, stop() {}, renew() {} };
    throw new CommError("CANNOT_LISTEN", "No.", { cause: Object.assign(new Error(fault), { code: fault }) });
  });
  try {
    const { port } = listenClients({ host, port: 6000 }, () => {}, { credentials: undefined, closeFrom: undefined });
    return { tried, port };
  } catch (thrown) {
    return { tried, thrown: (thrown as CommError).code };
  }
}

describe("a server without a host", () => {
  test("listens at all addresses", () => {
    expect(listening(undefined, {})).toEqual({ tried: ["::"], port: 6000 });
  });

  test.each(["EAFNOSUPPORT", "EADDRNOTAVAIL"])("takes those of IPv4 on a machine without IPv6: %s", (fault) => {
    expect(listening(undefined, { "::": fault })).toEqual({ tried: ["::", "0.0.0.0"], port: 6000 });
  });

  test("reports a taken IPv6 port, even if IPv4 is free", () => {
    expect(listening(undefined, { "::": "EADDRINUSE" })).toEqual({ tried: ["::"], thrown: "CANNOT_LISTEN" });
  });
});

test("a server with a host listens there or nowhere", () => {
  expect(listening("::1", {})).toEqual({ tried: ["::1"], port: 6000 });
  expect(listening("::1", { "::1": "EADDRNOTAVAIL" })).toEqual({ tried: ["::1"], thrown: "CANNOT_LISTEN" });
});
