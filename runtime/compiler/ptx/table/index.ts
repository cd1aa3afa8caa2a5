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
import { type Form, type FormGroup, parseForm } from "./notation.ts";
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

let forms: Form[] | undefined;
let byOpcode: Map<string, Form[]> | undefined;

/** All forms, in the order of the table; compiled on first use. */
export function allForms(): readonly Form[] {
  if (forms === undefined) {
    const list: Form[] = [];
    for (const group of GROUPS) {
      for (const line of group.forms) list.push(parseForm(line, group, list.length));
    }
    forms = list;
  }
  return forms;
}

/** The forms of a base opcode ("add"), or none. */
export function formsOf(opcode: string): readonly Form[] {
  if (byOpcode === undefined) {
    byOpcode = new Map();
    for (const form of allForms()) {
      const list = byOpcode.get(form.opcode);
      if (list === undefined) byOpcode.set(form.opcode, [form]);
      else list.push(form);
    }
  }
  return byOpcode.get(opcode) ?? [];
}
