/**
 * Random nests of branches and loops whose ends are the same for lanes next to each other, or for none: that
 * lanes in groups compute what single threads do, end, and go nowhere without a lane. Inside of a branch loops
 * would not end, and loads would fault, for a group none of whose lanes takes it.
 */
import assert from "node:assert/strict";
import { Random } from "../../scripts/ptx-mutants.ts";
import { Bench, WIDTHS } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";
import { SEED } from "../seed.ts";

const KERNELS = Number(process.env["WARPRING_NESTS"] ?? 60);
const BLOCK = 64;
const GRID = 2;
/** Words at p1 that threads load from. */
const WORDS = 1024;

/** Writes one kernel: r0 is the thread of the grid, r1 what it has loaded, r2 a parameter, r3 the sum. */
class Nest {
  private readonly random: Random;
  private readonly lines: string[] = [];
  private next = 16;
  private labels = 0;
  private left = 24;

  constructor(random: Random) {
    this.random = random;
  }

  text(): string {
    this.statements(0);
    const registers = this.next;
    return `.version 8.5
.target sm_90
.address_size 64
.visible .entry k(.param .u64 p0, .param .u64 p1, .param .u32 n) {
.reg .pred %p<${registers}>; .reg .b32 %r<${registers}>; .reg .b64 %rd<${registers}>;
ld.param.u64 %rd0, [p0]; cvta.to.global.u64 %rd0, %rd0; ld.param.u64 %rd1, [p1]; cvta.to.global.u64 %rd1, %rd1;
ld.param.u32 %r2, [n]; mov.u32 %r4, %tid.x; mov.u32 %r5, %ctaid.x; mov.u32 %r6, %ntid.x;
mad.lo.s32 %r0, %r5, %r6, %r4; mul.wide.u32 %rd2, %r0, 4; add.s64 %rd3, %rd1, %rd2; ld.global.u32 %r1, [%rd3];
mov.u32 %r3, %r0;
${this.lines.join("\n")}
add.s64 %rd4, %rd0, %rd2; st.global.u32 [%rd4], %r3; ret; }`;
  }

  private emit(line: string): void {
    this.lines.push(line);
  }

  /** A number of up to 63 in a new register: of the thread, its group, the block, data. */
  private number(): string {
    const r = `%r${this.next++}`;
    const kind = this.random.below(8);
    if (kind < 4)
      this.emit(
        `and.b32 ${r}, ${this.random.pick(["%r0", "%r4"])}, ${this.random.pick([3, 12, 28, 60, 63])};`,
      );
    else if (kind < 6)
      this.emit(`shr.u32 ${r}, %r0, ${this.random.pick([2, 3, 4])}; and.b32 ${r}, ${r}, 15;`);
    else
      this.emit(
        `and.b32 ${r}, ${this.random.pick(["%r1", "%r2", "%r5"])}, ${this.random.pick([1, 7, 60])};`,
      );
    return r;
  }

  private condition(): string {
    const p = `%p${this.next++}`;
    const test = this.random.pick(["eq", "ne", "lt", "ge"]);
    this.emit(`setp.${test}.u32 ${p}, ${this.number()}, ${this.random.below(20)};`);
    return p;
  }

  private statements(depth: number): void {
    const count = 1 + this.random.below(3);
    for (let k = 0; k < count && this.left > 0; k++) this.statement(depth);
  }

  private statement(depth: number): void {
    this.left--;
    const kind = this.random.below(depth < 4 ? 7 : 2);
    if (kind < 2) this.emit(`mad.lo.u32 %r3, %r3, ${3 + this.random.below(9)}, ${this.number()};`);
    else if (kind < 4) this.branch(depth);
    else this.loop(depth);
  }

  /** What a branch leads to may load from an address that is one only where the branch is taken. */
  private branch(depth: number): void {
    const [other, end] = [`B${this.labels++}`, `B${this.labels++}`];
    const p = this.condition();
    const pointer = `%rd${this.next++}`;
    const loads = this.random.below(2) === 0;
    if (loads) this.emit(`selp.b64 ${pointer}, %rd1, 16, ${p};`);
    this.emit(`@!${p} bra ${other};`);
    if (loads) this.loop(depth, pointer);
    this.statements(depth + 1);
    if (this.random.below(2) === 0) {
      this.emit(`bra ${end}; ${other}:`);
      this.statements(depth + 1);
      this.emit(`${end}:`);
    } else this.emit(`${other}: ${end}:`);
  }

  /** A loop down to zero, which it never meets from anywhere else; it loads on from a place of all or of each. */
  private loop(depth: number, start = "%rd1"): void {
    const [top, end] = [`B${this.labels++}`, `B${this.labels++}`];
    const rounds = this.number();
    const step = this.random.pick([1, 4]);
    const [left, pointer, word] = [`%rd${this.next++}`, `%rd${this.next++}`, `%r${this.next++}`];
    const p = `%p${this.next++}`;
    // As compilers have it: who has no round to go doesn't come in. Rounds of four are told by a number that
    // differs between lanes, though the rounds don't.
    const most = step === 4 ? 15 : 3;
    this.emit(`and.b32 ${rounds}, ${rounds}, ${most}; add.u32 ${word}, ${rounds}, 1;`);
    this.emit(`setp.lt.u32 ${p}, ${word}, ${step + 1}; @${p} bra ${end};`);
    this.emit(`and.b32 ${rounds}, ${rounds}, ${16 - step}; cvt.u64.u32 ${left}, ${rounds};`);
    this.emit(`mov.b64 ${pointer}, ${start};`);
    if (this.random.below(2) === 0) this.emit(`add.s64 ${pointer}, ${pointer}, %rd2;`);
    this.emit(
      `${top}: ld.global.u32 ${word}, [${pointer}]; add.s64 ${pointer}, ${pointer}, ${this.random.pick([4, 16])};`,
    );
    this.emit(`add.u32 %r3, %r3, ${word};`);
    if (this.random.below(2) === 0) this.statements(depth + 1);
    this.emit(`sub.s64 ${left}, ${left}, ${step}; setp.ne.s64 ${p}, ${left}, 0; @${p} bra ${top};`);
    this.emit(`${end}:`);
  }
}

describe("nests of branches and loops", () => {
  const data = Uint32Array.from({ length: WORDS }, (_, k) => Math.imul(k + 1, 2654435761) >>> 8);
  for (let k = 0; k < KERNELS; k++) {
    test(`seed ${SEED}, kernel ${k}`, async () => {
      const text = new Nest(new Random(SEED * KERNELS + k)).text();
      const results = [];
      for (const width of WIDTHS) {
        const bench = await Bench.shared(width);
        const [out, from] = [bench.zeros(4 * BLOCK * GRID), bench.upload(data)];
        const options = { block: BLOCK, grid: GRID, timeoutMs: 5000 };
        const fault = bench.run(text, [out, from, 5], options);
        results.push({ code: fault?.code, words: bench.words(out, BLOCK * GRID) });
      }
      assert.equal(results[1]?.code, undefined, text);
      assert.deepEqual(results[0], results[1], text);
    });
  }
});
