/** The table of entry points, against the library in C. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { entryPoints } from "../../cuda-shim/native/generate.ts";
import { nativeLibraries } from "../../cuda-shim/native/install.ts";
import { NEWEST } from "../../cuda-shim/native/versions.ts";
import { warpring } from "../cli/run.ts";
import { describe, test } from "../harness.ts";
import { ELSEWHERE, NATIVE, TABLE } from "../shim/entry-table.ts";
import { Script } from "./entry-points/script.ts";
import { missing, RUNTIME } from "./support.ts";

const why = missing();
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Names of the entry points that the library implements; those of one per-thread stream aside. */
async function implemented(): Promise<string[]> {
  return (await entryPoints(NEWEST)).implemented.filter((name) => !/_pt(sz|ds)$/.test(name));
}

/** Sizes that are none in JavaScript are large ones in C: which error they give there. */
function inC(name: string, index: number, label: string, error: string): string | undefined {
  const type = [...(TABLE[name] ?? NATIVE[name] ?? [])][index];
  // Any 64-bit number is a threshold, and a number of bytes to keep.
  if (/^cudaMemPool(SetAttribute|TrimTo)$/.test(name) && type === "size") return undefined;
  // Blocks that need more than there is: none fits, which is no error.
  if (name.startsWith("cudaOccupancyMaxActiveBlocks") && type === "size") return undefined;
  // Another thread's may be at its address by now.
  if (label === "an ended object" && /(Texture|Surface)Object/.test(name)) return undefined;
  if (name === "cudaMallocPitch" && type === "size") return "cudaErrorMemoryAllocation";
  // No row of that width fits a pitch.
  if (type === "width" && /Mem(cpy|set)2D(Async)?$/.test(name)) return "cudaErrorInvalidPitchValue";
  return error;
}

describe("every entry point of the C library", () => {
  test("is in the table, or has its tests elsewhere", async () => {
    const names = await implemented();
    const known = new Set([...Object.keys(TABLE), ...Object.keys(NATIVE), ...ELSEWHERE]);
    const unknown = names.filter((name) => !known.has(name));
    assert.deepEqual(unknown, []);
    const gone = Object.keys(NATIVE).filter((name) => !names.includes(name));
    assert.deepEqual(gone, []);
  });

  if (why !== undefined) {
    console.warn(`the table is not tried on the C library: ${why}`);
    return;
  }
  test("answers CUDA's error to null, ended, foreign and wrong handles, in two threads", async () => {
    const folder = mkdtempSync(join(tmpdir(), "warpring-entries-"));
    try {
      const library = await nativeLibraries("test", [NEWEST]);
      const program = join(folder, "interpreter");
      execFileSync(process.env["CC"] ?? "cc", [
        ...["-Wall", "-o", program, here("./entry-points/interpreter.c")],
        ...[join(library, NEWEST.library), "-pthread", "-Wl,--no-as-needed", "-ldl"],
      ]);
      const names = await implemented();
      const script = new Script();
      for (const [name, parameters] of Object.entries({ ...TABLE, ...NATIVE })) {
        if (!names.includes(name)) continue;
        script.add(name, parameters, (index, label, error) => inC(name, index, label, error));
      }
      const file = join(folder, "script");
      writeFileSync(file, script.text);
      const image = here("../fixtures/shim/kernels.fatbin");
      const options = ["--devices", "2", "--verbose", "--runtime", RUNTIME];
      const { code, stdout, stderr } = warpring("run", ...options, "--", program, file, image);
      assert.deepEqual(stdout.trimEnd().split("\n"), ["every call answered what it should"]);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
