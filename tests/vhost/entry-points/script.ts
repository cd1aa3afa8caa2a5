/**
 * Writes the table of calls as a script for the interpreter: a stand-in for the calls in TypeScript that
 * notes what they would do. Handles and addresses that a call gives are numbers that stand for variables.
 */
import * as errors from "../../../runtime/protocol/errors.ts";
import { launchConfig, type Parameter, poolProps, typeOf } from "../../shim/entry-table.ts";
import { type Api, Fixture, kernelNode, noNode } from "../../shim/entry-types.ts";

/** Numbers from here on are variables, of which each can have an offset below the step. */
const FIRST_VARIABLE = 2 ** 51;
const VARIABLE_STEP = 4096;
const VARIABLES = 65536;

/** What C cannot be given: fractions, texts for functions, numbers of more than 64 bits. */
const IMPOSSIBLE = Symbol("impossible in C");

const hex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function number(value: number): string | typeof IMPOSSIBLE {
  if (!Number.isInteger(value) || value >= 2 ** 64 || value < -(2 ** 63)) return IMPOSSIBLE;
  const variable = Math.floor((value - FIRST_VARIABLE) / VARIABLE_STEP);
  if (variable >= 0 && variable < VARIABLES) {
    return `v${variable}+${value - FIRST_VARIABLE - variable * VARIABLE_STEP}`;
  }
  return `i${BigInt.asUintN(64, BigInt(value)).toString(16)}`;
}

/** Structures by the objects that stand for them. */
const STRUCTURES = new Map<unknown, string[]>([
  // cudaHostNodeParams, cudaKernelNodeParams: function, grid, block, shared, arguments, extra.
  [noNode, ["af,i0"]],
  [kernelNode, [`aknothing,i100000001,i100000001,i100000001,i0,i0,i0`]],
  // cudaLaunchConfig_t: grid, block, shared, stream, attributes and their number.
  [launchConfig, [`ai100000001,i100000001,i100000001,i0,i0,i0,i0`]],
  [poolProps, [`s${hex(words(1, 0, 1, 0))}`]],
]);

/** What a call needs besides, or in another form, in C. */
const FORMS: Readonly<Record<string, (args: string[]) => string[]>> = {
  cudaDeviceSetGraphMemAttribute: ([device = "", which = "", value = ""]) => [
    device,
    which,
    `a${value}`,
  ],
  cudaGraphAddNode: ([out = "", graph = "", nodes = "", count = "", data = "", params = ""]) => [
    ...[out, graph, nodes, data, count, params],
  ],
  cudaLibraryLoadFromFile: ([out = "", name = ""]) => [
    ...[out, name, "i0", "i0", "i0", "i0", "i0", "i0"],
  ],
  cudaMemDiscardBatchAsync: ([ranges = "", , sizes = "", count = "", flags = "", stream = ""]) => [
    ...[ranges, sizes, count, flags, stream],
  ],
  cudaDeviceGetPCIBusId: ([out = "", device = ""]) => [out, "i20", device],
  cudaGraphCreate: ([out = ""]) => [out, "i0"],
  cudaGraphInstantiate: ([out = "", graph = ""]) => [out, graph, "i0"],
  cudaLaunchHostFunc: ([stream = "", fn = ""]) => [stream, fn, "i0"],
  cudaLibraryLoadData: ([out = "", image = ""]) => [out, image, "i0", "i0", "i0", "i0", "i0", "i0"],
  cudaMallocArray: ([out = "", desc = "", w = "", h = "", flags = "i0"]) => [
    ...[out, desc, w, h, flags],
  ],
  cudaMallocManaged: ([out = "", bytes = ""]) => [out, bytes, "i1"],
  cudaMemPoolSetAttribute: ([pool = "", which = "", value = ""]) => [pool, which, `a${value}`],
  cudaEventRecord: ([event = "", stream = "i0"]) => [event, stream],
  cudaStreamAddCallback: ([stream = "", fn = ""]) => [stream, fn === "f" ? "c" : fn, "i0", "i0"],
  cudaStreamAttachMemAsync: ([stream = "", p = ""]) => [stream, p, "i0", "i4"],
  cudaStreamGetCaptureInfo: ([stream = "", out = ""]) => [
    stream,
    out,
    "i0",
    "i0",
    "i0",
    "i0",
    "i0",
  ],
};
/** Lists that a call fills: asked for their length only. */
const LISTS: Readonly<Record<string, string[]>> = {
  cudaGraphGetNodes: ["i0", "o"],
  cudaGraphGetRootNodes: ["i0", "o"],
  cudaGraphNodeGetDependencies: ["i0", "i0", "o"],
  cudaGraphNodeGetDependentNodes: ["i0", "i0", "o"],
};

/** Records calls. */
export class Script {
  readonly #lines: string[] = [];
  #variables = 0;
  /** The calls: each notes itself and that it must succeed, and sets what stands for its results. */
  readonly api: Api;

  constructor() {
    this.api = new Proxy({} as Api, {
      get: (_target, name) => {
        if (typeof name !== "string" || !/^(__)?cuda[A-Z]/.test(name)) return undefined;
        if (name === "cudaCreateChannelDesc") return (...bits: number[]) => words(...bits);
        if (/Kind/.test(name)) return 1;
        return (...args: unknown[]) => this.#record("preparation", name, args, errors.cudaSuccess);
      },
    });
  }

  get text(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  #variable(): number {
    return this.#variables++;
  }

