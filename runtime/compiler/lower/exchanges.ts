import type { Instruction, Label, PtxFunction, Statement } from "../ptx/ast.ts";

/** Where threads wait for one another, or may. */
const SYNCHRONISES = new Set(
  (
    "bar barrier shfl vote match redux activemask elect call mma wmma ldmatrix stmatrix movmatrix " +
    "mbarrier wgmma cp"
  ).split(" "),
);

/** What has been stored since threads last waited for one another: nothing, at one place, or at several. */
type Stored = string | undefined;
const SEVERAL = "several";

const isShared = (i: Instruction) =>
  i.mods.some((m) => m.startsWith("shared")) && !i.mods.includes("volatile");

/**
 * The accesses of a kernel to shared memory that count on the lanes of a warp being in step, without
 * a barrier or a warp operation: loads of a place that is the same for all threads, behind a store
 * elsewhere (`s[tid] = x; if (tid == 0) y = s[0] + s[1];`); and all accesses of kernels in which
 * threads never wait for one another, if there is such a pair of a store and a load anywhere.
 */
export function exchangesInStep(fn: PtxFunction): ReadonlySet<Instruction> {
  const body = fn.body ?? [];
  const instructions = body.filter((s) => s.kind === "instr");
  const shared = instructions.filter(isShared);
  const found = new Set<Instruction>();
  if (!shared.some((i) => i.opcode === "st") || !shared.some((i) => i.opcode === "ld"))
    return found;
  const waits = instructions.some((i) => SYNCHRONISES.has(i.opcode));
  const addresses = new Set<unknown>();
  for (const { opcode, operands } of instructions) {
    const [to, from] = operands;
    if (opcode === "mov" && from?.kind === "symbol" && to.kind === "reg") addresses.add(to.reg);
  }
  const fixed = (i: Instruction) => {
    const [, from] = i.operands;
    if (from?.kind !== "address") return false;
    return from.base.kind !== "reg" || addresses.has(from.base.reg);
  };
  const before = reachingStores(body);
  body.forEach((s, k) => {
    if (s.kind !== "instr" || s.opcode !== "ld" || !isShared(s)) return;
    const stored = before[k];
    if (stored === undefined || stored === placeOf(s, 1) || (waits && !fixed(s))) return;
    found.add(s);
  });
  return waits || found.size === 0 ? found : new Set(shared);
}

/** The place that an access names. */
function placeOf(i: Instruction, operand: number): string {
  const at = i.operands[operand];
  if (at?.kind !== "address") return SEVERAL;
  const { base, offset } = at;
  const name =
    base.kind === "reg" ? `%${base.reg.id}` : base.kind === "symbol" ? base.symbol.name : "";
  return `${name}+${offset}`;
}

/** What may have been stored before each statement. */
function reachingStores(body: readonly Statement[]): Stored[] {
  const labels = new Map<Label, number>();
  body.forEach((s, k) => {
    if (s.kind === "label") labels.set(s.label, k);
  });
  const before = new Array<Stored>(body.length);
  const seen = new Uint8Array(body.length);
  const work = [0];
  const flow = (to: number | undefined, stored: Stored) => {
    if (to === undefined || to >= body.length) return;
    const old = before[to];
    const joined =
      old === undefined ? stored : stored === undefined ? old : old === stored ? old : SEVERAL;
    if (seen[to] && joined === old) return;
    seen[to] = 1;
    before[to] = joined;
    work.push(to);
  };
  seen[0] = 1;
  for (let k = work.pop(); k !== undefined; k = work.pop()) {
    const s = body[k];
    if (s.kind === "label") {
      flow(k + 1, before[k]);
      continue;
    }
    let stored = before[k];
    if (SYNCHRONISES.has(s.opcode)) stored = undefined;
    else if (s.opcode === "st" && isShared(s)) {
      const place = placeOf(s, 0);
      stored = stored === undefined || stored === place ? place : SEVERAL;
    }
    if (s.opcode === "bra") {
      const [target] = s.operands;
      if (target.kind === "label") flow(labels.get(target.label), stored);
    } else if (s.opcode === "brx") {
      for (const to of labels.values()) flow(to, stored);
    }
    const ends = /^(bra|brx|ret|exit)$/.test(s.opcode) && !s.pred;
    if (!ends) flow(k + 1, stored);
  }
  return before;
}
