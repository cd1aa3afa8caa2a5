/** Atomic operations of every space, order and type: the kernel follows from the name. */
import { address, bytesOf, type FormCase, kernelOf, random, THREADS } from "./kernel.ts";

type Step = (old: bigint, operand: bigint, compared: bigint) => bigint;

/** Words that eight threads each change. */
const CONTENDED = 8;

const signed = (x: bigint, bits: number): bigint => BigInt.asIntN(bits, x);

const view = new DataView(new ArrayBuffer(8));
/** The sum of two floats, given and returned by their bits. */
function addFloats(bits: number, a: bigint, b: bigint): bigint {
  const float = (x: bigint): number => {
    if (bits === 64) view.setBigUint64(0, x);
    else view.setUint32(0, Number(x));
    return bits === 64 ? view.getFloat64(0) : view.getFloat32(0);
  };
  const sum = float(a) + float(b);
  if (bits === 64) view.setFloat64(0, sum);
  else view.setFloat32(0, sum);
  return bits === 64 ? view.getBigUint64(0) : BigInt(view.getUint32(0));
}

/** What each operation makes of the old value (PTX ISA §9.7.13 atom). */
function stepOf(op: string, type: string, bits: number): Step | undefined {
  const as = (x: bigint): bigint => (type.startsWith("s") ? signed(x, bits) : x);
  const steps: Record<string, Step> = {
    add: type.startsWith("f") ? (a, b) => addFloats(bits, a, b) : (a, b) => a + b,
    min: (a, b) => (as(a) < as(b) ? a : b),
    max: (a, b) => (as(a) > as(b) ? a : b),
    and: (a, b) => a & b,
    or: (a, b) => a | b,
    xor: (a, b) => a ^ b,
    inc: (a, b) => (a >= b ? 0n : a + 1n),
    dec: (a, b) => (a === 0n || a > b ? b : a - 1n),
    exch: (_, b) => b,
    cas: (a, b, compared) => (a === compared ? b : a),
  };
  const step = steps[op];
  return step && ((a, b, c) => BigInt.asUintN(bits, step(a, b, c)));
}

/** The case of an `atom` or `red`, or undefined for another instruction. */
export function atomicCase(form: string): FormCase | undefined {
  const [opcode, ...mods] = form.split(".");
  if (opcode !== "atom" && opcode !== "red") return undefined;
  const type = mods.at(-1) as string;
  const bits = Number(type.slice(1));
  const op = mods.find((m) => stepOf(m, type, bits) !== undefined) as string;
  const step = stepOf(op, type, bits) as Step;
  const bytes = bits / 8;
  const ordered = op !== "exch" && op !== "cas";

  const value = (k: number, r: { below(n: number): number; next(): number }): bigint => {
    if (type.startsWith("f")) {
      // Sums of small integers are the same in any order.
      return addFloats(bits, 0n, numberBits(bits, r.below(2000) - 1000));
    }
    // A counter's limit is the same for all threads that change one word.
    if (op === "inc" || op === "dec") return BigInt(3 + (k % CONTENDED));
    return BigInt.asUintN(bits, (BigInt(r.next()) << 32n) | BigInt(r.next()));
  };
  const operands = random(THREADS, (r, k) => value(k, r));
  const initial = random(THREADS + CONTENDED, (r, k) => {
    if (op === "inc" || op === "dec") return BigInt(r.below(8));
    return value(k + THREADS, r);
  }).map((x, k) => (op === "cas" && k % 2 === 0 ? (operands[k % THREADS] as bigint) : x));

  // What the words of each thread become, and those that several change.
  const after = initial.slice();
  operands.forEach((operand, t) => {
    // cas compares with the operand, and puts in what the kernel derives from it.
    const put = op === "cas" ? ~operand & 0xffffn : operand;
    after[t] = step(initial[t] as bigint, put, operand);
    if (!ordered) return;
    const at = THREADS + (t % CONTENDED);
    after[at] = step(after[at] as bigint, operand, 0n);
  });

  const r = bits === 64 ? "%q" : "%r";
  const make = (values: bigint[]) =>
    bits === 64 ? BigUint64Array.from(values) : Uint32Array.from(values.map(Number));
  const inShared = mods.includes("shared");
  const total = THREADS + CONTENDED;
  const old = opcode === "atom" ? `${r}20, ` : "";
  const sources = op === "cas" ? `${r}21, ${r}22` : `${r}21`;
  const complement =
    bits === 64
      ? "not.b64 %q22, %q21; and.b64 %q22, %q22, 0xffff;"
      : "not.b32 %r22, %r21; and.b32 %r22, %r22, 0xffff;";
  const place = (index: number, register: number): string =>
    inShared
      ? `mad.lo.u32 %r${register}, %r${index}, ${bytes}, %r1;`
      : address(register, 30, index, bytes);
  const at = (register: number): string => `[%${inShared ? "r" : "q"}${register}]`;
  const space = inShared ? ".shared" : "";
  // out: the old values, then the words; words of shared memory are copied there.
  const body = `mov.u32 %r1, buf; add.s64 %q30, %q1, ${THREADS * bytes};
${address(4, 0, 0, bytes)} ld.b${bits} ${r}21, [%q4]; ${complement}
and.b32 %r2, %r0, ${CONTENDED - 1}; add.u32 %r2, %r2, ${THREADS};
${address(5, 0, 0, bytes)} ld.b${bits} ${r}23, [%q5+${THREADS * bytes}]; ${place(0, 31)} st${space}.b${bits} ${at(31)}, ${r}23;
${address(5, 0, 2, bytes)} ld.b${bits} ${r}23, [%q5+${THREADS * bytes}]; ${place(2, 32)} st${space}.b${bits} ${at(32)}, ${r}23;
bar.sync 0;
${form} ${old}${at(31)}, ${sources};
${ordered ? `${form} ${old.replace("20", "24")}${at(32)}, ${sources};` : ""}
bar.sync 0;
${opcode === "atom" ? `${address(8, 1, 0, bytes)} st.b${bits} [%q8], ${r}20;` : ""}
${
  inShared
    ? `${address(9, 30, 0, bytes)} ld.shared.b${bits} ${r}25, ${at(31)}; st.b${bits} [%q9], ${r}25;
${address(9, 30, 2, bytes)} ld.shared.b${bits} ${r}25, ${at(32)}; st.b${bits} [%q9], ${r}25;`
    : ""
}`;
  const olds = opcode === "atom" ? initial.slice(0, THREADS) : operands.map(() => 0n);
  return {
    ptx: kernelOf(body, `.shared .align 16 .b8 buf[${total * bytes}];`),
    input: bytesOf(make(operands), make(initial)),
    expected: bytesOf(make(olds), make(after)),
  };
}

/** The bits of a number as a float. */
function numberBits(bits: number, x: number): bigint {
  if (bits === 64) view.setFloat64(0, x);
  else view.setFloat32(0, x);
  return bits === 64 ? view.getBigUint64(0) : BigInt(view.getUint32(0));
}
