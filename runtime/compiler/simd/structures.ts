import { Graph } from "../analysis/graph.ts";
import { type Aux, type Block, F32, hasEffect, I32, NONE, Value } from "../ir/ir.ts";
import type { GroupVariant } from "./group-region.ts";
import { countUses } from "./jam.ts";
import { accessPattern } from "./patterns.ts";
import { LANES, VARYING, varying } from "./shapes.ts";

// Lanes that each access several words in a row (`p[i].x`, `p[i].y`, float4): a lane's words are loaded and
// stored together, and shuffles turn what is a lane's into what is a word's, or back. And lanes that access
// bytes so near each other (`rgb[3 * i + 1]`) that one vector holds all of them.

/** Bytes of a word. */
export const WORD = 4;
/** Bytes of a vector. */
const VECTOR = 16;

/**
 * Takes loads of one check, and stores, together that are of neighbouring words of each lane. Loads are moved up
 * to the first of them, stores down to the last, with nothing in between that could tell.
 */
export function takeStructures(variant: GroupVariant): void {
  const { order } = new Graph(variant.linear.start);
  let found = false;
  for (const block of order) {
    const loads = loadsTogether(block, variant);
    const stores = storesTogether(block, variant);
    found ||= loads || stores;
  }
  if (found) countUses(order);
}

/** Whether accesses of several words of each lane are better done lane by lane than word by word. */
function isApart(
  { given, near, divergence }: Pick<GroupVariant, "given" | "near" | "divergence">,
  check: Value,
): boolean {
  if (check.op !== "check" || check.aux.space === "local") return false;
  const offsets = near.get(check);
  if (offsets) return offsets.every((n, k) => n === 2 * WORD * k);
  const { stride, tried } = accessPattern((v) => divergence.of(v), check);
  if (tried && given?.checks.get(check)) return true;
  return stride !== 0 && stride !== WORD;
}

/** Bytes between lanes that are known to be so near each other that one vector holds what all access. */
function closeStride({ near, divergence }: GroupVariant, check: Value): number | undefined {
  if (check.op !== "check" || near.get(check)) return undefined;
  const { stride, tried } = accessPattern((v) => divergence.of(v), check);
  return !tried && stride && stride <= VECTOR / LANES ? stride : undefined;
}

/** Whether an access is one of those that are taken together. */
function fits(v: Value, variant: GroupVariant): boolean {
  const { aux, args, type } = v;
  const word = v.op === "load" ? v : args[1];
  if (type !== NONE && variant.divergence.of(v).kind !== VARYING) return false;
  if (aux.ordered || !(word.type === I32 || word.type === F32)) return false;
  if (aux.size === WORD) return isApart(variant, args[0]);
  return (aux.size as number) < (closeStride(variant, args[0]) ?? 0);
}

/** What loads and stores may not be moved past. */
const parts = (v: Value) =>
  hasEffect(v) || /^(phi_move|out|leave|any|all|mask_|group_|owned_|store_)/.test(v.op);

const offsetOf = (v: Value) => v.aux.offset as number;
const sizeOf = (v: Value) => v.aux.size as number;

function loadsTogether(block: Block, variant: GroupVariant): boolean {
  let open = new Map<Value, Value[]>();
  const runs: Value[][] = [];
  for (const v of block.values) {
    if (v.op === "load" && fits(v, variant)) {
      const run = open.get(v.args[0]);
      if (run) run.push(v);
      else {
        open.set(v.args[0], [v]);
        runs.push(open.get(v.args[0]) as Value[]);
      }
    } else if (v.op !== "check" && parts(v)) open = new Map();
  }
  const inFront = new Map<Value, Value[]>();
  for (const run of runs) {
    const made = structuresOf(run, variant);
    if (made.length > 0) inFront.set(run[0], made);
  }
  block.values = block.values.flatMap((v) => [...(inFront.get(v) ?? []), v]);
  return inFront.size > 0;
}

/** Makes loads of one check words of structures, which are loaded where the first of them is. */
function structuresOf(run: readonly Value[], variant: GroupVariant): Value[] {
  const left = run.toSorted((a, b) => offsetOf(a) - offsetOf(b));
  const [check] = run[0].args;
  if (sizeOf(run[0]) < WORD) return byteStructures(left, variant);
  const made: Value[] = [];
  while (left.length > 0) {
    let offset = offsetOf(left[0]);
    const own = left.filter(
      (v) => offsetOf(v) - offset < VECTOR && (offsetOf(v) - offset) % WORD === 0,
    );
    left.splice(0, left.length, ...left.filter((v) => !own.includes(v)));
    let size = offsetOf(own[own.length - 1]) + WORD - offset;
    if (size === WORD) continue; // one word
    if (size > 2 * WORD && size < VECTOR) {
      // A whole vector, if what is checked has room for it. Of several groups at once the first one's check
      // says nothing of where the others load.
      const from = check.aux.offset as number;
      const end = from + (check.aux.size as number);
      const inside = offset >= from && offset + size <= end;
      if (inside && offset + VECTOR <= end) size = VECTOR;
      else if (inside && offset + size - VECTOR >= from) {
        [offset, size] = [offset + size - VECTOR, VECTOR];
      }
    }
    made.push(makeStructures(own, offset, { size, offset }, variant));
  }
  return made;
}

