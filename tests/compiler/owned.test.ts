/**
 * Whether each thread of a launch stores to addresses of its own: what the compiled test says is held
 * against the addresses of all threads, for many shapes and parameters.
 */
import assert from "node:assert/strict";
import { formatReport, reportKernel } from "../../runtime/compiler/index.ts";
import { I32, I64, type Value } from "../../runtime/compiler/ir/ir.ts";
import { RegionMaker } from "../../runtime/compiler/pipeline.ts";
import { groupRegions } from "../../runtime/compiler/simd/group-region.ts";
import { describe, test } from "../harness.ts";
import { lowerText } from "./lower.ts";

type Shape = [number, number, number];

const HEAP = 1n << 45n;
const X = "mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mad.lo.s32 %r3, %r1, %r2, %r0;";
const Y =
  "mov.u32 %r4, %ctaid.y; mov.u32 %r5, %ntid.y; mov.u32 %r6, %tid.y; mad.lo.s32 %r7, %r4, %r5, %r6;";
/** Stores r20 to the word at index `r` under a condition that data decides. */
const store = (r: string, p = 0) =>
  `mul.wide.s32 %rd4, ${r}, 4; add.s64 %rd5, %rd0, %rd4; ld.global.u32 %r20, [%rd5];
  setp.gt.u32 %p${p + 1}, %r20, 7; @%p${p + 1} bra S${p}; st.global.u32 [%rd5], %r21; S${p}:`;

interface Form {
  name: string;
  body: string;
  /** Word that a thread stores to (several, if it may store to several); none if it doesn't store. */
  words: (x: number, y: number, p: number[]) => number[];
}

/** Parameters a and b are %r8 and %r9. */
const forms: Form[] = [
  {
    name: "rows with a pitch",
    body: `${X}${Y} mad.lo.s32 %r10, %r7, %r8, %r3; ${store("%r10")}`,
    words: (x, y, [a]) => [y * a + x],
  },
  {
    name: "rows with a pitch and a width",
    body: `${X}${Y} setp.ge.s32 %p0, %r3, %r9; @%p0 bra E; mad.lo.s32 %r10, %r7, %r8, %r3; ${store("%r10")} E:`,
    words: (x, y, [a, b]) => (x < b ? [y * a + x] : []),
  },
  {
    name: "a column after the other",
    body: `${X}${Y} mad.lo.s32 %r10, %r3, %r8, %r7; ${store("%r10")}`,
    words: (x, y, [a]) => [x * a + y],
  },
  {
    name: "rows that don't count",
    body: `${X} add.s32 %r10, %r3, %r8; ${store("%r10")}`,
    words: (x, _y, [a]) => [x + a],
  },
  {
    name: "two places",
    body: `${X}${Y} mad.lo.s32 %r10, %r7, %r8, %r3; add.s32 %r11, %r10, %r9; ${store("%r10")} ${store("%r11", 1)}`,
    words: (x, y, [a, b]) => [y * a + x, y * a + x + b],
  },
  {
    name: "pairs at a distance",
    body: `${X} add.s32 %r10, %r8, -1; and.b32 %r11, %r3, %r10; shl.b32 %r12, %r3, 1; sub.s32 %r10, %r12, %r11;
      add.s32 %r11, %r10, %r8; mul.wide.s32 %rd4, %r10, 4; add.s64 %rd5, %rd0, %rd4; mul.wide.s32 %rd6, %r11, 4;
      add.s64 %rd7, %rd0, %rd6; ld.global.u32 %r13, [%rd5]; ld.global.u32 %r14, [%rd7]; setp.le.u32 %p0, %r13, %r14;
      @%p0 bra E; st.global.u32 [%rd5], %r14; st.global.u32 [%rd7], %r13; E:`,
    words: (x, _y, [a]) => {
      const i = 2 * x - (x & (a - 1));
      return [i, i + a];
    },
  },
  {
    name: "pairs at a distance, in rows",
    body: `${X}${Y} add.s32 %r10, %r8, -1; and.b32 %r11, %r3, %r10; shl.b32 %r12, %r3, 1; sub.s32 %r10, %r12, %r11;
      mad.lo.s32 %r10, %r7, %r9, %r10; add.s32 %r11, %r10, %r8; ${store("%r10")} ${store("%r11", 1)}`,
    words: (x, y, [a, b]) => {
      const i = 2 * x - (x & (a - 1)) + y * b;
      return [i, i + a];
    },
  },
];

async function lower(body: string) {
  const text = `.version 8.5
.target sm_90
.address_size 64
.global .u32 calls;
.visible .entry k(.param .u64 p0, .param .u32 a, .param .u32 b) {
.reg .pred %p<8>; .reg .b32 %r<32>; .reg .b64 %rd<32>;
ld.param.u64 %rd0, [p0]; cvta.to.global.u64 %rd0, %rd0; ld.param.u32 %r8, [a]; ld.param.u32 %r9, [b];
mov.u32 %r0, %tid.x; ${body} ret; }`;
  return lowerText(text);
}

