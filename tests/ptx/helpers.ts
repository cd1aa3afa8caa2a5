import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  type Instruction,
  type Operand,
  PtxError,
  type PtxFunction,
  type PtxModule,
  parsePtx,
} from "../../runtime/compiler/ptx/index.ts";

/** A fixture's text. */
export function fixture(name: string): string {
  return readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8");
}

export const HEADER = ".version 9.0\n.target sm_90a\n.address_size 64\n";

/** Parses declarations at module level, from line 4 on. */
export function parseModule(text: string, check = true): PtxModule {
  return parsePtx(HEADER + text, "test", { check });
}

/** A kernel `k` with the body's lines from line 6 on. */
export function kernel(body: string): string {
  return `.visible .entry k(.param .u64 p, .param .align 16 .b8 s[32])\n{\n${body}\nret;\n}\n`;
}

/** Parses the body of a kernel. */
export function parseBody(body: string, check = true): PtxFunction {
  return functionNamed(parseModule(kernel(body), check), "k");
}

export function functionNamed(module: PtxModule, name: string): PtxFunction {
  const fn = module.functions.find((f) => f.name === name);
  assert.ok(fn, `no function ${name}`);
  return fn;
}

/** The instructions of a body, `ret` at the end left out. */
export function instructions(fn: PtxFunction): Instruction[] {
  const list = (fn.body ?? []).filter((s): s is Instruction => s.kind === "instr");
  return list.at(-1)?.opcode === "ret" ? list.slice(0, -1) : list;
}

/** The operands of a body's only instruction. */
export function operandsOf(body: string, check = true): Operand[] {
  const list = instructions(parseBody(body, check));
  assert.equal(list.length, 1);
  return (list[0] as Instruction).operands;
}

/** The error that parsing ends with; its place is relative to the module's header. */
export function errorOf(text: string): PtxError {
  try {
    parsePtx(HEADER + text, "test");
  } catch (error) {
    assert.ok(error instanceof PtxError, `not a PtxError: ${String(error)}`);
    return error;
  }
  assert.fail("no error");
}
