// Which forms of the instruction table the compiler compiles: found out by compiling samples of each
// form, one instruction a kernel. Nothing here is kept by hand.

import { readFileSync } from "node:fs";
import {
  type CompileOptions,
  compileKernel,
  DeviceLibrary,
  layoutModule,
  lowerKernel,
  PtxError,
  parsePtx,
} from "../runtime/compiler/index.ts";
import { allForms, type Form } from "../runtime/compiler/ptx/table/index.ts";
import { sampleModule, samplesOf } from "../runtime/compiler/ptx/table/sample.ts";
import { SPECIAL_REGISTERS } from "../runtime/compiler/ptx/types.ts";

/** What became of the samples of one form. */
export interface Support {
  form: Form;
  samples: number;
  /** Samples that the compiler refuses, with its reasons. */
  refused: { text: string; reason: string }[];
  /** Samples that compile to something that isn't valid WebAssembly, or crash the compiler. */
  broken: { text: string; reason: string }[];
}

/** The device library as it was built; throws if `npm run build` hasn't run. */
export function readLibrary(): DeviceLibrary {
  return new DeviceLibrary(readFileSync(new URL("../build/devicelib.wasm", import.meta.url)));
}

/**
 * Compiles PTX kernel by kernel to WebAssembly that the engine has validated. Throws PtxError for
 * what is refused, and Error for invalid WebAssembly.
 */
export function compileAll(source: string, library: DeviceLibrary): void {
  const module = parsePtx(source);
  const layout = layoutModule(module);
  for (const fn of module.functions) {
    if (fn.kind !== "entry" || fn.body === undefined) continue;
    const lowered = lowerKernel(module, layout, fn, library);
    for (const options of COMPILE_OPTIONS) {
      const { wasm } = compileKernel(lowered, options);
      if (!WebAssembly.validate(wasm)) throw new Error(`${fn.name}: invalid WebAssembly`);
    }
  }
}

/** As a first launch would: a block of 64 by 2 threads in lane groups; and thread by thread. */
const COMPILE_OPTIONS: readonly CompileOptions[] = [
  { fma: "exact", shape: [64, 2, 1] },
  { fma: "exact", shape: [33, 1, 1], width: 1 },
];

/** Compiles the samples of one form. */
export function supportOf(form: Form, library: DeviceLibrary): Support {
  const result: Support = { form, samples: 0, refused: [], broken: [] };
  for (const text of samplesOf(form)) {
    result.samples++;
    try {
      compileAll(sampleModule([text]), library);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof PtxError) result.refused.push({ text, reason });
      else result.broken.push({ text, reason });
    }
  }
  return result;
}

/** Special registers whose value is 64 bits. */
const WIDE = /64$|^%(globaltimer|gridid|current_graph_exec)$/;
/** Special registers that are vectors as a whole: only their components are values. */
const WHOLE_VECTORS = /^%n?(tid|ctaid|clusterid)$|^%cluster_n?ctaid$/;

/** The special registers, and whether a kernel that reads one compiles. */
export function specialRegisters(library: DeviceLibrary): { name: string; supported: boolean }[] {
  return [...SPECIAL_REGISTERS]
    .filter((name) => !WHOLE_VECTORS.test(name))
    .map((name) => {
      const text =
        name === "%is_explicit_cluster"
          ? `mov.pred %pred_1, ${name}`
          : WIDE.test(name)
            ? `mov.u64 %u64_1, ${name}`
            : `mov.u32 %u32_1, ${name}`;
      try {
        compileAll(sampleModule([text]), library);
        return { name, supported: true };
      } catch (error) {
        if (!(error instanceof PtxError)) throw error;
        return { name, supported: false };
      }
    });
}

/** Compiles the samples of the whole table: some seconds. */
export function supportOfAll(library: DeviceLibrary = readLibrary()): Support[] {
  return allForms().map((form) => supportOf(form, library));
}
