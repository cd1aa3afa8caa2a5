import assert from "node:assert/strict";
import { frameBytes, warpFrame } from "../../runtime/compiler/warp-frames.ts";
import { wmmaAccess, wmmaFragment } from "../../runtime/compiler/wmma-fragments.ts";
import { matrixCases } from "../../scripts/oracle/mma_cases.ts";
import { describe, test } from "../harness.ts";
import { clearFrame, FILL, FRAME, LANES, set32, view, warpFunction } from "./warp-harness.ts";

/** Warp-wide instructions that are no matrix operations, with their operands. */
const LANE_OPERATIONS: Record<string, [string, string]> = {
  "shfl.sync.up.b32": ["b32 pred", "b32 b32 b32"],
  "shfl.sync.down.b32": ["b32 pred", "b32 b32 b32"],
  "shfl.bfly.b32": ["b32 pred", "b32 b32 b32"],
  "shfl.idx.b32": ["b32 pred", "b32 b32 b32"],
  "vote.sync.all.pred": ["pred", "pred"],
  "vote.any.pred": ["pred", "pred"],
  "vote.sync.uni.pred": ["pred", "pred"],
  "vote.ballot.b32": ["b32", "pred"],
  "match.any.sync.b64": ["b32", "b64"],
  "match.all.sync.b32": ["b32 pred", "b32"],
  "redux.sync.add.s32": ["b32", "b32"],
  "redux.sync.xor.b32": ["b32", "b32"],
  "redux.sync.max.abs.NaN.f32": ["b32", "b32"],
  "elect.sync": ["b32 pred", ""],
};

/** Mnemonics that are not there on sm_90, or not at all. */
const REFUSED = [
  "shfl.sync.up.b64",
  "vote.sync.ballot.pred",
  "match.any.b32",
  "redux.sync.add.f32",
  "redux.sync.and.s32",
  "mma.sync.aligned.m16n8k16.row.row.f32.f16.f16.f32",
  "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f32",
  "mma.sync.aligned.m16n8k16.row.col.f16.bf16.bf16.f16",
  "mma.sync.aligned.m16n8k4.row.col.f32.f16.f16.f32",
  "mma.sync.aligned.m16n8k32.row.col.kind::f8f6f4.f32.e4m3.e4m3.f32",
  "mma.sync.aligned.m16n8k32.row.col.f32.e4m2.e4m3.f32",
  "mma.sync.aligned.m8n8k4.row.col.f16.f16.f16.f32",
  "wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32.satfinite",
  "wmma.mma.sync.aligned.row.col.m16n16k8.f32.bf16.bf16.f32",
  "wmma.mma.sync.aligned.row.col.m16n16k16.s32.s8.u8.s32",
  "wmma.mma.sync.aligned.col.col.m8n8k32.s32.s4.s4.s32",
  "ldmatrix.sync.aligned.m16n16.x1.trans.shared.b8",
  "stmatrix.sync.aligned.m16n8.x1.trans.shared.b8",
];

describe("frames of warp-wide instructions", () => {
  test("lane operations: slots and functions", () => {
    for (const [mnemonic, [dst, src]] of Object.entries(LANE_OPERATIONS)) {
      const frame = warpFrame(mnemonic);
      assert.equal(frame?.dst.join(" "), dst, mnemonic);
      assert.equal(frame?.src.join(" "), src, mnemonic);
      warpFunction(frame?.function ?? "");
    }
  });

  test("what sm_90 does not have is not there", () => {
    for (const mnemonic of REFUSED) assert.equal(warpFrame(mnemonic), undefined, mnemonic);
    for (const mnemonic of [
      "wmma.load.a.sync.aligned.row.m16n16k8.f16",
      "wmma.load.d.sync.aligned.row.m16n16k16.f32",
      "wmma.store.c.sync.aligned.row.m16n16k16.f32",
      "wmma.load.a.sync.aligned.col.m8n8k32.s4",
      "wmma.load.c.sync.aligned.row.m8n8k4.f32",
    ]) {
      assert.equal(wmmaAccess(mnemonic), undefined, mnemonic);
    }
  });

  test("matrix operations stay inside of their frames", () => {
    for (const { name } of matrixCases()) {
      const mnemonic = name.split(" ")[0] ?? "";
      const frame = warpFrame(mnemonic);
      if (mnemonic.startsWith("wmma.load")) {
        assert.ok(wmmaAccess(mnemonic), mnemonic);
        continue;
      }
      assert.ok(frame, mnemonic);
      clearFrame();
      const isSparse = mnemonic.startsWith("mma.sp");
      for (const [i] of frame.src.entries()) {
        const at = frame.dst.length + i;
        // Half of the slot is enough for b64 too: any bits are numbers.
        const last = isSparse && i === frame.src.length - 1; // the selector
        const value = frame.access ? FRAME + 65536 : last ? 0 : 0x3c003c00;
        if (i === 0 || !frame.access || frame.access.slot === 0)
          set32(
            at,
            LANES.map(() => value),
          );
      }
      if (frame.access) {
        set32(
          frame.access.slot,
          LANES.map((lane) => FRAME + 65536 + 16 * lane),
        );
      }
      for (const name of frame.relaxed ? [frame.function, frame.relaxed] : [frame.function]) {
        warpFunction(name)(-1, FRAME);
      }
      const end = FRAME + frameBytes(frame);
      for (let at = end; at < FRAME + 65536; at += 4) {
        if (view.getUint32(at, true) !== FILL) assert.fail(`${mnemonic} wrote at ${at - FRAME}`);
      }
      for (let at = FRAME - 4096; at < FRAME; at += 4) {
        if (view.getUint32(at, true) !== FILL) assert.fail(`${mnemonic} wrote at ${at - FRAME}`);
      }
    }
  });

  test("every element of a wmma matrix has its place, once", () => {
    for (const shape of [
      "m16n16k16",
      "m8n32k16",
      "m32n8k16",
      "m16n16k8",
      "m8n8k4",
      "m8n8k32",
      "m8n8k128",
    ]) {
      for (const use of ["a", "b", "c", "d"] as const) {
        for (const type of [
          "f16",
          "bf16",
          "tf32",
          "f32",
          "f64",
          "s8",
          "u8",
          "s4",
          "u4",
          "b1",
          "s32",
        ]) {
          const f = wmmaFragment(shape, use, type);
          if (!f) continue;
          const seen = new Set<number>();
          for (const lane of LANES) {
            for (let r = 0; r < f.distinct; r++) {
              for (let j = 0; j < f.elementsPerRegister; j++) {
                const { row, column } = f.place(lane, r, j);
                assert.ok(row < f.rows && column < f.columns);
                seen.add(row * f.columns + column);
              }
            }
          }
          assert.equal(seen.size, f.rows * f.columns, `${shape} ${use} ${type}`);
          assert.equal(
            seen.size,
            32 * f.distinct * f.elementsPerRegister,
            `${shape} ${use} ${type}`,
          );
        }
      }
    }
  });
});
