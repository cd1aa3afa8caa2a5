/** Loads and stores of every space, width, vector length and ordering: the kernel follows from the name. */
import { address, type FormCase, kernelOf, random, randomBytes, THREADS } from "./kernel.ts";

interface Access {
  opcode: "ld" | "st";
  space: string;
  /** Elements. */
  count: number;
  /** Bytes of an element. */
  size: number;
  signed: boolean;
}

function accessOf(form: string): Access | undefined {
  const [opcode, ...mods] = form.split(".");
  const [, kind, bits] = /^([usbf])(8|16|32|64)$/.exec(mods.at(-1) ?? "") ?? [];
  if ((opcode !== "ld" && opcode !== "st") || kind === undefined) return undefined;
  const space = mods.find((m) => /^(global|shared|local|const|param)$/.test(m)) ?? "generic";
  const count = Number(/\.v([24])\./.exec(form)?.[1] ?? 1);
  return { opcode, space, count, size: Number(bits) / 8, signed: kind === "s" };
}

/** Registers for the elements, as an operand. */
function operand({ count, size }: Access): { names: string[]; text: string } {
  const names = Array.from({ length: count }, (_, k) => `%${size === 8 ? "q" : "r"}${20 + k}`);
  return { names, text: count === 1 ? (names[0] as string) : `{${names.join(", ")}}` };
}

/** Copies bytes one by one; addresses are in 64-bit registers, or 32-bit ones, of these names. */
function copyBytes(
  fromSpace: string,
  from: string,
  toSpace: string,
  to: string,
  bytes: number,
): string {
  return Array.from(
    { length: bytes },
    (_, k) => `ld.${fromSpace}.b8 %h0, [${from}+${k}]; st.${toSpace}.b8 [${to}+${k}], %h0;`,
  ).join("\n");
}

/** %r2 = the next thread, around the block. */
const NEXT = `add.u32 %r2, %r0, 1; and.b32 %r2, %r2, ${THREADS - 1};`;
/** Chunks of a thread's local memory. */
const SLOTS = 4;
/** Fills bytes that a store may leave as they are. */
const fillBytes = (space: string, register: string, bytes: number): string =>
  `mov.b16 %h1, 0xaa; ${Array.from({ length: bytes }, (_, k) => `st.${space}.b8 [${register}+${k}], %h1;`).join(" ")}`;

/** The elements' places in `input`, each widened as a register of 32 or 64 bits sees it. */
function widened(a: Access, input: Uint8Array, places: number[]): Uint8Array {
  const from = new DataView(input.buffer, input.byteOffset);
  const wide = a.size === 8 ? 8 : 4;
  const out = new DataView(new ArrayBuffer(places.length * wide));
  places.forEach((at, k) => {
    if (a.size === 8) out.setBigUint64(8 * k, from.getBigUint64(at, true), true);
    else {
      const bits = 8 * a.size;
      const value = [0, from.getUint8, from.getUint16, 0, from.getUint32][a.size] as (
        at: number,
        little: boolean,
      ) => number;
      const raw = value.call(from, at, true);
      out.setUint32(4 * k, a.signed ? (raw << (32 - bits)) >> (32 - bits) : raw, true);
    }
  });
  return new Uint8Array(out.buffer);
}

/** Stores the elements' registers to `out`, widened. */
function storeWide(a: Access): string {
  const wide = a.size === 8 ? 8 : 4;
  const { names } = operand(a);
  const stores = names.map((name, k) => `st.b${8 * wide} [%q8+${wide * k}], ${name};`);
  return `${address(8, 1, 0, a.count * wide)} ${stores.join(" ")}`;
}

