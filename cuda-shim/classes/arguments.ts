import { cudaErrorInvalidValue } from "../../runtime/protocol/errors.ts";
import { writeU64 } from "../../runtime/protocol/fields.ts";
import { CudaError } from "../errors.ts";
import type { DeviceFunction, KernelParameter } from "../registry.ts";
import { bytesOf, type HostMemory, isHostMemory } from "../types.ts";
import { DeviceBuffer } from "./buffer.ts";

/** A number with the type that a kernel's parameter has; made by `f32`, `f64`, `i32` and so on. */
export class Scalar {
  /** Name of the type, as in `f32`. */
  readonly type: string;
  readonly bytes: Uint8Array;

  constructor(type: string, array: ArrayBufferView<ArrayBuffer>) {
    this.type = type;
    this.bytes = new Uint8Array(array.buffer);
  }
}

/** A `float` argument. */
export function f32(value: number): Scalar {
  return new Scalar("f32", Float32Array.of(value));
}

/** A `double` argument. */
export function f64(value: number): Scalar {
  return new Scalar("f64", Float64Array.of(value));
}

/** An `int` argument. */
export function i32(value: number): Scalar {
  return new Scalar("i32", Int32Array.of(value));
}

/** An `unsigned int` argument. */
export function u32(value: number): Scalar {
  return new Scalar("u32", Uint32Array.of(value));
}

/** A `long long` argument. */
export function i64(value: number | bigint): Scalar {
  return new Scalar("i64", BigInt64Array.of(BigInt(value)));
}

/** An `unsigned long long` or pointer argument. */
export function u64(value: number | bigint): Scalar {
  return new Scalar("u64", BigUint64Array.of(BigInt(value)));
}

/**
 * An argument of a kernel:
 * - a `DeviceBuffer`: its address;
 * - a whole number, bigint or boolean: an integer of the parameter's size;
 * - a `Scalar`: `f32(0.5)`, `f64(0.5)`, for floating-point parameters always;
 * - memory: the bytes themselves, for a struct passed by value; exactly of the parameter's size.
 */
export type KernelArgument = DeviceBuffer | number | bigint | boolean | Scalar | HostMemory;

/**
 * Packs arguments into a kernel's parameter block.
 * @throws CudaError cudaErrorInvalidValue, naming the kernel and the argument, if there are too few or
 *   too many, or if one doesn't have its parameter's size
 */
export function packKernelArguments(fn: DeviceFunction, args: readonly KernelArgument[]): void {
  if (args.length !== fn.parameters.length) {
    throw new CudaError(
      cudaErrorInvalidValue,
      `${fn.name} has ${fn.parameters.length} parameters, not ${args.length}`,
    );
  }
  let index = 0;
  for (const parameter of fn.parameters) {
    const problem = pack(fn.block, fn.blockView, parameter, args[index] as KernelArgument);
    if (problem !== undefined) {
      throw new CudaError(cudaErrorInvalidValue, `${fn.name}: argument ${index} ${problem}`);
    }
    index++;
  }
}

/** Packs one argument. @returns what is wrong with it, if anything is */
function pack(
  bytes: Uint8Array,
  block: DataView,
  { offset, size }: KernelParameter,
  argument: KernelArgument,
): string | undefined {
  if (argument instanceof DeviceBuffer) {
    if (size !== 8) return `is a buffer, but the parameter has ${size} bytes and no address fits`;
    writeU64(block, offset, argument.pointer);
    return undefined;
  }
  if (typeof argument === "number") return packNumber(block, offset, size, argument);
  if (typeof argument === "boolean") return packNumber(block, offset, size, argument ? 1 : 0);
  if (typeof argument === "bigint") return packBigInt(block, offset, size, argument);
  const memory = argument instanceof Scalar ? argument.bytes : argument;
  if (!isHostMemory(memory)) return "is no buffer, number or memory";
  const value = bytesOf(memory);
  if (value.length !== size) {
    const what = argument instanceof Scalar ? `${argument.type} of` : "memory of";
    return `is ${what} ${value.length} bytes, but the parameter has ${size}`;
  }
  bytes.set(value, offset);
  return undefined;
}

function packNumber(
  block: DataView,
  offset: number,
  size: number,
  value: number,
): string | undefined {
  if (!Number.isInteger(value)) {
    return `is ${value}, no integer: say f32(${value}) or f64(${value})`;
  }
  if (size === 4) {
    if (value < -(2 ** 31) || value >= 2 ** 32) return `${value} doesn't fit into 4 bytes`;
    block.setUint32(offset, value, true);
    return undefined;
  }
  return packBigInt(block, offset, size, BigInt(value));
}

function packBigInt(
  block: DataView,
  offset: number,
  size: number,
  value: bigint,
): string | undefined {
  if (size !== 1 && size !== 2 && size !== 4 && size !== 8) {
    return `is a number, but the parameter has ${size} bytes: give its memory`;
  }
  const bits = BigInt(8 * size);
  if (value < -(1n << (bits - 1n)) || value >= 1n << bits) {
    return `${value} doesn't fit into ${size} bytes`;
  }
  const wrapped = BigInt.asUintN(Number(bits), value);
  for (let index = 0; index < size; index++) {
    block.setUint8(offset + index, Number((wrapped >> BigInt(8 * index)) & 0xffn));
  }
  return undefined;
}
