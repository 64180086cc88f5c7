import { describe, expect, test } from "bun:test";
import { Member, type MemberOptions } from "../../../lib/server/member.ts";
import { Members } from "../../../lib/server/members.ts";
import { MemoryBudget } from "../../../lib/server/memory-budget.ts";
import { memoryLimits } from "../../../lib/server/memory-limits.ts";
import type { Session } from "../../../lib/session/session.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { faultOf } from "../../support/fault.ts";

const member = (options: Partial<MemberOptions>) =>
  new Member(
    {
      id: 1,
      name: "Client01",
      account: { role: "read", token: undefined },
      address: "memory",
      startedAt: 0,
      capabilities: [],
      memory: new MemoryBudget(memoryLimits(1), new FakeClock()).share(),
      ...options,
    },
    () => ({}) as Session,
  );

describe("Members", () => {
  test("finds a client by its name in any case of letters", () => {
    const members = new Members();
    const [one, two] = [member({ name: "Client01" }), member({ name: "Client02" })];
    members.add(one);
    members.add(two);
    for (const name of ["Client02", "client02", "CLIENT02", "cLIENT02"]) {
      expect(members.find(name)).toBe(two);
      expect(members.client(name)).toBe(two);
    }
  });

  test("gives the clients in the order of admission", () => {
    const members = new Members();
    const three = ["Client03", "Client01", "Client02"].map((name) => member({ name }));
    for (const one of three) members.add(one);
    expect(members.clients).toEqual(three);
  });

  test("forgets a removed member, and only that one; twice is harmless", () => {
    const members = new Members();
    const [one, two] = [member({ name: "Client01" }), member({ name: "Client02" })];
    members.add(one);
    members.add(two);
    members.remove(one);
    members.remove(one);
    expect(members.find("Client01")).toBeUndefined();
    expect(members.clients).toEqual([two]);
  });

  test("keeps operators apart: several of one name, none of them a client", () => {
    const members = new Members();
    const operators = [1, 2].map(() =>
      member({ id: 0, name: "Operator", account: { role: "operator", token: undefined } }),
    );
    for (const operator of operators) members.add(operator);
    expect(members.operators).toEqual(operators);
    expect(members.clients).toEqual([]);
    expect(members.find("Operator")).toBeUndefined();
    members.remove(operators[0] as Member);
    expect(members.operators).toEqual([operators[1] as Member]);
  });

  test.each(["Client99", "", "Client0", "constructor", "__proto__"])("says NO_SUCH_CLIENT for %p", async (name) => {
    const members = new Members();
    members.add(member({ name: "Client01" }));
    const fault = await faultOf(() => members.client(name));
    expect(fault.code).toBe("NO_SUCH_CLIENT");
    expect(fault.message).toContain(`"${name}"`);
  });

  test("returns a copy: removals during a loop over it change nothing", () => {
    const members = new Members();
    for (const name of ["Client01", "Client02", "Client03"]) members.add(member({ name }));
    const seen: string[] = [];
    for (const one of members.clients) {
      members.remove(one);
      seen.push(one.name);
    }
    expect(seen).toEqual(["Client01", "Client02", "Client03"]);
    expect(members.clients).toEqual([]);
  });
});
