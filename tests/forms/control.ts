/** Control flow, barriers, fences, asynchronous copies and textures: one small kernel each. */
import { makeTexture, type Texture } from "../compiler/textures/run.ts";
import {
  address,
  bytesOf,
  type FormCase,
  kernelOf,
  random,
  randomBytes,
  THREADS,
} from "./kernel.ts";

const wordsOf = (bytes: Uint8Array): Uint32Array => new Uint32Array(bytes.slice().buffer);
/** %q4 and %q5 = the thread's word of `in` and of `out`. */
const OWN = `${address(4, 0, 0, 4)} ${address(5, 1, 0, 4)}`;
const WORDS = ".shared .align 16 .b32 buf[64];";
/** A word a thread, mapped by the kernel. */
function mapped(
  body: string,
  before: string,
  model: (word: number, t: number) => number,
): FormCase {
  const input = randomBytes(4 * THREADS);
  const expected = bytesOf(wordsOf(input).map((w, t) => model(w, t)));
  return { ptx: kernelOf(`${OWN} ld.b32 %r10, [%q4]; ${body}`, before), input, expected };
}

/** Each thread hands its word to the thread opposite; the second wait makes all wait for each other. */
const exchanged = (before: string, wait: string): FormCase => {
  const input = randomBytes(4 * THREADS);
  const body = `${OWN} ld.b32 %r10, [%q4]; mov.u32 %r1, buf; mad.lo.u32 %r2, %r0, 4, %r1;
st.shared.b32 [%r2], 0; ${before} st.shared.b32 [%r2], %r10; ${wait}
xor.b32 %r3, %r0, 31; mad.lo.u32 %r2, %r3, 4, %r1; ld.shared.b32 %r11, [%r2]; st.b32 [%q5], %r11;`;
  const words = wordsOf(input);
  const expected = bytesOf(words.map((_, t) => words[t ^ 31] as number));
  return { ptx: kernelOf(body, WORDS), input, expected };
};

/** The second warp waits for the first one's word and flag: what a fence orders. */
const message = (fence: string): FormCase => {
  const input = randomBytes(4 * THREADS);
  const body = `${OWN} ld.b32 %r10, [%q4]; mov.u32 %r1, buf; mad.lo.u32 %r2, %r0, 4, %r1;
st.shared.b32 [%r2], 0; bar.sync 0; setp.ge.u32 %p0, %r0, 32; @%p0 bra READ;
st.shared.b32 [%r2], %r10; ${fence} st.volatile.shared.b32 [%r2+128], 1; mov.u32 %r11, 0; bra DONE;
READ: ld.volatile.shared.b32 %r3, [%r2]; setp.eq.u32 %p1, %r3, 0; @%p1 bra READ;
${fence} ld.shared.b32 %r11, [%r2+-128];
DONE: st.b32 [%q5], %r11;`;
  const expected = bytesOf(
    wordsOf(input).map((_, t, all) => (t < 32 ? 0 : (all[t - 32] as number))),
  );
  const unseen = "threads see each other's stores in order";
  return { ptx: kernelOf(body, WORDS), input, expected, unseen };
};

