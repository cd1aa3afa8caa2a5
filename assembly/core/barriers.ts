// Barriers of a block and of a cluster, seen by the scheduler: who waits, and when a barrier opens.

import {
  BLOCK_ARGUMENT,
  BLOCK_ARRIVED,
  BLOCK_CONTEXT_BYTES,
  BLOCK_FRAME,
  BLOCK_PC,
  BLOCK_PHASE,
  BLOCK_RANK,
  BLOCK_STATE,
  CUT_BLOCK,
  CUT_BYTES,
  CUT_CLUSTER,
  CUT_CONSTANT,
  CUT_FLAGS,
  CUT_KIND,
  CUT_OPERAND,
  CUT_REDUCTION,
  FRAME_SLOT_BYTES,
  LAUNCH_CLUSTER_BLOCKS,
  LAUNCH_CUTS,
  LAUNCH_FRAME_BYTES,
  LAUNCH_THREADS,
  PC_EXITED,
  PC_READY,
} from "../../runtime/exec/layout";
import { STATE_FREE, STATE_FRESH } from "./exec";
import { allLanes, lanesAt } from "./lanes";

/** A 32-bit field of a record. */
// @ts-ignore: decorator
@inline
export function field(base: u32, offset: u32): u32 {
  return load<u32>(base + offset);
}

/** The entry of the cut table for the cut in front of a region. */
// @ts-ignore: decorator
@inline
export function cutOf(launch: u32, entry: u32): u32 {
  return field(launch, LAUNCH_CUTS) + (entry - 1) * CUT_BYTES;
}

/**
 * barrier.cluster (PTX ISA §9.7.13.4): every thread that has not exited must have arrived. Ends the
 * phase, for all blocks of the cluster, if that is so.
 */
function endPhase(launch: u32, context: u32): bool {
  const first = context - field(context, BLOCK_RANK) * BLOCK_CONTEXT_BYTES;
  const end = first + max<u32>(field(launch, LAUNCH_CLUSTER_BLOCKS), 1) * BLOCK_CONTEXT_BYTES;
  const threads = field(launch, LAUNCH_THREADS);
  for (let block = first; block < end; block += BLOCK_CONTEXT_BYTES) {
    const state = field(block, BLOCK_STATE);
    if (state == STATE_FREE) continue; // all its threads have exited
    const phases = field(block, BLOCK_PHASE);
    const pcs = field(block, BLOCK_PC);
    for (let t: u32 = 0; t < threads; t++) {
      if (load<u32>(phases + 4 * t)) continue;
      if (state == STATE_FRESH || load<u32>(pcs + 4 * t) != PC_EXITED) return false;
    }
  }
  for (let block = first; block < end; block += BLOCK_CONTEXT_BYTES) {
    memory.fill(field(block, BLOCK_PHASE), 0, 4 * threads);
  }
  return true;
}

/** Whether barrier.cluster.wait lets a block through whose threads all stand at it. */
export function clusterOpens(launch: u32, context: u32): bool {
  return load<u32>(field(context, BLOCK_PHASE)) == 0 || endPhase(launch, context);
}

/** Lets threads through barrier.cluster.wait whose phase has ended; true if there was one. */
export function openClusterWaits(launch: u32, context: u32, threads: u32): bool {
  const phases = field(context, BLOCK_PHASE);
  if (phases == 0) return false;
  const pcs = field(context, BLOCK_PC);
  let opened = false;
  let tried = false;
  for (let t: u32 = 0; t < threads; t++) {
    const pc = load<u32>(pcs + 4 * t);
    if (pc == PC_EXITED || pc & PC_READY) continue;
    if (field(cutOf(launch, pc), CUT_KIND) != CUT_CLUSTER) continue;
    if (load<u32>(phases + 4 * t)) {
      if (tried) continue;
      tried = true;
      if (!endPhase(launch, context)) continue;
    }
    store<u32>(pcs + 4 * t, pc | PC_READY);
    opened = true;
  }
  return opened;
}

/** The barrier word (number | count << 8) that thread t waits with, or -1. */
function barrierOf(launch: u32, context: u32, t: u32): u32 {
  const entry = load<u32>(field(context, BLOCK_PC) + 4 * t);
  if (entry == PC_EXITED || entry & PC_READY) return 0xffffffff;
  const cut = cutOf(launch, entry);
  if (field(cut, CUT_KIND) != CUT_BLOCK) return 0xffffffff;
  if (field(cut, CUT_FLAGS) & CUT_CONSTANT) return field(cut, CUT_OPERAND);
  return load<u32>(field(context, BLOCK_ARGUMENT) + 4 * t);
}

/** The lanes of a warp that wait with the same barrier word as lane `lane`; 0 if that one doesn't wait. */
function waitsLike(launch: u32, context: u32, warp: u32, lanes: u32, lane: u32): u32 {
  const pcs = field(context, BLOCK_PC) + 128 * warp;
  const pc = load<u32>(pcs + 4 * lane);
  if (barrierOf(launch, context, 32 * warp + lane) == 0xffffffff) return 0;
  return field(cutOf(launch, pc), CUT_FLAGS) & CUT_CONSTANT ? lanesAt(pcs, lanes, pc) : 1 << lane;
}

