import assert from "node:assert/strict";
import type { Operand } from "../../runtime/compiler/ptx/index.ts";
import { parsePtx } from "../../runtime/compiler/ptx/index.ts";
import { describe, test } from "../harness.ts";
import {
  fixture,
  functionNamed,
  HEADER,
  instructions,
  operandsOf,
  parseBody,
  parseModule,
} from "./helpers.ts";

const REGS =
  ".reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .pred %p<9>; .reg .f32 %f<9>; .reg .f64 %fd<9>;\n";

function only(body: string): Operand[] {
  return operandsOf(REGS + body, false);
}

/** The value of a constant operand as written in `mov.b64`. */
function constant(text: string): bigint {
  const operand = only(`mov.b64 %rd1, ${text};`)[1];
  assert.equal(operand?.kind, "int", text);
  return operand.kind === "int" ? operand.value : 0n;
}

describe("PTX module", () => {
  test("version, target, address size and files", () => {
    const module = parsePtx(
      '.version 8.7\n.target sm_90a, texmode_independent\n.address_size 64\n.file 2 "a.cu", 5, 6\n',
    );
    assert.deepEqual(module.version, [8, 7]);
    assert.deepEqual(module.target, ["sm_90a", "texmode_independent"]);
    assert.equal(module.addressSize, 64);
    assert.equal(module.files.get(2), "a.cu");
  });

  test("variables: spaces, types, alignment, dimensions, sizes", () => {
    const module = parseModule(`
      .global .align 16 .b8 a[100];
      .visible .const .f32 c = 0f3f800000;
      .extern .shared .align 4 .b8 dyn[];
      .global .v4 .f32 v[2][3];
      .global .texref t; .global .samplerref smp = { addr_mode_0 = wrap, filter_mode = linear };
      .weak .global .attribute(.managed) .u64 m;
    `);
    const [a, c, dyn, v, t, smp, m] = module.variables;
    assert.deepEqual(
      [a?.space, a?.type, a?.align, a?.dims, a?.size],
      ["global", "b8", 16, [100], 100],
    );
    assert.deepEqual([c?.linkage, c?.align, c?.size], ["visible", 4, 4]);
    assert.deepEqual([dyn?.linkage, dyn?.dims, dyn?.size], ["extern", [0], 0]);
    assert.deepEqual([v?.vector, v?.dims, v?.align, v?.size], [4, [2, 3], 16, 96]);
    assert.equal(t?.type, "texref");
    assert.deepEqual(smp?.fields, { addr_mode_0: "wrap", filter_mode: "linear" });
    assert.deepEqual([m?.managed, m?.linkage], [true, "weak"]);
    assert.deepEqual(
      module.variables.map((x) => x.id),
      [0, 1, 2, 3, 4, 5, 6],
    );
  });

  test("initialisers: nested, partial, of every type", () => {
    const module = parseModule(
      `
      .global .u16 a[2][3] = {{1, 2}, {-1}};
      .global .f64 d[] = {1.5, 0d4000000000000000, 3};
      .global .f32 f = 1;
      .global .u64 big = 0xffffffffffffffff;
      .global .b8 expr[] = {1+2, (4*5)<<1, 'x' == 0 ? 1 : 2};
    `.replace("'x'", "WARP_SZ"),
    );
    const bytes = (name: string) => module.variables.find((v) => v.name === name)?.init?.bytes;
    assert.deepEqual([...(bytes("a") ?? [])], [1, 0, 2, 0, 0, 0, 255, 255]);
    const d = module.variables[1];
    assert.deepEqual([d?.dims, d?.size], [[3], 24]);
    assert.deepEqual([...new Float64Array(bytes("d")?.slice().buffer ?? [])], [1.5, 2, 3]);
    assert.deepEqual([...(bytes("f") ?? [])], [0, 0, 0x80, 0x3f]);
    assert.deepEqual([...(bytes("big") ?? [])], new Array(8).fill(255));
    assert.deepEqual([...(bytes("expr") ?? [])], [3, 40, 2]);
  });

  test("initialisers with addresses become relocations", () => {
    const module = parseModule(
      `
      .global .u32 x[4];
      .func f;
      .global .u64 p[4] = {x, x+4, generic(x)+8, f};
      .global .u8 b[2] = {0xff(x), mask(0xff00, x)};
    `.replace(".func f;", ".func f();"),
    );
    const p = module.variables[1];
    assert.deepEqual(
      p?.init?.relocations.map((r) => [r.offset, r.size, r.symbol.name, r.addend, r.generic]),
      [
        [0, 8, "x", 0, false],
        [8, 8, "x", 4, false],
        [16, 8, "x", 8, true],
        [24, 8, "f", 0, false],
      ],
    );
    const b = module.variables[2];
    assert.deepEqual(
      b?.init?.relocations.map((r) => [r.offset, r.size, r.mask]),
      [
        [0, 1, 0xffn],
        [1, 1, 0xff00n],
      ],
    );
  });

  test("an extern variable that is defined later is one object", () => {
    const module = parseModule(`
      .extern .global .u32 x;
      .global .u64 p = x;
      .visible .global .u32 x = 5;
    `);
    assert.equal(module.variables.length, 2);
    const [x, p] = module.variables;
    assert.equal(p?.init?.relocations[0]?.symbol, x);
    assert.deepEqual([x?.linkage, [...(x?.init?.bytes ?? [])]], ["visible", [5, 0, 0, 0]]);
  });

  test("functions: parameters, results, directives, declaration then definition", () => {
    const module = parseModule(`
      .extern .func (.param .b32 r) vprintf(.param .b64 f, .param .b64 a);
      .func (.param .align 16 .b8 r[16]) g(.param .b32 x, .param .b8 rest[]);
      .visible .entry k(.param .u64 .ptr .global .align 8 p, .param .u32 n)
      .maxntid 128, 2 .minnctapersm 3 .reqnctapercluster 2,1,1 .explicitcluster
      { ret; }
      .func (.param .align 16 .b8 r[16]) g(.param .b32 y, .param .b8 rest[]) .noreturn { ret; }
      .func h(); .alias h, g;
    `);
    assert.deepEqual(
      module.functions.map((f) => [f.name, f.kind, f.linkage, f.body !== undefined]),
      [
        ["vprintf", "func", "extern", false],
        ["g", "func", "none", true],
        ["k", "entry", "visible", true],
        ["h", "func", "none", false],
      ],
    );
    const [, g, k, h] = module.functions;
    assert.deepEqual([g?.variadic, g?.noreturn, g?.params[0]?.name], [true, true, "y"]);
    assert.deepEqual(k?.maxntid, [128, 2, 1]);
    assert.deepEqual([k?.minnctapersm, k?.clusterDims, k?.explicitCluster], [3, [2, 1, 1], true]);
    assert.deepEqual(k?.params[0]?.pointer, { space: "global", align: 8 });
    assert.equal(h?.aliasOf, g);
  });
});

