// Launches in clusters of several blocks (PTX ISA §5.1, "cluster of cooperative thread arrays"): the
// blocks of a cluster are resident at once, on one worker, in neighbouring contexts, and take turns.

import {
  BLOCK_CONTEXT_BYTES,
  BLOCK_STATE,
  LAUNCH_BLOCKS,
  LAUNCH_CLUSTER_BLOCKS,
  LAUNCH_CLUSTER_X,
  LAUNCH_CLUSTER_Y,
  LAUNCH_CLUSTER_Z,
  LAUNCH_GRID_X,
  LAUNCH_GRID_Y,
  LAUNCH_NEXT_BLOCK,
} from "../../runtime/exec/layout";
import { field } from "./barriers";
import {
  BLOCK_DEADLOCK,
  BLOCK_DONE,
  BLOCK_FAULT,
  beginBlock,
  LAUNCH_AGAIN,
  LAUNCH_DEADLOCK,
  LAUNCH_DONE,
  LAUNCH_FAULT,
  left,
  runBlock,
  SMS,
  STATE_FREE,
  stopped,
} from "./exec";

/** As runLaunch, for a launch in clusters; `count` is a multiple of a cluster's blocks. */
export function runClusters(launch: u32, contexts: u32, count: u32): i32 {
  const size = field(launch, LAUNCH_CLUSTER_BLOCKS);
  const end = contexts + count * BLOCK_CONTEXT_BYTES;
  for (;;) {
    const before = left;
    let active = false;
    for (let first = contexts; first < end; first += size * BLOCK_CONTEXT_BYTES) {
      if (!isLive(first, size) && !claimCluster(launch, first, size)) continue;
      active = true;
      for (let k: u32 = 0; k < size; k++) {
        const context = first + k * BLOCK_CONTEXT_BYTES;
        if (field(context, BLOCK_STATE) == STATE_FREE) continue;
        const result = runBlock(launch, context);
        if (result == BLOCK_FAULT) return LAUNCH_FAULT;
        if (result == BLOCK_DEADLOCK) return LAUNCH_DEADLOCK;
        if (result == BLOCK_DONE) store<u32>(context + BLOCK_STATE, STATE_FREE);
        if (left == 0) return stopped(launch) ? LAUNCH_FAULT : LAUNCH_AGAIN;
      }
    }
    if (!active) return LAUNCH_DONE;
    if (stopped(launch)) return LAUNCH_FAULT;
    // Threads that wait for memory run in each turn: if none did, all stand at barriers for good.
    if (left == before) return LAUNCH_DEADLOCK;
  }
  return LAUNCH_DONE;
}

/** Whether a cluster's contexts hold a block that isn't done. */
function isLive(first: u32, size: u32): bool {
  for (let k: u32 = 0; k < size; k++) {
    if (field(first + k * BLOCK_CONTEXT_BYTES, BLOCK_STATE) != STATE_FREE) return true;
  }
  return false;
}

/** Claims the next cluster of the grid; false if there is none. Its x runs fastest, then y, then z. */
function claimCluster(launch: u32, first: u32, size: u32): bool {
  const blocks = field(launch, LAUNCH_BLOCKS);
  if (stopped(launch)) return false;
  // The counter stops near the number of blocks, so that it cannot wrap.
  if (load<u32>(launch + LAUNCH_NEXT_BLOCK) >= blocks) return false;
  const claimed = atomic.add<u32>(launch + LAUNCH_NEXT_BLOCK, size);
  if (claimed >= blocks) return false;
  const cluster = claimed / size;
  const x = field(launch, LAUNCH_CLUSTER_X);
  const y = field(launch, LAUNCH_CLUSTER_Y);
  const z = field(launch, LAUNCH_CLUSTER_Z);
  const across = field(launch, LAUNCH_GRID_X) / x;
  const down = field(launch, LAUNCH_GRID_Y) / y;
  const x0 = (cluster % across) * x;
  const y0 = ((cluster / across) % down) * y;
  const z0 = (cluster / across / down) * z;
  for (let k: u32 = 0; k < size; k++) {
    const context = first + k * BLOCK_CONTEXT_BYTES;
    beginBlock(
      launch,
      context,
      x0 + (k % x),
      y0 + ((k / x) % y),
      z0 + k / x / y,
      (claimed + k) % SMS,
    );
  }
  return true;
}
