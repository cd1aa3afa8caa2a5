import assert from "node:assert/strict";
import { PtxError, parsePtx } from "../../runtime/compiler/ptx/index.ts";
import { describe, test } from "../harness.ts";
import { errorOf, HEADER, kernel } from "./helpers.ts";

/** Text at module level, and the error with its line and column after the three header lines. */
const MODULE_ERRORS: [string, RegExp, number?, number?][] = [
  ["garbage", /expected a directive.*found 'garbage'/, 4, 1],
  [".global .u32", /expected a name, found the end of the file/],
  [".global .u33 x;", /expected a type/, 4, 9],
  [".global .u32 x\n.global .u32 y;", /expected ';', found '.global'/, 5, 1],
  [".global .u32 x; .global .u32 x;", /'x' is declared twice: first on line 4/, 4, 30],
  [".global .u32 x[2] = {1, 2, 3};", /more values than 'x' has elements/],
  [".global .u32 x = 1.5;", /floating-point value/],
  [".global .u32 x = y;", /'y': it isn't declared/, 4, 18],
  [".shared .u32 x = 1;", /a .shared variable can't have an initialiser/],
  [".global .align 3 .u32 x;", /alignment 3 isn't a power of two/, 4, 16],
  [".global .u32 x = 1 / 0;", /division by zero/],
  [".global .u32 x = 0x1ffffffffffffffff;", /doesn't fit in 64 bits/],
  [".global .u32 x = 09;", /no integer constant/],
  [".global .f32 x = 0f12345;", /expected 8 hexadecimal digits/],
  [".reg .u32 x;", /outside of a function/],
  ["/* open", /expected '\*\/'/],
  ['.file 1 "a', /expected '"'/],
  [".entry k() { ret; } .entry k() { ret; }", /'k' is defined twice/],
  [".func f(.param .b32 a); .func f(.param .b64 a) { ret; }", /other parameters than declared/],
  [".entry k( { ret; }", /expected a state space/, 4, 11],
  [".entry k() .frob 3 { ret; }", /unknown directive '.frob'/],
  [".entry k()", /expected '\{' and the body, or ';', found the end/],
  [".entry k() { ret;", /expected '\}' that ends the body of 'k'/],
  [".section .debug { .b8 1", /expected '\}' that ends the section/],
  [".alias a, b;", /'a' is no declared function/],
  ["`", /unexpected character "`"/],
];

const BODY_ERRORS: [string, RegExp][] = [
  ["bra NOWHERE;", /'NOWHERE': it isn't declared/],
  ["mov.u32 %r1, 5;", /register '%r1' isn't declared/],
  [".reg .u32 %r<2>; mov.u32 %r2, 5;", /register '%r2' isn't declared/],
  [".reg .u32 %r<2>; mov.u32 %r1, %r01;", /register '%r01' isn't declared/],
  ["L: L: ret;", /label 'L' is declared twice/],
  ["add.u32 1 2;", /expected ',' or ';', found '2'/],
  ["ret", /'ret': expected ';' before it/],
  ["@%p ret;", /expected a predicate register, found '%p'/],
  [".reg .u32 r; @r ret;", /expected a predicate register/],
  ["@ 5;", /expected a predicate register/],
  ["mov.u32 %tid.q, 5;", /no special register '%tid.q'/],
  ["ld.global.u32 r, [x];", /'x' isn't declared/],
  [".reg .u32 r, r;", /'r' is declared twice/],
  [".reg .u32 r[4];", /array of registers/],
  ["mov.u32 {1, 2;", /expected ',' or '\}'/],
  [`${"{".repeat(2000)}`, /nested more than/],
  [`mov.u64 x, ${"(".repeat(5000)}1;`, /nested too deeply/],
  [`mov.u64 x, ${"-".repeat(5000)}1;`, /nested too deeply|expected/],
  ["x: .frob;", /found '.frob'/],
  ["T: .branchtargets f<99999999>;", /more targets than labels/],
  [".reg .v2 .u32 v; mov.u32 v.z, 1;", /'v' has no component .z/],
  [".reg .u32 r; mov.u32 r.x, 1;", /'r' has no component .x/],
  [".reg .v2 .u32 v; mov.u32 {v, v}, 1;", /'v' is a vector/],
  ["bar.sync 16;", /a constant up to 15/],
  ["st.param.u64 [p], 1;", /own parameters can't be written/],
  ["call f;", /'f': it isn't declared/],
];

describe("PTX that doesn't parse", () => {
  for (const [text, pattern, line, column] of MODULE_ERRORS) {
    test(JSON.stringify(text), () => {
      const error = errorOf(text);
      assert.match(error.message, pattern);
      if (line !== undefined) assert.deepEqual([error.line, error.column], [line, column]);
      assert.equal(error.code, 218);
    });
  }
  for (const [text, pattern] of BODY_ERRORS) {
    test(JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text), () => {
      const error = errorOf(kernel(text));
      assert.match(error.message, pattern);
      assert.ok(error.line >= 4);
      assert.equal(error.kernel, "k");
    });
  }

  test("the header: no version, a wrong one, no target", () => {
    assert.throws(() => parsePtx(""), /expected '.version', with which PTX begins, found the end/);
    assert.throws(() => parsePtx(".version x"), /expected a version such as 9.0/);
    assert.throws(() => parsePtx(".version 9.0\n"), /expected '.target'/);
    assert.throws(() => parsePtx(`${HEADER}.address_size 48`), /isn't 32 or 64/);
  });

  test("an array of which the rows are huge costs no memory", () => {
    assert.throws(
      () => parsePtx(`${HEADER}.global .b8 x[4][1000000000] = {{1}, {2}, {3}};`),
      PtxError,
    );
    const module = parsePtx(`${HEADER}.global .b8 x[1000000000] = {1};`);
    assert.equal(module.variables[0]?.init?.bytes.length, 1);
  });
});
