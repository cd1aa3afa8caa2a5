// The kernel execution loops: over the blocks that this worker claims, and inside a block over its
// regions, warps and barriers. A compiled kernel is a row of regions in the function table; each
// runs a range of lane groups up to the next cut and returns the pc that they reached. As long as
// all threads of a block move together, one call runs the whole block up to the next cut; else the
// slow path looks at every thread's pc, warp by warp.
//
// Progress (PTX ISA §8, "independent thread scheduling" since sm_70): a thread that waits for memory
// is cut out of its loop, the others of its block run, then the other resident blocks, then it.

import { allLanes, lanesAt, readyLanes, release } from "./lanes";
import { clusterOpens, cutOf, field, openBarriers, openClusterWaits, reduce } from "./barriers";
import { runClusters } from "./clusters";
import {
  BLOCK_ARGUMENT,
  BLOCK_ARRIVED,
  BLOCK_CONTEXT_BYTES,
  BLOCK_CTAID_X,
  BLOCK_CTAID_Y,
  BLOCK_CTAID_Z,
  BLOCK_ENTRY,
  BLOCK_LAUNCH,
  BLOCK_MASKED,
  BLOCK_PC,
  BLOCK_RANGE,
  BLOCK_RUN,
  BLOCK_PHASE,
  BLOCK_SMID,
  BLOCK_STATE,
  BLOCK_TABLE,
  CURSOR_BYTES,
  CUT_BLOCK,
  CUT_CLUSTER,
  CUT_CONSTANT,
  CUT_FLAGS,
  CUT_GATHER,
  CUT_KIND,
  CUT_OPERAND,
  CUT_REDUCTION,
  CUT_WAIT,
  CUT_WARP,
  LAUNCH_BLOCKS,
  LAUNCH_CLUSTER_BLOCKS,
  LAUNCH_CURSORS,
  LAUNCH_GRID_X,
  LAUNCH_GRID_Y,
  LAUNCH_GROUPS,
  LAUNCH_NEXT_BLOCK,
  LAUNCH_RANGES,
  LAUNCH_RUNS,
  LAUNCH_STOP,
  LAUNCH_THREADS,
  LAUNCH_WIDTH,
  PC_EXITED,
  PC_READY,
  REGION_FAULT,
  REGION_MIXED,
} from "../../runtime/exec/layout";

/** Results of runLaunch. */
export const LAUNCH_DONE: i32 = 0;
export const LAUNCH_AGAIN: i32 = 1;
export const LAUNCH_FAULT: i32 = 2;
export const LAUNCH_DEADLOCK: i32 = 3;

/** Results of a block's turn. */
export const BLOCK_DONE: i32 = 0;
export const BLOCK_YIELD: i32 = 1;
export const BLOCK_FAULT: i32 = 2;
export const BLOCK_DEADLOCK: i32 = 3;
/** Of a warp's: its threads may go on when the others have had their turn. */
const WARP_READY: i32 = 4;

/** BLOCK_STATE */
export const STATE_FREE: u32 = 0;
export const STATE_FRESH: u32 = 1;
const STATE_SLOW: u32 = 2;
/** Free after a block of this launch: the worker's chunk may have more. */
const STATE_NEXT: u32 = 3;

/** Regions that a warp runs, and rounds over the warps, in a turn before other blocks get theirs. */
const WARP_QUANTUM: u32 = 256;

/** Regions that a block runs in a turn, and barriers that it passes in a slow one. */
const BLOCK_QUANTUM: u32 = 64;

/** Of so many openings of gathers one takes those that are furthest ahead, not behind. */
const AHEAD_EVERY: u32 = 32;
let gathers: u32 = 0;

/** Blocks and regions that may still run before the caller looks at its clock. */
export let left: u32 = 0;

/** Blocks that this worker has claimed and not begun; valid while its context is in STATE_NEXT. */
let chunkNext: u32 = 0;
let chunkEnd: u32 = 0;

export const SMS: u32 = 16;

// @ts-ignore: decorator
@inline
function runRegion(context: u32, entry: u32, first: u32, last: u32): i32 {
  left -= u32(left != 0);
  return call_indirect<i32>(field(context, BLOCK_TABLE) + entry - 1, context, first, last);
}

