/**
 * Rows of blocks whose first and last groups are something else (the edges of an array): the row runs
 * without them. Widths, places of the edges, orders in which rows are gone through, and whether the
 * first groups come before the row or after it.
 */
import { type Case, INDEX, INDEX_2D, LINE, type Shape, tryCases } from "./sure-cases.ts";

/** Threads for which p0 holds, and those for which p1 does, store 7; others what three neighbours say. */
const edged = (
  index: string,
  edges: string,
  at: string,
) => `${index} ${edges} or.pred %p0, %p0, %p1;
  ${at} mul.wide.s32 %rd5, %r7, 4; add.s64 %rd6, %rd0, %rd5; add.s64 %rd7, %rd1, %rd5; mov.u32 %r9, 7;
  @%p0 bra W; ld.global.u32 %r9, [%rd7+4]; ld.global.u32 %r10, [%rd7+-4]; mad.lo.s32 %r9, %r9, 3, %r10;
  ld.global.u32 %r10, [%rd7]; mad.lo.s32 %r9, %r9, 3, %r10; W: st.global.u32 [%rd6], %r9;`;
const FIRST_AND_LAST = `add.s32 %r8, %r3, -1; setp.eq.s32 %p0, %r1, 0; setp.eq.s32 %p1, %r1, %r8;`;
const LINEAR = "mov.u32 %r7, %r1;";
const ROWS = "mad.lo.s32 %r7, %r4, %r3, %r1;";
const COLUMNS = "mad.lo.s32 %r7, %r1, 16, %r4;";

const row = (
  name: string,
  edges: string,
  block: Shape,
  blocks: number,
  n = blocks * block[0],
): Case => ({
  name,
  body: edged(INDEX, edges, LINEAR),
  block,
  grid: [blocks, 1, 1],
  n,
  sure: { checks: 3, branches: 0, flat: true },
});
const equal = (a: string, b: string) => `setp.eq.s32 %p0, %r1, ${a}; setp.eq.s32 %p1, %r1, ${b};`;
const rows = (name: string, edges: string, at: string, block: Shape, grid: Shape): Case => ({
  name,
  body: edged(INDEX_2D, edges, at),
  block,
  grid,
  n: block[0] * grid[0],
  sure: { checks: 3, branches: 0, flat: true },
});

const cases: Case[] = [
  row("the first and the last thread of 40 blocks", FIRST_AND_LAST, LINE, 40),
  row("the first and the last thread of one block", FIRST_AND_LAST, LINE, 1),
  row("the first and the last thread of two blocks", FIRST_AND_LAST, LINE, 2),
  row("blocks of twelve threads", FIRST_AND_LAST, [12, 1, 1], 7),
  row("blocks of eight threads, which are left whole", FIRST_AND_LAST, [8, 1, 1], 9),
  row("the first thread only", equal("0", "-1"), LINE, 5),
  row("the last thread only", equal("319", "-1"), LINE, 5),
  row("edges that are wider than a group", equal("0", "5"), LINE, 9),
  row("an edge in the first block, behind its first group", equal("9", "-1"), LINE, 9),
  row("an edge inside, and one in the next block", equal("300", "350"), LINE, 20),
  row("edges in the first two blocks and in the last two", equal("70", "1180"), LINE, 20),
  row("the array ends in the block before the last", FIRST_AND_LAST, LINE, 20, 19 * 64 - 30),
  {
    name: "a guard, and the edges of an array that ends in the last block's last group",
    body: `${INDEX} setp.ge.s32 %p0, %r1, %r3; @%p0 bra E; ${edged("", FIRST_AND_LAST, LINEAR)} E:`,
    block: LINE,
    grid: [16, 1, 1],
    n: 16 * 64 - 1,
    sure: { checks: 3, branches: 0, flat: true },
  },
  rows("rows of threads", FIRST_AND_LAST, ROWS, [16, 4, 1], [4, 4, 1]),
  rows("rows of threads of one block", FIRST_AND_LAST, ROWS, [32, 4, 1], [1, 8, 1]),
  rows("rows of threads, along columns", FIRST_AND_LAST, COLUMNS, [16, 4, 1], [8, 4, 1]),
];
const readOnly = (c: Case): Case => ({
  ...c,
  body: c.body.replaceAll("ld.global.u32", "ld.global.nc.u32"),
});
/** Enough arithmetic for several groups at once: words at five places, as floats. */
const five = (
  index: string,
  at: string,
  places: readonly string[],
) => `${index} add.s32 %r8, %r3, -3;
  setp.lt.s32 %p0, %r1, 2; setp.gt.s32 %p1, %r1, %r8; or.pred %p0, %p0, %p1; ${at}
  mul.wide.s32 %rd5, %r7, 4; add.s64 %rd6, %rd0, %rd5; add.s64 %rd7, %rd1, %rd5; mov.f32 %f9, 0f40000000;
  mul.wide.s32 %rd8, %r3, 4; add.s64 %rd9, %rd7, %rd8; @%p0 bra W;
  ${places
    .map(
      (p) => `ld.global.u32 %r9, [${p}]; and.b32 %r9, %r9, 1023; cvt.rn.f32.u32 %f1, %r9;
    fma.rn.f32 %f9, %f9, 0f3F000000, %f1; add.f32 %f9, %f9, 0f3F800000;`,
    )
    .join(" ")}
  W: st.global.f32 [%rd6], %f9;`;
const ACROSS = ["%rd7+-4", "%rd7", "%rd7+4", "%rd7+8", "%rd7+-8"];
const CROSS = ["%rd7", "%rd7+-4", "%rd9", "%rd7+4", "%rd9+4"];
const jammed = (name: string, body: string, block: Shape, grid: Shape): Case => ({
  name,
  body,
  block,
  grid,
  n: block[0] * grid[0],
  sure: { checks: body.includes("%rd9+4") ? 4 : 3, branches: 0, flat: true },
});
const several: Case[] = [
  jammed("a line of 20 blocks", five(INDEX, LINEAR, ACROSS), LINE, [20, 1, 1]),
  jammed("a line of one block", five(INDEX, LINEAR, ACROSS), LINE, [1, 1, 1]),
  jammed("blocks of 24 threads", five(INDEX, LINEAR, ACROSS), [24, 1, 1], [7, 1, 1]),
  jammed("rows of threads", five(INDEX_2D, ROWS, CROSS), [32, 4, 1], [2, 4, 1]),
  jammed("rows of threads of one block", five(INDEX_2D, ROWS, CROSS), [64, 2, 1], [1, 8, 1]),
];
const IN_PLACE: Case = {
  name: "threads that read what the next one writes, in the order of threads",
  body: `${INDEX} add.s32 %r8, %r3, -1; setp.eq.s32 %p0, %r1, %r8; @%p0 bra E;
      mul.wide.s32 %rd5, %r1, 4; add.s64 %rd6, %rd1, %rd5; ld.global.u32 %r9, [%rd6+4];
      st.global.u32 [%rd6], %r9; add.s64 %rd7, %rd0, %rd5; st.global.u32 [%rd7], %r9; E:`,
  block: LINE,
  grid: [6, 1, 1],
  n: 6 * 64,
  ordered: true,
  sure: { checks: 2, branches: 0, flat: true },
};

tryCases("edges of rows of blocks", [...cases, IN_PLACE]);
tryCases("edges of rows of blocks that write nothing that they read", cases.map(readOnly));
tryCases("edges of rows of blocks, several groups at once", several);
tryCases("edges of rows of blocks, several groups at once, read only", several.map(readOnly));