/** Makes loads words of one load of structures from `offset` on, which is returned. */
function makeStructures(
  words: readonly Value[],
  offset: number,
  aux: Aux,
  variant: GroupVariant,
): Value {
  const structures = new Value("structures", I32, [words[0].args[0]], 0, 0n, aux);
  variant.divergence.shapes.set(structures, varying);
  keepCopy(variant, words[0], structures);
  for (const v of words) {
    v.imm = offsetOf(v) - offset;
    v.op = "structure_word";
    v.args = [structures];
    v.aux = { size: v.aux.size };
  }
  return structures;
}

/** Accesses of bytes, those of lowest addresses first, by which of the lanes' structures they are of. */
function byStructure(sorted: readonly Value[], stride: number): Value[][] {
  const lists: Value[][] = [];
  const lowest = offsetOf(sorted[0]);
  for (const v of sorted) {
    const which = Math.floor((offsetOf(v) - lowest) / stride);
    const from = lowest + which * stride;
    if (offsetOf(v) + sizeOf(v) > from + stride) continue; // lies in two of them
    lists[which] = [...(lists[which] ?? []), v];
  }
  return lists.filter((list) => list !== undefined);
}

/** Makes loads of bytes parts of one vector's; as much is loaded as the last lane's last byte needs. */
function byteStructures(sorted: readonly Value[], variant: GroupVariant): Value[] {
  const stride = closeStride(variant, sorted[0].args[0]) as number;
  return byStructure(sorted, stride).map((own) => {
    const offset = offsetOf(own[0]);
    const size = Math.max(...own.map((v) => offsetOf(v) + sizeOf(v))) - offset;
    return makeStructures(own, offset, { size, offset, stride }, variant);
  });
}

function keepCopy({ copyOf }: GroupVariant, from: Value, to: Value): void {
  const copy = copyOf.get(from);
  if (copy !== undefined) copyOf.set(to, copy);
}

function storesTogether(block: Block, variant: GroupVariant): boolean {
  const runs: Value[][] = [];
  let open: Value[] = [];
  for (const v of block.values) {
    const [check] = v.args;
    if (v.op === "store" && fits(v, variant)) {
      const own = open[0]?.args[0] === check && open.every((o) => offsetOf(o) !== offsetOf(v));
      if (own) open.push(v);
      else {
        open = [v];
        runs.push(open);
      }
    } else if (parts(v) || /^(load|structures)$/.test(v.op)) open = [];
  }
  const instead = new Map<Value, Value[]>();
  for (const run of runs) {
    const made = storesOf(run, variant);
    if (!made) continue;
    for (const v of run) instead.set(v, []);
    instead.set(run[run.length - 1], made);
  }
  block.values = block.values.flatMap((v) => instead.get(v) ?? [v]);
  return instead.size > 0;
}

/** Stores of one check as stores of structures; undefined if no two of them are neighbours. */
function storesOf(run: readonly Value[], variant: GroupVariant): Value[] | undefined {
  const left = run.toSorted((a, b) => offsetOf(a) - offsetOf(b));
  if (sizeOf(run[0]) < WORD) return byteStores(left, variant);
  const made: Value[] = [];
  for (let from = 0; from < left.length; ) {
    let to = from + 1;
    const next = (k: number) => k < left.length && k - from < VECTOR / WORD;
    while (next(to) && offsetOf(left[to]) === offsetOf(left[to - 1]) + WORD) to++;
    const own = left.slice(from, to);
    from = to;
    if (own.length === 1) {
      made.push(own[0]);
      continue;
    }
    made.push(storeTogether(own, { size: own.length * WORD }, variant));
  }
  return made.length < run.length ? made : undefined;
}

function storeTogether(own: readonly Value[], more: Aux, variant: GroupVariant): Value {
  const [first] = own;
  const args = [first.args[0], ...own.map((v) => v.args[1])];
  const stores = new Value("store_structures", NONE, args, 0, 0n, { ...first.aux, ...more });
  keepCopy(variant, first, stores);
  return stores;
}

/** Stores of bytes that fill lanes' structures as stores of vectors; undefined if none do. */
function byteStores(sorted: readonly Value[], variant: GroupVariant): Value[] | undefined {
  const stride = closeStride(variant, sorted[0].args[0]) as number;
  const left = new Set(sorted);
  const made: Value[] = [];
  for (const own of byStructure(sorted, stride)) {
    const starts = own.map((v) => offsetOf(v) - offsetOf(own[0]));
    const ends = own.map((v, k) => starts[k] + sizeOf(v));
    if (ends.at(-1) !== stride || starts.some((at, k) => k > 0 && at !== ends[k - 1])) continue;
    for (const v of own) left.delete(v);
    made.push(storeTogether(own, { size: stride, stride, starts }, variant));
  }
  return made.length > 0 ? [...left, ...made] : undefined;
}
