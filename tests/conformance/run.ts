/** Runs a folder of recorded instruction cases on the virtual GPU and judges every answer. */
import { Device, type DeviceOptions } from "../../index.ts";
import { compareOutput, hexElement } from "./compare.ts";
import { floatsOf, floatType } from "./floats.ts";
import { type Case, ELEMENT_BYTES, type ElementType, type Oracle } from "./oracle.ts";
import { STRATEGIES, type Strategy } from "./strategies.ts";

/** What the output is filled with before a launch. */
const FILL = 0xcd;

/** How one case went; undefined texts are successes. */
export interface CaseResult {
  name: string;
  /** The instruction's base name, or what the case is about. */
  family: string;
  /** What was wrong with all lanes active. */
  failure: string | undefined;
  /** Whether the case was repeated with the odd lanes inactive. */
  repeated: boolean;
  /** What was wrong then. */
  repeatFailure: string | undefined;
}

/** Operations of a whole warp or block: with lanes missing they answer something else. */
const COLLECTIVE =
  /(^|[;\s{])(bar|barrier|shfl|vote|match|redux|activemask|elect|mma|wmma|wgmma|ldmatrix|stmatrix|movmatrix|mbarrier|cp\.async)[.\s]/m;

/**
 * The kernel with a branch around its body that the odd lanes take, or undefined for a kernel that has
 * operations of the warp or the block (or is not of the oracle's form).
 */
export function withOddLanesInactive(ptx: string): string | undefined {
  const anchor = "mov.u32 %lane, %laneid;";
  if (COLLECTIVE.test(ptx) || !ptx.includes(anchor)) return undefined;
  const leave = /^\s*DONE:/m.test(ptx) ? "bra DONE" : "ret";
  return ptx.replace(
    anchor,
    `.reg .pred %odd;
  .reg .b32 %oddness;
  ${anchor}
  and.b32 %oddness, %lane, 1;
  setp.ne.u32 %odd, %oddness, 0;
  @%odd ${leave};`,
  );
}

/** `setp` of "setp.eq.u32", `shfl` of "shfl.sync.idx.b32 var", `mov` of "mov %laneid". */
export function familyOf(name: string): string {
  return /^[a-z]+[\d]*/.exec(name)?.[0] ?? name;
}

/** An element's bits, with its value where that is a float. */
function show(type: ElementType, bytes: Uint8Array, i: number): string {
  const size = ELEMENT_BYTES[type];
  const bits = hexElement(bytes, size, i);
  const float = floatType(type);
  if (!float) return bits;
  return `${bits} (${floatsOf(float, bytes.subarray(i * size, (i + 1) * size)).join(", ")})`;
}

/** Runs cases one after the other; a device that a kernel broke is replaced. */
export class CaseRunner {
  readonly #oracle: Oracle;
  readonly #options: DeviceOptions;
  #device: Device | undefined;

  /** @param strategy by default what the device would choose itself */
  constructor(oracle: Oracle, strategy?: Strategy) {
    this.#oracle = oracle;
    this.#options = strategy === undefined ? {} : STRATEGIES[strategy];
  }

  /** One launch of a case's kernel, or of a variant of it: the output vector. Throws what went wrong. */
  async #launch(entry: Case, ptx: string): Promise<Uint8Array> {
    const { n, block } = this.#oracle;
    this.#device ??= await Device.open(this.#options);
    const device = this.#device;
    try {
      using module = device.loadModule(ptx);
      const inputs = entry.in.map((type, k) => device.upload(this.#oracle.input(type, k).slice()));
      const output = device.alloc(n * ELEMENT_BYTES[entry.out]).fill(FILL);
      // Unused places take the output's pointer.
      const places = [0, 1, 2].map((k) => inputs[k] ?? output);
      const shape = { grid: Math.ceil(n / block), block };
      module.kernel("t").launch(shape, ...places, output, n);
      const bytes = output.toArray(Uint8Array);
      for (const buffer of [...inputs, output]) buffer.free();
      return bytes;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** What is wrong with a variant of a case, or undefined. */
  async #judge(
    entry: Case,
    index: number,
    ptx: string,
    active: (element: number) => boolean,
  ): Promise<string | undefined> {
    let got: Uint8Array;
    try {
      got = await this.#launch(entry, ptx);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    const inputs = entry.in.map((type, k) => this.#oracle.input(type, k));
    const golden = this.#oracle.golden(index);
    const wrong = compareOutput(entry, inputs, golden, got, active);
    if (wrong) {
      const shown = entry.in.map((type, k) => show(type, inputs[k] as Uint8Array, wrong.element));
      return (
        `element ${wrong.element} of (${shown.join("; ")}): ` +
        `expected ${show(entry.out, golden, wrong.element)}, ` +
        `got ${show(entry.out, got, wrong.element)} (${wrong.count} wrong)`
      );
    }
    const size = ELEMENT_BYTES[entry.out];
    const touched = got.findIndex((byte, at) => !active(Math.floor(at / size)) && byte !== FILL);
    if (touched < 0) return undefined;
    return `element ${Math.floor(touched / size)} belongs to an inactive lane and was written`;
  }

  /** Runs case number `index`, and again with the odd lanes inactive if it is of that kind. */
  async run(index: number): Promise<CaseResult> {
    const entry = this.#oracle.cases[index];
    if (!entry) throw new RangeError(`no case ${index}`);
    const failure = await this.#judge(entry, index, entry.ptx, () => true);
    const odd = withOddLanesInactive(entry.ptx);
    return {
      name: entry.name,
      family: familyOf(entry.name),
      failure,
      repeated: odd !== undefined,
      repeatFailure:
        odd === undefined ? undefined : await this.#judge(entry, index, odd, (e) => e % 2 === 0),
    };
  }

  /** Gives the device back. */
  close(): void {
    const device = this.#device;
    this.#device = undefined;
    device?.close();
  }
}