describe("PTX body", () => {
  test("numbered registers exist once they are used", () => {
    const fn = parseBody(".reg .b32 %r<100>;\nadd.s32 %r3, %r1, %r3;");
    assert.deepEqual(
      fn.registers.map((r) => [r.name, r.type, r.index]),
      [
        ["%r3", "b32", 0],
        ["%r1", "b32", 1],
      ],
    );
  });

  test("a vector register is the registers of its elements", () => {
    const fn = parseBody(
      ".reg .v4 .f32 v; .reg .b64 %rd<2>; ld.global.v4.f32 v, [%rd1]; add.f32 v.x, v.y, v.a;",
    );
    assert.deepEqual(
      fn.registers.map((r) => [r.name, r.vector, r.size]),
      [
        ["v.x", 1, 4],
        ["v.y", 1, 4],
        ["v.z", 1, 4],
        ["v.w", 1, 4],
        ["%rd1", 1, 8],
      ],
    );
    const [ld, add] = instructions(fn);
    assert.ok(ld?.operands[0]?.kind === "vector" && ld.operands[0].elements.length === 4);
    assert.deepEqual(
      add?.operands.map((o) => o.kind === "reg" && o.reg.name),
      ["v.x", "v.y", "v.w"],
    );
  });

  test("blocks have names of their own", () => {
    const fn = parseBody(
      ".reg .b32 t; mov.u32 t, 1; { .reg .b64 t; mov.u64 t, 2; L: bra L; } L: mov.u32 t, 3; bra L;",
    );
    const list = instructions(fn);
    const regs = list.map((i) => (i.operands[0]?.kind === "reg" ? i.operands[0].reg : undefined));
    assert.equal(regs[0], regs[3]);
    assert.notEqual(regs[0], regs[1]);
    assert.equal(regs[1]?.type, "b64");
    const targets = list.map((i) =>
      i.operands[0]?.kind === "label" ? i.operands[0].label.index : -1,
    );
    assert.deepEqual(targets, [-1, -1, 0, -1, 1]);
  });

  test("labels ahead, labels in an outer block, branch targets", () => {
    const fn = parseBody(
      `.reg .u32 %r<3>; { bra END; } T: .branchtargets A, END; brx.idx %r1, T;
       A: brx.idx %r1, U; U: .branchtargets A, A; END:`,
    );
    const [bra, brx, later] = instructions(fn);
    assert.equal(bra?.operands[0]?.kind === "label" && bra.operands[0].label.name, "END");
    const t = brx?.operands[1];
    assert.deepEqual(t?.kind === "proto" && t.proto.labels.map((l) => l.name), ["A", "END"]);
    const u = later?.operands[1];
    assert.deepEqual(u?.kind === "proto" && u.proto.labels.map((l) => l.name), ["A", "A"]);
    assert.deepEqual(
      fn.labels.map((l) => [l.name, l.position]),
      [
        ["A", 2],
        ["END", 4],
      ],
    );
  });

  test("calls: parameters, prototypes, targets", () => {
    const module = parseModule(`
      .func (.param .b32 r) f(.param .b32 a) { ret; }
      .visible .entry k() {
        .reg .b32 %r<4>; .reg .b64 %rd<3>;
        { .param .b32 p0; .param .b32 r0; st.param.b32 [p0], %r1;
          call.uni (r0), f, (p0); ld.param.b32 %r2, [r0]; }
        mov.u64 %rd1, f;
        P: .callprototype (.param .b32 _) _ (.param .b32 _);
        call (%r3), %rd1, (%r2), P;
        T: .calltargets f;
        call (%r3), %rd1, (5), T;
        ret;
      }
    `);
    const fn = functionNamed(module, "k");
    const calls = instructions(fn).filter((i) => i.opcode === "call");
    assert.deepEqual(
      calls.map((c) => c.operands.map((o) => o.kind)),
      [
        ["list", "symbol", "list"],
        ["list", "reg", "list", "proto"],
        ["list", "reg", "list", "proto"],
      ],
    );
    assert.deepEqual(
      fn.locals.map((v) => [v.name, v.space]),
      [
        ["p0", "param"],
        ["r0", "param"],
      ],
    );
    const t = calls[2]?.operands[3];
    assert.equal(t?.kind === "proto" && t.proto.functions[0], module.functions[0]);
  });

  test("guards, source lines and text", () => {
    const fn = parseBody(
      `.reg .pred %p<3>;
       .loc 1 10 5
       @%p1 bra L;
       .loc 1 20 3, function_name $info, inlined_at 1 11 2
       @!%p2   bra
          L;  // not part
       L:`,
    );
    const [first, second] = instructions(fn);
    assert.deepEqual([first?.pred?.reg.name, first?.pred?.negate], ["%p1", false]);
    assert.equal(second?.pred?.negate, true);
    assert.deepEqual(first?.loc, { file: 1, line: 10, column: 5 });
    assert.deepEqual(second?.loc?.inlinedAt, { file: 1, line: 11, column: 2 });
    assert.equal(second?.text(), "@!%p2 bra L;");
    assert.deepEqual([first?.line, second?.line], [8, 10]);
  });

  test("mnemonics: any modifiers, spaces, and the ISA's order", () => {
    const fn = parseBody(
      `${REGS} ld .global .u32 %r1, [%rd1]; add.f32.rn %f1, %f2, %f3;
       cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r1], [%rd2], %r3, [%r4];`,
    );
    const [ld, add, cp] = instructions(fn);
    assert.equal(ld?.mnemonic, "ld.global.u32");
    assert.equal(add?.mnemonic, "add.rn.f32");
    assert.equal(add?.text(), "add.f32.rn %f1, %f2, %f3;");
    assert.deepEqual(cp?.mods, [
      "async",
      "bulk",
      "shared::cluster",
      "global",
      "mbarrier::complete_tx::bytes",
    ]);
  });
});

