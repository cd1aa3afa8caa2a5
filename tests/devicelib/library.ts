/**
 * The device library, instantiated by itself. Functions are called over vectors in memory by a small
 * generated module: as JavaScript numbers, NaNs would lose their bits.
 */
import { readFileSync } from "node:fs";

/** Types of parameters and results: WebAssembly's, and 8 and 16 bits in an i32. */
export type VectorType = "i8" | "i16" | "i32" | "i64" | "f32" | "f64" | "v128";

const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
const module = new WebAssembly.Module(
  readFileSync(new URL("../../build/devicelib.wasm", import.meta.url)),
);
const instance = new WebAssembly.Instance(module, { env: { memory } });

/** Names of everything that the library exports. */
export const LIBRARY_NAMES: ReadonlySet<string> = new Set(
  WebAssembly.Module.exports(module)
    .filter((e) => e.kind === "function")
    .map((e) => e.name),
);

const WASM_TYPE: Record<VectorType, number> = {
  i8: 0x7f,
  i16: 0x7f,
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};
const LOAD: Record<VectorType, number[]> = {
  i8: [0x2d, 0],
  i16: [0x2f, 0],
  i32: [0x28, 0],
  i64: [0x29, 0],
  f32: [0x2a, 0],
  f64: [0x2b, 0],
  v128: [0xfd, 0x00, 0],
};
const STORE: Record<VectorType, number[]> = {
  i8: [0x36, 0],
  i16: [0x36, 0],
  i32: [0x36, 0],
  i64: [0x37, 0],
  f32: [0x38, 0],
  f64: [0x39, 0],
  v128: [0xfd, 0x0b, 0],
};
/** Bytes of one element in a vector. */
export const VECTOR_BYTES: Record<VectorType, number> = {
  i8: 1,
  i16: 2,
  i32: 4,
  i64: 8,
  f32: 4,
  f64: 8,
  v128: 16,
};

function section(id: number, ...items: number[][]): number[] {
  const body = [items.length, ...items.flat()];
  if (body.length > 127) throw new RangeError("section too long for a one-byte size");
  return [id, body.length, ...body];
}

function name(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)];
}

type Loop = (from: number[], to: number, count: number) => void;

/**
 * A module with `run(in0, …, in4, out, count)`: calls the imported function for each element.
 * Results of 8 and 16 bits are stored as 32, so that bits above them would be seen.
 */
function makeLoop(callee: unknown, inputs: VectorType[], output: VectorType): Loop {
  const outBytes = Math.max(VECTOR_BYTES[output], 4);
  const advance = (local: number, bytes: number): number[] => [
    ...[0x20, local],
    ...[0x41, bytes],
    ...[0x6a, 0x21, local],
  ];
  const loop = [
    ...[0x03, 0x40, 0x20, 5], // loop: the address of the result
    ...inputs.flatMap((type, k) => [0x20, k, ...LOAD[type], 0]),
    ...[0x10, 0, ...STORE[output], 0], // call, store
    ...inputs.flatMap((type, k) => advance(k, VECTOR_BYTES[type])),
    ...advance(5, outBytes),
    ...[0x20, 6, 0x41, 1, 0x6b, 0x22, 6, 0x0d, 0, 0x0b], // while (--count)
  ];
  const code = [0, ...loop, 0x0b];
  const long = (n: number): number[] => [(n & 0x7f) | 0x80, n >> 7];
  const body = [...long(code.length), ...code];
  const codeSection = [1, ...body];
  const bytes = new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      [0x60, inputs.length, ...inputs.map((t) => WASM_TYPE[t]), 1, WASM_TYPE[output]],
      [0x60, 7, ...new Array<number>(7).fill(0x7f), 0],
    ),
    ...section(
      2,
      [...name("e"), ...name("f"), 0, 0],
      [...name("e"), ...name("m"), ...[2, 3, 1, 0x80, 0x80, 4]],
    ),
    ...section(3, [1]),
    ...section(7, [...name("r"), 0, 1]),
    ...[10, ...long(codeSection.length), ...codeSection],
  ]);
  const linked = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    e: { f: callee as WebAssembly.ImportValue, m: memory },
  });
  const run = linked.exports.r as (...values: number[]) => void;
  return (from, to, count) => run(...[0, 1, 2, 3, 4].map((k) => from[k] ?? 0), to, count);
}

const loops = new Map<string, Loop>();

/**
 * Calls the library's function for every element of the input vectors.
 * @param functionName as exported
 * @param inputs one vector an operand: its type and little-endian bytes
 * @param output the result's type
 * @returns the results; of 8- and 16-bit types as 32-bit elements
 */
export function applyFunction(
  functionName: string,
  inputs: { type: VectorType; bytes: Uint8Array }[],
  output: VectorType,
): Uint8Array {
  const callee = instance.exports[functionName];
  if (typeof callee !== "function") throw new Error(`the device library has no ${functionName}`);
  const key = `${functionName}:${inputs.map((i) => i.type).join()}:${output}`;
  let loop = loops.get(key);
  if (!loop) {
    loop = makeLoop(
      callee,
      inputs.map((i) => i.type),
      output,
    );
    loops.set(key, loop);
  }
  const first = inputs[0];
  if (!first) throw new RangeError("no inputs");
  const count = first.bytes.length / VECTOR_BYTES[first.type];
  const outBytes = count * Math.max(VECTOR_BYTES[output], 4);
  let at = 0;
  const place = (bytes: number): number => {
    const start = at;
    at += (bytes + 15) & ~15;
    return start;
  };
  const addresses = inputs.map((i) => place(i.bytes.length));
  const to = place(outBytes);
  const missing = Math.ceil((at - memory.buffer.byteLength) / 65536);
  if (missing > 0) memory.grow(missing);
  const all = new Uint8Array(memory.buffer);
  inputs.forEach((input, k) => {
    all.set(input.bytes, addresses[k]);
  });
  loop(addresses, to, count);
  return all.slice(to, to + outBytes);
}
