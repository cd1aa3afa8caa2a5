/** How threads divide a grid: each block runs once, whatever the number of blocks and threads. */
import assert from "node:assert/strict";
import { loadArtifacts } from "../../runtime/exec/index.ts";
import {
  BLOCK_CONTEXT_BYTES,
  BLOCK_LAUNCH,
  BLOCK_RANGE,
  BLOCK_TABLE,
  CURSOR_BYTES,
  LAUNCH_BLOCKS,
  LAUNCH_CURSORS,
  LAUNCH_CUTS,
  LAUNCH_GRID_X,
  LAUNCH_GRID_Y,
  LAUNCH_RANGES,
  LAUNCH_THREADS,
  PC_EXITED,
} from "../../runtime/exec/layout.ts";
import { describe, test } from "../harness.ts";

const LAUNCH = 4096;
const CONTEXTS = 16384;
const CUTS = 32768;
/** Type (i32, i32, i32) → i32. */
const region = (run: (context: number) => void) => {
  const bytes = Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 8, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 1, 0x7f],
    ...[2, 7, 1, 1, 0x65, 1, 0x72, 0, 0, 7, 5, 1, 1, 0x72, 0, 0],
  );
  const body = (context: number) => {
    run(context);
    return PC_EXITED;
  };
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: { r: body } }).exports[
    "r"
  ] as () => number;
};

/** Lets threads take turns of a few blocks each; the blocks that each one ran. */
async function blocksOf(threads: number, blocks: number, turn: number): Promise<number[][]> {
  const { core } = await loadArtifacts();
  const memory = new WebAssembly.Memory({ initial: 256, maximum: 65536, shared: true });
  const words = new Uint32Array(memory.buffer);
  const set = (at: number, value: number) => {
    words[at >> 2] = value;
  };
  set(LAUNCH + LAUNCH_BLOCKS, blocks);
  set(LAUNCH + LAUNCH_GRID_X, blocks);
  set(LAUNCH + LAUNCH_GRID_Y, 1);
  set(LAUNCH + LAUNCH_THREADS, 32);
  set(LAUNCH + LAUNCH_CUTS, CUTS);
  set(LAUNCH + LAUNCH_RANGES, threads);
  const ran: number[][] = [];
  const instances = Array.from({ length: threads }, (_, k) => {
    set(LAUNCH + LAUNCH_CURSORS + k * CURSOR_BYTES, k * Math.floor(blocks / threads));
    const context = CONTEXTS + k * BLOCK_CONTEXT_BYTES;
    set(context + BLOCK_LAUNCH, LAUNCH);
    set(context + BLOCK_TABLE, 1);
    set(context + BLOCK_RANGE, k);
    const own: number[] = [];
    ran.push(own);
    const table = new WebAssembly.Table({ initial: 2, element: "anyfunc" });
    table.set(
      1,
      region((at) => void own.push(words[(at + 4) >> 2] as number)),
    );
    const { runLaunch } = new WebAssembly.Instance(core, { env: { memory, table } })
      .exports as unknown as { runLaunch(...args: number[]): number };
    return () => runLaunch(LAUNCH, context, 1, turn);
  });
  for (const open = new Set(instances); open.size > 0; ) {
    for (const run of open) if (run() === 0) open.delete(run);
  }
  return ran;
}

describe("threads that divide a grid", () => {
  for (const threads of [2, 3, 16]) {
    for (const blocks of [1, 2, 15, 17, 1000]) {
      test(`${threads} threads, ${blocks} blocks: each block runs once`, async () => {
        const ran = await blocksOf(threads, blocks, 5);
        const sorted = ran.flat().sort((a, b) => a - b);
        assert.deepEqual(
          sorted,
          Array.from({ length: blocks }, (_, k) => k),
        );
      });
    }
  }

  test("each begins with its own part, and ends with the others'", async () => {
    const [first = [], second = []] = await blocksOf(2, 100, 1);
    assert.deepEqual([first[0], second[0]], [0, 50]);
    const [all = [], none = []] = await blocksOf(2, 100, 1000);
    assert.deepEqual([all.length, none.length], [100, 0]);
  });
});
