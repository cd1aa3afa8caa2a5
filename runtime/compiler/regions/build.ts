import { reversePostorder } from "../analysis/graph.ts";
import {
  Block,
  type Cut,
  type CutState,
  type LoweredFunction,
  NO_AUX,
  type Region,
  successors,
  type Terminator,
  Value,
} from "../ir/ir.ts";
import { crossCuts } from "./crossing.ts";
import { makeReducible } from "./irreducible.ts";
import { bits } from "./liveness.ts";
import type { Rematerializer } from "./remat.ts";

/** What lives across the cuts of a function. */
export interface AcrossCuts {
  /** The registers that are live where each block starts (`liveRegisters`). */
  readonly live: Uint32Array[];
  /** Those that are computed again. */
  readonly remat: Rematerializer;
}

/**
 * Grows the region behind `from` (or the function's start): clones the blocks reachable without
 * crossing a cut and brings them into SSA form, after Braun et al., "Simple and Efficient
 * Construction of Static Single Assignment Form" (2013). Registers that live on from before the
 * region become `reload` operations in its start block, or are computed again.
 * @param across of a function with cuts
 * @param crossed cuts that don't end the region: their operations become values of it
 */
export function buildRegion(
  fn: LoweredFunction,
  from: Cut | undefined,
  across: AcrossCuts | undefined,
  crossed: ReadonlySet<Cut>,
): Region {
  return new RegionBuilder(fn, from, across, crossed).run();
}

class RegionBuilder {
  private readonly fn: LoweredFunction;
  private readonly from: Cut | undefined;
  private readonly across: AcrossCuts | undefined;
  private readonly crossed: ReadonlySet<Cut>;
  private readonly start = new Block(0);
  private readonly reloads = new Map<number, Value>();
  /** Values computed again, by the number of their definition. */
  private readonly computed = new Map<number, Value>();
  private readonly defs = new Map<Block, Map<number, Value>>();
  private readonly sealed = new Set<Block>();
  private readonly incomplete = new Map<Block, Map<number, Value>>();
  private readonly phis: Value[] = [];
  private readonly forward = new Map<Value, Value>();
  private blockCount = 1;

  constructor(
    fn: LoweredFunction,
    from: Cut | undefined,
    across: AcrossCuts | undefined,
    crossed: ReadonlySet<Cut>,
  ) {
    this.fn = fn;
    this.from = from;
    this.across = across;
    this.crossed = crossed;
  }

  run(): Region {
    const own = this.from ? this.from.next : this.fn.entry;
    const sources = this.clonePlan(crossCuts(own, this.crossed, this.fn.registers));
    const [first] = sources;
    const clones = new Map<Block, Block>();
    for (const s of sources) {
      const clone = new Block(this.blockCount++);
      clone.line = s.line;
      clones.set(s, clone);
    }
    const cloneOf = (b: Block) => clones.get(b) as Block;
    this.start.terminator = { kind: "jump", target: cloneOf(first) };
    cloneOf(first).preds.push(this.start);
    for (const s of sources) for (const t of successors(s)) cloneOf(t).preds.push(cloneOf(s));
    this.sealed.add(this.start);
    this.defs.set(this.start, new Map());
    const done = new Set<Block>([this.start]);
    for (const s of sources) {
      const clone = cloneOf(s);
      if (clone.preds.every((p) => done.has(p))) this.sealed.add(clone);
      this.fill(s, clone, cloneOf);
      done.add(clone);
      for (const t of successors(s)) this.trySeal(cloneOf(t), done);
    }
    for (const s of sources) this.trySeal(cloneOf(s), done);
    const blocks = [this.start, ...sources.map(cloneOf)];
    this.removeTrivialPhis(blocks);
    return { entry: this.from?.entry ?? 1, from: this.from, start: this.start, blocks };
  }

  /** The register-form blocks of the region in reverse postorder, reducible. */
  private clonePlan(first: Block): Block[] {
    const copies = new Map<Block, Block>();
    const order = reversePostorder(first);
    const seen = new Set<Block>();
    const cyclic = order.some((b) => {
      seen.add(b);
      return successors(b).some((s) => seen.has(s));
    });
    if (!cyclic) return order;
    // There are cycles: work on a shallow copy, so that dispatch blocks stay this region's own.
    for (const b of order) {
      const copy = new Block(b.id);
      copy.line = b.line;
      copy.values = b.values;
      copies.set(b, copy);
    }
    for (const b of order) {
      (copies.get(b) as Block).terminator = mapTargets(
        b.terminator as Terminator,
        (t) => copies.get(t) as Block,
      );
    }
    const start = copies.get(first) as Block;
    const root = new Block(-1);
    root.terminator = { kind: "jump", target: start };
    makeReducible(root, this.fn, () => new Block(-1));
    return reversePostorder(root).slice(1);
  }

  private fill(source: Block, clone: Block, cloneOf: (b: Block) => Block): void {
    const map = new Map<Value, Value>();
    const defs = new Map<number, Value>();
    this.defs.set(clone, this.defs.get(clone) ?? defs);
    const own = this.defs.get(clone) as Map<number, Value>;
    const value = (v: Value) => map.get(v) as Value;
    for (const v of source.values) {
      if (v.op === "regread") map.set(v, this.read(v.imm, clone));
      else if (v.op === "regwrite") own.set(v.imm, value(v.args[0]));
      else {
        const copy = new Value(v.op, v.type, v.args.map(value), v.imm, v.big, v.aux);
        clone.values.push(copy);
        map.set(v, copy);
      }
    }
    const t = source.terminator as Terminator;
    if (t.kind === "branch") {
      const cond = value(t.cond);
      clone.terminator = { kind: "branch", cond, yes: cloneOf(t.yes), no: cloneOf(t.no) };
    } else if (t.kind === "switch") {
      clone.terminator = { kind: "switch", index: value(t.index), targets: t.targets.map(cloneOf) };
    } else if (t.kind === "cut") {
      clone.terminator = { kind: "cut", cut: t.cut, state: this.cutState(t.cut, clone, value) };
    } else clone.terminator = mapTargets(t, cloneOf);
  }

