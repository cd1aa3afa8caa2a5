import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, test } from "../harness.ts";
import { ROOT, readText, sourceFiles } from "./files.ts";

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
  // Puts a machine together: a memory, a device with its executor, and its driver.
  "runtime/machine": ["runtime/driver", "runtime/device", "runtime/virtio", "runtime/exec"],
  // Serves a device to other processes: beside the machine, without a driver of its own.
  "runtime/vhost": ["runtime/machine", "runtime/device", "runtime/virtio", "runtime/exec"],
  "cuda-shim": ["runtime/driver", "runtime/machine"],
};

/** A relative import, static or dynamic, with or without a name. */
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g;

function layerOf(path: string): string | undefined {
  if (path === "runtime/machine.ts") return "runtime/machine";
  return Object.keys(MAY_IMPORT).find((layer) => path.startsWith(`${layer}/`));
}

/**
 * A definitions file: numbers by name and nothing else, no code and no import. Layouts are written
 * once in such files, and both of the sides that share one import it, AssemblyScript included.
 */
function isDefinitions(text: string): boolean {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
  return /\w/.test(code) && /^(\s*export const [A-Z]\w* =[^;={}()]+;)+\s*$/.test(code);
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
    .filter(({ layer: to }) => !allowed.includes(to))
    .filter(({ to }) => !existsSync(join(ROOT, to)) || !isDefinitions(readText(to)))
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

  test("a definitions file is one that has numbers by name and nothing else", () => {
    assert.ok(isDefinitions("// a\nexport const A = 1;\n/** b */\nexport const B_2 = A + 4;\n"));
    assert.ok(!isDefinitions("export const A = 1;\nexport const f = () => A;\n"));
    assert.ok(!isDefinitions('import { A } from "./a.ts";\nexport const B = A;\n'));
    assert.ok(!isDefinitions("// nothing\n"));
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
