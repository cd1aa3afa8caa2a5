// The instruction table: every form of PTX ISA 9.0 that isn't graphics. The parser's check, the
// documentation, the fuzzer and the tests are made from it.

import { ASYNC } from "./async.ts";
import { COMPARE } from "./compare.ts";
import { CONTROL } from "./control.ts";
import { CONVERT } from "./convert.ts";
import { FLOAT } from "./float.ts";
import { INTEGER } from "./integer.ts";
import { MATRIX } from "./matrix.ts";
import { MEMORY } from "./memory.ts";
import { type Form, type FormGroup, opcodeOf, parseForm } from "./notation.ts";
import { SYNC } from "./sync.ts";
import { TEXTURE } from "./texture.ts";
import { VIDEO } from "./video.ts";

export type { Form, FormGroup, OperandSpec, Slot } from "./notation.ts";

const GROUPS: readonly FormGroup[] = [
  ...INTEGER,
  ...FLOAT,
  ...COMPARE,
  ...MEMORY,
  ...ASYNC,
  ...CONVERT,
  ...TEXTURE,
  ...CONTROL,
  ...SYNC,
  ...MATRIX,
  ...VIDEO,
];

/** One line of the table, compiled to a form when its opcode is first met. */
interface Line {
  text: string;
  group: FormGroup;
  index: number;
  form: Form | undefined;
}

let lines: Line[] | undefined;
const byOpcode = new Map<string, Line[]>();
const formsByOpcode = new Map<string, readonly Form[]>();
const NO_FORMS: readonly Form[] = [];

function readLines(): Line[] {
  if (lines !== undefined) return lines;
  lines = [];
  for (const group of GROUPS) {
    for (const text of group.forms) {
      const line: Line = { text, group, index: lines.length, form: undefined };
      lines.push(line);
      const opcode = opcodeOf(text);
      const list = byOpcode.get(opcode);
      if (list === undefined) byOpcode.set(opcode, [line]);
      else list.push(line);
    }
  }
  return lines;
}

function compileLine(line: Line): Form {
  line.form ??= parseForm(line.text, line.group, line.index);
  return line.form;
}

/** All forms, in the order of the table. */
export function allForms(): readonly Form[] {
  return readLines().map(compileLine);
}

/** The forms of a base opcode ("add"), or none. Compiled on first use. */
export function formsOf(opcode: string): readonly Form[] {
  let forms = formsByOpcode.get(opcode);
  if (forms === undefined) {
    readLines();
    const found = byOpcode.get(opcode);
    if (found === undefined) return NO_FORMS;
    forms = found.map(compileLine);
    formsByOpcode.set(opcode, forms);
  }
  return forms;
}
