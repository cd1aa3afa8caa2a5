import { I32, I64, NO_AUX, type Value } from "../ir/ir.ts";
import type { Builder } from "./builder.ts";

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
  "%nwarpid": "nwarpid",
  "%smid": "smid",
  "%nsmid": "nsmid",
  "%dynamic_smem_size": "dynamicShared",
  "%total_smem_size": "totalShared",
};

// A launch without clusters is a grid of clusters of one block each (PTX ISA §10.12 and following).
const CONSTANT: Record<string, number> = {
  "%tid.w": 0,
  "%ntid.w": 1,
  "%ctaid.w": 0,
  "%nctaid.w": 1,
  "%is_explicit_cluster": 0,
  "%clusterid.w": 0,
  "%nclusterid.w": 1,
  "%cluster_ctaid.x": 0,
  "%cluster_ctaid.y": 0,
  "%cluster_ctaid.z": 0,
  "%cluster_nctaid.x": 1,
  "%cluster_nctaid.y": 1,
  "%cluster_nctaid.z": 1,
  "%cluster_ctarank": 0,
  "%cluster_nctarank": 1,
  "%aggr_smem_size": 0,
};

const RENAMED: Record<string, string> = {
  "%clusterid.x": "ctaid.x",
  "%clusterid.y": "ctaid.y",
  "%clusterid.z": "ctaid.z",
  "%nclusterid.x": "nctaid.x",
  "%nclusterid.y": "nctaid.y",
  "%nclusterid.z": "nctaid.z",
};

/** Reads a special register (PTX ISA §10); a 32-bit value unless its name says 64. */
export function readSpecialRegister(b: Builder, name: string): Value {
  const plain = PLAIN[name] ?? RENAMED[name];
  if (plain) return b.emit("sreg", I32, [], { name: plain });
  if (name in CONSTANT) return b.i32(CONSTANT[name]);
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

function high(b: Builder, v: Value): Value {
  const shifted = b.emit("i64_shr_u", I64, [v, b.i64(32n)]);
  return b.emit("i32_wrap_i64", I32, [shifted], NO_AUX);
}
