/**
 * What the approximate instructions would return if they were exact, in double precision, for the
 * comparison within the errors that the PTX ISA allows.
 */

/** Flushes f32 subnormals to a zero of their sign. */
function flush(x: number): number {
  return Math.abs(x) < 2 ** -126 ? x * 0 : x;
}

type Exact = (a: number, b: number) => number;

const FUNCTIONS: Record<string, Exact> = {
  "div.full": (a, b) => a / b,
  "div.approx": (a, b) => a / b,
  "rcp.approx": (a) => 1 / a,
  "sqrt.approx": (a) => Math.sqrt(a),
  "rsqrt.approx": (a) => 1 / Math.sqrt(a),
  "sin.approx": (a) => Math.sin(a),
  "cos.approx": (a) => Math.cos(a),
  "ex2.approx": (a) => 2 ** a,
  "lg2.approx": (a) => Math.log2(a),
  "tanh.approx": (a) => Math.tanh(a),
};

/**
 * The exact function of an approximate instruction, or undefined for one that has none here.
 * @param name of the case, as "ex2.approx.ftz.f32"
 */
export function exactFunction(name: string): Exact | undefined {
  const parts = name.split(".");
  const exact = FUNCTIONS[parts.slice(0, 2).join(".")];
  if (!exact) return undefined;
  if (!parts.includes("ftz")) return exact;
  // Inputs and results that are subnormal in the type are flushed; for f64 the limit is its own.
  if (parts.at(-1) === "f64") {
    const flush64 = (x: number): number => (Math.abs(x) < 2 ** -1022 ? x * 0 : x);
    return (a, b) => flush64(exact(flush64(a), flush64(b)));
  }
  return (a, b) => flush(exact(flush(a), flush(b)));
}
