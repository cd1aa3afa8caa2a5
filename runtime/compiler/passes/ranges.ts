import { Graph, type Loop, reversePostorder } from "../analysis/graph.ts";
import { Block, I1, I32, I64, NONE, type Region, retarget, type Type, Value } from "../ir/ir.ts";
import { replaceAll } from "./branches.ts";
import { plainSum, stepOf } from "./sums.ts";
import {
  type CountTrips,
  constant,
  isOutside,
  MAX_STEP,
  type Make,
  tripsOf,
} from "./trip-counts.ts";

/** Operations of a loop beyond which the copy costs more than it can gain. */
const MAX_VALUES = 256;
/** Tests in front of a loop beyond which they cost more than they are likely to save. */
const MAX_RANGES = 8;

/**
 * Tests the addresses that a loop moves along once in front of it: where all of them are inside of
 * memory, a copy of the loop runs that doesn't test them again. Otherwise the loop runs as it was, and
 * finds the address at fault.
 */
export function testRanges(region: Region): void {
  for (const done = new Set<Block>(); ; ) {
    const graph = new Graph(region.start);
    const inner = graph.loops.find((l) => {
      return !done.has(graph.order[l.header]) && !graph.loops.some((x) => x.parent === l);
    });
    if (!inner) return;
    done.add(graph.order[inner.header]);
    const counted = graph.irreducible ? undefined : countedLoop(graph, inner);
    if (!counted) continue;
    const ranges = findRanges(counted);
    if (ranges.length > 0) done.add(new Version(region, counted).make(ranges));
  }
}

/**
 * Rounds that are not counted one by one: a launch that is stopped ends within these. A loop with more of
 * them runs as it was.
 */
const MAX_ROUNDS = 1 << 20;
/** Steps in bytes with which so many rounds don't come round to the same 32 bits. */
const MAX_SHORT_STEP = 1n << 12n;
/** A unit of fuel is for 16 rounds, as a logarithm. */
const FUEL_SHIFT = 4n;

/** A loop that is left at the end of a round only, and whose rounds are known in front of it. */
interface CountedLoop {
  blocks: Block[];
  inside: Set<Block>;
  header: Block;
  latch: Block;
  entry: Block;
  exit: Block;
  rounds: CountTrips;
}

/** A check whose address moves by a constant in each round. */
interface AddressRange {
  check: Value;
  step: bigint;
  /** Extended indices of 32 bits in the address: these must not wrap. */
  indices: Value[];
}

function countedLoop(graph: Graph, loop: Loop): CountedLoop | undefined {
  const blocks = loop.blocks.map((k) => graph.order[k]).sort((a, b) => at(graph, a) - at(graph, b));
  const inside = new Set(blocks);
  const header = graph.order[loop.header];
  if (header.preds.length !== 2) return undefined;
  const latch = header.preds.find((p) => inside.has(p));
  const entry = header.preds.find((p) => !inside.has(p));
  if (!latch || !entry || blocks.reduce((n, b) => n + b.values.length, 0) > MAX_VALUES)
    return undefined;
  for (const b of blocks) {
    const t = b.terminator;
    if (t?.kind !== "branch" && t?.kind !== "jump") return undefined;
    const to = t.kind === "jump" ? [t.target] : [t.yes, t.no];
    if (b !== latch && to.some((x) => !inside.has(x))) return undefined;
  }
  const t = latch.terminator;
  if (t?.kind !== "branch" || t.yes === t.no) return undefined;
  const exit = t.yes === header ? t.no : t.yes;
  if (inside.has(exit)) return undefined;
  const rounds = tripsOf(header, latch, t.cond, t.yes === header, inside);
  return rounds && { blocks, inside, header, latch, entry, exit, rounds };
}

const at = (graph: Graph, b: Block) => graph.index.get(b) as number;