/** Copies of 16 bytes a thread into shared memory; `copy` starts one and `wait` waits for it. */
const copied = (copy: string, wait: string, size: 4 | 8 | 16, unseen?: string): FormCase => {
  const input = randomBytes(16 * THREADS);
  const expected = input.slice();
  for (let at = 0; at < expected.length; at++) if (at % 16 >= size) expected[at] = 0;
  const body = `${address(4, 0, 0, 16)} ${address(5, 1, 0, 16)} mov.u32 %r1, buf; mad.lo.u32 %r2, %r0, 16, %r1;
mov.b32 %r3, 0; st.shared.v4.b32 [%r2], {%r3, %r3, %r3, %r3};
${copy} [%r2], [%q4], ${size}; ${wait}
ld.shared.v4.b32 {%r4, %r5, %r6, %r7}, [%r2]; st.v4.b32 [%q5], {%r4, %r5, %r6, %r7};`;
  return {
    ptx: kernelOf(body, `.shared .align 16 .b8 buf[${16 * THREADS}]; .shared .align 8 .b64 bar;`),
    input,
    expected,
    ...(unseen === undefined ? {} : { unseen }),
  };
};
const EARLY = "a copy is done when it is started, which the ISA allows";
const GROUPS = "cp.async.commit_group; cp.async.wait_group 0;";
/** A barrier whose first phase the threads' copies end. */
const BY_BARRIER = `mov.u32 %r8, bar; setp.eq.u32 %p0, %r0, 0; @%p0 mbarrier.init.shared.b64 [%r8], ${2 * THREADS};
bar.sync 0; cp.async.mbarrier.arrive.noinc.shared.b64 [%r8]; mbarrier.arrive.shared.b64 %q10, [%r8];
WAIT: mbarrier.test_wait.shared.b64 %p1, [%r8], %q10; @!%p1 bra WAIT;`;
/** The arrival counts itself: only the threads' own arrivals are expected. */
const BY_COUNTED = BY_BARRIER.replace(".noinc", "").replace(`${2 * THREADS}`, `${THREADS}`);

/** Two phases of a block's barrier: what the thread opposite stored before each arrives after it. */
const phases = (test: (phase: number) => string): FormCase =>
  mapped(
    `mov.u32 %r1, buf; mov.u32 %r8, bar; setp.eq.u32 %p0, %r0, 0;
@%p0 mbarrier.init.shared.b64 [%r8], ${THREADS}; bar.sync 0;
mad.lo.u32 %r2, %r0, 4, %r1; sub.u32 %r3, ${THREADS - 1}, %r0; mad.lo.u32 %r3, %r3, 4, %r1;
st.shared.b32 [%r2], %r0; mbarrier.arrive.shared.b64 %q10, [%r8];
A: ${test(0)} @!%p1 bra A; ld.shared.b32 %r11, [%r3];
mbarrier.arrive.shared.b64 %q10, [%r8]; B: ${test(1)} @!%p1 bra B;
add.u32 %r12, %r11, 100; st.shared.b32 [%r2], %r12; mbarrier.arrive.shared.b64 %q10, [%r8];
C: ${test(0)} @!%p1 bra C; ld.shared.b32 %r11, [%r3];
bar.sync 0; @%p0 mbarrier.inval.shared.b64 [%r8]; bar.sync 0;
st.shared.b32 [%r8], %r11; st.b32 [%q5], %r11;`,
    `${WORDS} .shared .align 8 .b64 bar;`,
    (_, t) => t + 100,
  );
const BY_STATE = phases(() => "mbarrier.test_wait.shared.b64 %p1, [%r8], %q10;");
const BY_PARITY = phases((parity) => `mbarrier.test_wait.parity.shared.b64 %p1, [%r8], ${parity};`);

const called = (call: string): FormCase =>
  mapped(
    `{ .param .b32 a; .param .b32 r; st.param.b32 [a], %r10; ${call} (r), f, (a); ld.param.b32 %r11, [r]; }
st.b32 [%q5], %r11;`,
    `.func (.param .b32 r) f(.param .b32 a)
{ .reg .b32 %x; ld.param.b32 %x, [a]; mad.lo.u32 %x, %x, 3, 1; st.param.b32 [r], %x; ret; }`,
    (w) => Math.imul(w, 3) + 1,
  );

