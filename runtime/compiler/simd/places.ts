import { I64, type Value } from "../ir/ir.ts";

/** Sums of more terms than this are not taken apart. */
const MAX_TERMS = 16;

/**
 * A value as a sum of products, modulo 2³²: the factors of each product, by their numbers in ascending order,
 * and what it is multiplied with. The empty product's is the constant.
 */
type Sum = ReadonlyMap<string, number>;

/** Where an access goes to: whatever it depends on, and a number of bytes that is added (32 bits, signed). */
export interface Place {
  key: string;
  offset: number;
}

/**
 * Finds accesses of the same memory, or that lie at a known distance from one another, however their
 * addresses are computed: `(y + 1) * n + x` and `y * n + x + n`. What counts of an address are its lower
 * 32 bits, in which no sum or product wraps apart.
 */
export class Places {
  private readonly sums = new Map<Value, Sum>();

  /** The place of a load or store of generic memory whose check passes in any case. */
  of({ args: [check], aux }: Value): Place {
    const [base, index] = check.args;
    const scale = single(check.aux.scale ?? 1);
    const whole = index ? add(this.sum(base), product(this.sum(index), scale), 1) : this.sum(base);
    const offset = ((whole.get("") ?? 0) + (aux.offset as number)) | 0;
    const terms = [...whole].filter(([factors]) => factors !== "");
    const key = terms.map(([factors, n]) => `${n}*${factors}`).sort();
    return { key: key.join(" + "), offset };
  }

  private sum(v: Value): Sum {
    const known = this.sums.get(v);
    if (known) return known;
    const found = this.find(v);
    const sum = found && found.size <= MAX_TERMS ? found : new Map([[String(v.id), 1]]);
    this.sums.set(v, sum);
    return sum;
  }

  private find(v: Value): Sum | undefined {
    const [a, b] = v.args;
    switch (v.op.replace(/^i(32|64)_|_.$/g, "")) {
      case "const":
        return single(v.type === I64 ? Number(BigInt.asIntN(32, v.big)) : v.imm);
      case "add":
        return add(this.sum(a), this.sum(b), 1);
      case "sub":
        return add(this.sum(a), this.sum(b), -1);
      case "mul":
        return product(this.sum(a), this.sum(b));
      case "shl": {
        const by = v.type === I64 ? Number(b.big & 63n) : b.imm & 31;
        return b.op === "const" ? product(this.sum(a), single(by < 32 ? 1 << by : 0)) : undefined;
      }
      case "extend_i32":
      case "wrap_i64":
        return this.sum(a);
    }
    return undefined;
  }
}

const single = (n: number): Sum => new Map([["", n]]);

function add(a: Sum, b: Sum, sign: 1 | -1): Sum {
  const sum = new Map(a);
  for (const [factors, n] of b) put(sum, factors, Math.imul(n, sign));
  return sum;
}

function product(a: Sum, b: Sum): Sum {
  const sum = new Map<string, number>();
  for (const [left, n] of a) {
    for (const [right, m] of b) {
      const factors = [...left.split(" "), ...right.split(" ")].filter((f) => f !== "");
      put(sum, factors.sort().join(" "), Math.imul(n, m));
    }
  }
  return sum;
}

/** Adds a product to a sum; one that cancels out is gone. */
function put(sum: Map<string, number>, factors: string, n: number): void {
  const total = ((sum.get(factors) ?? 0) + n) | 0;
  if (total === 0) sum.delete(factors);
  else sum.set(factors, total);
}