/** The checks of a loop that one test in front of it can stand for. */
function findRanges({ blocks, inside, header, latch }: CountedLoop): AddressRange[] {
  const ranges: AddressRange[] = [];
  const back = header.preds.indexOf(latch);
  const steps = new Map<Value, bigint>();
  for (const phi of header.values) {
    if (phi.op !== "phi") break;
    const step = stepOf(phi, phi.args[back]);
    if (step !== undefined) steps.set(phi, step);
  }
  for (const b of blocks) {
    for (const check of b.values) {
      if (check.op !== "check" || check.aux.space !== "generic") continue;
      const range = rangeOf(check, steps, inside);
      if (range) ranges.push(range);
    }
  }
  return ranges.length <= MAX_RANGES ? ranges : [];
}

/** How a check's address moves in each round, if by a constant. */
function rangeOf(
  check: Value,
  steps: Map<Value, bigint>,
  inside: Set<Block>,
): AddressRange | undefined {
  let step = 0n;
  const indices: Value[] = [];
  for (const [v, n] of plainSum(check.args[0]).terms) {
    const index = /^i64_extend_i32_[su]$/.test(v.op) ? v.args[0] : v;
    const by = steps.get(index);
    if (by !== undefined) {
      step += n * by;
      if (index !== v) indices.push(v);
    } else if (!isOutside(v, inside)) return undefined;
  }
  const { align = 1 } = check.aux;
  if (step === 0n || step > MAX_STEP || step < -MAX_STEP || step % BigInt(align) !== 0n) {
    return undefined;
  }
  return { check, step, indices };
}

/** Operations that an address may be computed by from what moves along. */
const MOVES = /^i64_(add|sub|mul|shl)$/;

/** The copy of a loop that doesn't test what was tested in front of it. */
class Version {
  private readonly region: Region;
  private readonly loop: CountedLoop;
  private readonly test: Block;
  /** In front of the copy. */
  private readonly before: Block;
  private readonly merge: Block;
  private readonly blocks = new Map<Block, Block>();
  private readonly values = new Map<Value, Value>();
  /** Low halves of values that addresses are made of, in the copy. */
  private readonly halves = new Map<Value, Value>();
  /** What moves the addresses along, at the end of a round. */
  private readonly steps: { next: Value; init: Value; step: bigint }[] = [];
  private nextId: number;

  constructor(region: Region, loop: CountedLoop) {
    this.region = region;
    this.loop = loop;
    this.nextId = Math.max(...region.blocks.map((b) => b.id)) + 1;
    this.test = this.block(loop.header.line);
    this.before = this.block(loop.header.line);
    this.merge = this.block(loop.exit.line);
  }

  /** Returns the copy's header. */
  make(ranges: AddressRange[]): Block {
    const { blocks, header, latch, entry, exit } = this.loop;
    for (const b of blocks) this.blocks.set(b, this.block(b.line));
    const checks = new Set(ranges.map((r) => r.check));
    for (const b of blocks) {
      for (const v of b.values) {
        if (!checks.has(v)) this.values.set(v, new Value(v.op, v.type, [], v.imm, v.big, v.aux));
      }
    }
    for (const b of blocks) this.fill(b, checks);
    for (const b of blocks) this.connect(b, checks);
    const fast = this.of(header);
    const to = (b: Block) => (b === entry ? this.before : (this.blocks.get(b) ?? b));
    for (const b of blocks) this.of(b).preds = b.preds.map(to);
    this.endByAddress(fast, this.writeTest(ranges, fast));
    fast.paid = true;
    retarget(entry, (b) => (b === header ? this.test : b));
    this.test.preds = [entry];
    header.preds = header.preds.map((p) => (p === entry ? this.test : p));
    // Both leave by way of one block, which chooses between their values.
    this.merge.preds = [latch, this.of(latch)];
    this.merge.terminator = { kind: "jump", target: exit };
    for (const p of this.merge.preds) retarget(p, (b) => (b === exit ? this.merge : b));
    exit.preds = exit.preds.map((p) => (p === latch ? this.merge : p));
    this.chooseOutside();
    this.region.blocks = reversePostorder(this.region.start);
    return fast;
  }

