import { describe, expect, test } from "bun:test";
import type { KnownServer } from "../../../lib/trust/known-servers.ts";
import { recognise } from "../../../lib/trust/recognise.ts";

const [OURS, OTHERS] = ["SHA256:ours", "SHA256:others"];
const LAB: KnownServer = { name: "lab", addresses: ["10.0.0.7:5050"], identity: OURS, token: "default:x" };
const TRUSTED: KnownServer = { name: "10.0.0.7:5050", addresses: ["10.0.0.7:5050"], identity: OURS };
const server = { name: "Lab", hosts: ["10.0.0.7", "fe80::7"], port: 5050, isEncrypted: true, fingerprint: OURS };

function names(...args: Parameters<typeof recognise>) {
  const { known, differs } = recognise(...args);
  return { known: known.map(({ name }) => name), differs: differs?.name };
}

describe("a server that announces itself", () => {
  test("is known by its identity, whatever its address and name; joined names come first", () => {
    const elsewhere = { ...server, name: "x", hosts: ["10.9.9.9"] };
    expect(names(elsewhere, [TRUSTED, LAB])).toEqual({ known: ["lab", "10.0.0.7:5050"], differs: undefined });
  });

  test("is not known when nothing of it is", () => {
    const stranger = { ...server, name: "x", hosts: ["10.9.9.9"], fingerprint: OTHERS };
    expect(names(stranger, [LAB])).toEqual({ known: [], differs: undefined });
    expect(names({ ...stranger, port: 5051, hosts: server.hosts }, [LAB])).toEqual({ known: [], differs: undefined });
  });

  test("differs from the known one of the same address", () => {
    expect(names({ ...server, name: "x", fingerprint: OTHERS }, [TRUSTED])).toEqual({
      known: [],
      differs: "10.0.0.7:5050",
    });
  });

  test("differs from the known one of the same name", () => {
    const imitator = { ...server, hosts: ["10.9.9.9"], fingerprint: OTHERS };
    expect(names(imitator, [LAB])).toEqual({ known: [], differs: "lab" });
  });

  test("differs when it claims to encrypt nothing, or tells no identity", () => {
    const { fingerprint: _, ...untold } = server;
    expect(names({ ...untold, isEncrypted: false }, [LAB])).toEqual({ known: [], differs: "lab" });
    expect(names(untold, [LAB])).toEqual({ known: [], differs: "lab" });
  });

  test("without encryption is known by its address", () => {
    const plain: KnownServer = { name: "plain", addresses: ["10.0.0.7:5050"], identity: null };
    const { fingerprint: _, ...untold } = { ...server, isEncrypted: false };
    expect(names(untold, [plain])).toEqual({ known: ["plain"], differs: undefined });
    expect(names({ ...untold, port: 1 }, [plain])).toEqual({ known: [], differs: undefined });
  });

  test("can't be compared with one that an authority vouches for", () => {
    const byAuthority = { ...LAB, identity: "authority" };
    expect(names(server, [byAuthority])).toEqual({ known: [], differs: undefined });
  });
});
