import { cudaGetErrorName, cudaGetErrorString } from "../runtime/protocol/error-texts.ts";
import * as numbers from "../runtime/protocol/errors.ts";

/**
 * Errors that stay on a context: every later call of the context returns them, and
 * `cudaGetLastError` does not clear them. They are those of which driver_types.h says "to continue
 * using CUDA, the process must be terminated and relaunched".
 */
const STICKY = new Set<number>([
  numbers.cudaErrorIllegalAddress,
  numbers.cudaErrorLaunchTimeout,
  numbers.cudaErrorAssert,
  numbers.cudaErrorHardwareStackError,
  numbers.cudaErrorIllegalInstruction,
  numbers.cudaErrorMisalignedAddress,
  numbers.cudaErrorInvalidAddressSpace,
  numbers.cudaErrorInvalidPc,
  numbers.cudaErrorLaunchFailure,
  numbers.cudaErrorTensorMemoryLeak,
]);

/** Whether an error stays on the context that it happened in. */
export function isSticky(error: number): boolean {
  return STICKY.has(error);
}

/** What the classes throw: a failed CUDA call with its number, name and text. */
export class CudaError extends Error {
  override readonly name = "CudaError";
  /** The `cudaError_t`. */
  readonly code: number;
  /** Its name: `cudaErrorMemoryAllocation` and so on. */
  readonly cudaName: string;
  /** What was being done, or what the device said; may be empty. */
  readonly detail: string;

  /**
   * @param code the `cudaError_t`
   * @param detail added to CUDA's own text
   */
  constructor(code: number, detail = "") {
    const name = cudaGetErrorName(code);
    super(`${name}: ${cudaGetErrorString(code)}${detail === "" ? "" : ` (${detail})`}`);
    this.code = code;
    this.cudaName = name;
    this.detail = detail;
  }
}