/**
 * Runs blocks of a launch until the grid is exhausted.
 * @param launch launch record
 * @param contexts block contexts of this worker, BLOCK_CONTEXT_BYTES apart
 * @param count number of contexts: blocks that are resident at once
 * @param budget regions of blocks after which the caller wants to look at its clock
 * @returns 0 all claimed blocks are done, 1 call again, 2 a fault (see the fault record), 3 the
 *   threads of a block wait for each other and none can ever go on
 */
export function runLaunch(launch: u32, contexts: u32, count: u32, budget: u32): i32 {
  const blocks = field(launch, LAUNCH_BLOCKS);
  left = budget;
  if (field(launch, LAUNCH_CLUSTER_BLOCKS) > 1) return runClusters(launch, contexts, count);
  for (;;) {
    let active: u32 = 0;
    for (let k: u32 = 0; k < count; k++) {
      const context = contexts + k * BLOCK_CONTEXT_BYTES;
      for (;;) {
        const state = field(context, BLOCK_STATE);
        if (state == STATE_FREE) chunkNext = chunkEnd = 0;
        if (state == STATE_FREE || state == STATE_NEXT) {
          if (!claim(launch, context, blocks, count)) break;
        }
        const result = runBlock(launch, context);
        if (result == BLOCK_FAULT) return LAUNCH_FAULT;
        if (result == BLOCK_DEADLOCK) return LAUNCH_DEADLOCK;
        if (result == BLOCK_YIELD) {
          active++;
          break;
        }
        store<u32>(context + BLOCK_STATE, count == 1 ? STATE_NEXT : STATE_FREE);
        if (left == 0) return stopped(launch) ? LAUNCH_FAULT : LAUNCH_AGAIN;
      }
    }
    if (active == 0) return LAUNCH_DONE;
    if (stopped(launch)) return LAUNCH_FAULT;
    if (left == 0) return LAUNCH_AGAIN;
  }
  return LAUNCH_DONE;
}

/**
 * Whether the launch has been stopped, by a fault or by the host. A plain load: nothing else is read behind
 * it, and the engine cannot keep a word in a register over calls. An atomic one is a locked exchange in
 * JavaScriptCore, and would take the record's cache line from the other workers at each block.
 */
// @ts-ignore: decorator
@inline
export function stopped(launch: u32): bool {
  return load<u32>(launch + LAUNCH_STOP) != 0;
}

/**
 * Claims the next block of the grid for a context; false if there is none. A worker with one context
 * claims neighbouring blocks together: the counter's cache line changes hands rarely, and what
 * neighbours stream through stays on one core. Blocks that may wait for one another (several contexts)
 * go one by one, since a claimed block must be able to begin.
 */
function claim(launch: u32, context: u32, blocks: u32, count: u32): bool {
  if (stopped(launch)) return false;
  if (chunkNext == chunkEnd) {
    const ranges = field(launch, LAUNCH_RANGES);
    if (ranges > 1) {
      if (!claimFromRanges(launch, blocks, ranges, field(context, BLOCK_RANGE))) return false;
    } else if (!claimChunk(launch + LAUNCH_NEXT_BLOCK, blocks, count == 1 ? 4 : 32)) return false;
  }
  const block = chunkNext;
  const x = field(launch, LAUNCH_GRID_X);
  // Blocks of a row go to the kernel together, up to the next look at the clock.
  let run: u32 = 1;
  if (field(launch, LAUNCH_RUNS)) {
    run = min<u32>(min<u32>(chunkEnd - block, x - (block % x)), max<u32>(left, 1));
    left -= min<u32>(left, run - 1);
  }
  chunkNext = block + run;
  const y = field(launch, LAUNCH_GRID_Y);
  beginBlock(launch, context, block % x, (block / x) % y, block / x / y, block % SMS);
  store<u32>(context + BLOCK_RUN, run);
  return true;
}

/**
 * Each worker begins with a part of the grid of its own, the same at each launch: what it has in its
 * core's caches from the last one is there again. Then it helps with the others'.
 */
