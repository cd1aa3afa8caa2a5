import {
  BLOCK_CLUSTER,
  BLOCK_CTAID_X,
  BLOCK_CTAID_Y,
  BLOCK_CTAID_Z,
  BLOCK_RANK,
  BLOCK_SHARED,
  BLOCK_SMID,
  LAUNCH_BLOCK_X,
  LAUNCH_BLOCK_Y,
  LAUNCH_BLOCK_Z,
  LAUNCH_CLUSTER_BLOCKS,
  LAUNCH_CLUSTER_SHARED,
  LAUNCH_CLUSTER_SHIFT,
  LAUNCH_CLUSTER_X,
  LAUNCH_CLUSTER_Y,
  LAUNCH_CLUSTER_Z,
  LAUNCH_DYNAMIC_SHARED,
  LAUNCH_ENVREG,
  LAUNCH_EXPLICIT_CLUSTER,
  LAUNCH_GRID_ID,
  LAUNCH_GRID_X,
  LAUNCH_GRID_Y,
  LAUNCH_GRID_Z,
  LAUNCH_HEAP_BASE,
  LAUNCH_HEAP_BYTES,
  LAUNCH_HOST_HIGH,
  LAUNCH_HOST_LOW,
  LAUNCH_LOCAL_BYTES,
  LAUNCH_MODULE_OFFSET,
  LAUNCH_PARAM_BYTES,
  LAUNCH_PARAMS,
  LAUNCH_QUIET,
  LAUNCH_TOTAL_SHARED,
} from "../../exec/layout.ts";
import type { Value } from "../ir/ir.ts";
import { OP } from "../wasm/opcodes.ts";
import type { ScalarTarget } from "./scalar.ts";

const FROM_LAUNCH: Record<string, number> = {
  "nctaid.x": LAUNCH_GRID_X,
  "nctaid.y": LAUNCH_GRID_Y,
  "nctaid.z": LAUNCH_GRID_Z,
  dynamicShared: LAUNCH_DYNAMIC_SHARED,
  totalShared: LAUNCH_TOTAL_SHARED,
  moduleOffset: LAUNCH_MODULE_OFFSET,
  paramSize: LAUNCH_PARAM_BYTES,
  localSize: LAUNCH_LOCAL_BYTES,
  "cluster.x": LAUNCH_CLUSTER_X,
  "cluster.y": LAUNCH_CLUSTER_Y,
  "cluster.z": LAUNCH_CLUSTER_Z,
  clusterBlocks: LAUNCH_CLUSTER_BLOCKS,
  clusterShared: LAUNCH_CLUSTER_SHARED,
  clusterShift: LAUNCH_CLUSTER_SHIFT,
  explicitCluster: LAUNCH_EXPLICIT_CLUSTER,
  quiet: LAUNCH_QUIET,
};

const FROM_BLOCK: Record<string, number> = {
  "ctaid.x": BLOCK_CTAID_X,
  "ctaid.y": BLOCK_CTAID_Y,
  "ctaid.z": BLOCK_CTAID_Z,
  sharedOffset: BLOCK_SHARED,
  clusterOffset: BLOCK_CLUSTER,
  clusterRank: BLOCK_RANK,
  smid: BLOCK_SMID,
};

const BLOCK_DIMENSIONS: Record<string, [number, number]> = {
  "ntid.x": [0, LAUNCH_BLOCK_X],
  "ntid.y": [1, LAUNCH_BLOCK_Y],
  "ntid.z": [2, LAUNCH_BLOCK_Z],
};

/** Multiprocessors that the device describes (docs/device.md). */
export const MULTIPROCESSORS = 16;

