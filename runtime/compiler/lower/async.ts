import { I1, I32, I64, NONE, type Value } from "../ir/ir.ts";
import type { Instruction, Operand } from "../ptx/ast.ts";
import { atomicName, OPERATIONS } from "./atomics.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { mbarrierAddress } from "./mbarrier.ts";
import {
  type Address,
  addressOf,
  type CheckedAddress,
  checkAt,
  checkedAddress,
  checkedPointer,
  spaceOf,
} from "./memory.ts";
import { inBlock } from "./sreg.ts";
import { lastType, type PtxType, ptxType } from "./types.ts";

// Asynchronous operations are carried out when they are issued, which is one of the orders that the
// memory consistency model allows (PTX ISA §8.9.1.1): waiting for them waits for nothing.

const U32 = ptxType("u32");
const PRED = ptxType("pred");
/** No range is longer: more than any window of shared memory, so that its check fails. */
const RANGE_LIMIT = 1 << 28;

/** Runs `body` where `cond` holds. Values do not cross blocks: the bodies read their operands. */
function when(b: Builder, cond: Value, body: () => void, otherwise?: () => void): void {
  const yes = b.fn.newBlock();
  const no = b.fn.newBlock();
  const next = otherwise ? b.fn.newBlock() : no;
  b.block.terminator = { kind: "branch", cond, yes, no };
  b.block = yes;
  body();
  b.block.terminator = { kind: "jump", target: next };
  if (otherwise) {
    b.block = no;
    otherwise();
    b.block.terminator = { kind: "jump", target: next };
  }
  b.block = next;
}

/** Operands without the cache policy, which says nothing about results. */
function withoutPolicy(i: Instruction): Operand[] {
  return i.mods.includes("L2::cache_hint") ? i.operands.slice(0, -1) : i.operands;
}

/** cp.async.ca and .cg: 4, 8 or 16 bytes, with zeros behind a shorter source (§9.7.9.25.3). */
function copySmall(b: Builder, i: Instruction): boolean {
  const [to, from, n, extra] = withoutPolicy(i);
  if (n?.kind !== "int") throw b.error("a constant size was expected");
  const bytes = Number(n.value);
  const isPredicate = extra?.kind === "not" || (extra?.kind === "reg" && extra.reg.type === "pred");
  if (!extra || (extra.kind === "int" && Number(extra.value) === bytes)) {
    const source = checkedAddress(b, from, "global", bytes, bytes);
    const target = checkedAddress(b, to, "shared", bytes, bytes);
    copyWords(b, bytes, target, source);
    return true;
  }
  if (isPredicate) {
    const ignore = b.read(extra, PRED);
    when(
      b,
      ignore,
      () => copyWords(b, bytes, checkedAddress(b, to, "shared", bytes, bytes)),
      () => {
        const source = checkedAddress(b, from, "global", bytes, bytes);
        copyWords(b, bytes, checkedAddress(b, to, "shared", bytes, bytes), source);
      },
    );
    return true;
  }
  when(
    b,
    b.truth(b.read(extra, U32)),
    () => {
      const size = b.read(extra, U32);
      const least = b.emit("i32_lt_u", I1, [size, b.i32(bytes)]);
      const used = b.select(least, size, b.i32(bytes));
      const source = checkedRange(b, from, "global", used, 1, bytes);
      const target = checkedPointer(b, to, "shared", bytes, bytes);
      b.lib("copy_zero_filled", [target, source, b.i32(bytes), used], true);
    },
    () => copyWords(b, bytes, checkedAddress(b, to, "shared", bytes, bytes)),
  );
  return true;
}

/** Copies `bytes` in words of up to 8 bytes; zeros without a source. */
function copyWords(b: Builder, bytes: number, to: CheckedAddress, from?: CheckedAddress): void {
  const size = Math.min(bytes, 8);
  const type = size === 8 ? I64 : I32;
  const words: Value[] = [];
  for (let k = 0; k < bytes; k += size) {
    if (from) {
      const aux = { size, offset: from.offset + k, space: from.space };
      words.push(b.emit("load", type, [from.ea], aux));
    } else words.push(size === 8 ? b.i64(0n) : b.i32(0));
  }
  words.forEach((v, k) => {
    const aux = { size, offset: to.offset + k * size, space: to.space };
    b.emit("store", NONE, [to.ea, v], aux);
  });
}

/**
 * Checks a range of `bytes` (a value above 0, a multiple of `unit`) at both its ends and gives its
 * address in linear memory.
 */
function checkedRange(
  b: Builder,
  operand: Operand,
  space: string,
  bytes: Value,
  unit: number,
  align: number,
): Value {
  return rangeAt(b, addressOf(b, operand, space), bytes, unit, align);
}

function rangeAt(b: Builder, from: Address, bytes: Value, unit: number, align: number): Value {
  const start = checkAt(b, from, unit, align);
  const long = b.emit("i32_gt_u", I1, [bytes, b.i32(RANGE_LIMIT)]);
  const length = b.select(long, b.i32(RANGE_LIMIT), bytes);
  const last = b.coerce(b.emit("i32_sub", I32, [length, b.i32(unit)]), from.address.type);
  const op = last.type === I64 ? "i64_add" : "i32_add";
  const end = b.emit(op, last.type, [from.address, last]);
  checkAt(b, { ...from, address: end }, unit, unit);
  return from.offset === 0 ? start : b.emit("i32_add", I32, [start, b.i32(from.offset)]);
}

/** The spaces of a bulk copy's target and source, as its modifiers name them in order. */
function bulkSpaces(i: Instruction): string[] {
  return i.mods.filter((m) => /^(global|shared)(::|$)/.test(m)).map((m) => m.replace(/::.*/, ""));
}