/** The barriers, by number, that threads wait at: a mask of 16. */
function waitedFor(launch: u32, context: u32, threads: u32): u32 {
  const pcs = field(context, BLOCK_PC);
  let ids: u32 = 0;
  for (let warp: u32 = 0; warp * 32 < threads; warp++) {
    const lanes = min<u32>(32, threads - 32 * warp);
    for (let rest = allLanes(lanes); rest; ) {
      const lane = ctz(rest);
      const same = waitsLike(launch, context, warp, lanes, lane);
      if (same) ids |= 1 << (barrierOf(launch, context, 32 * warp + lane) & 15);
      rest &= ~(same ? same : lanesAt(pcs + 128 * warp, lanes, load<u32>(pcs + 128 * warp + 4 * lane)));
    }
  }
  return ids;
}

/** The lanes of a warp that wait at barrier `id`. */
function lanesWaiting(launch: u32, context: u32, warp: u32, lanes: u32, id: u32): u32 {
  const pcs = field(context, BLOCK_PC) + 128 * warp;
  let mask: u32 = 0;
  for (let rest = allLanes(lanes); rest; ) {
    const lane = ctz(rest);
    const same = waitsLike(launch, context, warp, lanes, lane);
    if (same && (barrierOf(launch, context, 32 * warp + lane) & 15) == id) mask |= same;
    rest &= ~(same ? same : lanesAt(pcs, lanes, load<u32>(pcs + 4 * lane)));
  }
  return mask;
}

/** Opens every barrier that enough threads have reached; true if one opened. */
export function openBarriers(launch: u32, context: u32, threads: u32): bool {
  const pcs = field(context, BLOCK_PC);
  let opened = false;
  for (let ids = waitedFor(launch, context, threads); ids; ids &= ids - 1) {
    const id: u32 = ctz(ids);
    let waiting: u32 = 0;
    let live: u32 = 0;
    let counted: u32 = 0;
    let last: u32 = 0;
    for (let warp: u32 = 0; warp * 32 < threads; warp++) {
      const lanes = min<u32>(32, threads - 32 * warp);
      const alive = popcnt(allLanes(lanes) & ~lanesAt(pcs + 128 * warp, lanes, PC_EXITED));
      const mask = lanesWaiting(launch, context, warp, lanes, id);
      const here = popcnt(mask);
      if (here) last = 32 * warp + (31 - clz(mask));
      waiting += here;
      live += alive;
      // Counts are of whole warps (PTX ISA §9.7.13.1 barrier).
      counted += here != 0 && here == alive ? 32 : here;
    }
    const word = barrierOf(launch, context, last);
    const count = word >> 8;
    const arrived = field(context, BLOCK_ARRIVED + 4 * id);
    if (count != 0 ? counted + arrived < count : waiting < live) continue;
    const reduction = field(cutOf(launch, load<u32>(pcs + 4 * last)), CUT_REDUCTION);
    if (reduction) reduce(launch, context, word, true, reduction);
    store<u32>(context + BLOCK_ARRIVED + 4 * id, 0);
    for (let warp: u32 = 0; warp * 32 < threads; warp++) {
      const lanes = min<u32>(32, threads - 32 * warp);
      let mask = lanesWaiting(launch, context, warp, lanes, id);
      for (; mask; mask &= mask - 1) {
        const at = pcs + 4 * (32 * warp + ctz(mask));
        store<u32>(at, load<u32>(at) | PC_READY);
      }
    }
    opened = true;
  }
  return opened;
}

/**
 * barrier.red: combines the predicates in frame slot 1 of the threads at the barrier, and gives all
 * of them the result in slot 0.
 */
export function reduce(launch: u32, context: u32, word: u32, slow: bool, kind: u32): void {
  const threads = field(launch, LAUNCH_THREADS);
  const frames = field(context, BLOCK_FRAME);
  const stride = field(launch, LAUNCH_FRAME_BYTES);
  let count: u32 = 0;
  let all: u32 = 1;
  for (let t: u32 = 0; t < threads; t++) {
    if (slow && barrierOf(launch, context, t) != word) continue;
    const slot = frames + (t >> 5) * stride + 4 * (t & 31);
    const p = load<u32>(slot + FRAME_SLOT_BYTES) != 0 ? 1 : 0;
    count += p;
    all &= p;
  }
  const result = kind == 1 ? count : kind == 2 ? all : count != 0 ? 1 : 0;
  for (let t: u32 = 0; t < threads; t++) {
    if (slow && barrierOf(launch, context, t) != word) continue;
    store<u32>(frames + (t >> 5) * stride + 4 * (t & 31), result);
  }
}
