import type { FormGroup } from "./notation.ts";

/** Control flow, stack, miscellaneous (PTX ISA §9.7.12, §9.7.17, §9.7.19). */
export const CONTROL: FormGroup[] = [
  {
    family: "Control flow",
    section: "9.7.12",
    since: "1.0",
    target: 10,
    forms: [
      "bra{.uni} tgt:label",
      "brx.idx{.uni} index:u32, tlist:targets @6.0 sm_30",
      "call{.uni} ...",
      "ret{.uni}",
      "exit",
    ],
  },
  {
    family: "Stack",
    section: "9.7.17",
    since: "7.3",
    target: 52,
    forms: ["stacksave.size d", "stackrestore.size a", "alloca.size d, n{, align:imm}"],
  },
  {
    family: "Miscellaneous",
    section: "9.7.19",
    since: "1.0",
    target: 10,
    sets: { incdec: "inc dec" },
    forms: [
      "trap",
      "brkpt",
      "pmevent a:imm @1.4",
      "pmevent.mask a:imm @3.0 sm_20",
      "nanosleep.u32 t @6.3 sm_70",
      "setmaxnreg.incdec.sync.aligned.u32 n:imm @8.0 sm_90",
    ],
  },
];