  #value(name: string, value: unknown): string[] | typeof IMPOSSIBLE {
    if (value === null || value === undefined) return ["i0"];
    const structure = STRUCTURES.get(value);
    if (structure) return structure;
    if (typeof value === "number") return one(number(value));
    if (typeof value === "function") return ["f"];
    if (typeof value === "string") return text(name, value);
    if (value instanceof Uint8Array) return bytes(value);
    if (Array.isArray(value)) return list(name, value);
    const parts = assembled(value as Record<string, never>);
    if (parts) return parts;
    if ("value" in (value as object)) return this.#out(name, value as { value: unknown });
    const { type, id, allocType } = value as Record<string, number>;
    if (type !== undefined && id !== undefined) return one(number(type + id * 2 ** 32));
    return [
      allocType === undefined ? `s${"00".repeat(256)}` : (STRUCTURES.get(poolProps) ?? [])[0]!,
    ];
  }

  #out(name: string, box: { value: unknown }): string[] {
    const form = LISTS[name];
    const variable = this.#variable();
    if (form) return form.map((each) => (each === "o" ? `o${variable}` : each));
    box.value = FIRST_VARIABLE + variable * VARIABLE_STEP;
    return [`o${variable}`];
  }

  #record(label: string, name: string, args: readonly unknown[], error: number): number {
    if (name.startsWith("__cudaRegister")) return 0; // the interpreter has done it
    const given: string[] = [];
    for (const value of args) {
      const encoded = this.#value(name, value);
      if (encoded === IMPOSSIBLE) return 0;
      given.push(...encoded);
    }
    const form = FORMS[name];
    this.#lines.push([label, error, name, ...(form ? form(given) : given)].join("\t"));
    return 0;
  }

  /** Adds what the table says of a call: `wrong` gives errors that are others in C. */
  add(
    name: string,
    parameters: readonly Parameter[],
    wrong: (index: number, label: string, error: string) => string | undefined,
  ): void {
    const types = parameters.map(typeOf);
    const fx = new Fixture(this.api);
    const good = () => types.map((type) => type.good(fx));
    this.#record("all good", name, good(), errors.cudaSuccess);
    for (const [index, type] of types.entries()) {
      for (const [label, make, error] of type.bad) {
        const expected = wrong(index, label, error);
        if (expected === undefined) continue;
        const args = good();
        args[index] = make(fx);
        const code = (errors as unknown as Record<string, number>)[expected];
        this.#record(`argument ${index} ${label}`, name, args, code as number);
      }
    }
    this.#record("all good afterwards", name, good(), errors.cudaSuccess);
  }
}

/** Structures that hold addresses and handles, as lists of 64-bit words. */
function assembled(value: Record<string, unknown>): string[] | undefined {
  const words = (each: unknown[]) => [`a${each.map((word) => String(number(word as number)))}`];
  const { eventWait, elementSize, extent, bytesize, resType } = value;
  // A cudaExtent by value: the interpreter knows where.
  if (value["depth"] !== undefined) {
    return [value["width"], value["height"], value["depth"]].map((each) =>
      String(number(each as number)),
    );
  }
  if (eventWait) return words([value["type"], 0, (eventWait as { event: number }).event]);
  if (elementSize !== undefined) {
    const { dst, pitch, width, height } = value;
    return words([dst, pitch, (elementSize as number) * 2 ** 32, width, height]);
  }
  if (extent) {
    const { width, height, depth } = extent as Record<string, number>;
    const side = (memory: unknown) => {
      const { ptr, pitch, xsize, ysize } = memory as Record<string, number>;
      return [0, 0, 0, 0, ptr, pitch, xsize, ysize];
    };
    const sides = [...side(value["srcPtr"]), ...side(value["dstPtr"])];
    return words([...sides, width, height, depth, value["kind"]]);
  }
  // cudaMemAllocNodeParams: the pool's properties are 11 words.
  if (bytesize !== undefined) {
    return words([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, bytesize, 0]);
  }
  if (resType !== undefined) {
    const { array } = (value["res"] as { array: { array: number } }).array;
    return words([resType, array]);
  }
  return undefined;
}

function one(value: string | typeof IMPOSSIBLE): string[] | typeof IMPOSSIBLE {
  return value === IMPOSSIBLE ? IMPOSSIBLE : [value];
}

/** Names of kernels and variables; other texts where a call takes text. */
function text(name: string, value: string): string[] | typeof IMPOSSIBLE {
  if (/^cuda(Library|DeviceGetByPCI|GetDriverEntry)/.test(name))
    return [`s${hex(new TextEncoder().encode(value))}`];
  const symbol = /Symbol/.test(name);
  const known = symbol ? ["factors", "missing", "nobody"] : ["nothing", "absent", "nobody"];
  return known.includes(value) ? [`${symbol ? "y" : "k"}${value}`] : IMPOSSIBLE;
}

/** Memory of the host (256 bytes), a structure, or an image. */
function bytes(value: Uint8Array): string[] | typeof IMPOSSIBLE {
  if (value.length === 256) return ["b"];
  if (value.length > 256) return ["m"];
  return value.length === 20 ? [`s${hex(value)}`] : IMPOSSIBLE;
}

/** A shape is two words by value; arguments are none; nodes are a list and its length. */
function list(name: string, values: readonly unknown[]): string[] | typeof IMPOSSIBLE {
  if (/Launch/.test(name) && values.length === 3) {
    const [x = 0, y = 0, z = 0] = values as number[];
    if (![x, y, z].every((value) => Number.isInteger(value) && value >= -1 && value < 2 ** 32)) {
      return IMPOSSIBLE;
    }
    const word = (value: number) => value >>> 0;
    return [`i${(BigInt(word(y)) * 2n ** 32n + BigInt(word(x))).toString(16)}`, `i${word(z)}`];
  }
  if (/Launch/.test(name)) return ["i0"];
  const each = values.map((value) => number(value as number));
  if (each.includes(IMPOSSIBLE)) return IMPOSSIBLE;
  return [`a${each.join(",")}`, `i${values.length}`];
}
