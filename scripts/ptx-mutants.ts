// Mutants of PTX modules for the fuzzer: everything follows from a seed, so that mutant n of seed s is
// the same text anywhere.

import { readdirSync, readFileSync } from "node:fs";
import { allForms, formsOf } from "../runtime/compiler/ptx/table/index.ts";
import { sampleModule, samplesOf } from "../runtime/compiler/ptx/table/sample.ts";

/** Random numbers that are the same everywhere: splitmix with 32 bits. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A 32-bit unsigned integer. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  }

  /** An integer from 0 to n − 1. */
  below(n: number): number {
    return Math.floor((this.next() / 4294967296) * n);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

const HEADER = ".version 9.0\n.target sm_90a\n.address_size 64\n";

/** Hand-written seeds: control flow, calls, barriers, scopes, variables, big arrays. */
const WRITTEN = [
  `.global .align 4 .u32 g[16] = {1, 2, 3}; .shared .align 8 .b8 sh[256]; .const .f32 c[2] = {1.5, 0f3f800000};
.func (.param .b32 r) f(.param .b32 a) { .reg .b32 t; ld.param.b32 t, [a]; add.u32 t, t, 1; st.param.b32 [r], t; ret; }
.entry k(.param .u64 p, .param .u32 n) .maxntid 64 {
.reg .pred %p<5>; .reg .b32 %r<20>; .reg .b64 %rd<10>; .local .align 16 .b8 lc[32];
ld.param.u64 %rd1, [p]; cvta.to.global.u64 %rd2, %rd1; ld.param.u32 %r1, [n];
mov.u32 %r2, %tid.x; setp.ge.u32 %p1, %r2, %r1; @%p1 bra DONE;
LOOP: ld.global.u32 %r3, [%rd2+4]; add.s32 %r4, %r3, %r2; bar.sync 0;
{ .param .b32 a0; .param .b32 r0; st.param.b32 [a0], %r4; call.uni (r0), f, (a0); ld.param.b32 %r5, [r0]; }
st.shared.u32 [sh+8], %r5; atom.shared.add.u32 %r6, [sh], 1; shfl.sync.bfly.b32 %r7|%p2, %r5, 1, 31, -1;
@%p2 st.global.u32 [%rd2], %r7; add.u32 %r2, %r2, 1; setp.lt.u32 %p3, %r2, 100; @%p3 bra LOOP;
mov.u64 %rd3, lc; st.local.u32 [lc+4], %r2; T: .branchtargets LOOP, DONE; brx.idx %r2, T;
DONE: ret; }`,
  `.entry k(.param .u64 p) { .reg .pred %p<4>; .reg .b32 %r<9>; .reg .b64 %rd<4>; .reg .f32 %f<9>; .reg .f64 %fd<5>;
ld.param.u64 %rd1, [p]; mov.u32 %r1, %ctaid.x; mov.f32 %f1, 0f40490fdb; cvt.rn.f64.s32 %fd1, %r1;
W: ld.volatile.global.u32 %r2, [%rd1]; setp.eq.u32 %p1, %r2, 0; @%p1 bra W;
A: atom.global.cas.b32 %r3, [%rd1], 0, 1; setp.ne.u32 %p2, %r3, 0; @%p2 bra A; @!%p1 bra B; sin.approx.f32 %f2, %f1;
bra C; B: sqrt.rn.f64 %fd2, %fd1; fma.rn.f32 %f2, %f1, %f1, 0f3f800000; C: st.global.f32 [%rd1+16], %f2;
bar.red.popc.u32 %r4, 0, %p1; vote.sync.ballot.b32 %r5, %p2, 0xffffffff; membar.gl; exit; }`,
];

/** The texts that mutants are made of: short modules, one kernel each where it can be. */
export function readSeeds(): string[] {
  const seeds = WRITTEN.map((text) => HEADER + text);
  for (const folder of ["../examples/", "../tests/ptx/fixtures/"]) {
    const base = new URL(folder, import.meta.url);
    for (const name of readdirSync(base).sort()) {
      if (!name.endsWith(".ptx")) continue;
      const text = readFileSync(new URL(name, base), "utf8");
      if (text.length < 5000) seeds.push(text);
      else seeds.push(...singleKernels(text));
    }
  }
  const samples = allForms().map((form) => samplesOf(form));
  const random = new Random(7);
  for (let n = 0; n < 300; n++) {
    const list = random.pick(samples);
    if (list.length > 0) seeds.push(sampleModule([random.pick(list)]));
  }
  return seeds;
}

/** Splits a module into its kernels, each with all that isn't a kernel. */
function singleKernels(text: string): string[] {
  const parts = text.split(/^(?=(?:\/\/.*\n)?\t?\.visible \.entry)/m);
  const [head = "", ...kernels] = parts;
  return kernels.filter((k) => head.length + k.length < 12_000).map((k) => head + k);
}

/** Pieces of PTX: names, modifiers, numbers, punctuation. */
const TOKEN = /[%$]?\w+|\.\w+(?:::\w+)*|"[^"\n]*"|\s+|[^\s\w]/g;