function claimFromRanges(launch: u32, blocks: u32, ranges: u32, first: u32): bool {
  const size = blocks / ranges;
  for (let k = 0 as u32, range = first; k < ranges; k++) {
    const end = range == ranges - 1 ? blocks : (range + 1) * size;
    if (claimChunk(launch + LAUNCH_CURSORS + CURSOR_BYTES * range, end, 3)) return true;
    range = range + 1 == ranges ? 0 : range + 1;
  }
  return false;
}

/**
 * Claims blocks up to `end` by a counter: 2⁻ˢʰᵃʳᵉ of the rest, so that the workers end together.
 */
function claimChunk(cursor: u32, end: u32, share: u32): bool {
  // The counter stops near the end, so that it cannot wrap.
  const at = load<u32>(cursor);
  if (at >= end) return false;
  const chunk = share < 32 ? min<u32>(max<u32>((end - at) >> share, 1), 256) : 1;
  const first = atomic.add<u32>(cursor, chunk);
  if (first >= end) return false;
  chunkNext = first;
  chunkEnd = min<u32>(first + chunk, end);
  return true;
}

/** Prepares a context for a block that has been claimed. */
export function beginBlock(launch: u32, context: u32, x: u32, y: u32, z: u32, sm: u32): void {
  store<u32>(context + BLOCK_CTAID_X, x);
  store<u32>(context + BLOCK_CTAID_Y, y);
  store<u32>(context + BLOCK_CTAID_Z, z);
  store<u32>(context + BLOCK_SMID, sm);
  store<u32>(context + BLOCK_MASKED, 0);
  store<u32>(context + BLOCK_STATE, STATE_FRESH);
  store<u32>(context + BLOCK_ENTRY, 1);
  store<u32>(context + BLOCK_RUN, 1);
  memory.fill(context + BLOCK_ARRIVED, 0, 64);
  const phases = field(context, BLOCK_PHASE);
  if (phases) memory.fill(phases, 0, 4 * field(launch, LAUNCH_THREADS));
}

/** One turn of a block: until it is done, all its threads wait for others, or the budget is spent. */
export function runBlock(launch: u32, context: u32): i32 {
  if (field(context, BLOCK_STATE) == STATE_FRESH) {
    const groups = field(launch, LAUNCH_GROUPS);
    let entry = field(context, BLOCK_ENTRY);
    for (let share = BLOCK_QUANTUM; ; ) {
      if (field(cutOf(launch, entry), CUT_KIND) == CUT_CLUSTER && !clusterOpens(launch, context)) {
        store<u32>(context + BLOCK_ENTRY, entry);
        if (field(launch, LAUNCH_CLUSTER_BLOCKS) > 1) return BLOCK_YIELD;
        standAt(launch, context, entry);
        break;
      }
      const pc = runRegion(context, entry, 0, groups);
      if (pc == PC_EXITED) return BLOCK_DONE;
      if (pc == REGION_FAULT) return BLOCK_FAULT;
      if (pc == REGION_MIXED) break;
      if (!passesTogether(launch, context, pc)) {
        standAt(launch, context, pc);
        break;
      }
      entry = pc;
      if (left == 0 || --share == 0) {
        store<u32>(context + BLOCK_ENTRY, entry);
        return BLOCK_YIELD;
      }
    }
    store<u32>(context + BLOCK_STATE, STATE_SLOW);
    store<u32>(context + BLOCK_MASKED, 1);
  }
  return runSlowly(launch, context);
}

/** Notes that all threads of a block wait in front of one region. */
function standAt(launch: u32, context: u32, pc: u32): void {
  const pcs = field(context, BLOCK_PC);
  const threads = field(launch, LAUNCH_THREADS);
  for (let t: u32 = 0; t < threads; t++) store<u32>(pcs + 4 * t, pc);
}

