/**
 * What can be wrong with an image. `truncated`, `wrong-magic` and `malformed` are files that can't be
 * read at all; the others are sound files that this device has no use for.
 */
export type ImageErrorKind =
  | "truncated"
  | "wrong-magic"
  | "malformed"
  | "unsupported"
  | "no-device-code"
  | "newer-only"
  | "machine-code-only";

/** `cudaErrorInvalidKernelImage`: the image is invalid. */
export const CUDA_ERROR_INVALID_KERNEL_IMAGE = 200;
/** `cudaErrorNoKernelImageForDevice`: the image has no code that suits the device. */
export const CUDA_ERROR_NO_KERNEL_IMAGE_FOR_DEVICE = 209;

/** An image (PTX text, fat binary, ELF file) that can't be used. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly kind: ImageErrorKind;
  /** Number of the `cudaError_t` that a module load reports for this. */
  readonly code: number;

  /**
   * @param kind what is wrong
   * @param message one sentence for a person: what was found, where, and what to do about it
   */
  constructor(kind: ImageErrorKind, message: string) {
    super(message);
    this.kind = kind;
    this.code =
      kind === "no-device-code" || kind === "newer-only" || kind === "machine-code-only"
        ? CUDA_ERROR_NO_KERNEL_IMAGE_FOR_DEVICE
        : CUDA_ERROR_INVALID_KERNEL_IMAGE;
  }
}
