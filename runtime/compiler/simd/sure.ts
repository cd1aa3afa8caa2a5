import { Graph } from "../analysis/graph.ts";
import { type Block, hasEffect, I1, I32, NONE, type Region, Value } from "../ir/ir.ts";
import { removeUnreachable, takeSide } from "../passes/branches.ts";
import { constant } from "../passes/fold.ts";
import { Extents, type Reach } from "./extents.ts";
import { Inductions } from "./inductions.ts";
import { allBehind, type Guard, ownAddresses, plainStores } from "./owned.ts";
import { takeQuotients } from "./quotients.ts";
import { takeSelects } from "./selects.ts";
import { LANES } from "./shapes.ts";
import { Strides } from "./strides.ts";
import { type Columns, columnsOf, neededFor, type Touches, worthTouching } from "./touches.ts";

/** What a body may take as given once its tests have passed. */
export interface SureTests {
  /** Values of the block that the tests need, in order; the last is the outcome, an I1. */
  code: Value[];
  /** Checks that pass in every thread, and whether their addresses are linear in its indices. */
  checks: Map<Value, boolean>;
  /** The body runs the threads of several blocks in a row as one: of x it knows only `gtid.x`. */
  flat: boolean;
  /** Registers that live across cuts, loaded before the tests: the same for all threads of the block. */
  steady: readonly Value[];
  /** Parameters that are multiples of four. */
  aligned: ReadonlySet<Value>;
  /** What is touched before the body runs, where the blocks reach more than caches hold. */
  touches: Touches[];
  /** The same for stores of a row of blocks that has rows of threads. */
  columns: Columns | undefined;
  /** Threads go through memory in steps as large as the grid, all the same number of them. */
  strided: boolean;
  /** Which of the code's values the body uses. */
  values: readonly Value[];
  /** What tells that each thread of the launch stores to addresses of its own; the last is the outcome. */
  owned: readonly Value[] | undefined;
}

/** Bodies with more operations than this gain too little from it. */
const MAX_VALUES = 400;

/** Names of what only a block of its own has. */
const OF_ONE_BLOCK = /^(tid\.x$|ctaid\.x$|laneid|warpid|smid|local|shared|stack)/;

/**
 * Finds what can be tested once for all threads of a block, and changes the region to take it as
 * given: address checks, and branches that then all threads take the same way (`if (i >= n) return`
 * in any block but the last, the edge of an image in any block inside).
 * @param region the body's own copy; changed only if something is found
 * @param prologue values of the block
 * @param block threads in x, y, z
 * @param flat whether to look at the threads of several blocks as one row
 */