function load(form: string, a: Access): FormCase {
  const chunk = a.count * a.size;
  const { text } = operand(a);
  const elements = (thread: (t: number) => number): number[] =>
    Array.from({ length: THREADS * a.count }, (_, k) => {
      const t = Math.floor(k / a.count);
      return thread(t) * chunk + (k % a.count) * a.size;
    });
  const plain = randomBytes(THREADS * chunk);
  const own = widened(
    a,
    plain,
    elements((t) => t),
  );
  const next = widened(
    a,
    plain,
    elements((t) => (t + 1) % THREADS),
  );
  const shared = `.shared .align 16 .b8 buf[${THREADS * chunk}];`;
  const fill = `${address(4, 0, 0, chunk)} mov.u32 %r1, buf; mad.lo.u32 %r3, %r0, ${chunk}, %r1;
${copyBytes("global", "%q4", "shared", "%r3", chunk)} bar.sync 0;
${NEXT} mad.lo.u32 %r4, %r2, ${chunk}, %r1;`;
  switch (a.space) {
    case "global": {
      const body = `${address(4, 0, 0, chunk)} ${form} ${text}, [%q4]; ${storeWide(a)}`;
      return { ptx: kernelOf(body), input: plain, expected: own };
    }
    case "shared": {
      const body = `${fill} ${form} ${text}, [%r4]; ${storeWide(a)}`;
      return { ptx: kernelOf(body, shared), input: plain, expected: next };
    }
    case "generic": {
      // Odd threads read what their neighbour put into shared memory, even ones global memory.
      const body = `${fill} cvt.u64.u32 %q5, %r4; cvta.shared.u64 %q5, %q5; ${address(6, 0, 2, chunk)}
and.b32 %r5, %r0, 1; setp.eq.u32 %p0, %r5, 1; selp.b64 %q7, %q5, %q6, %p0;
${form} ${text}, [%q7]; ${storeWide(a)}`;
      return { ptx: kernelOf(body, shared), input: plain, expected: next };
    }
    case "const": {
      const table = `.const .align 16 .b8 tab[${plain.length}] = {${plain.join(", ")}};`;
      const body = `mov.u64 %q3, tab; ${address(4, 3, 0, chunk)} ${form} ${text}, [%q4]; ${storeWide(a)}`;
      return { ptx: kernelOf(body, table), input: plain, expected: own };
    }
    case "local": {
      const input = randomBytes(THREADS * SLOTS * chunk);
      const body = `.local .align 16 .b8 loc[${SLOTS * chunk}]; mov.u32 %r1, loc; ${address(4, 0, 0, SLOTS * chunk)}
${copyBytes("global", "%q4", "local", "%r1", SLOTS * chunk)}
and.b32 %r2, %r0, ${SLOTS - 1}; mad.lo.u32 %r3, %r2, ${chunk}, %r1; ${form} ${text}, [%r3]; ${storeWide(a)}`;
      const places = elements((t) => t * SLOTS + (t % SLOTS));
      return { ptx: kernelOf(body), input, expected: widened(a, input, places) };
    }
    default:
      return parameter(form, a);
  }
}

/** A kernel's parameter, exclusive-or the thread. */
function parameter(form: string, a: Access): FormCase {
  const { size } = a;
  const [value] = random(1, (r) => (BigInt(r.next()) << 32n) | BigInt(r.next()));
  const [register, type] = size === 8 ? ["%q20", "b64"] : ["%r20", "b32"];
  const body = `${form} ${register}, [x]; cvt.u64.u32 %q5, %r0;
${size === 8 ? "xor.b64 %q20, %q20, %q5;" : "xor.b32 %r20, %r20, %r0;"} ${storeWide(a)}`;
  const bits = BigInt.asUintN(8 * size, value as bigint);
  const expected = new DataView(new ArrayBuffer(THREADS * size));
  for (let t = 0; t < THREADS; t++) {
    if (size === 8) expected.setBigUint64(8 * t, bits ^ BigInt(t), true);
    else expected.setUint32(4 * t, Number(bits) ^ t, true);
  }
  return {
    ptx: kernelOf(body, "", `, .param .${type} x`),
    input: new Uint8Array(0),
    expected: new Uint8Array(expected.buffer),
    more: () => [bits],
  };
}