const NUMBERS =
  "0 1 -1 2 31 32 63 64 255 65535 65536 2147483647 4294967295 4294967296 9007199254740993 " +
  "18446744073709551615 18446744073709551616 0x 0f 0f3f800000 0d7ff0000000000000 1e999 1.5 0b1 099";
const WORDS =
  "{ } ( ) [ ] < > , ; : @ ! | + - * / % = .reg .param .global .shared .local .const .entry .func " +
  ".pred .b8 .u32 .f64 .v4 .align .extern .visible %tid.x %laneid %clock64 _ ret bra call bar.sync " +
  'exit WARP_SZ .pragma .loc .section .branchtargets .callprototype .calltargets // /* */ " .maxntid';

const DICTIONARY = [...NUMBERS.split(" "), ...WORDS.split(" "), "\n", " ", "\0", "é", "\\"];

let mnemonics: string[] | undefined;

/** Every base opcode with its modifiers somewhere in the table. */
function vocabulary(): readonly string[] {
  if (mnemonics === undefined) {
    mnemonics = allForms().flatMap((form) => [
      form.opcode,
      ...form.slots.flatMap((slot) => slot.values.map((value) => `.${value}`)),
    ]);
  }
  return mnemonics;
}

/** Changes a list of tokens in one place. */
function mutateTokens(tokens: string[], random: Random, seeds: readonly string[]): void {
  const at = random.below(tokens.length);
  const other = random.below(tokens.length);
  switch (random.below(12)) {
    case 0:
      tokens.splice(at, 1 + random.below(4));
      break;
    case 1:
      tokens.splice(at, 0, random.pick(DICTIONARY));
      break;
    case 2:
      tokens[at] = random.pick(DICTIONARY);
      break;
    case 3:
      tokens.splice(at, 0, ...tokens.slice(other, other + random.below(40)));
      break;
    case 4: {
      const kept = tokens[at] as string;
      tokens[at] = tokens[other] as string;
      tokens[other] = kept;
      break;
    }
    case 5:
    case 6:
      tokens[at] = random.pick(vocabulary());
      break;
    case 7:
      tokens[at] = random.pick(NUMBERS.split(" "));
      break;
    case 8:
      tokens.length = at;
      break;
    case 9: {
      const donor = random.pick(seeds);
      const from = random.below(donor.length);
      tokens.splice(at, 0, donor.slice(from, from + random.below(200)));
      break;
    }
    case 10: {
      // Another register or name of the same module, where one of its kind stands.
      const names = tokens.filter((token) => /^[%$A-Za-z_]/.test(token));
      if (names.length > 0) tokens[at] = random.pick(names);
      break;
    }
    default: {
      const token = tokens[at] as string;
      const code = token.charCodeAt(0) ^ (1 << random.below(7));
      tokens[at] = String.fromCharCode(code) + token.slice(1);
    }
  }
}

