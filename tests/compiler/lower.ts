import assert from "node:assert/strict";
import {
  type LoweredKernel,
  layoutModule,
  lowerKernel,
  parsePtx,
} from "../../runtime/compiler/index.ts";
import { loadArtifacts } from "../../runtime/exec/index.ts";

/**
 * A kernel of a PTX text in register form, as reports and compilations take it.
 * @param name the first one, if it is left out
 */
export async function lowerText(text: string, name?: string): Promise<LoweredKernel> {
  const { library } = await loadArtifacts();
  const module = parsePtx(text);
  const fn = module.functions.find((f) => name === undefined || f.name === name);
  assert.ok(fn, `no kernel ${name ?? ""}`);
  return lowerKernel(module, layoutModule(module), fn, library);
}
