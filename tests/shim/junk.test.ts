import assert from "node:assert/strict";
import fc from "fast-check";
import * as cuda from "../../cuda-shim/index.ts";
import { cudaErrorNumbers } from "../../runtime/protocol/error-texts.ts";
import { describe, test } from "../harness.ts";
import { SEED } from "../seed.ts";
import { Fixture } from "./entry-types.ts";
import { fails, withTwoDevices } from "./support.ts";

/** Calls that answer something else than an error number. */
const OTHER_ANSWERS: Record<string, (answer: unknown) => boolean> = {
  __cudaRegisterFatBinary: (answer) => typeof answer === "number",
  __cudaInitModule: (answer) => answer === 0 || answer === 1,
  __cudaRegisterFatBinaryEnd: (answer) => answer === undefined,
  __cudaRegisterFunction: (answer) => answer === undefined,
  __cudaRegisterManagedVar: (answer) => answer === undefined,
  __cudaRegisterVar: (answer) => answer === undefined,
  __cudaUnregisterFatBinary: (answer) => answer === undefined,
  cudaCreateChannelDesc: (answer) => typeof answer === "object",
  cudaGetErrorName: (answer) => typeof answer === "string",
  cudaGetErrorString: (answer) => typeof answer === "string",
};

const errors = new Set(cudaErrorNumbers());
const calls = Object.entries(cuda).filter(
  ([name, value]) => /^(__)?cuda[A-Z]/.test(name) && typeof value === "function",
) as [string, (...args: unknown[]) => unknown][];

describe("arguments of any kind", () => {
  test("regression: a name that is no string registers nothing", () =>
    withTwoDevices(() => {
      const { fatbin } = new Fixture(cuda);
      for (const name of [Symbol("s"), 7, null] as unknown[] as string[]) {
        const host = {};
        cuda.__cudaRegisterVar(fatbin, host, name);
        fails(cuda.cudaGetLastError(), "cudaErrorInvalidValue");
        cuda.__cudaRegisterFunction(fatbin, host, name);
        fails(cuda.cudaGetLastError(), "cudaErrorInvalidValue");
        const bytes = new Uint8Array(4);
        fails(cuda.cudaMemcpyFromSymbol(bytes, host, 4, 0, 2), "cudaErrorInvalidSymbol");
        fails(cuda.cudaGetKernel({ value: 0 }, host), "cudaErrorInvalidDeviceFunction");
      }
    }));

  test("regression: ordinals of devices that are no numbers", () =>
    withTwoDevices(() => {
      for (const ordinal of [0n, "0", [0]] as unknown[] as number[]) {
        const answers = [
          cuda.cudaDeviceDisablePeerAccess(ordinal),
          cuda.cudaDeviceCanAccessPeer({ value: 0 }, 1, ordinal),
          cuda.cudaDeviceGetP2PAttribute({ value: 0 }, 1, ordinal, 1),
          cuda.cudaSetDevice(ordinal),
        ];
        for (const answer of answers) fails(answer, "cudaErrorInvalidDevice");
      }
    }));

  test("regression: streams that are no numbers, where streams may be of two devices", () =>
    withTwoDevices(() => {
      new Fixture(cuda);
      for (const stream of [Symbol("s"), "0", null] as unknown[] as number[]) {
        fails(
          cuda.cudaLaunchKernel("nothing", 1, 1, [], 0, stream),
          "cudaErrorInvalidResourceHandle",
        );
      }
    }));

  for (const [name, call] of calls) {
    test(`${name} answers a number of CUDA's and never throws`, () =>
      withTwoDevices(() => {
        const fx = new Fixture(cuda);
        const things = [fx.stream(), fx.event(), fx.graph(), fx.node(), fx.exec(), fx.pool()];
        const junk = fc.oneof(
          fc.constantFrom<unknown>(undefined, null, "", "nothing", "factors", true, Symbol("s")),
          fc.constantFrom<unknown>(0, 1, 2, 32, 64, fx.memory(), fx.pinned(), fx.library),
          fc.constantFrom<unknown>(...things),
          fc.double(),
          fc.integer(),
          fc.maxSafeInteger(),
          fc.bigInt(),
          fc.constant(new Uint8Array(64)).map((bytes) => bytes.slice()),
          fc.constant(0).map((value) => ({ value })),
          fc.array(fc.oneof(fc.integer(), fc.constant(new Uint8Array(8))), { maxLength: 4 }),
          fc.object({
            maxDepth: 1,
            key: fc.constantFrom("x", "y", "width", "type", "ptr", "func"),
          }),
          fc.func(fc.integer()),
        );
        fc.assert(
          fc.property(fc.array(junk, { maxLength: call.length + 3 }), (args) => {
            const answer = call(...args);
            const right = OTHER_ANSWERS[name] ?? ((value) => errors.has(value as number));
            assert.ok(right(answer), `${String(answer)}`);
          }),
          { seed: SEED, numRuns: 60 },
        );
      }));
  }
});