/** Mnemonics of the same base opcode, taken from the table's samples. */
const siblings = new Map<string, string[]>();

function siblingsOf(opcode: string): readonly string[] {
  let names = siblings.get(opcode);
  if (names === undefined) {
    const all = formsOf(opcode).flatMap((form) => samplesOf(form));
    names = [...new Set(all.map((text) => text.split(" ", 1)[0] as string))];
    siblings.set(opcode, names);
  }
  return names;
}

/** Statements of a module, each with what ends it. */
const STATEMENT = /[^;{}]*[;{}]|[^;{}]+$/g;

/** Replaces one of the matches of a pattern by something that `choose` makes of it. */
function replaceOne(text: string, pattern: RegExp, random: Random, choose: (m: string) => string) {
  const matches = [...text.matchAll(pattern)];
  const match = matches[random.below(Math.max(1, matches.length))];
  if (match === undefined) return text;
  const end = match.index + match[0].length;
  return text.slice(0, match.index) + choose(match[0]) + text.slice(end);
}

/** Changes a module in one place so that it may still be a program. */
function mutateStatements(text: string, random: Random): string {
  const kind = random.below(8);
  if (kind < 3) {
    const list = [...(text.match(STATEMENT) ?? [])];
    // Declarations and brackets mostly stay: a program without them is refused at once.
    const plain = list.flatMap((s, n) => (/^\s*[a-z@]/.test(s) && s.endsWith(";") ? [n] : []));
    if (plain.length < 2) return text;
    const at = random.pick(plain);
    const other = random.pick(plain);
    const statement = list[at] as string;
    if (kind === 0) list.splice(at, 1);
    else if (kind === 1) list.splice(other, 0, statement);
    else {
      list[at] = list[other] as string;
      list[other] = statement;
    }
    return list.join("");
  }
  switch (kind) {
    case 3:
    case 4: {
      // A register for another of its kind.
      const registers = [...new Set(text.match(/%[a-z]+\d*_?\d+/g))];
      return replaceOne(text, /%[a-z]+\d*_?\d+/g, random, (name) => {
        const prefix = name.replace(/\d+$/, "");
        return random.pick(registers.filter((other) => other.replace(/\d+$/, "") === prefix));
      });
    }
    case 5:
      return replaceOne(text, /(?<=[\s,[+])\d+(?=[\s,\];])/g, random, () =>
        random.pick(NUMBERS.split(" ")),
      );
    case 6:
      // An instruction for another of its opcode.
      return replaceOne(text, /(?<=[\s;])[a-z]\w*(?=[.\s;])[\w.:]*(?=[\s;])/g, random, (name) => {
        const names = siblingsOf(name.split(".", 1)[0] as string);
        return names.length > 0 ? random.pick(names) : name;
      });
    default: {
      // A branch to another label, or a guard taken away.
      const labels = [...new Set(text.match(/[$\w]+(?=:)/g))];
      if (labels.length === 0) return replaceOne(text, /@!?%p\d+/g, random, () => "");
      return replaceOne(text, /(?<=bra(?:\.uni)?\s+)[$\w]+/g, random, () => random.pick(labels));
    }
  }
}

/**
 * Mutant number `index` of a seed: one to four changes of one of the texts. Two of three are of the
 * gentle kind, which the compiler mostly takes; the others are of the kind that the parser refuses.
 */
export function mutant(seeds: readonly string[], seed: number, index: number): string {
  const random = new Random(Math.imul(seed, 0x01000193) ^ Math.imul(index, 0x9e3779b1));
  let text = random.pick(seeds);
  const changes = 1 + random.below(4);
  if (random.below(3) > 0) {
    for (let n = 0; n < changes; n++) text = mutateStatements(text, random);
    return text;
  }
  const list = [...(text.match(TOKEN) ?? [])];
  for (let n = 0; n < changes && list.length > 0; n++) mutateTokens(list, random, seeds);
  return list.join("");
}
