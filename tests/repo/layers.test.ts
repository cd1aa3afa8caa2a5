import assert from "node:assert/strict";
import { posix } from "node:path";
import { describe, test } from "../harness.ts";
import { readText, sourceFiles } from "./files.ts";

/** Leaves: they import nothing but each other in this order, and everybody may import them. */
const LEAVES = ["runtime/protocol", "runtime/memory"];

/**
 * What each layer may import besides itself and the leaves. A call goes down: shim, driver,
 * virtqueue, device, exec, compiler. The driver and the device share only the virtqueues.
 */
const MAY_IMPORT: Record<string, string[]> = {
  "runtime/protocol": [],
  "runtime/memory": ["runtime/protocol"],
  "runtime/image": [],
  "runtime/compiler": [],
  "runtime/exec": ["runtime/compiler"],
  "runtime/virtio": [],
  "runtime/device": ["runtime/virtio", "runtime/exec", "runtime/image"],
  "runtime/driver": ["runtime/virtio"],
  // The files of runtime/ itself put a machine together: a memory, a device and its driver.
  runtime: ["runtime/driver", "runtime/device", "runtime/virtio", "runtime/exec"],
  "cuda-shim": ["runtime/driver", "runtime"],
};

/** A relative import, static or dynamic, with or without a name. */
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g;

function layerOf(path: string): string | undefined {
  if (/^runtime\/[^/]+$/.test(path)) return "runtime";
  const layers = Object.keys(MAY_IMPORT).filter((layer) => layer !== "runtime");
  return layers.find((layer) => path.startsWith(`${layer}/`));
}

/** Every import of a file that leaves its layer: `from` and `to` are paths from the root. */
function crossings(path: string, text: string): { to: string; layer: string }[] {
  const found: { to: string; layer: string }[] = [];
  for (const [, specifier] of text.matchAll(IMPORT)) {
    if (specifier === undefined) continue;
    const to = posix.normalize(posix.join(posix.dirname(path), specifier));
    const layer = layerOf(to) ?? posix.dirname(to);
    if (layer !== layerOf(path)) found.push({ to, layer });
  }
  return found;
}

function violations(path: string, text: string): string[] {
  const layer = layerOf(path);
  assert.ok(layer !== undefined);
  const leaves = LEAVES.includes(layer) ? [] : LEAVES;
  const allowed = [...(MAY_IMPORT[layer] ?? []), ...leaves];
  return crossings(path, text)
    .filter((crossing) => !allowed.includes(crossing.layer))
    .map((crossing) => `${path} imports ${crossing.to}`);
}

describe("layers", () => {
  test("the check sees an import that goes up, and one that skips a stair", () => {
    const up = 'import { x } from "../driver/index.ts";';
    assert.equal(violations("runtime/virtio/a.ts", up).length, 1);
    const skip = 'const x = await import("../runtime/device/index.ts");';
    assert.equal(violations("cuda-shim/a.ts", skip).length, 1);
    const down = 'import { x } from "../compiler/index.ts"; import "../memory/map.ts";';
    assert.deepEqual(violations("runtime/exec/a.ts", down), []);
  });

  test("a layer imports only the one below it, memory and protocol", () => {
    const files = [...sourceFiles("runtime"), ...sourceFiles("cuda-shim")];
    const sources = files.filter((path) => path.endsWith(".ts") && layerOf(path) !== undefined);
    assert.ok(sources.length > 30, `only ${sources.length} files`);
    assert.deepEqual(
      sources.flatMap((path) => violations(path, readText(path))),
      [],
    );
  });

  test("every folder of runtime/ is a layer that this test knows", () => {
    const unknown = sourceFiles("runtime").filter((path) => layerOf(path) === undefined);
    assert.deepEqual(unknown, []);
  });
});