  private block(line: number): Block {
    const b = new Block(this.nextId++);
    b.line = line;
    return b;
  }

  private of(b: Block): Block {
    return this.blocks.get(b) as Block;
  }

  private readonly again = (v: Value): Value => this.values.get(v) ?? v;

  private readonly makeTest: Make = (op, type, ...args) => place(this.test, op, type, args);

  private fill(b: Block, checks: Set<Value>): void {
    const copy = this.of(b);
    for (const v of b.values) {
      if (checks.has(v)) this.values.set(v, this.half(v.args[0], copy));
      else {
        const c = this.again(v);
        c.block = copy;
        copy.values.push(c);
      }
    }
  }

  /** Gives the copies of a block their operands and the copied block its end. */
  private connect(b: Block, checks: Set<Value>): void {
    const copy = this.of(b);
    for (const v of b.values) {
      if (!checks.has(v)) this.again(v).args = v.args.map(this.again);
    }
    const t = b.terminator;
    const to = (x: Block) => this.blocks.get(x) ?? x;
    if (t?.kind === "jump") copy.terminator = { kind: "jump", target: to(t.target) };
    else if (t?.kind === "branch") {
      copy.terminator = { ...t, cond: this.again(t.cond), yes: to(t.yes), no: to(t.no) };
    }
  }

  /** The low 32 bits of an address in the copy, computed in 32 bits where that is possible. */
  private half(v: Value, copy: Block): Value {
    const { header, latch, inside } = this.loop;
    if (v.op === "const") return constant(I32, BigInt.asIntN(32, v.big));
    const known = this.halves.get(v);
    if (known) return known;
    if (isOutside(v, inside)) return this.keepHalf(v, this.makeTest("i32_wrap_i64", I32, v));
    const back = header.preds.indexOf(latch);
    const step = v.op === "phi" && header.values.includes(v) ? stepOf(v, v.args[back]) : undefined;
    if (step !== undefined) {
      const phi = this.keepHalf(v, new Value("phi", I32, []));
      phi.block = this.of(header);
      const init = this.makeTest("i32_wrap_i64", I32, v.args[1 - back]);
      const next = new Value("i32_add", I32, [phi, constant(I32, step)]);
      this.steps.push({ next, init, step });
      phi.args = header.preds.map((p) => (p === latch ? next : init));
      phi.block.values.unshift(phi);
      return phi;
    }
    if (/^i64_extend_i32_[su]$/.test(v.op)) return this.again(v.args[0]);
    if (!MOVES.test(v.op)) return place(copy, "i32_wrap_i64", I32, [this.again(v)]);
    const halves = v.args.map((a) => this.half(a, copy));
    return place(copy, v.op.replace("i64", "i32"), I32, halves);
  }

  private keepHalf(v: Value, half: Value): Value {
    this.halves.set(v, half);
    return half;
  }