  private cutState(cut: Cut, block: Block, value: (v: Value) => Value): CutState {
    const { live, remat } = this.across as AcrossCuts;
    const given = new Set(cut.destinations.map((d) => d.register));
    const spills: CutState["spills"] = [];
    for (const register of bits(live[cut.next.id])) {
      if (given.has(register) || remat.has(register, cut)) continue;
      spills.push({ register, value: this.read(register, block) });
    }
    return { spills, operands: cut.operands.map(value), sources: cut.sources.map(value) };
  }

  private read(register: number, block: Block): Value {
    // Walk up single-predecessor chains without recursion.
    let b = block;
    for (;;) {
      const known = this.defs.get(b)?.get(register);
      if (known) {
        if (b !== block) this.defOf(block).set(register, known);
        return known;
      }
      if (b === this.start) {
        const v = this.reload(register);
        this.defOf(block).set(register, v);
        return v;
      }
      if (!this.sealed.has(b) || b.preds.length !== 1) break;
      b = b.preds[0];
    }
    const phi = new Value("phi", this.fn.registers[register].type, []);
    phi.block = b;
    this.phis.push(phi);
    b.values.unshift(phi);
    this.defOf(b).set(register, phi);
    if (!this.sealed.has(b)) {
      const list = this.incomplete.get(b) ?? new Map<number, Value>();
      list.set(register, phi);
      this.incomplete.set(b, list);
    } else phi.args = b.preds.map((p) => this.read(register, p));
    if (b !== block) this.defOf(block).set(register, phi);
    return phi;
  }

  private defOf(block: Block): Map<number, Value> {
    let defs = this.defs.get(block);
    if (!defs) {
      defs = new Map();
      this.defs.set(block, defs);
    }
    return defs;
  }

  private trySeal(block: Block, done: Set<Block>): void {
    if (this.sealed.has(block) || !block.preds.every((p) => done.has(p))) return;
    this.sealed.add(block);
    for (const [register, phi] of this.incomplete.get(block) ?? []) {
      phi.args = block.preds.map((p) => this.read(register, p));
    }
    this.incomplete.delete(block);
  }

  /** The value that a register has at the region's start. */
  private reload(register: number): Value {
    const known = this.reloads.get(register);
    if (known) return known;
    const { type } = this.fn.registers[register];
    let v: Value;
    const slot = this.from?.destinations.findIndex((d) => d.register === register) ?? -1;
    if (slot >= 0) v = new Value("result", type, [], slot);
    else if (this.from && this.across?.remat.has(register, this.from)) {
      const { remat } = this.across;
      const other = (r: number) => this.reload(r);
      v = remat.compute(register, this.from, this.start.values, this.computed, other);
      this.reloads.set(register, v);
      return v;
    } else if (this.from) v = new Value("reload", type, [], register);
    else v = new Value("const", type, [], 0, 0n, NO_AUX); // never written: undefined, here zero
    this.start.values.push(v);
    this.reloads.set(register, v);
    return v;
  }

  private resolve(v: Value): Value {
    let to = v;
    for (let next = this.forward.get(to); next; next = this.forward.get(to)) to = next;
    return to;
  }

  /** Removes phis whose arguments are all one value (or the phi itself), until none is left. */
  private removeTrivialPhis(blocks: Block[]): void {
    for (let changed = true; changed; ) {
      changed = false;
      for (const phi of this.phis) {
        if (this.forward.has(phi)) continue;
        let same: Value | undefined;
        let trivial = true;
        for (const a of phi.args) {
          const r = this.resolve(a);
          if (r === phi || r === same) continue;
          if (same) {
            trivial = false;
            break;
          }
          same = r;
        }
        if (!trivial || !same) continue;
        this.forward.set(phi, same);
        changed = true;
      }
    }
    const fix = (v: Value) => this.resolve(v);
    for (const b of blocks) {
      b.values = b.values.filter((v) => !this.forward.has(v));
      for (const v of b.values) v.args = v.args.map(fix);
      const t = b.terminator;
      if (t?.kind === "branch") t.cond = fix(t.cond);
      else if (t?.kind === "switch") t.index = fix(t.index);
      else if (t?.kind === "cut" && t.state) {
        t.state.operands = t.state.operands.map(fix);
        t.state.sources = t.state.sources.map(fix);
        for (const s of t.state.spills) s.value = fix(s.value);
        // What was loaded and not changed is still in its slot.
        t.state.spills = t.state.spills.filter(
          (s) => !(s.value.op === "reload" && s.value.imm === s.register),
        );
      }
    }
  }
}

function mapTargets(t: Terminator, to: (b: Block) => Block): Terminator {
  if (t.kind === "jump") return { kind: "jump", target: to(t.target) };
  if (t.kind === "branch") return { ...t, yes: to(t.yes), no: to(t.no) };
  if (t.kind === "switch") return { ...t, targets: t.targets.map(to) };
  return t;
}
