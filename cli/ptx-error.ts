/** PTX errors as compilers write them. */
import type { PtxError } from "../runtime/compiler/index.ts";

/**
 * `sum.ptx:12:3: kernel sum: message`, as far as the error knows these.
 * @param file what the lines are counted in
 */
export function formatPtxError(file: string, error: PtxError): string {
  const place = error.line > 0 ? `:${error.line}${error.column > 0 ? `:${error.column}` : ""}` : "";
  const kernel = error.kernel === undefined ? "" : `in ${error.kernel}: `;
  return `${file}${place}: ${kernel}${error.message}`;
}
