/**
 * Kernels around one atomic operation, or one ordered access, of every type, space, order and scope:
 * t(in0*, in1*, in2*, out*, n) for 512 threads, in blocks of 128. Each thread has 16 bytes of its own, in
 * shared memory or in the module's; what comes out mixes the old value with the new one.
 */
import { type OracleCase, wrapKernel } from "./mma_kernels.ts";

const SPACES = ["global", "shared", "generic"] as const;
type Space = (typeof SPACES)[number];

const DECLARATIONS = `  .reg .b16 %h<4>; .reg .b32 %a, %b, %c, %d, %e, %l; .reg .b64 %qa, %qb, %qc, %qd, %qe, %p64;
  .reg .b128 %w, %v, %z, %y;
  .shared .align 16 .b8 buf[2048];`;
const GLOBAL = ".global .align 16 .b8 words[8192];\n";

/** %p64 = the thread's 16 bytes, as an address of the space; in `%l` for shared memory. */
function own(space: Space): string {
  if (space === "global")
    return "  mul.wide.u32 %u1, %i, 16; mov.u64 %p64, words; add.u64 %p64, %p64, %u1;";
  const local = "  mov.u32 %l, %tid.x; shl.b32 %l, %l, 4; mov.u32 %t0, buf; add.u32 %l, %l, %t0;";
  if (space === "shared") return local;
  return `${local}\n  cvt.u64.u32 %p64, %l; cvta.shared.u64 %p64, %p64;`;
}
const place = (space: Space): string => (space === "shared" ? "[%l]" : "[%p64]");
const suffix = (space: Space): string => (space === "generic" ? "" : `.${space}`);

/** Loads element i of the inputs into %a, %b, %c (and %qa, %qb, %qc). */
function inputs(bits: number): string {
  const bytes = bits === 64 || bits === 128 ? 8 : 4;
  return ["a", "b", "c"]
    .map((name, k) => {
      const register = bytes === 8 ? `%q${name}` : `%${name}`;
      return `  mul.wide.u32 %u0, %i, ${bytes}; add.u64 %u0, %q${k}, %u0; ld.global.b${8 * bytes} ${register}, [%u0];`;
    })
    .join("\n");
}

/** One atomic operation on the thread's own bytes: it finds the first input, and answers it. */
function atomicCase(name: string, space: Space): OracleCase {
  const [opcode, ...mods] = name.split(".") as [string, ...string[]];
  const type = mods.at(-1) as string;
  const bits = type.endsWith("x2") ? 32 : Number(/\d+$/.exec(type)?.[0]);
  const three = mods.includes("cas");
  const at = place(space);
  const by = suffix(space);
  // The space stands in front of operation and type (and `.noftz` between them).
  const cut = mods.includes("noftz") ? -3 : -2;
  const spaces = space === "generic" ? [] : [space];
  const mnemonic = [opcode, ...mods.slice(0, cut), ...spaces, ...mods.slice(cut)].join(".");
  let body: string;
  if (bits === 128) {
    body = `  not.b64 %qd, %qa; mov.b128 %w, {%qa, %qd}; mov.b128 %v, {%qb, %qc};
  and.b64 %qe, %qb, 1; add.u64 %qd, %qd, %qe; mov.b128 %z, {%qa, %qd};
  st${by}.b128 ${at}, %w;
  ${mnemonic} %y, ${at}, ${three ? "%z, %v" : "%v"};
  mov.b128 {%qa, %qb}, %y; ld${by}.b128 %w, ${at}; mov.b128 {%qc, %qd}, %w;
  mul.lo.u64 %qc, %qc, 3; mul.lo.u64 %qd, %qd, 5; xor.b64 %qa, %qa, %qc; xor.b64 %qb, %qb, %qd; add.u64 %qd, %qa, %qb;`;
  } else {
    const q = bits === 64 ? "%q" : "%";
    // Half of the comparisons hold.
    const compared =
      bits === 64
        ? "and.b64 %qe, %qb, 1; add.u64 %qe, %qe, %qa;"
        : "and.b32 %e, %b, 1; add.u32 %e, %e, %a;";
    const narrow =
      bits === 16
        ? "cvt.u16.u32 %h0, %a; cvt.u16.u32 %h1, %b; cvt.u16.u32 %h2, %e; cvt.u16.u32 %h3, %c;"
        : "";
    const [x, y, z, old] =
      bits === 16 ? ["%h1", "%h2", "%h3", "%h0"] : [`${q}b`, `${q}e`, `${q}c`, `${q}d`];
    const operands = three ? `${y}, ${z}` : x;
    const answer = opcode === "atom" ? `${old}, ` : "";
    const store = bits === 16 ? "%h0" : `${q}a`;
    const mix =
      bits === 64
        ? `ld${by}.b64 %qe, ${at}; mul.lo.u64 %qe, %qe, 3; xor.b64 %qd, %qd, %qe;`
        : `ld${by}.b32 %e, ${at}; mul.lo.u32 %e, %e, 3; xor.b32 %d, %d, %e;`;
    body = `  ${compared} ${narrow} mov.b64 %qd, 0; mov.b32 %d, 0;
  st${by}.b64 ${at}, %qd; st${by}.b${bits} ${at}, ${store};
  ${mnemonic} ${answer}${at}, ${operands};
  ${bits === 16 && opcode === "atom" ? "cvt.u32.u16 %d, %h0;" : ""} ${mix}`;
  }
  return memoryCase(
    `${mnemonic}${space === "generic" ? " generic" : ""}`,
    bits,
    own(space),
    body,
    typeOf(type),
  );
}

