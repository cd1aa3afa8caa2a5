// Random kernels that are valid, end, and have one right answer: no data races, no undefined values, no
// result that depends on the order of threads.

import { Random } from "../ptx-mutants.ts";
import {
  type Dialect,
  INPUT_WORDS,
  LOCAL_WORDS,
  RECORDED,
  type RegisterClass,
  SHARED_COUNTERS,
  SHARED_WORDS,
  TYPES,
  WIDE,
} from "./dialect.ts";
import { Statements } from "./statements.ts";
import { WideStatements } from "./wide.ts";

/** A generated kernel and how it is launched. */
export interface Generated {
  ptx: string;
  dialect: Dialect;
  /** Blocks and threads of a block, in all and by dimension. */
  grid: number;
  block: number;
  gridShape: [number, number];
  blockShape: [number, number, number];
}

/** Where the body begins, for those who put something in front of it. */
export const BODY = "// body";

/** Loads of every register from the input, each thread from a place of its own. */
function loads(dialect: Dialect): string {
  const lines: string[] = [];
  let word = 0;
  for (const [c, count] of Object.entries(dialect.registers) as [RegisterClass, number][]) {
    for (let k = 0; k < count; k++, word += 3) {
      const offset = (word * 4) % (INPUT_WORDS * 2);
      lines.push(`ld.global.b32 %x0, [%in+${offset}];`);
      const register = `%${c}${k}`;
      if (c === "r") lines.push(`mov.b32 ${register}, %x0;`);
      else if (c === "h") lines.push(`cvt.u16.u32 ${register}, %x0;`);
      else if (c === "p") lines.push(`setp.lt.s32 ${register}, %x0, 0;`);
      else if (c === "f" || c === "w") lines.push(`mov.b32 ${register}, %x0;`);
      else if (c === "e") lines.push(`shr.u32 %x0, %x0, 16;`, `cvt.u16.u32 ${register}, %x0;`);
      else {
        lines.push(`ld.global.b32 %x1, [%in+${(offset + 4) % (INPUT_WORDS * 2)}];`);
        lines.push(`mov.b64 ${register}, {%x0, %x1};`);
      }
    }
  }
  return lines.join("\n");
}

/** The first contents of shared and local memory. */
function memories(block: number): string {
  const lines: string[] = [];
  lines.push(
    "setp.eq.u32 %xp, %t, 0;",
    ...Array.from(
      { length: SHARED_COUNTERS },
      (_, k) => `@%xp st.shared.b32 [%sbase+${block * SHARED_WORDS * 4 + 4 * k}], 0;`,
    ),
  );
  for (let k = 0; k < LOCAL_WORDS; k++) lines.push(`st.local.b32 [%lbase+${4 * k}], %r${k % 10};`);
  for (let k = 0; k < SHARED_WORDS; k++) lines.push(`st.shared.b32 [%sown+${4 * k}], %r${k};`);
  return lines.join("\n");
}

/** Stores of every register, predicates as 0 and 1. */
function epilogue(dialect: Dialect): string {
  const lines: string[] = [];
  for (const { register, kind, word } of dialect.layout) {
    const at = `[%out+${4 * word}]`;
    if (kind === "q" || kind === "d") lines.push(`st.global.b64 ${at}, ${register};`);
    else if (kind === "h" || kind === "e")
      lines.push(`cvt.u32.u16 %x0, ${register};`, `st.global.b32 ${at}, %x0;`);
    else if (kind === "p")
      lines.push(`selp.u32 %x0, 1, 0, ${register};`, `st.global.b32 ${at}, %x0;`);
    else lines.push(`st.global.b32 ${at}, ${register};`);
  }
  return lines.join("\n");
}

/** A function with a loop of up to eight rounds and a branch: part of every module. */
const FUNCTION = `.func (.param .b32 r) mix(.param .b32 a, .param .b64 b)
{
.reg .b32 %r<6>; .reg .b64 %q<3>; .reg .pred %p<3>;
ld.param.b32 %r1, [a];
ld.param.b64 %q1, [b];
and.b32 %r2, %r1, 7;
AGAIN:
cvt.u32.u64 %r3, %q1;
setp.lt.s32 %p1, %r3, 0;
@%p1 bra NEGATIVE;
add.u32 %r1, %r1, %r3;
shr.u64 %q1, %q1, 3;
bra NEXT;
NEGATIVE:
xor.b32 %r1, %r1, %r3;
shr.u64 %q1, %q1, 1;
NEXT:
sub.u32 %r2, %r2, 1;
setp.ge.s32 %p2, %r2, 0;
@%p2 bra AGAIN;
st.param.b32 [r], %r1;
ret;
}`;

