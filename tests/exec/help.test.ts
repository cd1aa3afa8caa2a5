import assert from "node:assert/strict";
import { HelpPolicy } from "../../runtime/exec/help.ts";
import { describe, test } from "../harness.ts";

/** Runs launches of 100 blocks that take so many ms alone and with help; which of them were helped? */
function launches(policy: HelpPolicy, count: number, alone: number, helped: number): string {
  let text = "";
  for (let k = 0; k < count; k++) {
    const help = policy.wanted();
    policy.ran(help ? helped : alone, 100, help);
    text += help ? "h" : "a";
  }
  return text;
}

describe("help with atomic kernels", () => {
  test("is kept where it is faster, and tried anew ever more rarely where it is not", () => {
    assert.equal(
      launches(new HelpPolicy(0.01), 60, 10, 6),
      `hhhhaa${"h".repeat(16)}a${"h".repeat(31)}ahhhhh`,
    );
    assert.equal(
      launches(new HelpPolicy(0.01), 60, 10, 20),
      `hhhhaa${"a".repeat(16)}h${"a".repeat(31)}haaaaa`,
    );
  });

  test("begins with one thread alone where much is atomic", () => {
    assert.equal(launches(new HelpPolicy(0.2), 30, 6, 100), `aaaahh${"a".repeat(16)}haaaaaaa`);
    assert.match(launches(new HelpPolicy(0.2), 30, 10, 6), /^aaaahhh{16}ah{7}$/);
  });

  test("one slow launch changes nothing for good; another behaviour does", () => {
    const policy = new HelpPolicy(0.01);
    launches(policy, 10, 10, 6);
    policy.ran(100, 100, policy.wanted());
    assert.equal(launches(policy, 3, 10, 6), "hhh");
    // From now on help is slower: it is found out when its good times are forgotten.
    assert.match(launches(policy, 80, 10, 20), /a{20}$/);
  });
});
