import assert from "node:assert/strict";
import { describe, test } from "../harness.ts";
import { BAD_DEVICES, runDriverVector } from "./vectors/bad-devices.ts";
import { LIFECYCLE } from "./vectors/lifecycle.ts";
import { runStateVector } from "./vectors/machine.ts";
import { NOTIFICATIONS, runNotificationVector } from "./vectors/notifications.ts";
import { PACKED_INDIRECT } from "./vectors/packed-indirect.ts";
import { PACKED_LISTS } from "./vectors/packed-lists.ts";
import { REGISTERS } from "./vectors/registers.ts";
import { type RingVector, runRingVector } from "./vectors/ring-vector.ts";
import { SPLIT_CHAINS } from "./vectors/split-chains.ts";
import { SPLIT_INDIRECT } from "./vectors/split-indirect.ts";
import { SPLIT_PEERS } from "./vectors/split-peers.ts";
import { STATES } from "./vectors/states.ts";

const TABLES: [string, boolean, readonly RingVector[]][] = [
  ["split chains", false, SPLIT_CHAINS],
  ["split indirect tables", false, SPLIT_INDIRECT],
  ["split chains of other projects", false, SPLIT_PEERS],
  ["packed lists", true, PACKED_LISTS],
  ["packed indirect tables", true, PACKED_INDIRECT],
];

for (const [name, packed, vectors] of TABLES) {
  describe(name, () => {
    for (const vector of vectors) {
      test(`${vector.name} (§${vector.section}; ${vector.source})`, () => {
        runRingVector(vector, packed);
      });
    }
  });
}

describe("notifications of used buffers", () => {
  for (const vector of NOTIFICATIONS) {
    test(`${vector.name} (§${vector.section}; ${vector.source})`, () => {
      runNotificationVector(vector);
    });
  }
});

describe("the driver against bad devices", () => {
  for (const vector of BAD_DEVICES) {
    test(`${vector.name} (§${vector.section}; ${vector.source})`, () => {
      runDriverVector(vector);
    });
  }
});

describe("device state and registers", () => {
  for (const vector of [...STATES, ...LIFECYCLE, ...REGISTERS]) {
    test(`${vector.name} (§${vector.section}; ${vector.source})`, () => {
      runStateVector(vector);
    });
  }
});

test("at least 250 vectors, each with a name of its own, a source and a section", () => {
  const groups: (readonly { name: string; source: string; section: string }[])[] = [
    ...TABLES.map(([, , vectors]) => vectors),
    NOTIFICATIONS,
    BAD_DEVICES,
    [...STATES, ...LIFECYCLE, ...REGISTERS],
  ];
  for (const vectors of groups) {
    assert.equal(new Set(vectors.map(({ name }) => name)).size, vectors.length);
    for (const { name, source, section } of vectors) {
      assert.match(section, /^(1\.4 §)?\d(\.\d+)*$/, name);
      assert.ok(source.length > 10, name);
    }
  }
  const count = groups.reduce((sum, { length }) => sum + length, 0);
  assert.ok(count >= 250, `${count} vectors`);
});