/** A function that calls itself up to four deep, and may return early. */
const DEEP = `.func (.param .b32 r) deep(.param .b32 a, .param .b64 b)
{
.reg .b32 %r<6>; .reg .b64 %q<3>; .reg .pred %p<3>;
.param .b32 a2; .param .b64 b2; .param .b32 r2;
ld.param.b32 %r1, [a];
ld.param.b64 %q1, [b];
cvt.u32.u64 %r2, %q1;
xor.b32 %r3, %r1, %r2;
and.b32 %r4, %r1, 3;
setp.eq.u32 %p1, %r4, 0;
@%p1 bra LEAF;
shr.u32 %r5, %r1, 2;
shl.b64 %q2, %q1, 1;
st.param.b32 [a2], %r5;
st.param.b64 [b2], %q2;
call (r2), deep, (a2, b2);
ld.param.b32 %r5, [r2];
mad.lo.u32 %r3, %r5, 3, %r3;
LEAF:
st.param.b32 [r], %r3;
ret;
}`;

/** What stands around a body. */
interface Frame {
  dialect: Dialect;
  functions: readonly string[];
  block: number;
  declarations: string;
  /** Sets %t and %gid. */
  indices: string;
  /** Neither shared nor local memory, nor a barrier in front of the body. */
  streams?: boolean;
}

/** A kernel around a body. */
function moduleOf(frame: Frame, body: string): string {
  const { dialect, functions, block, declarations, indices, streams } = frame;
  const declare = (Object.entries(dialect.registers) as [RegisterClass, number][]).map(
    ([c, count]) => `.reg .${TYPES[c]} %${c}<${count}>;`,
  );
  const memory = `.shared .align 16 .b8 shared[${(block * SHARED_WORDS + SHARED_COUNTERS) * 4}];
.local .align 16 .b8 local[${LOCAL_WORDS * 4}];
`;
  const places = `mov.u32 %sbase, shared;
mov.u32 %lbase, local;
mad.lo.u32 %sown, %t, ${SHARED_WORDS * 4}, %sbase;
`;
  return `.version 8.0
.target sm_80
.address_size 64
${functions.join("\n")}
.visible .entry k(.param .u64 in, .param .u64 out, .param .u64 counters)
{
${declare.join(" ")}
.reg .b32 %x<4>; .reg .b64 %xq<2>; .reg .pred %xp; .reg .b32 %loop<4>;
.reg .b32 %t; .reg .b32 %gid; .reg .b32 %sbase; .reg .b32 %sown; .reg .b32 %lbase;
.reg .b64 %in; .reg .b64 %inbase; .reg .b64 %out; .reg .b64 %counters;
${declarations}${streams ? "" : memory}${indices}
${streams ? "" : places}ld.param.u64 %in, [in];
mov.b64 %inbase, %in;
ld.param.u64 %out, [out];
ld.param.u64 %counters, [counters];
${streams ? "mov.b32 %x0, %gid;" : "and.b32 %x0, %gid, 127;"}
mul.wide.u32 %xq0, %x0, 4;
add.u64 %in, %in, %xq0;
mul.wide.u32 %xq0, %gid, ${dialect.outputWords * 4};
add.u64 %out, %out, %xq0;
${loads(dialect)}
${streams ? "" : `${memories(block)}\nbar.sync 0;\n`}${BODY}
${body}
${epilogue(dialect)}
ret;
}
`;
}

const seeded = (seed: number, index: number): Random =>
  new Random(Math.imul(seed, 0x85ebca77) ^ Math.imul(index, 0x9e3779b1));

/** Kernel number `index` of a seed, of the kind that has been recorded on a GPU. */
export function generateRecorded(seed: number, index: number): Generated {
  const random = seeded(seed, index);
  const block = random.pick([32, 64, 96, 128, 1, 3, 33, 50]);
  const grid = 1 + random.below(3);
  const body = new Statements(RECORDED, random, block, random.below(3) > 0).text();
  const indices = `mov.u32 %t, %tid.x;
mov.u32 %x0, %ctaid.x;
mov.u32 %x1, %ntid.x;
mad.lo.u32 %gid, %x0, %x1, %t;`;
  const frame = { dialect: RECORDED, functions: [FUNCTION], block, declarations: "", indices };
  const ptx = moduleOf(frame, body);
  return { ptx, dialect: RECORDED, grid, block, gridShape: [grid, 1], blockShape: [block, 1, 1] };
}

