import { Block, type Cut, I32, NO_AUX, NONE, Value, type VirtualRegister } from "../ir/ir.ts";

/**
 * A copy of the blocks from `first` up to the cuts that are not in `crossed`, in register form. Each
 * cut that is becomes `warp` values, one for each destination that is used, of the operation's sources
 * and its member mask; the block goes on behind it. Returns `first` itself if nothing is crossed.
 */
export function crossCuts(
  first: Block,
  crossed: ReadonlySet<Cut>,
  registers: VirtualRegister[],
): Block {
  if (crossed.size === 0) return first;
  const copies = new Map<Block, Block>();
  const work = [first];
  const copyOf = (b: Block): Block => {
    let copy = copies.get(b);
    if (!copy) {
      copy = new Block(b.id);
      copy.line = b.line;
      copies.set(b, copy);
      work.push(b);
    }
    return copy;
  };
  copyOf(first);
  const done = new Set<Block>();
  for (let b = work.pop(); b; b = work.pop()) {
    if (done.has(b)) continue;
    done.add(b);
    const copy = copyOf(b);
    const t = b.terminator;
    copy.values = b.values;
    copy.terminator = t;
    if (t?.kind === "cut" && crossed.has(t.cut)) {
      copy.values = [...b.values, ...operation(t.cut, registers)];
      copy.terminator = { kind: "jump", target: copyOf(t.cut.next) };
    } else if (t?.kind === "jump") copy.terminator = { kind: "jump", target: copyOf(t.target) };
    else if (t?.kind === "branch") copy.terminator = { ...t, yes: copyOf(t.yes), no: copyOf(t.no) };
    else if (t?.kind === "switch") copy.terminator = { ...t, targets: t.targets.map(copyOf) };
  }
  return copyOf(first);
}

/** A cut's operation as values, and the writes of its destinations. */
function operation(cut: Cut, registers: VirtualRegister[]): Value[] {
  const aux = { cut, name: cut.warpOp ?? "" };
  const args = [...cut.sources, ...cut.operands];
  const results: Value[] = [];
  const writes: Value[] = [];
  cut.destinations.forEach(({ register }, k) => {
    if (register < 0) return;
    const result = new Value("warp", registers[register].type, args, k, 0n, aux);
    results.push(result);
    writes.push(new Value("regwrite", NONE, [result], register, 0n, NO_AUX));
  });
  // What gives nothing back still keeps the lanes in step, or has an effect.
  if (cut.destinations.length === 0) return [new Value("warp", NONE, args, -1, 0n, aux)];
  return [...results, ...writes];
}

/** The member mask of a warp operation; undefined where it takes the lanes that come together. */
export function memberMask(warp: Value): Value | undefined {
  const { cut } = warp.aux;
  return cut && cut.operands.length > 0 ? warp.args[cut.sources.length] : undefined;
}

/** Whether a warp operation is known to name all lanes. */
export function namesAllLanes(warp: Value): boolean {
  const mask = memberMask(warp);
  return mask === undefined || (mask.op === "const" && mask.type === I32 && mask.imm === -1);
}

/**
 * Whether a warp operation that all lanes of a warp have come to can be done for any member masks:
 * each lane's mask then names lanes that are there, its own among them.
 */
export const takesAnyMask = (warp: Value): boolean =>
  /^(|shfl_.*|vote_.*|match_any_.*)$/.test(warp.aux.name as string);