describe("PTX operands", () => {
  test("integers of all radixes and constant expressions", () => {
    assert.equal(constant("42"), 42n);
    assert.equal(constant("-1"), 0xffff_ffff_ffff_ffffn);
    assert.equal(constant("0x1F"), 31n);
    assert.equal(constant("0b101"), 5n);
    assert.equal(constant("017"), 15n);
    assert.equal(constant("5U"), 5n);
    assert.equal(constant("18446744073709551615"), 0xffff_ffff_ffff_ffffn);
    assert.equal(constant("(1 << 40) | 3"), (1n << 40n) | 3n);
    assert.equal(constant("-7 / 2"), 0xffff_ffff_ffff_fffdn);
    assert.equal(constant("-7 >> 1"), 0xffff_ffff_ffff_fffcn);
    assert.equal(constant("0xffffffffffffffff >> 60"), 15n);
    assert.equal(constant("~0 & 0xff"), 255n);
    assert.equal(constant("3 < 4 && 2 != 2 ? 7 : 9"), 9n);
    assert.equal(constant("WARP_SZ * 2"), 64n);
    assert.equal(constant("(.u64) 2.9"), 2n);
    assert.equal(constant("1.5 < 2.5"), 1n);
  });

  test("floats: bits and decimals", () => {
    const bits = (text: string) => {
      const o = only(`mov.f32 %f1, ${text};`)[1];
      return o?.kind === "float" ? [o.bits, o.size] : undefined;
    };
    assert.deepEqual(bits("0f3f800000"), [0x3f80_0000n, 4]);
    assert.deepEqual(bits("0F7FC00001"), [0x7fc0_0001n, 4]);
    assert.deepEqual(bits("0d7ff8000000000001"), [0x7ff8_0000_0000_0001n, 8]);
    assert.deepEqual(bits("-0f3f800000"), [0xbf80_0000n, 4]);
    assert.deepEqual(bits("1.5"), [0x3ff8_0000_0000_0000n, 8]);
    assert.deepEqual(bits("-2.5e-1"), [0xbfd0_0000_0000_0000n, 8]);
    assert.deepEqual(bits(".5"), [0x3fe0_0000_0000_0000n, 8]);
  });

  test("addresses", () => {
    const address = (text: string) => {
      const o = only(`.shared .b32 a[4]; ld.b32 %r1, ${text};`)[1];
      if (o?.kind !== "address") return undefined;
      const { base } = o;
      const name =
        base.kind === "reg" ? base.reg.name : base.kind === "int" ? base.value : base.symbol.name;
      return [name, o.offset];
    };
    assert.deepEqual(address("[%rd1]"), ["%rd1", 0]);
    assert.deepEqual(address("[%rd1+8]"), ["%rd1", 8]);
    assert.deepEqual(address("[%rd1+-8]"), ["%rd1", -8]);
    assert.deepEqual(address("[a+4*3]"), ["a", 12]);
    assert.deepEqual(address("a[2]"), ["a", 8]);
    assert.deepEqual(address("[0x40]"), [64n, 0]);
  });

  test("vectors, pairs, sinks, negation, special registers, components, textures", () => {
    const kinds = (body: string) => only(body).map((o) => o.kind);
    assert.deepEqual(kinds("ld.v2.b32 {%r1, _}, [%rd1];"), ["vector", "address"]);
    assert.deepEqual(kinds("setp.eq.and.s32 %p1|_, %r1, 0, !%p2;"), ["pair", "reg", "int", "not"]);
    assert.deepEqual(kinds("mov.u32 %r1, %tid.x;"), ["reg", "sreg"]);
    assert.deepEqual(kinds("tex.2d.v4.f32.f32 {%f1,%f2,%f3,%f4}, [%rd1, {%f1, %f2}];"), [
      "vector",
      "texture",
    ]);
    const tex = only("tex.1d.v4.f32.s32 {%f1,%f2,%f3,%f4}, [%rd1, %rd2, %r1];")[1];
    assert.ok(tex?.kind === "texture" && tex.sampler?.kind === "reg" && tex.coords.kind === "reg");
    const selector = only("vadd.s32.s32.s32 %r1, %r2.b0, %r3.h1;")[1];
    assert.ok(selector?.kind === "reg" && selector.component === "b0");
    assert.deepEqual(kinds("vmad.s32.s32.s32 %r1, -%r2, %r3, %r4;"), ["reg", "neg", "reg", "reg"]);
    const symbol = only("mov.u64 %rd1, s+8;")[1];
    assert.ok(symbol?.kind === "symbol" && symbol.symbol.name === "s" && symbol.offset === 8);
  });
});