export function takeAsGiven(
  region: Region,
  prologue: readonly Value[],
  block: readonly [number, number, number],
  flat: boolean,
): SureTests | undefined {
  if ((block[0] * block[1] * block[2]) % LANES !== 0 || !maySure(region)) return undefined;
  const known = new Set(flat ? ofAnyBlock(prologue) : prologue);
  if (flat && !flatten(region, block)) return undefined;
  const span = flat ? new Value("sreg", I32, [], 0, 0n, { name: "span" }) : undefined;
  const graph = new Graph(region.start);
  const stores = flat ? plainStores(region.blocks) : undefined;
  const guards: Guard[] = [];
  const inductions = new Inductions(graph);
  const extents = new Extents(known, block, inductions, span);
  const quotients = takeQuotients(graph, extents, inductions);
  const tests = [...quotients.tests, ...takeSelects(graph, extents, (v) => isKnown(v, known))];
  const strides = new Strides(inductions, extents);
  for (const b of graph.order) {
    const t = b.terminator;
    if (t?.kind !== "branch" || t.yes === t.no || extents.isOfBlock(t.cond)) continue;
    if (inductions.leaving.has(b)) continue;
    const side = likelySide(t.yes, t.no, t.cond) ?? strides.sideOf(t.yes, t.no);
    if (side === undefined) continue;
    const found = extents.always(t.cond, side);
    if (!found) continue;
    tests.push(...found);
    const ends = justEnds(side ? t.no : t.yes);
    if (ends && allBehind(graph, b, stores ?? [])) guards.push({ cond: t.cond, wanted: side });
    takeSide(b, side);
  }
  removeUnreachable(region);
  tests.push(...strides.leaveTogether(region));
  const checks = new Map<Value, boolean>();
  const reaches: Reach[] = [];
  let left = 0;
  for (const b of region.blocks) {
    const inLoop = graph.loopOf[graph.index.get(b) as number] !== undefined;
    for (const v of b.values) {
      if (v.op !== "check") continue;
      const found = extents.passes(v);
      if (!found) {
        left++;
        continue;
      }
      tests.push(...found.tests);
      checks.set(v, found.regular);
      const reach = inLoop || flat ? undefined : extents.reach(v);
      if (reach) reaches.push(reach);
    }
  }
  // Checks that are left cost more than in the fast body, which can start over.
  if (tests.length === 0 || left > checks.size || (flat && !isFlat(region, checks, known)))
    return undefined;
  const distinct = [...new Set([...tests, ...extents.behind])];
  let outcome = distinct[0];
  for (const t of distinct.slice(1)) {
    outcome = new Value("and1", I1, [outcome, t]);
    extents.code.push(outcome);
  }
  const values = usedIn(region, quotients.values);
  const code = neededFor([outcome, ...values], extents.code);
  const [, y, z] = block;
  const single =
    flat && y * z > 1 ? new Extents(known, [1, y, z], inductions, constant(I32, 1)) : undefined;
  const columns = single && columnsOf(region, checks, extents, single, code);
  const touches: Touches[] = [];
  if (worthTouching(block, reaches)) {
    const wanted = reaches.flatMap(({ first, span }) => [first, span]);
    const more = neededFor(wanted, extents.code).filter((v) => !code.includes(v));
    touches.push({ code: more, when: undefined, reaches, shape: [block[0], block[1]] });
  }
  const own =
    stores &&
    ownAddresses(
      stores.map((s) => s.store),
      guards,
      prologue,
      block,
    );
  const owned = own && neededFor([own.outcome], own.code);
  const given = { code, checks, flat, touches, columns, strided: strides.found, values, owned };
  return { ...given, steady: [], aligned: new Set() };
}

function usedIn(region: Region, values: readonly Value[]): Value[] {
  const used = new Set<Value>();
  for (const { values: own, terminator: t } of region.blocks) {
    for (const v of own) for (const a of v.args) used.add(a);
    if (t?.kind === "branch") used.add(t.cond);
  }
  return values.filter((v) => used.has(v));
}

/** Whether a region is small enough for a body more, and no thread in it waits for another. */
export function maySure(region: Region): boolean {
  const count = region.blocks.reduce((n, b) => n + b.values.length, 0);
  return count <= MAX_VALUES && !region.blocks.some((b) => b.values.some((v) => v.op === "spin"));
}

const isKnown = (v: Value, known: Set<Value>) => v.op === "const" || known.has(v);

/** The prologue's values that are the same in the blocks of a row. */
function ofAnyBlock(prologue: readonly Value[]): Value[] {
  const single = new Set<Value>();
  for (const v of prologue) {
    const own = v.op === "sreg" && OF_ONE_BLOCK.test(v.aux.name as string);
    if (own || v.args.some((a) => single.has(a))) single.add(v);
  }
  return prologue.filter((v) => !single.has(v));
}

/**
 * The side that threads are expected to take: not the one where they just end; of a test for
 * equality (`x == 0`) the other one; of a guard that says where a value lies the one that goes on to
 * an access (`if (0 <= x && x < n) sum += p[x]`).
 */
function likelySide(yes: Block, no: Block, cond: Value): boolean | undefined {
  const [endsYes, endsNo] = [justEnds(yes), justEnds(no)];
  if (endsYes !== endsNo) return endsNo;
  for (const side of [true, false]) if (differs(cond, side)) return side;
  for (const side of [true, false]) {
    const guarded = side ? yes : no;
    if (bounds(cond, side) > 1 && guarded.values.some((v) => v.op === "check")) return side;
  }
  return undefined;
}