/** The test's values for a block shape; undefined if the compiler finds none. */
async function compile(body: string, block: Shape): Promise<readonly Value[] | undefined> {
  const { lowered } = await lower(body);
  const maker = new RegionMaker(lowered, "relaxed", block);
  const { groups } = groupRegions(lowered, maker.all(4), block, maker);
  return groups[0]?.variants.find((v) => v.kind === "sure")?.given?.owned;
}

/** Runs scalar integer code. */
function evaluate(v: Value, known: Map<Value, bigint>, leaf: (v: Value) => bigint): bigint {
  const before = known.get(v);
  if (before !== undefined) return before;
  const [a = 0n, b = 0n, c = 0n] = v.args.map((x) => evaluate(x, known, leaf));
  const bits = v.args[0]?.type === I32 ? 32 : 64;
  const u = (x: bigint) => BigInt.asUintN(bits, x);
  const results: Record<string, () => bigint | boolean> = {
    add: () => a + b,
    sub: () => a - b,
    mul: () => a * b,
    shl: () => a << (b & BigInt(bits - 1)),
    and: () => a & b,
    xor: () => a ^ b,
    extend_i32_s: () => a,
    extend_i32_u: () => u(a),
    eqz: () => a === 0n,
    ne: () => a !== b,
    lt_s: () => a < b,
    le_s: () => a <= b,
    ge_s: () => a >= b,
    lt_u: () => u(a) < u(b),
    le_u: () => u(a) <= u(b),
    ge_u: () => u(a) >= u(b),
    and1: () => a & b,
    or1: () => a | b,
    select: () => (a ? b : c),
  };
  const compute = results[v.op.replace(/^i(32|64)_/, "")];
  const raw = compute ? BigInt(compute()) : leaf(v);
  const value =
    v.type === I32 || v.type === I64 ? BigInt.asIntN(v.type === I32 ? 32 : 64, raw) : raw;
  known.set(v, value);
  return value;
}

interface Launch {
  grid: Shape;
  block: Shape;
  params: number[];
  quiet?: boolean;
  /** Word of the array where what the host may write begins, and how many words that are. */
  host?: [number, number];
}

function owned(code: readonly Value[], { grid, params, quiet = true, host }: Launch): boolean {
  const base = HEAP + (1n << 28n);
  const at = (n: number) => base + 4n * BigInt(n);
  const [low, high] = host ? [at(host[0]), at(host[0] + host[1])] : [HEAP, HEAP];
  const registers: Record<string, bigint> = {
    "nctaid.x": BigInt(grid[0]),
    "nctaid.y": BigInt(grid[1]),
    "nctaid.z": BigInt(grid[2]),
    quiet: quiet ? 1n : 0n,
    hostLow: low,
    hostHigh: high,
  };
  const leaf = (v: Value): bigint => {
    if (v.op === "const") return v.type === I64 ? v.big : BigInt(v.imm);
    if (v.op === "param") {
      const offset = v.imm;
      return offset === 0 ? base : BigInt(params[(offset - 8) / 4]!);
    }
    const value = registers[v.aux.name as string];
    assert.ok(v.op === "sreg" && value !== undefined, `${v.op} ${v.aux.name}`);
    return value;
  };
  return evaluate(code[code.length - 1]!, new Map(), leaf) !== 0n;
}

/** Whether no two threads of a launch may store to one word. */
function disjoint({ words }: Form, { grid, block, params }: Launch): boolean {
  const owners = new Map<number, string>();
  for (let x = 0; x < grid[0] * block[0]; x++) {
    for (let y = 0; y < grid[1] * block[1]; y++) {
      for (let z = 0; z < grid[2] * block[2]; z++) {
        for (const word of words(x, y, params)) {
          const thread = `${x} ${y} ${z}`;
          const owner = owners.get(word) ?? thread;
          if (owner !== thread) return false;
          owners.set(word, thread);
        }
      }
    }
  }
  return true;
}

const form = (name: string): Form => forms.find((f) => f.name === name) as Form;