/** The pool that operands come from. */
const typeOf = (type: string): string =>
  ({
    f32: "f32",
    f64: "f64",
    f16x2: "f16x2",
    bf16x2: "bf16x2",
    f16: "f16x2",
    bf16: "bf16x2",
    b128: "i64",
  })[type] ?? (type.endsWith("64") ? "i64" : "i32");

function memoryCase(
  name: string,
  bits: number,
  before: string,
  body: string,
  type: string,
): OracleCase {
  const wide = bits === 64 || bits === 128;
  const store = `  mul.wide.u32 %u0, %i, ${wide ? 8 : 4}; add.u64 %u0, %q3, %u0; st.global.b${wide ? 64 : 32} [%u0], ${wide ? "%qd" : "%d"};`;
  const text = wrapKernel(DECLARATIONS, [inputs(bits), before, body, store].join("\n"), "8.7");
  const ptx = text.replace(".visible .entry", `${GLOBAL}.visible .entry`);
  return { name, in: [type, type, type], out: wide ? "i64" : "i32", tol: null, ptx };
}

const ORDERS = ["relaxed", "acquire", "release", "acq_rel"];
const SCOPES = ["cta", "cluster", "gpu", "sys"];

function atomicNames(): string[] {
  const names: string[] = [];
  const both = (op: string) => names.push(`atom.${op}`, `red.${op}`);
  for (const op of ["add", "min", "max"])
    for (const t of ["u32", "s32", "u64", "s64"])
      if (`${op}.${t}` !== "add.s64") both(`${op}.${t}`);
  for (const op of ["and", "or", "xor"]) for (const t of ["b32", "b64"]) both(`${op}.${t}`);
  for (const op of ["inc", "dec"]) both(`${op}.u32`);
  for (const t of ["f32", "f64"]) both(`add.${t}`);
  for (const t of ["f16", "f16x2", "bf16", "bf16x2"]) both(`add.noftz.${t}`);
  for (const op of ["exch", "cas"])
    for (const t of ["b32", "b64", "b128"]) names.push(`atom.${op}.${t}`);
  names.push("atom.cas.b16");
  return names;
}

/** A store and a load that are ordered, with a fence between them. */
function orderedCase(
  space: Space,
  write: string,
  read: string,
  fence: string,
  bits: 32 | 64,
): OracleCase {
  const at = place(space);
  const by = suffix(space);
  const q = bits === 64 ? "%q" : "%";
  const body = `  st${write}${by}.b${bits} ${at}, ${q}a; ${fence} ld${read}${by}.b${bits} ${q}d, ${at};`;
  const name = `st${write}${by} ${fence.replace(";", "")} ld${read}${by}.b${bits}${space === "generic" ? " generic" : ""}`;
  return memoryCase(name, bits, own(space), body, bits === 64 ? "i64" : "i32");
}

/** All cases, in a fixed order. */
export function memoryCases(): OracleCase[] {
  const cases: OracleCase[] = [];
  for (const space of SPACES) for (const name of atomicNames()) cases.push(atomicCase(name, space));
  for (const order of ORDERS) {
    for (const scope of SCOPES) {
      cases.push(atomicCase(`atom.${order}.${scope}.add.u32`, "global"));
      cases.push(atomicCase(`atom.${order}.${scope}.cas.b64`, "generic"));
      if (order === "relaxed" || order === "release") {
        cases.push(atomicCase(`red.${order}.${scope}.max.s32`, "shared"));
      }
    }
  }
  for (const space of SPACES) {
    for (const bits of [32, 64] as const) {
      cases.push(orderedCase(space, ".volatile", ".volatile", "", bits));
      for (const scope of SCOPES) {
        cases.push(
          orderedCase(space, `.relaxed.${scope}`, `.relaxed.${scope}`, `fence.sc.${scope};`, bits),
        );
        cases.push(
          orderedCase(
            space,
            `.release.${scope}`,
            `.acquire.${scope}`,
            `fence.acq_rel.${scope};`,
            bits,
          ),
        );
      }
    }
  }
  return cases;
}
