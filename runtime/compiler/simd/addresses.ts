import { I32, I64, type Region, Value } from "../ir/ir.ts";
import type { Divergence } from "./divergence.ts";
import { LANES, type Shape, transfer, UNIFORM, uniform, VARYING, varying } from "./shapes.ts";

/** A 64-bit value as base + extend(index) × scale, with a uniform base and a varying index. */
interface Form {
  /** Uniform I64; undefined is 0. */
  base: Value | undefined;
  index: Value;
  signed: boolean;
  scale: number;
}

const MAX_SCALE = 1 << 16;

/**
 * Finds the addresses of the form uniform + index × constant, and gives them to their checks as
 * `check(base, index)`. The 64-bit vectors that computed them fall away: what is left is a scalar
 * base and a 32-bit index. Pointers that a loop moves along are followed through their phis.
 */
export function splitAddresses(region: Region, d: Divergence): void {
  const refused = new Set<Value>();
  // A phi taken on trust that turns out wrong is refused, and the search starts again.
  for (let round = 0; round < 16; round++) {
    const search = new Search(region, d, refused);
    if (search.run()) {
      search.apply();
      return;
    }
  }
}

class Search {
  private readonly region: Region;
  private readonly d: Divergence;
  private readonly refused: Set<Value>;
  private readonly forms = new Map<Value, Form>();
  private readonly trusted: { phi: Value; base: Value; form: Form }[] = [];
  /** New values, by the value that they go in front of. */
  private readonly inserted = new Map<Value, Value[]>();

  constructor(region: Region, d: Divergence, refused: Set<Value>) {
    this.region = region;
    this.d = d;
    this.refused = refused;
  }

  run(): boolean {
    for (const block of this.d.graph.order) {
      for (const v of block.values) {
        if (v.type !== I64 || this.d.of(v).kind !== VARYING) continue;
        const form = v.op === "phi" ? this.phi(v, this.d.isJoin(block)) : this.form(v);
        if (form) this.forms.set(v, form);
      }
    }
    let ok = true;
    for (const { phi, base, form } of this.trusted) {
      const forms = phi.args.map((a) => this.forms.get(a));
      const same = forms.every(
        (f) => f && f.index === form.index && f.signed === form.signed && f.scale === form.scale,
      );
      if (!same) {
        this.refused.add(phi);
        ok = false;
      } else base.args = forms.map((f) => (f as Form).base ?? this.zero());
    }
    return ok;
  }

  private zeroValue: Value | undefined;

  private zero(): Value {
    if (!this.zeroValue) {
      this.zeroValue = new Value("const", I64, [], 0, 0n);
      this.d.shapes.set(this.zeroValue, uniform);
    }
    return this.zeroValue;
  }

  private phi(v: Value, divergentJoin: boolean): Form | undefined {
    if (this.refused.has(v) || divergentJoin) return undefined;
    const known = v.args.map((a) => this.forms.get(a)).find((f) => f);
    if (!known) return undefined;
    const base = new Value("phi", I64, []);
    const form = { ...known, base };
    this.trusted.push({ phi: v, base, form });
    return form;
  }

  private uniform(v: Value): boolean {
    return this.d.of(v).kind === UNIFORM;
  }

  private put(before: Value, op: string, a: Value, b: Value): Value {
    const v = new Value(op, I64, [a, b]);
    this.insert(before, v, uniform);
    return v;
  }

  private insert(before: Value, v: Value, shape: Shape): void {
    this.d.shapes.set(v, shape);
    const list = this.inserted.get(before);
    if (list) list.push(v);
    else this.inserted.set(before, [v]);
  }

  private form(v: Value): Form | undefined {
    const [a, b] = v.args;
    switch (v.op) {
      case "i64_extend_i32_s":
      case "i64_extend_i32_u":
        return { base: undefined, index: a, signed: v.op.endsWith("_s"), scale: 1 };
      case "i64_and": {
        // The mask of an extended index is a mask of the index.
        if (a.op !== "i64_extend_i32_u" || b.op !== "const" || b.big < 0n || b.big >> 31n !== 0n) {
          return undefined;
        }
        const mask = new Value("const", I32, [], Number(b.big));
        const index = new Value("i32_and", I32, [a.args[0], mask]);
        this.insert(v, mask, uniform);
        const { d } = this;
        const context = { block: [1, 1, 1] as const, lanes: LANES, register: () => varying };
        this.insert(v, index, transfer(index, { ...context, of: (x) => d.of(x) }));
        return { base: undefined, index, signed: false, scale: 1 };
      }
      case "i64_add": {
        const [f, g] = [this.forms.get(a), this.forms.get(b)];
        if (f && this.uniform(b)) return { ...f, base: this.sum(v, f.base, b) };
        if (g && this.uniform(a)) return { ...g, base: this.sum(v, g.base, a) };
        if (f && g && f.index === g.index && f.signed === g.signed) {
          const base = f.base && g.base ? this.sum(v, f.base, g.base) : (f.base ?? g.base);
          return { ...f, base, scale: f.scale + g.scale };
        }
        return undefined;
      }
      case "i64_sub": {
        const f = this.forms.get(a);
        if (!f || !this.uniform(b)) return undefined;
        return { ...f, base: this.put(v, "i64_sub", f.base ?? this.zero(), b) };
      }
      case "i64_shl":
      case "i64_mul": {
        const f = this.forms.get(a);
        if (!f || b.op !== "const") return undefined;
        const by = v.op === "i64_mul" ? b.big : 1n << (b.big & 63n);
        const scale = BigInt(f.scale) * by;
        if (scale <= 0n || scale > MAX_SCALE) return undefined;
        return { ...f, base: f.base && this.put(v, v.op, f.base, b), scale: Number(scale) };
      }
      default:
        return undefined;
    }
  }

  private sum(at: Value, a: Value | undefined, b: Value): Value {
    return a ? this.put(at, "i64_add", a, b) : b;
  }

  apply(): void {
    const bases = new Map(this.trusted.map((t) => [t.phi, t.base]));
    for (const block of this.region.blocks) {
      const values: Value[] = [];
      for (const v of block.values) {
        const base = bases.get(v);
        if (base) {
          this.d.shapes.set(base, uniform);
          values.push(base);
        }
        values.push(...(this.inserted.get(v) ?? []));
        values.push(v);
        if (v.op !== "check" || v.aux.space !== "generic") continue;
        const form = this.forms.get(v.args[0]);
        if (!form || form.index.type !== I32) continue;
        v.args = [form.base ?? this.zero(), form.index];
        v.aux = { ...v.aux, signed: form.signed, scale: form.scale };
      }
      block.values = values;
    }
    if (this.zeroValue) this.region.start.values.unshift(this.zeroValue);
  }
}

/** 32 × 32 → 64-bit products of varying operands become one operation, which v128 has. */
export function fuseProducts(region: Region, d: Divergence): void {
  for (const block of region.blocks) {
    for (const v of block.values) {
      if (v.op !== "i64_mul" || d.of(v).kind !== VARYING) continue;
      const [a, b] = v.args;
      if (a.op !== b.op || !a.op.startsWith("i64_extend_i32")) continue;
      v.op = a.op.endsWith("_s") ? "i64_extmul_s" : "i64_extmul_u";
      v.args = [a.args[0], b.args[0]];
    }
  }
}