/** Whether a cut that all threads of the block have reached opens at once. */
function passesTogether(launch: u32, context: u32, entry: u32): bool {
  const cut = cutOf(launch, entry);
  const kind = field(cut, CUT_KIND);
  if (kind == CUT_GATHER || kind == CUT_CLUSTER) return true;
  if (!(field(cut, CUT_FLAGS) & CUT_CONSTANT)) return false;
  const operand = field(cut, CUT_OPERAND);
  if (kind == CUT_WARP) return operand == 0xffffffff;
  if (kind != CUT_BLOCK) return false;
  const threads = field(launch, LAUNCH_THREADS);
  const count = operand >> 8;
  if (count != 0 && count != ((threads + 31) & ~31)) return false;
  const reduction = field(cut, CUT_REDUCTION);
  if (reduction) reduce(launch, context, operand, false, reduction);
  return true;
}

/** A turn in which the threads' pcs differ. */
function runSlowly(launch: u32, context: u32): i32 {
  const threads = field(launch, LAUNCH_THREADS);
  const pcs = field(context, BLOCK_PC);
  for (let first: u32 = 0; first < threads; first += 32) {
    releaseWaits(launch, pcs + 4 * first, min<u32>(32, threads - first));
  }
  for (let rounds = BLOCK_QUANTUM; ; ) {
    let unfinished = false;
    // Warps go from cut to cut side by side, as on a GPU: a warp that runs ahead to the next barrier
    // would show code that reads shared memory behind a barrier the values of what follows.
    let share = WARP_QUANTUM;
    // Warps that only a barrier, or others' memory, lets go on.
    let stuck: u32 = 0;
    for (let ready = true; ready; share--) {
      ready = false;
      for (let warp: u32 = 0; warp * 32 < threads; warp++) {
        if (stuck & (1 << warp)) continue;
        const result = runWarp(launch, context, warp, threads);
        if (result == BLOCK_FAULT) return BLOCK_FAULT;
        if (result == BLOCK_YIELD) unfinished = true;
        if (result == WARP_READY) ready = true;
        if (result == BLOCK_DONE) stuck |= 1 << warp;
      }
      if (ready && (share == 0 || left == 0)) unfinished = true;
      if (unfinished) break;
    }
    let opened = openBarriers(launch, context, threads);
    if (openClusterWaits(launch, context, threads)) opened = true;
    if (opened && !unfinished && meets(context, threads)) return BLOCK_YIELD;
    if (!opened && !unfinished) break;
    if (unfinished || left == 0 || --rounds == 0) return BLOCK_YIELD;
  }
  let live = false;
  for (let first: u32 = 0; first < threads; first += 32) {
    const lanes = min<u32>(32, threads - first);
    const warp = pcs + 4 * first;
    for (let rest = allLanes(lanes) & ~lanesAt(warp, lanes, PC_EXITED); rest; ) {
      const pc = load<u32>(warp + 4 * ctz(rest));
      const kind = field(cutOf(launch, pc), CUT_KIND);
      if (kind == CUT_WAIT) return BLOCK_YIELD;
      if (kind == CUT_CLUSTER && field(launch, LAUNCH_CLUSTER_BLOCKS) > 1) return BLOCK_YIELD;
      live = true;
      rest &= ~lanesAt(warp, lanes, pc);
    }
  }
  return live ? BLOCK_DEADLOCK : BLOCK_DONE;
}

/** Lets those lanes of a warp go on that stand at a wait. */
function releaseWaits(launch: u32, pcs: u32, lanes: u32): void {
  for (let rest = allLanes(lanes); rest; ) {
    const pc = load<u32>(pcs + 4 * ctz(rest));
    const here = lanesAt(pcs, lanes, pc);
    rest &= ~here;
    if (pc == PC_EXITED || pc & PC_READY) continue;
    if (field(cutOf(launch, pc), CUT_KIND) == CUT_WAIT) release(pcs, here, pc);
  }
}

/** Whether all threads of a block may go on at one place; if so, they do it together. */
function meets(context: u32, threads: u32): bool {
  const pcs = field(context, BLOCK_PC);
  const pc = load<u32>(pcs);
  if (!(pc & PC_READY) || field(context, BLOCK_PHASE)) return false;
  for (let first: u32 = 0; first < threads; first += 32) {
    const lanes = min<u32>(32, threads - first);
    if (lanesAt(pcs + 4 * first, lanes, pc) != allLanes(lanes)) return false;
  }
  store<u32>(context + BLOCK_ENTRY, pc & ~PC_READY);
  store<u32>(context + BLOCK_MASKED, 0);
  store<u32>(context + BLOCK_STATE, STATE_FRESH);
  return true;
}

