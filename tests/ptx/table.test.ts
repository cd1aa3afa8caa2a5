import assert from "node:assert/strict";
import { check } from "../../runtime/compiler/ptx/check.ts";
import { parsePtx } from "../../runtime/compiler/ptx/index.ts";
import { allForms, formsOf } from "../../runtime/compiler/ptx/table/index.ts";
import { SAMPLE_LINE, sampleModule, samplesOf } from "../../runtime/compiler/ptx/table/sample.ts";
import { describe, test } from "../harness.ts";
import { errorOf, functionNamed, instructions, kernel, parseBody, parseModule } from "./helpers.ts";

describe("instruction table", () => {
  test("every sample of every form is an instance of that form", () => {
    const forms = allForms();
    assert.ok(forms.length > 600, `${forms.length} forms`);
    let count = 0;
    for (const form of forms) {
      if (form.openEnded) continue;
      const samples = samplesOf(form);
      assert.ok(samples.length > 0, `${form.syntax} has no sample`);
      const module = parsePtx(sampleModule(samples), "samples", { check: false });
      const list = instructions(functionNamed(module, "sample"));
      assert.equal(list.length, samples.length, form.syntax);
      for (const instruction of list) {
        const result = check(instruction);
        assert.ok(result.ok, result.ok ? "" : `${instruction.text()}: ${result.reason}`);
        assert.equal(result.candidate.form.opcode, form.opcode);
        count++;
      }
    }
    assert.ok(count > 4000, `${count} samples`);
  });

  test("a sample stands on the line that SAMPLE_LINE says", () => {
    const lines = sampleModule(["membar.cta"]).split("\n");
    assert.equal(lines[SAMPLE_LINE - 1], "membar.cta;");
  });

  test("every form has its version, target and section", () => {
    for (const form of allForms()) {
      assert.match(form.since, /^[1-9]\.\d$/, form.syntax);
      assert.ok(form.target >= 10 && form.target <= 120, form.syntax);
      assert.match(form.group.section, /^9\.7(\.\d+)*$/, form.syntax);
    }
  });

  test("the base opcodes of the ISA are there", () => {
    const opcodes =
      "abs activemask add addc alloca and applypriority atom bar barrier bfe bfi bfind bmsk bra brev " +
      "brkpt brx call clusterlaunchcontrol clz cnot copysign cos cp createpolicy cvt cvta discard div " +
      "dp2a dp4a elect ex2 exit fence fma fns getctarank griddepcontrol isspacep istypep ld ldmatrix " +
      "ldu lg2 lop3 mad mad24 madc mapa match max mbarrier membar min mma mov movmatrix mul mul24 " +
      "multimem nanosleep neg not or pmevent popc prefetch prefetchu prmt rcp red redux rem ret rsqrt " +
      "sad selp set setmaxnreg setp shf shfl shl shr sin slct sqrt st stackrestore stacksave stmatrix " +
      "sub subc suld suq sured sust szext tanh tcgen05 tensormap testp tex tld4 trap txq vabsdiff " +
      "vabsdiff2 vabsdiff4 vadd vadd2 vadd4 vavrg2 vavrg4 vmad vmax vmax2 vmax4 vmin vmin2 vmin4 vote " +
      "vset vset2 vset4 vshl vshr vsub vsub2 vsub4 wgmma wmma xor";
    for (const opcode of opcodes.split(" ")) assert.ok(formsOf(opcode).length > 0, opcode);
  });
});

