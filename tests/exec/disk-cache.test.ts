import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Device } from "../../index.ts";
import {
  compileKernel,
  layoutModule,
  lowerKernel,
  parsePtx,
} from "../../runtime/compiler/index.ts";
import { DiskCache } from "../../runtime/exec/disk-cache.ts";
import { loadArtifacts } from "../../runtime/exec/index.ts";
import type { KernelSource } from "../../runtime/exec/types.ts";
import { describe, test } from "../harness.ts";

/** A kernel with a barrier, shared memory and a fault site, that adds `step` to each element. */
const ptx = (step: number): string => `
.version 8.0
.target sm_75
.address_size 64
.visible .entry add(.param .u64 data)
{
  .shared .align 4 .b8 tile[256];
  .reg .b32 %r<5>;
  .reg .b64 %rd<5>;
  ld.param.u64 %rd1, [data];
  cvta.to.global.u64 %rd1, %rd1;
  mov.u32 %r1, %tid.x;
  mul.wide.u32 %rd2, %r1, 4;
  add.s64 %rd3, %rd1, %rd2;
  ld.global.u32 %r2, [%rd3];
  mov.u64 %rd4, tile;
  add.s64 %rd4, %rd4, %rd2;
  st.shared.u32 [%rd4], %r2;
  bar.sync 0;
  ld.shared.u32 %r3, [%rd4];
  add.s32 %r4, %r3, ${step};
  st.global.u32 [%rd3], %r4;
  ret;
}`;

const source = (step: number): KernelSource => ({
  ptx: ptx(step),
  kernel: "add",
  shape: [64, 1, 1],
  fma: "exact",
  spills: false,
  width: undefined,
  alone: false,
});

async function compiled(step: number) {
  const { library } = await loadArtifacts();
  const module = parsePtx(ptx(step));
  const kernel = module.functions.find((fn) => fn.kind === "entry")!;
  const lowered = lowerKernel(module, layoutModule(module), kernel, library);
  return compileKernel(lowered, { fma: "exact", shape: [64, 1, 1] });
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "kernels-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the kernel makes of 64 zeros, on a device of its own. */
async function run(cache: string, step: number): Promise<number[]> {
  using device = await Device.open({ cache, workers: 0, fma: "exact" });
  using module = device.loadModule(ptx(step));
  using data = device.upload(new Uint32Array(64));
  module.kernel("add").launch({ grid: 1, block: 64 }, data);
  return [...new Set(data.toArray(Uint32Array))];
}

describe("compiled kernels on disk", () => {
  test("what comes out is what went in, for the same source and choices only", () =>
    inFolder(async (folder) => {
      const cache = new DiskCache(join(folder, "new", "kernels"));
      const kernel = await compiled(7);
      assert.equal(cache.get(source(7)), undefined);
      cache.put(source(7), kernel);
      // JSON leaves out what is undefined.
      const found = new DiskCache(join(folder, "new", "kernels")).get(source(7))!;
      assert.deepEqual({ ...found, sites: [] }, { ...kernel, sites: [] });
      assert.deepEqual(found.sites, JSON.parse(JSON.stringify(kernel.sites)));
      const others: Partial<KernelSource>[] = [
        { ptx: ptx(8) },
        { kernel: "sub" },
        { shape: [32, 1, 1] },
        { shape: [1, 64, 1] },
        { fma: "unfused" },
        { width: 1 },
      ];
      for (const other of others) {
        assert.equal(cache.get({ ...source(7), ...other }), undefined, JSON.stringify(other));
      }
    }));

  test("devices of different processes share them", () =>
    inFolder(async (folder) => {
      assert.deepEqual(await run(folder, 3), [3]);
      const [name, ...more] = readdirSync(folder);
      assert.equal(more.length, 0);
      const path = join(folder, name!);
      const before = statSync(path).ino;
      assert.deepEqual(await run(folder, 3), [3]);
      assert.deepEqual(readdirSync(folder), [name]);
      assert.equal(statSync(path).ino, before); // it was not written again
      // And it really is what runs: with another kernel's file in its place, that one does.
      assert.deepEqual(await run(folder, 5), [5]);
      const five = readdirSync(folder).find((other) => other !== name)!;
      writeFileSync(path, readFileSync(join(folder, five)));
      assert.deepEqual(await run(folder, 3), [5]);
    }));

  test("damaged files are compiled anew and replaced", () =>
    inFolder(async (folder) => {
      assert.deepEqual(await run(folder, 9), [9]);
      const path = join(folder, readdirSync(folder)[0]!);
      const good = readFileSync(path);
      const flipped = (at: number): Uint8Array => {
        const bytes = new Uint8Array(good);
        bytes[at]! ^= 1;
        return bytes;
      };
      const damaged = [
        new Uint8Array(0),
        good.subarray(0, 20),
        good.subarray(0, good.length - 1),
        flipped(0),
        flipped(33),
        flipped(good.length - 1),
        new Uint8Array([...good, 0]),
      ];
      for (const bytes of damaged) {
        writeFileSync(path, bytes);
        assert.deepEqual(await run(folder, 9), [9]);
        assert.deepEqual(readFileSync(path), good);
      }
    }));

  test("a folder that can't be used costs nothing but time", () =>
    inFolder(async (folder) => {
      const file = join(folder, "file");
      writeFileSync(file, "not a folder");
      assert.deepEqual(await run(file, 2), [2]);
      assert.deepEqual(await run(join(file, "below"), 2), [2]);
      // A folder where the kernel's file should be, too.
      assert.deepEqual(await run(folder, 4), [4]);
      const name = readdirSync(folder).find((other) => other !== "file")!;
      rmSync(join(folder, name));
      mkdirSync(join(folder, name));
      assert.deepEqual(await run(folder, 4), [4]);
      assert.deepEqual(readdirSync(folder).sort(), ["file", name].sort()); // no debris
    }));

  test("what has not been used for longest makes room", () =>
    inFolder(async (folder) => {
      const kernel = await compiled(1);
      new DiskCache(folder).put(source(0), kernel);
      const bytes = statSync(join(folder, readdirSync(folder)[0]!)).size;
      for (let step = 1; step < 8; step++) new DiskCache(folder).put(source(step), kernel);
      for (const [k, name] of readdirSync(folder).entries()) {
        utimesSync(join(folder, name), 1000 + k, 1000 + k);
      }
      const cache = new DiskCache(folder, 6 * bytes);
      assert.notEqual(cache.get(source(0)), undefined); // now the latest of all
      cache.put(source(8), kernel);
      assert.equal(readdirSync(folder).length, 5); // four of eight, and the new one
      assert.notEqual(cache.get(source(0)), undefined);
      assert.notEqual(cache.get(source(8)), undefined);
    }));
});