/**
 * Runs a warp's ready threads, then lets those go on that a warp-level cut holds.
 * @returns BLOCK_DONE if none can, WARP_READY, BLOCK_FAULT, or BLOCK_YIELD after its share of the turn
 */
function runWarp(launch: u32, context: u32, warp: u32, threads: u32): i32 {
  const pcs = field(context, BLOCK_PC) + 128 * warp;
  const lanes = min<u32>(32, threads - 32 * warp);
  const width = field(launch, LAUNCH_WIDTH);
  const first = (32 * warp) / width;
  const last = first + (lanes + width - 1) / width;
  for (let share = WARP_QUANTUM; share != 0; ) {
    // The threads that are furthest behind go first: that brings diverged ones together again.
    let rest = readyLanes(pcs, lanes);
    if (rest == 0) return openWarp(launch, context, warp, lanes) ? WARP_READY : BLOCK_DONE;
    let entry: u32 = 0xffffffff;
    while (rest) {
      const pc = load<u32>(pcs + 4 * ctz(rest));
      entry = min(entry, pc & ~PC_READY);
      rest &= ~lanesAt(pcs, lanes, pc);
    }
    if (runRegion(context, entry, first, last) == REGION_FAULT) return BLOCK_FAULT;
    share--;
  }
  return BLOCK_YIELD;
}

/** Lets lanes through a warp-level cut; those that take whoever is there wait for all others. */
function openWarp(launch: u32, context: u32, warp: u32, lanes: u32): bool {
  const pcs = field(context, BLOCK_PC) + 128 * warp;
  const live = allLanes(lanes) & ~lanesAt(pcs, lanes, PC_EXITED);
  if (live == 0) return false;
  return openNamed(launch, context, warp, lanes, live) || openGather(launch, pcs, lanes, live);
}

/**
 * Opens a cut for whoever is there. Those furthest behind go first, which keeps lanes in step; one of
 * them may be waiting for a lane that is ahead, so that now and then that one goes.
 */
function openGather(launch: u32, pcs: u32, lanes: u32, live: u32): bool {
  const ahead = ++gathers % AHEAD_EVERY == 0;
  let chosen: u32 = 0;
  for (let rest = live; rest; ) {
    const entry = load<u32>(pcs + 4 * ctz(rest));
    rest &= ~lanesAt(pcs, lanes, entry);
    if (field(cutOf(launch, entry), CUT_KIND) != CUT_GATHER) continue;
    if (chosen == 0 || entry > chosen == ahead) chosen = entry;
  }
  if (chosen == 0) return false;
  release(pcs, lanesAt(pcs, lanes, chosen), chosen);
  return true;
}

/** Opens a cut that names its lanes, if all of those have come that are live. */
function openNamed(launch: u32, context: u32, warp: u32, lanes: u32, live: u32): bool {
  const pcs = field(context, BLOCK_PC) + 128 * warp;
  const args = field(context, BLOCK_ARGUMENT) + 128 * warp;
  for (let rest = live; rest; ) {
    const lane = ctz(rest);
    const entry = load<u32>(pcs + 4 * lane);
    const here = lanesAt(pcs, lanes, entry);
    const cut = cutOf(launch, entry);
    if (field(cut, CUT_KIND) != CUT_WARP) {
      rest &= ~here;
      continue;
    }
    const constant = field(cut, CUT_FLAGS) & CUT_CONSTANT;
    const mask = constant ? field(cut, CUT_OPERAND) : load<u32>(args + 4 * lane);
    let members = mask & live;
    // A lane that its own mask doesn't name goes on alone (PTX ISA: undefined).
    if (!(members & (1 << lane))) members = 1 << lane;
    if ((members & here) == members) {
      release(pcs, members, entry);
      return true;
    }
    rest &= ~(constant ? members & here : 1 << lane);
  }
  return false;
}