/** cp.async.bulk and cp.reduce.async.bulk of plain ranges (§9.7.9.25.4 and .5). */
function copyBulk(b: Builder, i: Instruction): boolean {
  if (i.mods.includes("commit_group") || i.mods.includes("wait_group")) return true;
  if (i.mods.includes("prefetch")) return true;
  if (i.mods.includes("tensor")) {
    throw b.unsupported("unsupported instruction (copies by tensor map)");
  }
  if (i.mods.includes("cp_mask")) return false;
  const [to, from, n, mbar] = i.operands;
  const [target, source] = bulkSpaces(i);
  if (i.mods.includes("multicast::cluster")) {
    copyMulticast(b, i);
    return true;
  }
  when(b, b.truth(b.read(n, U32)), () => {
    const bytes = b.read(n, U32);
    const src = checkedRange(b, from, source, bytes, 16, 16);
    const dst = checkedRange(b, to, target, bytes, 16, 16);
    if (i.mods[0] === "reduce") reduceRange(b, i, dst, src, bytes);
    else b.lib("copy_bytes", [dst, src, bytes], true);
  });
  if (i.mods.includes("mbarrier::complete_tx::bytes")) {
    b.lib("mbarrier_complete_tx", [mbarrierAddress(b, mbar, "shared"), b.read(n, U32)], true);
  }
  return true;
}

/**
 * cp.async.bulk with .multicast::cluster: to the same place in the shared memory of all blocks in a
 * mask, and the bytes reported to the same place's mbarrier of each.
 */
function copyMulticast(b: Builder, i: Instruction): void {
  const [to, from, n, mbar, mask] = i.operands;
  const places = () => [
    b.read(mask, ptxType("b16")),
    b.emit("sreg", I32, [], { name: "clusterOffset" }),
    b.emit("sreg", I32, [], { name: "clusterShift" }),
    b.emit("sreg", I32, [], { name: "clusterBlocks" }),
  ];
  when(b, b.truth(b.read(n, U32)), () => {
    const bytes = b.read(n, U32);
    const src = checkedRange(b, from, "global", bytes, 16, 16);
    const target = addressOf(b, to, "shared");
    const dst = rangeAt(b, target, bytes, 16, 16);
    // What is in range for the last block of the cluster is so for all.
    const last = b.emit("i32_sub", I32, [
      b.emit("sreg", I32, [], { name: "clusterBlocks" }),
      b.i32(1),
    ]);
    const address = inBlock(b, target.address, last);
    rangeAt(b, { ...target, address }, bytes, 16, 16);
    b.lib("copy_multicast", [dst, src, bytes, ...places()], true);
  });
  const barrier = mbarrierAddress(b, mbar, "shared");
  b.lib("mbarrier_complete_tx_multicast", [barrier, b.read(n, U32), ...places()], true);
}

/** A loop over the elements of a checked range, each an atomic operation on the target. */
function reduceRange(b: Builder, i: Instruction, to: Value, from: Value, bytes: Value): void {
  const type = lastType(i.mods) as PtxType;
  const op = i.mods.find((m) => OPERATIONS.has(m));
  if (!op) throw b.unsupported();
  const size = type.bits / 8;
  const registers = [to, from, bytes].map((v) => {
    const register = b.fn.newRegister("reduce", I32);
    b.writeRegister(register, v);
    return register;
  });
  const at = b.fn.newRegister("at", I32);
  b.writeRegister(at, b.i32(0));
  const loop = b.fn.newBlock();
  const next = b.fn.newBlock();
  b.block.terminator = { kind: "jump", target: loop };
  b.block = loop;
  const [target, source, end, here] = [...registers, at].map((r) =>
    b.emit("regread", I32, [], undefined, r),
  );
  const element = b.emit("load", type.type, [b.emit("i32_add", I32, [source, here])], {
    size,
    offset: 0,
    space: "generic",
  });
  const name = atomicName(op, type, false);
  const operands = [b.emit("i32_add", I32, [target, here]), element];
  // In f32 it adds to device memory only, where subnormals are flushed.
  b.lib(name, name === "atom_add_f32" ? [...operands, b.i32(0)] : operands, true);
  const following = b.emit("i32_add", I32, [here, b.i32(size)]);
  b.writeRegister(at, following);
  const more = b.emit("i32_lt_u", I1, [following, end]);
  b.block.terminator = { kind: "branch", cond: more, yes: loop, no: next };
  b.block = next;
}

/** cp.async, cp.async.bulk, cp.reduce.async.bulk and their groups. */
const cp: Lowering = (b, i) => {
  if (i.mods.includes("bulk")) return copyBulk(b, i);
  switch (i.mods[1]) {
    case "commit_group":
    case "wait_group":
    case "wait_all":
      return true;
    case "mbarrier":
      // Without .noinc the arrival was added to the expected ones: it changes nothing.
      if (i.mods.includes("noinc")) {
        const ea = mbarrierAddress(b, i.operands[0], spaceOf(i));
        b.lib("mbarrier_arrive", [ea, b.i32(1), b.i32(0)], true);
      } else mbarrierAddress(b, i.operands[0], spaceOf(i));
      return true;
    case "ca":
    case "cg":
      return copySmall(b, i);
    default:
      return false;
  }
};

/** st.async and red.async to shared memory: done at once, then the bytes are reported (§9.7.9.12). */
export function completeTransfer(b: Builder, i: Instruction, mbar: Operand, bytes: number): void {
  if (!i.mods.includes("mbarrier::complete_tx::bytes")) throw b.unsupported();
  b.lib("mbarrier_complete_tx", [mbarrierAddress(b, mbar, spaceOf(i)), b.i32(bytes)], true);
}

/** Asynchronous copies (PTX ISA §9.7.9.25). */
export const copies: Record<string, Lowering> = { cp };