/** What the test has to find, so that it is good for something. */
const found: [string, Launch][] = [
  ["rows with a pitch", { block: [16, 16, 1], grid: [4, 3, 1], params: [64, 0] }],
  ["rows with a pitch", { block: [16, 16, 1], grid: [4, 3, 1], params: [67, 0] }],
  ["rows with a pitch", { block: [64, 1, 1], grid: [4, 1, 1], params: [-3, 0] }],
  ["rows with a pitch and a width", { block: [16, 4, 1], grid: [4, 3, 1], params: [61, 61] }],
  ["rows that don't count", { block: [64, 1, 1], grid: [4, 1, 1], params: [-3, 0] }],
  ["two places", { block: [64, 1, 1], grid: [4, 1, 1], params: [0, 256] }],
  ["two places", { block: [64, 2, 1], grid: [4, 1, 1], params: [256, -512] }],
  ...[1, 2, 4, 64, 256, 512].map((d): [string, Launch] => [
    "pairs at a distance",
    { block: [64, 1, 1], grid: [8, 1, 1], params: [d, 0] },
  ]),
  ["pairs at a distance, in rows", { block: [32, 2, 1], grid: [2, 2, 1], params: [8, 128] }],
];

describe("threads that store to addresses of their own", () => {
  for (const [name, launch] of found) {
    test(`${name} ${launch.params}: grid ${launch.grid}, block ${launch.block}`, async () => {
      const code = await compile(form(name).body, launch.block);
      assert.ok(code);
      assert.equal(disjoint(form(name), launch), true);
      assert.equal(owned(code, launch), true);
      assert.equal(owned(code, { ...launch, quiet: false }), false);
      const last = Math.max(...form(name).words(64 * 4 - 1, 0, launch.params));
      assert.equal(owned(code, { ...launch, host: [Math.max(0, Math.min(last, 40)), 1] }), false);
      assert.equal(owned(code, { ...launch, host: [1 << 24, 64] }), true);
      assert.equal(owned(code, { ...launch, host: [-(1 << 24), 64] }), true);
    });
  }

  for (const f of forms) {
    test(`${f.name}: never where two threads share a word`, async () => {
      let seed = 12345;
      const next = (n: number) => {
        seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
        return (seed >>> 8) % n;
      };
      const blocks: Shape[] = [
        [16, 1, 1],
        [4, 4, 1],
        [16, 2, 1],
        [8, 2, 2],
      ];
      const seen = [0, 0];
      for (const block of blocks) {
        const code = await compile(f.body, block);
        if (!code) continue;
        for (let k = 0; k < 150; k++) {
          const grid: Shape = [1 + next(5), 1 + next(3), (1 + next(8)) >> 3 ? 2 : 1];
          const width = grid[0] * block[0];
          const params = [0, 1].map(() =>
            next(3) === 0 ? next(2 * width) - width : next(2) ? 1 << next(8) : width + next(3) - 1,
          );
          const launch = { grid, block, params };
          const outcome = owned(code, launch);
          seen[outcome ? 1 : 0]++;
          if (outcome) assert.ok(disjoint(f, launch), JSON.stringify(launch));
        }
      }
      assert.ok(seen[0]! + seen[1]! === 0 || seen[0]! > 10);
    });
  }

  test("the report says so", async () => {
    const line = /stores under masks are of whole vectors/;
    const rows = reportKernel(await lower(form("rows with a pitch").body), [16, 4, 1]);
    assert.match(formatReport(rows), line);
    const one = reportKernel(await lower(`${X}${Y} ${store("%r7")}`), [16, 4, 1]);
    assert.doesNotMatch(formatReport(one), line);
  });

  const none: [string, string][] = [
    ["that depend on the row alone", `${X}${Y} ${store("%r7")}`],
    [
      "that data chooses",
      `${X} mul.wide.s32 %rd4, %r3, 4; add.s64 %rd5, %rd0, %rd4; ld.global.u32 %r10, [%rd5]; ${store("%r10")}`,
    ],
    [
      "beside a variable of the module (regression: the compiler took its address for a checked one)",
      `${X} setp.ge.s32 %p0, %r3, %r8; @%p0 bra A; ${store("%r3")} A: setp.ne.s32 %p1, %r3, 0; @%p1 bra E;
      ld.global.u32 %r10, [calls]; add.s32 %r10, %r10, 1; st.global.u32 [calls], %r10; E:`,
    ],
    [
      "beside atomic operations",
      `${X} ${store("%r3")} mul.wide.s32 %rd6, %r8, 4; add.s64 %rd7, %rd0, %rd6; red.global.add.u32 [%rd7], 1;`,
    ],
    [
      "beside those that only some of the threads make, somewhere else",
      `${X} setp.eq.s32 %p0, %r3, 3; @%p0 bra A; ${store("%r3", 1)} bra E; A: mul.wide.u32 %rd6, %r9, 4;
      ld.global.u32 %r10, [%rd0]; mul.wide.u32 %rd7, %r10, 4; add.s64 %rd8, %rd0, %rd7; st.global.u32 [%rd8], %r9; E:`,
    ],
  ];
  for (const [name, body] of none) {
    test(`not addresses ${name}`, async () => {
      for (const block of [
        [64, 1, 1],
        [16, 4, 1],
      ] as Shape[]) {
        assert.equal(await compile(body, block), undefined);
      }
    });
  }
});
