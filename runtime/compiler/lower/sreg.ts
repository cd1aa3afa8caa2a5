import { I32, I64, NO_AUX, type Value } from "../ir/ir.ts";
import type { Builder } from "./builder.ts";
import { RESERVED_SHARED_BYTES } from "./context.ts";

/** Bytes of shared memory that the device says it keeps for itself, for each block. */
const RESERVED_SHARED = 1024;

// Special registers that the emitter provides, by IR name. "effect" marks those that change while a
// kernel runs, which no pass may share or move.
const PLAIN: Record<string, string> = {
  "%tid.x": "tid.x",
  "%tid.y": "tid.y",
  "%tid.z": "tid.z",
  "%ntid.x": "ntid.x",
  "%ntid.y": "ntid.y",
  "%ntid.z": "ntid.z",
  "%ctaid.x": "ctaid.x",
  "%ctaid.y": "ctaid.y",
  "%ctaid.z": "ctaid.z",
  "%nctaid.x": "nctaid.x",
  "%nctaid.y": "nctaid.y",
  "%nctaid.z": "nctaid.z",
  "%laneid": "laneid",
  "%warpid": "warpid",
  "%smid": "smid",
  "%nsmid": "nsmid",
  "%dynamic_smem_size": "dynamicShared",
};

const CONSTANT: Record<string, number> = {
  "%tid.w": 0,
  "%ntid.w": 1,
  "%ctaid.w": 0,
  "%nctaid.w": 1,
  "%clusterid.w": 0,
  "%nclusterid.w": 0,
  "%cluster_ctaid.w": 0,
  "%cluster_nctaid.w": 0,
  "%nwarpid": 64, // the H100's
  "%reserved_smem_offset_cap": RESERVED_SHARED,
};

// A launch without clusters is a grid of clusters of one block each (PTX ISA §10.12 and following).
const OF_CLUSTERS: Record<string, string> = {
  "%is_explicit_cluster": "explicitCluster",
  "%cluster_ctarank": "clusterRank",
  "%cluster_nctarank": "clusterBlocks",
  "%cluster_nctaid.x": "cluster.x",
  "%cluster_nctaid.y": "cluster.y",
  "%cluster_nctaid.z": "cluster.z",
};

/** Places in the block's reserved shared memory (§10.32), from its beginning. */
const RESERVED: Record<string, number> = {
  "%reserved_smem_offset_begin": 0,
  "%reserved_smem_offset_0": 0,
  "%reserved_smem_offset_1": 0,
  "%reserved_smem_offset_end": RESERVED_SHARED_BYTES,
};

/** Reads a special register (PTX ISA §10); a 32-bit value unless its name says 64. */
export function readSpecialRegister(b: Builder, name: string): Value {
  const plain = PLAIN[name] ?? OF_CLUSTERS[name];
  if (plain) return b.emit("sreg", I32, [], { name: plain });
  if (name in RESERVED) {
    const { context } = b.fn;
    const offset = b.i32(context.reservedShared + RESERVED[name]);
    return context.usesClusters ? b.emit("i32_add", I32, [ownWindow(b), offset]) : offset;
  }
  const part = /^%(clusterid|nclusterid|cluster_ctaid)\.([xyz])$/.exec(name);
  if (part) return inClusters(b, part[1], part[2]);
  if (name in CONSTANT) return b.i32(CONSTANT[name]);
  // Counters of performance monitors are undefined (§10.24 and .25), and 0 on an H100 that nobody profiles.
  if (/^%pm\d$/.test(name)) return b.i32(0);
  if (/^%pm\d_64$/.test(name)) return b.i64(0n);
  const lane = () => b.emit("sreg", I32, [], { name: "laneid" });
  const shifted = (value: number) => b.emit("i32_shl", I32, [b.i32(value), lane()]);
  switch (name) {
    case "%lanemask_eq":
      return shifted(1);
    case "%lanemask_lt":
      return b.emit("i32_sub", I32, [shifted(1), b.i32(1)]);
    case "%lanemask_le":
      return b.emit("i32_sub", I32, [shifted(2), b.i32(1)]);
    case "%lanemask_ge":
      return shifted(-1);
    case "%lanemask_gt":
      return shifted(-2);
    case "%total_smem_size": {
      // The H100 counts in units of 128 bytes.
      const up = b.emit("i32_add", I32, [totalShared(b), b.i32(127)]);
      return b.emit("i32_and", I32, [up, b.i32(-128)]);
    }
    case "%aggr_smem_size":
      return b.emit("i32_add", I32, [totalShared(b), b.i32(RESERVED_SHARED)]);
    case "%current_graph_exec": // no graph is launched by a device
      return b.i64(0n);
    case "%gridid":
      return b.emit("sreg", I64, [], { name: "gridid" });
    case "%clock":
      return b.emit("i32_wrap_i64", I32, [b.emit("host", I64, [], { name: "clock" })]);
    case "%clock_hi":
      return high(b, b.emit("host", I64, [], { name: "clock" }));
    case "%clock64":
      return b.emit("host", I64, [], { name: "clock" });
    case "%globaltimer":
      return b.emit("host", I64, [], { name: "globaltimer" });
    case "%globaltimer_lo":
      return b.emit("i32_wrap_i64", I32, [b.emit("host", I64, [], { name: "globaltimer" })]);
    case "%globaltimer_hi":
      return high(b, b.emit("host", I64, [], { name: "globaltimer" }));
  }
  const env = /^%envreg(\d+)$/.exec(name);
  if (env && Number(env[1]) < 32) {
    return b.emit("sreg", I32, [], { name: "envreg" }, Number(env[1]));
  }
  throw b.unsupported(`unsupported special register ${name}`);
}

const totalShared = (b: Builder) => b.emit("sreg", I32, [], { name: "totalShared" });

/** Which cluster of the grid, how many of them, and which block of the cluster, in one dimension. */
function inClusters(b: Builder, name: string, dimension: string): Value {
  const of = name === "nclusterid" ? "nctaid" : "ctaid";
  const blocks = b.emit("sreg", I32, [], { name: `${of}.${dimension}` });
  const size = b.emit("sreg", I32, [], { name: `cluster.${dimension}` });
  const op = name === "cluster_ctaid" ? "i32_rem_u" : "i32_div_u";
  return b.emit(op, I32, [blocks, size]);
}

/** Where the block's own shared memory begins in the window of its cluster: bytes. */
export function ownWindow(b: Builder): Value {
  const rank = b.emit("sreg", I32, [], { name: "clusterRank" });
  return b.emit("i32_shl", I32, [rank, b.emit("sreg", I32, [], { name: "clusterShift" })]);
}

/** The offset in the cluster's window that is, in the block of a rank, what `offset` is in its own. */
export function inBlock(b: Builder, offset: Value, rank: Value): Value {
  const shift = b.emit("sreg", I32, [], { name: "clusterShift" });
  const bytes = b.emit("i32_shl", I32, [b.i32(1), shift]);
  const within = b.emit("i32_and", I32, [offset, b.emit("i32_sub", I32, [bytes, b.i32(1)])]);
  return b.emit("i32_add", I32, [b.emit("i32_shl", I32, [rank, shift]), within]);
}

function high(b: Builder, v: Value): Value {
  const shifted = b.emit("i64_shr_u", I64, [v, b.i64(32n)]);
  return b.emit("i32_wrap_i64", I32, [shifted], NO_AUX);
}
