/**
 * Types of the CUDA runtime API as TypeScript has it. One convention holds everywhere: a pointer that
 * a C function writes a result through is an `Out` box, every other argument is a plain value, and
 * every function returns its `cudaError_t` number.
 */

/** Where a call puts a result: `const p = { value: 0 }; cudaMalloc(p, 1024); use(p.value)`. */
export interface Out<T> {
  value: T;
}

/** An address of device, pinned or managed memory: an integer below 2⁵³, 0 for null. */
export type CudaPointer = number;

/** Memory of the JavaScript side: typed arrays, views and buffers. */
export type HostMemory = ArrayBufferView | ArrayBufferLike;

/** Either side of a copy: an address, or JavaScript's own memory. */
export type CopyOperand = CudaPointer | HostMemory | null;

/** A `dim3`; what is left out is 1. */
export interface Dim3 {
  x: number;
  y?: number;
  z?: number;
}

/** A `dim3` as a number (`x`), as up to three numbers, or by its fields. */
export type Dim3Like = number | readonly number[] | Readonly<Dim3>;

/** Handles: 0 is null (for streams: the default stream). */
export type CudaStream = number;
export type CudaEvent = number;
export type CudaKernel = number;
export type CudaLibrary = number;
export type CudaGraph = number;
export type CudaGraphNode = number;
export type CudaGraphExec = number;
/** What `cudaGraphSetConditional` in kernels is given, as a 64-bit argument. */
export type CudaGraphConditionalHandle = number;
export type CudaUserObject = number;
export type CudaMemPool = number;
export type CudaArray = number;
export type CudaMipmappedArray = number;
/** A texture or surface object; an address, but of nothing that a program may look at. */
export type CudaTextureObject = number;

/**
 * What stands for a kernel or a variable in the host program: in C the address of its stub or its
 * shadow, here any value that the program registered it under.
 */
export type HostSymbol = string | number | symbol | object;

/** The three sizes of a `dim3`. */
export type Extent3 = readonly [x: number, y: number, z: number];

/** A `dim3` with all of its fields; what is no `dim3` has no blocks or threads. */
export function dim3(value: Dim3Like): Extent3 {
  if (typeof value === "number") return [value, 1, 1];
  if (isList(value)) return [value[0] ?? 1, value[1] ?? 1, value[2] ?? 1];
  return isObject(value) ? [value.x, value.y ?? 1, value.z ?? 1] : [0, 0, 0];
}

/** Whether `value` is an object, of whatever kind. */
export function isObject<T>(value: T): value is T & object {
  return typeof value === "object" && value !== null;
}

/** Whether a result can be put into `value`. */
export function isBox<T>(value: Out<T> | null | undefined): value is Out<T> {
  return isObject(value);
}

function isList(value: readonly number[] | Readonly<Dim3>): value is readonly number[] {
  return Array.isArray(value);
}

/** Whether `value` is a `size_t` that a number holds exactly. */
export function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Whether `value` is an `unsigned int`. */
export function isU32(value: unknown): value is number {
  return typeof value === "number" && value >>> 0 === value;
}

/** Whether `value` is an `int`. */
export function isI32(value: unknown): value is number {
  return typeof value === "number" && (value | 0) === value;
}

/** Whether `value` is memory of the JavaScript side. */
export function isHostMemory(value: unknown): value is HostMemory {
  return (
    ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer
  );
}

/** The bytes of `memory`, without a copy. */
export function bytesOf(memory: HostMemory): Uint8Array {
  if (memory instanceof Uint8Array) return memory;
  if (ArrayBuffer.isView(memory)) {
    return new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
  }
  return new Uint8Array(memory);
}