describe("nvcc's output", () => {
  const sizes: [string, number, number][] = [
    ["features.ptx", 15, 499],
    ["features-lineinfo.ptx", 15, 500],
    ["debug.ptx", 3, 50],
  ];
  for (const [name, functions, statements] of sizes) {
    test(`${name} parses and is in the table`, () => {
      const module = parsePtx(fixture(name), name);
      let count = 0;
      for (const fn of module.functions) count += fn.body?.length ?? 0;
      assert.ok(module.functions.length >= functions, `${module.functions.length} functions`);
      assert.ok(count === statements, `${count} statements`);
    });
  }

  test("every instruction of a -lineinfo module has its source line", () => {
    const module = parsePtx(fixture("features-lineinfo.ptx"));
    const list = instructions(functionNamed(module, "_Z6printsif"));
    assert.ok(list.length > 10);
    assert.ok(list.every((i) => i.loc !== undefined && module.files.has(i.loc.file)));
  });
});

test("parsing takes time linear in the instructions", () => {
  const source = (n: number) =>
    `${HEADER}.entry k() {\n.reg .b32 %r<99>;\n${"add.s32 %r1, %r2, 7;\n".repeat(n)}ret;\n}\n`;
  const [short, long] = [source(1000), source(12_000)];
  const time = (text: string) => {
    const start = performance.now();
    parsePtx(text);
    return performance.now() - start;
  };
  // What others do on the machine only adds: the shortest of many turns counts, and turns go on
  // until it shows that parsing is linear. Quadratic time is 144 times as long in each of them.
  let [shortest, longest] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let turn = 0; turn < 200 && (turn < 3 || longest >= 40 * shortest); turn++) {
    longest = Math.min(longest, time(long));
    for (let i = 0; i < 12; i++) shortest = Math.min(shortest, time(short));
  }
  const ratio = longest / shortest;
  assert.ok(ratio < 40, `twelve times the instructions took ${ratio.toFixed(1)} times as long`);
});