function store(form: string, a: Access): FormCase {
  const chunk = a.count * a.size;
  const wide = a.size === 8 ? 8 : 4;
  const { names, text } = operand(a);
  // Registers hold more than narrow stores take.
  const input = randomBytes(THREADS * a.count * wide);
  const loads = `${address(4, 0, 0, a.count * wide)}
${names.map((name, k) => `ld.b${8 * wide} ${name}, [%q4+${wide * k}];`).join(" ")}`;
  const stored = (t: number): Uint8Array =>
    Uint8Array.from({ length: chunk }, (_, at) => {
      const element = t * a.count + Math.floor(at / a.size);
      return input[element * wide + (at % a.size)] as number;
    });
  const collect = (part: (t: number) => Uint8Array): Uint8Array =>
    Uint8Array.from(Array.from({ length: THREADS }, (_, t) => [...part(t)]).flat());
  const shared = `.shared .align 16 .b8 buf[${THREADS * chunk}];`;
  const own = `mov.u32 %r1, buf; mad.lo.u32 %r3, %r0, ${chunk}, %r1; ${address(8, 1, 0, chunk)}`;
  switch (a.space) {
    case "global": {
      const body = `${loads} ${address(8, 1, 0, chunk)} ${form} [%q8], ${text};`;
      return { ptx: kernelOf(body), input, expected: collect(stored) };
    }
    case "shared": {
      const body = `${loads} ${own} ${fillBytes("shared", "%r3", chunk)} bar.sync 0;
${form} [%r3], ${text}; bar.sync 0;
${NEXT} mad.lo.u32 %r4, %r2, ${chunk}, %r1; ${copyBytes("shared", "%r4", "global", "%q8", chunk)}`;
      return {
        ptx: kernelOf(body, shared),
        input,
        expected: collect((t) => stored((t + 1) % THREADS)),
      };
    }
    case "generic": {
      const body = `${loads} ${own} cvt.u64.u32 %q5, %r3; cvta.shared.u64 %q5, %q5;
and.b32 %r5, %r0, 1; setp.eq.u32 %p0, %r5, 1; selp.b64 %q7, %q5, %q8, %p0; ${form} [%q7], ${text};
@!%p0 bra DONE; ${copyBytes("shared", "%r3", "global", "%q8", chunk)} DONE:`;
      return { ptx: kernelOf(body, shared), input, expected: collect(stored) };
    }
    case "local": {
      const body = `.local .align 16 .b8 loc[${SLOTS * chunk}]; mov.u32 %r1, loc; ${fillBytes("local", "%r1", SLOTS * chunk)}
${loads} and.b32 %r2, %r0, ${SLOTS - 1}; mad.lo.u32 %r3, %r2, ${chunk}, %r1;
${form} [%r3], ${text}; ${address(8, 1, 0, SLOTS * chunk)}
${copyBytes("local", "%r1", "global", "%q8", SLOTS * chunk)}`;
      const expected = collect((t) => {
        const all = new Uint8Array(SLOTS * chunk).fill(0xaa);
        all.set(stored(t), (t % SLOTS) * chunk);
        return all;
      });
      return { ptx: kernelOf(body), input, expected };
    }
    default: {
      // An argument and a result: the function answers the complement.
      const type = `b${8 * a.size}`;
      const register = a.size === 8 ? "%q20" : "%r20";
      const before = `.func (.param .${type} r) f(.param .${type} a)
{ .reg .${type} %x; ld.param.${type} %x, [a]; not.${type} %x, %x; ${form} [r], %x; ret; }`;
      const body = `${loads} { .param .${type} a; .param .${type} r; ${form} [a], ${register};
call.uni (r), f, (a); ld.param.${type} ${register}, [r]; }
${address(8, 1, 0, chunk)} st.global.${type} [%q8], ${register};`;
      return {
        ptx: kernelOf(body, before),
        input,
        expected: collect((t) => stored(t).map((byte) => ~byte)),
      };
    }
  }
}

/** The case of a load or store, or undefined for another instruction. */
export function memoryCase(form: string): FormCase | undefined {
  const access = accessOf(form);
  if (!access) return undefined;
  return access.opcode === "ld" ? load(form, access) : store(form, access);
}
