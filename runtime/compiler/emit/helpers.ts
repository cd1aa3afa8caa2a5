import {
  BLOCK_CTAID_X,
  BLOCK_CTAID_Y,
  BLOCK_CTAID_Z,
  BLOCK_LAUNCH,
  FAULT_ADDRESS,
  FAULT_BLOCK_X,
  FAULT_BLOCK_Y,
  FAULT_BLOCK_Z,
  FAULT_CODE,
  FAULT_SITE,
  FAULT_THREAD,
  LAUNCH_DEADLINE,
  LAUNCH_FAULT,
  LAUNCH_STOP,
} from "../../exec/layout.ts";
import { HOST_FUNCTIONS } from "../hosts.ts";
import type { FuncType, ModuleBuilder } from "../wasm/module.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import { CodeWriter } from "../wasm/writer.ts";

const { i32, i64, f64 } = VALTYPE;

/** cudaError_t values that kernels report (CUDA runtime API, cudaError). */
export const ERROR_LAUNCH_TIMEOUT = 702;
export const ERROR_ASSERT = 710;
export const ERROR_HARDWARE_STACK = 714;
export const ERROR_MISALIGNED = 716;
export const ERROR_ILLEGAL_ADDRESS = 700;
export const ERROR_LAUNCH_FAILURE = 719;

/** Iterations of a loop between two looks at the stop word. */
export const FUEL = 4096;

/** A function of the runtime takes the block context and the thread before its own arguments. */
function hostType({ args, result }: { args: number[]; result: number }): FuncType {
  const params = args.flatMap((size) =>
    size === 8 ? [i64] : size === 12 ? [i32, i32, i32] : [i32],
  );
  return {
    params: [i32, i32, ...params],
    results: result === 8 ? [i64] : result === 4 ? [i32] : [],
  };
}

/** Signatures of what kernels import from `host` (docs/embedding.md). */
export const HOST_TYPES: Record<string, FuncType> = {
  now: { params: [], results: [f64] },
  clock: { params: [], results: [i64] },
  globaltimer: { params: [], results: [i64] },
  ...Object.fromEntries(Object.entries(HOST_FUNCTIONS).map(([name, fn]) => [name, hostType(fn)])),
};

/**
 * `fault(context, code, site, address, thread)`: claims the launch's fault record, fills it and
 * sets the stop word. The first fault of a launch is the one that is reported.
 */
export function defineFault(module: ModuleBuilder): number {
  const index = module.declare();
  const w = new CodeWriter(256);
  const [context, code, site, address, thread, launch] = [0, 1, 2, 3, 4, 5];
  w.localGet(context);
  w.mem(OP.i32_load, 2, BLOCK_LAUNCH);
  w.localTee(launch);
  w.i32Const(0);
  w.localGet(code);
  w.mem(OP.i32_atomic_cmpxchg, 2, LAUNCH_FAULT + FAULT_CODE);
  w.op(OP.i32_eqz);
  w.if();
  const store = (offset: number, value: () => void) => {
    w.localGet(launch);
    value();
    w.mem(OP.i32_store, 2, LAUNCH_FAULT + offset);
  };
  store(FAULT_SITE, () => w.localGet(site));
  store(FAULT_THREAD, () => w.localGet(thread));
  for (const [to, from] of [
    [FAULT_BLOCK_X, BLOCK_CTAID_X],
    [FAULT_BLOCK_Y, BLOCK_CTAID_Y],
    [FAULT_BLOCK_Z, BLOCK_CTAID_Z],
  ]) {
    store(to, () => {
      w.localGet(context);
      w.mem(OP.i32_load, 2, from);
    });
  }
  w.localGet(launch);
  w.localGet(address);
  w.mem(OP.i64_store, 3, LAUNCH_FAULT + FAULT_ADDRESS);
  w.end();
  w.localGet(launch);
  w.i32Const(1);
  w.mem(OP.i32_atomic_store, 2, LAUNCH_STOP);
  module.define(index, { params: [i32, i32, i32, i64, i32], results: [] }, [i32], w.view());
  return index;
}

/**
 * `addressFault(context, site, address, align, thread)`: a failed address check. Misaligned
 * addresses are told from wild ones here, off the hot path.
 */
export function defineAddressFault(module: ModuleBuilder, fault: number): number {
  const index = module.declare();
  const w = new CodeWriter(64);
  const [context, site, address, align, thread] = [0, 1, 2, 3, 4];
  w.localGet(context);
  w.i32Const(ERROR_MISALIGNED);
  w.i32Const(ERROR_ILLEGAL_ADDRESS);
  w.localGet(address);
  w.op(OP.i32_wrap_i64);
  w.localGet(align);
  w.i32Const(1);
  w.op(OP.i32_sub);
  w.op(OP.i32_and);
  w.op(OP.select);
  w.localGet(site);
  w.localGet(address);
  w.localGet(thread);
  w.call(fault);
  module.define(index, { params: [i32, i32, i64, i32, i32], results: [] }, [], w.view());
  return index;
}

/**
 * `poll(context, thread) → stop`: called when a loop's fuel is spent. Not 0 if another worker
 * stopped the launch or its deadline has passed (cudaErrorLaunchTimeout).
 */
export function definePoll(module: ModuleBuilder, fault: number, now: number): number {
  const index = module.declare();
  const w = new CodeWriter(128);
  const [context, thread, launch, deadline] = [0, 1, 2, 3];
  w.localGet(context);
  w.mem(OP.i32_load, 2, BLOCK_LAUNCH);
  w.localTee(launch);
  w.mem(OP.f64_load, 3, LAUNCH_DEADLINE);
  w.localTee(deadline);
  w.f64ConstBits(0n);
  w.op(OP.f64_gt);
  w.if();
  w.call(now);
  w.localGet(deadline);
  w.op(OP.f64_gt);
  w.if();
  w.localGet(context);
  w.i32Const(ERROR_LAUNCH_TIMEOUT);
  w.i32Const(-1);
  w.i64Const(0n);
  w.localGet(thread);
  w.call(fault);
  w.end();
  w.end();
  w.localGet(launch);
  w.mem(OP.i32_atomic_load, 2, LAUNCH_STOP);
  module.define(index, { params: [i32, i32], results: [i32] }, [i32, f64], w.view());
  return index;
}