  /** Writes the tests and what leads to the copy; returns how many rounds it makes. */
  private writeTest(ranges: AddressRange[], fast: Block): Value {
    const { makeTest } = this;
    const { more, sure } = this.loop.rounds(makeTest);
    const tests = sure ? [sure] : [];
    for (const index of new Set(ranges.flatMap((r) => r.indices))) {
      tests.push(this.staysInRange(index, more));
    }
    const ends = new Map<string, Value>();
    for (const { check, step } of ranges) {
      const { space, size, offset, align } = check.aux;
      const aux = { space, size, offset, align, scale: Number(step) };
      const key = `${size} ${align} ${step < 0n ? -step : step}`;
      let end = ends.get(key);
      if (!end) {
        end = makeTest("range_end", I64, more);
        end.imm = MAX_ROUNDS;
        end.aux = aux;
        ends.set(key, end);
      }
      const test = makeTest("range", I1, this.first(check.args[0]), more, end);
      test.aux = aux;
      tests.push(test);
    }
    const all = tests.reduce((a, b) => makeTest("and1", I1, a, b));
    const { header } = this.loop;
    const not = makeTest("not1", I1, all);
    this.test.terminator = { kind: "branch", cond: not, yes: header, no: this.before };
    header.rare = true;
    this.before.preds = [this.test];
    const { before } = this;
    const last = place(before, "i32_wrap_i64", I32, [more]);
    const units = place(before, "i32_shr_u", I32, [last, constant(I32, FUEL_SHIFT)]);
    place(before, "fuel", NONE, [place(before, "i32_add", I32, [units, constant(I32, 1n)])]);
    before.terminator = { kind: "jump", target: fast };
    return place(before, "i32_add", I32, [last, constant(I32, 1n)]);
  }

  /**
   * The copy goes on until an address is where the range ends, and needs no other count: all that it takes
   * on before are others, with so few rounds and short steps.
   */
  private endByAddress(fast: Block, rounds: Value): void {
    const latch = this.of(this.loop.latch);
    for (const { next } of this.steps) {
      next.block = latch;
      latch.values.push(next);
    }
    const moved = this.steps.find(({ step: by }) => by < MAX_SHORT_STEP && by > -MAX_SHORT_STEP);
    if (!moved) return;
    const { next, init, step } = moved;
    const way = place(this.before, "i32_mul", I32, [rounds, constant(I32, step)]);
    const end = place(this.before, "i32_add", I32, [init, way]);
    const cond = place(latch, "i32_ne", I1, [next, end]);
    latch.terminator = { kind: "branch", cond, yes: fast, no: this.merge };
  }

  /** Whether an index of 32 bits doesn't wrap before it is extended in the last round. */
  private staysInRange(extended: Value, more: Value): Value {
    const { header, latch } = this.loop;
    const [phi] = extended.args;
    const step = stepOf(phi, phi.args[header.preds.indexOf(latch)]) as bigint;
    const way = this.makeTest("i64_mul", I64, more, constant(I64, step));
    let last = this.makeTest("i64_add", I64, this.first(extended), way);
    if (extended.op.endsWith("s")) {
      last = this.makeTest("i64_add", I64, last, constant(I64, 2n ** 31n));
    }
    return this.makeTest("i64_lt_u", I1, last, constant(I64, 2n ** 32n));
  }

  /** An address as it is in the first round. */
  private first(v: Value): Value {
    const { header, latch, inside } = this.loop;
    if (isOutside(v, inside)) return v;
    if (v.op === "phi") return v.args[1 - header.preds.indexOf(latch)];
    return this.makeTest(v.op, v.type, ...v.args.map((a) => this.first(a)));
  }

  /** What is used behind the loop is that of the one that ran. */
  private chooseOutside(): void {
    const { inside, latch } = this.loop;
    const own = new Set(this.loop.blocks.flatMap((b) => b.values));
    const chosen = new Map<Value, Value>();
    const to = (v: Value): Value => {
      if (!own.has(v)) return v;
      let phi = chosen.get(v);
      if (!phi) {
        phi = new Value(
          "phi",
          v.type,
          this.merge.preds.map((p) => (p === latch ? v : this.again(v))),
        );
        phi.block = this.merge;
        chosen.set(v, phi);
      }
      return phi;
    };
    const copies = new Set(this.blocks.values());
    const behind = this.region.blocks.filter(
      (b) => !inside.has(b) && !copies.has(b) && b !== this.test,
    );
    replaceAll(behind, to);
    this.merge.values = [...chosen.values()];
  }
}

function place(block: Block, op: string, type: Type, args: Value[]): Value {
  const v = new Value(op, type, args);
  v.block = block;
  block.values.push(v);
  return v;
}