const WIDE_BLOCKS: [number, number, number][] = [
  [32, 1, 1],
  [64, 1, 1],
  [128, 1, 1],
  [256, 1, 1],
  [8, 8, 1],
  [16, 8, 1],
  [4, 4, 4],
  [32, 4, 1],
  [16, 16, 1],
  [12, 8, 1],
  [7, 5, 1],
  [5, 3, 3],
  [33, 3, 1],
  [1, 37, 1],
  [2, 1, 16],
  [1, 1, 1],
  [3, 1, 1],
  [50, 1, 1],
  [97, 1, 1],
  [130, 1, 1],
];

const DECLARATIONS =
  ".reg .b32 %a<2>; .reg .b64 %aq; .reg .f32 %xf; .reg .b32 %u<2>; .reg .b32 %wmask; .reg .b32 %m;\n";

/** The thread's number in the block, the grid's, and the lanes that its warp has. */
const indicesOf = (
  block: number,
): string => `mov.u32 %t, %tid.z; mov.u32 %x1, %ntid.y; mov.u32 %x2, %tid.y;
mad.lo.u32 %t, %t, %x1, %x2; mov.u32 %x1, %ntid.x; mov.u32 %x2, %tid.x; mad.lo.u32 %t, %t, %x1, %x2;
mov.u32 %x0, %ctaid.y; mov.u32 %x1, %nctaid.x; mov.u32 %x2, %ctaid.x; mad.lo.u32 %x0, %x0, %x1, %x2;
mad.lo.u32 %gid, %x0, ${block}, %t;
shr.u32 %x0, %t, 5; mul.lo.u32 %x0, %x0, 32; sub.u32 %x0, ${block}, %x0; min.u32 %x0, %x0, 32;
sub.u32 %x0, 32, %x0; mov.b32 %wmask, 0xffffffff; shr.u32 %wmask, %wmask, %x0;`;

/** Of kernels that know only the thread's number in the grid, several blocks may run as one. */
const STREAM_INDICES = `mov.u32 %x0, %ctaid.x; mov.u32 %x1, %ntid.x; mov.u32 %t, %tid.x;
mad.lo.u32 %gid, %x0, %x1, %t; mov.u32 %t, %gid;`;

/** Kernel number `index` of a seed, of the wider kind. */
export function generate(seed: number, index: number): Generated {
  const random = seeded(seed, index);
  const streams = random.below(4) === 0;
  const blockShape: [number, number, number] = streams
    ? [random.pick([4, 7, 8, 12, 16, 24, 32]), 1, 1]
    : random.pick(WIDE_BLOCKS);
  const block = blockShape[0] * blockShape[1] * blockShape[2];
  const gridShape: [number, number] = streams
    ? [1 + random.below(Math.floor(128 / block)), 1]
    : [1 + random.below(3), 1 + random.below(2)];
  const grid = gridShape[0] * gridShape[1];
  const total = grid * block;
  const exchanges = !streams && random.below(3) > 0;
  const statements = new WideStatements(WIDE, random, streams ? total : block, exchanges, streams);
  const text = statements.text();
  // The last threads of the grid, or those of a constant on, may have nothing to do.
  const bound = random.pick([total - 1, total - 3, total >> 1, total - random.below(total)]);
  const guard = !exchanges && random.below(2) === 0;
  const body = guard ? `setp.gt.u32 %xp, %gid, ${bound}; @%xp bra END;\n${text}` : text;
  const frame: Frame = {
    dialect: WIDE,
    functions: [FUNCTION, DEEP],
    block,
    declarations: DECLARATIONS,
    indices: streams ? STREAM_INDICES : indicesOf(block),
    streams,
  };
  const ptx = moduleOf(frame, body).replace(/ret;\n\}\n$/, "END:\nret;\n}\n");
  return { ptx, dialect: WIDE, grid, block, gridShape, blockShape };
}

/** Input words: small and large integers, and bits of all kinds of floats. */
export function inputWords(seed: number): Uint32Array {
  const random = new Random(seed ^ 0x51ed270b);
  const words = new Uint32Array(INPUT_WORDS);
  const special = [
    0, 1, 0xffffffff, 0x80000000, 0x7fffffff, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000,
    0x7fc00000, 0x00000001, 0x00400000, 0x4f000000, 0x3ff00000, 0x40590000, 0x7ff00000,
  ];
  for (let k = 0; k < words.length; k++) {
    const kind = random.below(4);
    if (kind === 0) words[k] = random.pick(special);
    else if (kind === 1) words[k] = random.below(64);
    else if (kind === 2) words[k] = 0x3f000000 + random.below(0x03000000);
    else words[k] = random.next();
  }
  return words;
}
