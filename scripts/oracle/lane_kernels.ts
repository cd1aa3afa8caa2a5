/**
 * Kernels around lane operations under divergence: the lanes of a warp part by a bit of their data,
 * and each side runs the operation among itself, as named by its member mask.
 */
import { type OracleCase, wrapKernel } from "./mma_kernels.ts";

/**
 * One case.
 * @param operation PTX on %a (32 bits) or %w (64 bits), member mask %m, into %d
 */
function dividedCase(name: string, operation: string, wide = false): OracleCase {
  const type = wide ? "i64" : "i32";
  const bytes = wide ? 8 : 4;
  // The sides: lanes whose element has bits 0 and 3 equal, and the others.
  const body = `  mul.wide.u32 %u0, %i, ${bytes};
  add.u64 %u0, %q0, %u0;
  ld.global.b${8 * bytes} ${wide ? "%w" : "%a"}, [%u0];
${wide ? "  cvt.u32.u64 %a, %w;" : "  cvt.u64.u32 %w, %a;"}
  shr.u32 %t0, %a, 3;
  xor.b32 %t0, %t0, %a;
  and.b32 %t0, %t0, 1;
  setp.eq.u32 %p1, %t0, 0;
  vote.sync.ballot.b32 %m, %p1, 0xffffffff;
  mov.u32 %d, 0x5a5a5a5a;
  @%p1 bra SIDE;
  not.b32 %m, %m;
  ${operation}
  add.u32 %d, %d, 1000;
  bra.uni JOIN;
SIDE:
  ${operation}
JOIN:
  bar.warp.sync 0xffffffff;
  mul.wide.u32 %u0, %i, 4;
  add.u64 %u0, %q3, %u0;
  st.global.b32 [%u0], %d;`;
  const declarations = "  .reg .b32 %a, %d, %m;\n  .reg .b64 %w;";
  const ptx = wrapKernel(declarations, body, "8.7");
  return { name: `${name} divided`, in: [type], out: "i32", tol: null, ptx };
}

/** Lane operations among the lanes of one side of a branch. */
export function laneCases(): OracleCase[] {
  const cases = [
    dividedCase("elect.sync", "elect.sync %d|%p2, %m;\n  @%p2 add.u32 %d, %d, 100;"),
    dividedCase(
      "vote.sync.ballot.b32",
      "setp.gt.s32 %p2, %a, 99; vote.sync.ballot.b32 %d, %p2, %m;",
    ),
    dividedCase("match.any.sync.b32", "and.b32 %t1, %a, 7; match.any.sync.b32 %d, %t1, %m;"),
    dividedCase("match.any.sync.b64", "and.b64 %u1, %w, 6; match.any.sync.b64 %d, %u1, %m;", true),
    dividedCase(
      "match.all.sync.b32",
      "and.b32 %t1, %a, 9; match.all.sync.b32 %d|%p2, %t1, %m;\n  @%p2 add.u32 %d, %d, 1;",
    ),
    dividedCase(
      "match.all.sync.b64",
      "and.b64 %u1, %w, 8; match.all.sync.b64 %d|%p2, %u1, %m;\n  @%p2 add.u32 %d, %d, 1;",
      true,
    ),
  ];
  for (const mode of ["all", "any", "uni"]) {
    const text = `setp.gt.s32 %p2, %a, -99; vote.sync.${mode}.pred %p3, %p2, %m; selp.u32 %d, 1, 0, %p3;`;
    cases.push(dividedCase(`vote.sync.${mode}.pred`, text));
  }
  for (const op of ["add.s32", "min.s32", "max.u32", "and.b32", "or.b32", "xor.b32"]) {
    cases.push(dividedCase(`redux.sync.${op}`, `redux.sync.${op} %d, %a, %m;`));
  }
  return cases;
}