const TEXTURE: Texture = {
  geometry: "2d",
  format: 2,
  bits: 32,
  channels: 4,
  extent: [16, 4, 0],
  mode: 1,
  linear: false,
  fraction: false,
  normalized: false,
};
const TEXELS = Float32Array.from(random(4 * 64, (r) => r.below(1000) / 8));
/** A texel of four floats a thread, the texture's columns from right to left. */
const SAMPLED: FormCase = {
  ptx: kernelOf(
    `ld.param.u64 %q2, [texture]; and.b32 %r2, %r0, 15; sub.u32 %r2, 15, %r2; shr.u32 %r3, %r0, 4;
cvt.rn.f32.u32 %f0, %r2; cvt.rn.f32.u32 %f1, %r3; add.f32 %f0, %f0, 0f3f000000; add.f32 %f1, %f1, 0f3f000000;
tex.2d.v4.f32.f32 {%f2, %f3, %f4, %f5}, [%q2, {%f0, %f1}];
${address(5, 1, 0, 16)} st.v4.b32 [%q5], {%f2, %f3, %f4, %f5};`,
    "",
    ", .param .u64 texture",
  ),
  input: new Uint8Array(0),
  expected: bytesOf(
    TEXELS.map((_, k) => {
      const [t, channel] = [k >> 2, k & 3];
      return TEXELS[4 * ((t & 48) + 15 - (t & 15)) + channel] as number;
    }),
  ),
  more: (bench) => [makeTexture(bench, TEXTURE, bytesOf(TEXELS))],
};

/** The cases by form. */
export const CONTROL: Record<string, FormCase> = {
  ret: mapped("setp.lt.s32 %p0, %r10, 0; @%p0 ret; st.b32 [%q5], %r10;", "", (w) =>
    w >>> 31 === 1 ? 0 : w,
  ),
  trap: { ...mapped("trap;", "", () => 0), fault: 719 },
  call: called("call"),
  "call.uni": called("call.uni"),
  bra: mapped(
    "add.u32 %r11, %r10, 1; bra OVER; add.u32 %r11, %r11, 1; OVER: st.b32 [%q5], %r11;",
    "",
    (w) => w + 1,
  ),
  "barrier.sync": exchanged("bar.sync 0;", "barrier.sync 0;"),
  "bar.sync": exchanged("barrier.sync 0;", "bar.sync 0;"),
  "bar.warp.sync": exchanged("bar.sync 0;", "bar.warp.sync 0xffffffff;"),
  "vote.sync.all.pred": mapped(
    `setp.lt.u32 %p0, %r0, 40; vote.sync.all.pred %p1, %p0, 0xffffffff; selp.b32 %r11, 5, 6, %p1;
st.b32 [%q5], %r11;`,
    "",
    (_, t) => (t < 32 ? 5 : 6),
  ),
  "membar.gl": message("membar.gl;"),
  "fence.sc.cta": message("fence.sc.cta;"),
  "nanosleep.u32": {
    ...mapped("nanosleep.u32 50; st.b32 [%q5], %r10;", "", (w) => w),
    unseen: "it only takes time",
  },
  "cp.async.cg.shared.global": copied("cp.async.cg.shared.global", GROUPS, 16),
  "cp.async.ca.shared.global": copied("cp.async.ca.shared.global", GROUPS, 8),
  "cp.async.commit_group": copied("cp.async.cg.shared.global", GROUPS, 16, EARLY),
  "cp.async.wait_group": copied("cp.async.ca.shared.global", GROUPS, 4, EARLY),
  "cp.async.mbarrier.arrive.shared.b64": copied("cp.async.ca.shared.global", BY_COUNTED, 8, EARLY),
  "cp.async.mbarrier.arrive.noinc.shared.b64": copied("cp.async.ca.shared.global", BY_BARRIER, 8),
  "mbarrier.init.shared.b64": BY_STATE,
  "mbarrier.arrive.shared.b64": BY_STATE,
  "mbarrier.test_wait.shared.b64": BY_STATE,
  "mbarrier.test_wait.parity.shared.b64": BY_PARITY,
  "mbarrier.inval.shared.b64": {
    ...BY_STATE,
    unseen: "the object's memory may be used for other things",
  },
  "tex.2d.v4.f32.f32": SAMPLED,
};