/** What ptxas 13.0 takes and refuses, for each rule of the operands. */
const ACCEPTED = `
add.f16 %b16_1, %b16_2, %f16_3
add.f16x2 %b32_1, %f16x2_2, %b32_3
add.f32 %b32_1, %f32_1, 0d3ff0000000000000
add.s32 %b32_1, %u32_1, 0x1ffffffff
and.b32 %f32_1, %f32_1, %s32_1
ld.global.f32 %b64_1, [%u64_1]
ld.global.u8 %u64_1, [%u32_1]
ld.global.b8 %f32_1, [%b64_1]
ld.global.v4.f32 {%f32_1, %b32_2, _, _}, [%b64_1]
ld.global.b32 {%b32_1}, [%b64_1]
ld.global.v8.b16 {%b16_1,%b16_2,%b16_3,%b16_4,%b16_5,%b16_6,%b16_7,%b16_8}, [%b64_1]
st.global.b32 [%b64_1], 0f3f800000
st.global.u8 [%b64_1], %u32_1
mov.b32 %f32_1, %tid.x
mov.u16 %u16_1, %tid.x
mov.u32 %u32_1, %gridid
cvt.u64.u32 %u64_1, %ntid.y
mov.b64 %f64_1, {%b32_1, %f32_2}
mov.b64 {%b32_1, _}, %b64_1
selp.b32 %f32_1, 1, %f32_2, !%pred_1
selp.u32 %b32_1, 1, 0, 1
setp.lt.f32 %pred_1|_, %b32_1, 0f00000000
cvt.f32.f16 %b64_1, %b32_1
cvt.u32.u8 %u64_1, %u64_1
atom.global.add.u32 _, [%b64_1], 1
atom.add.relaxed.gpu.global.u32 %u32_1, [%b64_1], 1
cvt.s32.f32.rzi %s32_1, %f32_1
wmma.mma.sync.aligned.row.col.m8n8k4.f64.f64.f64.f64.rn {%f64_1,%f64_2}, {%f64_3}, {%f64_4}, {%f64_5,%f64_6}
vadd.s32.s32.s32 %s32_1.b0, %s32_1, %s32_2, %s32_3
bar.red.and.pred %pred_1, 0, !%pred_2
shf.l.wrap.b32 %u32_1, %f32_1, 1, 33
`;
const REFUSED = `
add.f16 %u16_1, %b16_2, %b16_3
add.f16 %b16_1, %b16_1, 0x3c00
add.f16x2 %f32_1, %b32_2, %b32_3
add.f32 %u32_1, %f32_1, %f32_2
add.f32 %f32_1, %f16x2_1, %f32_2
add.f64 %f64_1, %f64_1, 1
add.s32 %f32_1, %s32_1, %s32_2
add.s32 %s32_1, %s32_1, 1.0
add.u32 %u32_1, %tid.x, 1
ld.global.f32 %f64_1, [%b64_1]
ld.global.u8 %f32_1, [%b64_1]
ld.global.u32 %u16_1, [%b64_1]
ld.global.u32 %u32_1, [%f64_1]
ld.global.u32 %u32_1, [sv]
ld.relaxed.u32 %u32_1, [%b64_1]
ld.global.v4.b128 {%b128_1,%b128_2,%b128_3,%b128_4}, [%b64_1]
st.global.b32 [%b64_1], 1.0
mov.u32 %u32_1, 0f3f800000
mov.u64 %u64_1, %tid.x
mov.u32 %u32_1, %clock64
mov.u32 _, %u32_1
cvt.u32.u8 %u16_1, %u64_1
cvt.s32.f32 %s32_1, %f32_1
shl.b32 %b32_1, %b32_1, %u16_1
setp.eq.f16 %pred_1|%pred_2, %b16_1, %b16_2
shfl.sync.idx.b32 _|%pred_1, %f32_1, %b32_1, %b32_2, %b32_3
cp.async.ca.shared.global [%b64_1], [%b64_2], 5
mbarrier.arrive.shared::cluster.b64 %b64_1, [%b64_2]
tex.2d.v4.f32.f32 {%f32_1,%f32_2,%f32_3,%f32_4}, [%b64_1, {%f32_1}]
isspacep.global %b32_1, %u64_1
min.abs.f32 %f32_1, %f32_2, %f32_3
vadd.s32.s32.s32 %s32_1, %s32_1.h10, %s32_2
add.u32 %u32_1, %u32_2
ld.global.L2::cache_hint.u32 %u32_1, [%b64_1]
`;

describe("operands", () => {
  const body = (line: string) => {
    const text = sampleModule([line]).replace(
      ".param .align 16 .b8 fp",
      ".shared .b32 sv[4]; .param .b8 fp",
    );
    parsePtx(text);
  };
  for (const line of ACCEPTED.trim().split("\n")) test(`accepts ${line}`, () => body(line));
  for (const line of REFUSED.trim().split("\n")) {
    test(`refuses ${line}`, () => assert.throws(() => body(line), { name: "PtxError" }));
  }
});

describe("errors of the table", () => {
  const message = (body: string, before = "") =>
    errorOf(before + kernel(`.reg .b32 %r<9>; .reg .f32 %f<9>; .reg .b64 %rd<9>;\n${body}`));

  test("say which modifier, operand or type is wrong, where", () => {
    const error = message("\n  add.rn.foo.f32 %f1, %f2, %f3;");
    assert.equal(error.message, "'add' has no modifier '.foo': add.rn.foo.f32 %f1, %f2, %f3;");
    assert.deepEqual([error.line, error.column, error.kernel, error.code], [8, 3, "k", 218]);
    assert.match(message("frob.u32 %r1;").message, /^there is no instruction 'frob'/);
    assert.match(message("add.rn.u32 %r1, %r2, %r3;").message, /^there is no 'add.rn.u32'/);
    assert.match(
      message("add.f32 %f1, %rd2, %f3;").message,
      /^operand 2 \(a\) must be a register of type .f32, not %rd2 of type .b64: add/,
    );
    assert.match(message("add.u32 %r1;").message, /^1 operand where the form is 'add.int d, a, b'/);
  });

  test("calls have the arguments of their function", () => {
    const before = ".func (.param .b32 r) f(.param .b32 a, .param .b64 b) { ret; }\n";
    assert.match(message("call (%r1), f, (%r1);", before).message, /1 argument, not 2/);
    assert.match(message("call (%r1), f, (%r1, %r2);", before).message, /argument 2 doesn't fit/);
    assert.match(message("call (%r1), k;", before).message, /can't be called/);
    assert.match(message("call (%r1), %rd1, (%r1);", before).message, /needs its prototype/);
    parseModule(before + kernel(".reg .b32 %r<3>; call (%r1), f, (%r1, 5);"));
  });
});

test("modifiers in any order come out in the ISA's", () => {
  const fn = parseBody(
    ".reg .b32 %r<3>; .reg .b64 %rd<3>; atom.global.add.release.gpu.u32 %r1, [%rd1], 1;",
  );
  assert.equal(instructions(fn)[0]?.mnemonic, "atom.release.gpu.global.add.u32");
  const old = parseBody(
    ".reg .b32 %r<9>; .reg .b64 %rd<3>; wmma.store.d.sync.row.m16n16k16.f16 [%rd1], {%r1,%r2,%r3,%r4};",
  );
  const name = "wmma.store.d.sync.aligned.row.m16n16k16.f16";
  assert.equal(instructions(old)[0]?.mnemonic, name, "as PTX 6.0 to 6.2 write it");
});