/** How many bounds a condition that is `wanted` sets, if it does nothing else; else 0. */
function bounds(cond: Value, wanted: boolean): number {
  if (cond.op === "not1") return bounds(cond.args[0], !wanted);
  if (cond.op === (wanted ? "and1" : "or1")) {
    const parts = cond.args.map((a) => bounds(a, wanted));
    return parts.includes(0) ? 0 : parts.reduce((a, b) => a + b);
  }
  if (!/^i(32|64)_(lt|le|gt|ge)_[su]$/.test(cond.op)) return 0;
  return cond.args[0].op === "i32_or" ? 2 : 1;
}

/** Whether a condition that is `wanted` says that values differ. */
function differs(cond: Value, wanted: boolean): boolean {
  if (cond.op === "not1") return differs(cond.args[0], !wanted);
  if (cond.op === (wanted ? "and1" : "or1")) return cond.args.every((a) => differs(a, wanted));
  return new RegExp(wanted ? "^i(32|64)_ne$" : "^i(32|64)_eq$").test(cond.op);
}

/** A block in which a thread only ends. */
export function justEnds(block: Block): boolean {
  let b = block;
  for (let k = 0; k < 4; k++) {
    if (b.values.some((v) => v.op === "phi" || hasEffect(v))) return false;
    if (b.terminator?.kind === "exit") return true;
    if (b.terminator?.kind !== "jump") return false;
    b = b.terminator.target;
  }
  return false;
}

/** Replaces ctaid.x × ntid.x + tid.x by `gtid.x`; false if it doesn't occur. */
function flatten(region: Region, block: readonly [number, number, number]): boolean {
  if (block[0] % LANES !== 0) return false;
  const isRegister = (v: Value, name: string) => v.op === "sreg" && v.aux.name === name;
  const isWidth = (v: Value) =>
    isRegister(v, "ntid.x") || (v.op === "const" && v.type === I32 && v.imm === block[0]);
  const isStart = ({ op, args: [a, b] }: Value): boolean => {
    if (op === "i32_shl") {
      return isRegister(a, "ctaid.x") && b.op === "const" && 2 ** b.imm === block[0];
    }
    if (op !== "i32_mul") return false;
    const [x, y] = isRegister(a, "ctaid.x") ? [a, b] : [b, a];
    return isRegister(x, "ctaid.x") && isWidth(y);
  };
  let found = false;
  for (const b of region.blocks) {
    for (const v of b.values) {
      if (v.op !== "i32_add") continue;
      const [x, y] = v.args;
      const [start, index] = isRegister(y, "tid.x") ? [x, y] : [y, x];
      if (!isRegister(index, "tid.x") || !isStart(start)) continue;
      v.op = "sreg";
      v.args = [];
      v.aux = { name: "gtid.x" };
      found = true;
    }
  }
  return found;
}

/** Whether what is left needs to know nothing of the single block, and cannot fail. */
function isFlat(region: Region, checks: Map<Value, boolean>, known: Set<Value>): boolean {
  if (new Graph(region.start).loops.length > 0) return false;
  const own = new Set(known);
  for (const b of region.blocks) for (const v of b.values) own.add(v);
  const needed = new Set<Value>();
  const work: Value[] = [];
  const need = (v: Value) => {
    if (needed.has(v)) return;
    needed.add(v);
    work.push(v);
  };
  for (const b of region.blocks) {
    for (const v of b.values) if (hasEffect(v)) need(v);
    const t = b.terminator;
    if (t?.kind === "branch") need(t.cond);
    else if (t?.kind !== "jump" && t?.kind !== "exit") return false;
  }
  for (let v = work.pop(); v; v = work.pop()) {
    if (!own.has(v) && v.op !== "const") return false; // of the prologue, and of one block
    if (v.op === "check" && (!checks.has(v) || v.aux.space !== "generic")) return false;
    if (v.op === "sreg" && OF_ONE_BLOCK.test(v.aux.name as string)) return false;
    if (v.type === NONE && v.op !== "store" && v.op !== "fence") return false;
    if (/^(host|call|argument|reload|result)$/.test(v.op)) return false;
    v.args.forEach(need);
  }
  return true;
}
