/** Judges one output vector of a case by the rules of tests/conformance/README.md. */
import { exactFunction } from "./exact.ts";
import { FLOAT_FORMAT, floatsOf, floatType, ulp } from "./floats.ts";
import { type Case, ELEMENT_BYTES } from "./oracle.ts";

/** The first element that is wrong. */
export interface Mismatch {
  /** element number; for packed pairs, of the pair */
  element: number;
  expected: string;
  got: string;
  /** how many elements are wrong altogether */
  count: number;
}

/** Element `i` as hexadecimal digits, most significant first. */
export function hexElement(bytes: Uint8Array, size: number, i: number): string {
  const element = bytes.subarray(i * size, (i + 1) * size);
  return `0x${Array.from(element, (b) => b.toString(16).padStart(2, "0"))
    .reverse()
    .join("")}`;
}

function sameValue(a: number, b: number): boolean {
  return Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b));
}

/** Whether `got` is within `factor` times the tolerance of `want`. */
function within(entry: Case, got: number, want: number, factor: number): boolean {
  if (sameValue(got, want)) return true;
  const type = floatType(entry.out);
  if (!type || !entry.tol || !Number.isFinite(got) || Number.isNaN(want)) return false;
  const { max, minExponent } = FLOAT_FORMAT[type];
  // A result beyond the format's range is an infinity.
  if (Math.abs(want) > max) return false;
  if (got === 0 && want === 0) return false; // zeros of different signs
  const { ulp: ulps = 0, rel = 0, abs = 0 } = entry.tol;
  // A subnormal result has fewer bits than a relative error can ask for: its rounding comes on top.
  const rounding = Math.abs(want) < 2 ** minExponent ? ulp(type, want) / 2 : 0;
  const allowed = Math.max(ulps * ulp(type, want), rel * Math.abs(want), abs) + rounding;
  return Math.abs(got - want) <= factor * allowed;
}

/**
 * Compares an output vector with the recorded one. Exact cases: bit for bit, any NaN equal to any NaN.
 * Approximate ones: within the allowed error of the exact result, or within twice of it of the golden.
 * @param entry the case
 * @param inputs the input vectors that it read
 * @param golden the recorded output
 * @param got the output to judge
 * @param active tells which elements count (all, when left out)
 * @returns the first mismatch, or undefined
 */
export function compareOutput(
  entry: Case,
  inputs: Uint8Array[],
  golden: Uint8Array,
  got: Uint8Array,
  active: (element: number) => boolean = () => true,
): Mismatch | undefined {
  const size = ELEMENT_BYTES[entry.out];
  const type = floatType(entry.out);
  const parts = entry.out.endsWith("x2") ? 2 : 1;
  const goldenFloats = type ? floatsOf(type, golden) : [];
  const gotFloats = type ? floatsOf(type, got) : [];
  const inputFloats = inputs.map((bytes, k) => {
    const inputType = floatType(entry.in[k] ?? "i32");
    return inputType ? floatsOf(inputType, bytes) : [];
  });
  const exact = entry.tol ? exactFunction(entry.name) : undefined;
  const partSize = size / parts;
  const same = (index: number): boolean => {
    for (let b = index * partSize; b < (index + 1) * partSize; b++) {
      if (golden[b] !== got[b]) return false;
    }
    return true;
  };
  const right = (index: number): boolean => {
    if (same(index)) return true;
    if (!type) return false;
    const g = gotFloats[index] as number;
    const w = goldenFloats[index] as number;
    if (Number.isNaN(g) && Number.isNaN(w)) return true;
    if (!entry.tol) return false;
    if (exact) {
      const want = exact(inputFloats[0]?.[index] ?? NaN, inputFloats[1]?.[index] ?? NaN);
      if (within(entry, g, want, 1)) return true;
    }
    return within(entry, g, w, 2);
  };
  let first: number | undefined;
  let count = 0;
  for (let element = 0; element < golden.length / size; element++) {
    if (!active(element)) continue;
    let wrong = false;
    for (let part = 0; part < parts; part++) wrong ||= !right(element * parts + part);
    if (!wrong) continue;
    first ??= element;
    count++;
  }
  if (first === undefined) return undefined;
  return {
    element: first,
    expected: hexElement(golden, size, first),
    got: hexElement(got, size, first),
    count,
  };
}