/** Pushes a special register, or one of the compiler's own (windows and their sizes). */
export function emitSpecialRegister(e: ScalarTarget, v: Value): void {
  const { w } = e;
  const name = v.aux.name as string;
  if (name in FROM_LAUNCH) {
    w.localGet(e.pinLaunch(FROM_LAUNCH[name]));
    return;
  }
  if (name in FROM_BLOCK) {
    w.localGet(e.pinAddress(FROM_BLOCK[name]));
    return;
  }
  if (name in BLOCK_DIMENSIONS) {
    pushDimension(e, name);
    return;
  }
  switch (name) {
    case "tid.x":
    case "tid.y":
    case "tid.z":
      pushThreadIndex(e, name);
      return;
    case "gtid.x":
      e.pushThread();
      return;
    case "span":
      e.pushSpan();
      return;
    case "start":
      e.pushStart();
      return;
    case "heapLow":
      w.localGet(e.heapLow());
      return;
    case "heapBytes":
      w.localGet(e.pinLaunch64(LAUNCH_HEAP_BYTES));
      return;
    case "hostLow":
      w.localGet(e.pinLaunch64(LAUNCH_HOST_LOW));
      return;
    case "hostHigh":
      w.localGet(e.pinLaunch64(LAUNCH_HOST_HIGH));
      return;
    case "laneid":
      e.pushThread();
      w.i32Const(31);
      w.op(OP.i32_and);
      return;
    case "warpid":
      e.pushThread();
      w.i32Const(5);
      w.op(OP.i32_shr_u);
      return;
    case "nsmid":
      w.i32Const(MULTIPROCESSORS);
      return;
    case "gridid":
      w.localGet(e.pinLaunch64(LAUNCH_GRID_ID));
      return;
    case "envreg":
      w.localGet(e.pinLaunch(LAUNCH_ENVREG + 4 * v.imm));
      return;
    case "heapBase":
      w.localGet(e.pinLaunch64(LAUNCH_HEAP_BASE));
      return;
    case "moduleBase":
      generic(e, () => w.localGet(e.pinLaunch(LAUNCH_MODULE_OFFSET)));
      return;
    case "sharedWindow":
      generic(e, () => w.localGet(e.pinAddress(BLOCK_SHARED)));
      return;
    case "clusterWindow":
      generic(e, () => w.localGet(e.pinAddress(BLOCK_CLUSTER)));
      return;
    case "paramWindow":
      generic(e, () => w.localGet(e.pinLaunch(LAUNCH_PARAMS)));
      return;
    case "localWindow":
      generic(e, () => w.localGet(e.localBase()));
      return;
    case "localOffset":
      w.localGet(e.localBase());
      return;
    case "stack":
      w.localGet(2);
      return;
    default:
      throw new Error(`no special register ${name}`);
  }
}

/** A CUDA pointer from an address in linear memory. */
function generic(e: ScalarTarget, push: () => void): void {
  e.w.localGet(e.pinLaunch64(LAUNCH_HEAP_BASE));
  push();
  e.w.op(OP.i64_extend_i32_u);
  e.w.op(OP.i64_add);
}

function pushDimension(e: ScalarTarget, name: string): void {
  const [k, offset] = BLOCK_DIMENSIONS[name];
  const { shape } = e.kernel.options;
  if (shape) e.w.i32Const(shape[k]);
  else e.w.localGet(e.pinLaunch(offset));
}

/** tid from the linear thread index: x runs fastest (CUDA programming guide, thread hierarchy). */
function pushThreadIndex(e: ScalarTarget, name: string): void {
  const { w } = e;
  const { shape } = e.kernel.options;
  const flat = shape && shape[1] * shape[2] === 1;
  if (e.row >= 0) {
    w.localGet(e.row);
    pushDimension(e, "ntid.y");
    w.op(name === "tid.y" ? OP.i32_rem_u : OP.i32_div_u);
    return;
  }
  e.pushThread();
  if (flat) {
    if (name !== "tid.x") {
      w.op(OP.drop);
      w.i32Const(0);
    }
    return;
  }
  if (name === "tid.x") {
    pushDimension(e, "ntid.x");
    w.op(OP.i32_rem_u);
    return;
  }
  pushDimension(e, "ntid.x");
  w.op(OP.i32_div_u);
  pushDimension(e, "ntid.y");
  w.op(name === "tid.y" ? OP.i32_rem_u : OP.i32_div_u);
}
