// The compiler's intermediate representation.
//
// A kernel is first lowered, once, to blocks in *register form*: values live inside one block, and
// everything that crosses a block goes through a virtual register (`regread`, `regwrite`). Cuts
// (barriers, warp operations, waits) end blocks. From each cut's far side a *region* is grown: the
// blocks reachable from there up to the next cuts, cloned and brought into SSA form.
//
// An operation is named like the WebAssembly instruction that it becomes (`i32_add`), or is one of
// the special ones below. Predicates have the type I1: 0/1 in scalar code, a lane mask in SIMD code.

/** Value types. I1 is a predicate; NONE is the type of operations without a result. */
export const I1 = 0;
export const I32 = 1;
export const I64 = 2;
export const F32 = 3;
export const F64 = 4;
export const NONE = 5;
export type Type = 0 | 1 | 2 | 3 | 4 | 5;

/** Names of the types, for printing. */
export const TYPE_NAMES = ["i1", "i32", "i64", "f32", "f64", "void"] as const;

/** Bytes a value of each type takes in a spill slot. */
export const TYPE_BYTES = [4, 4, 8, 4, 8, 0] as const;

/** State spaces that an address check knows. */
export type MemorySpace = "generic" | "shared" | "local" | "param";

/** What an operation needs besides its arguments. */
export interface Aux {
  /** check: state space of the address */
  space?: MemorySpace;
  /** check: bytes checked; load, store, atomic: bytes accessed */
  size?: number;
  /** check: first byte, relative to the address; load, store: static offset */
  offset?: number;
  /** check: required alignment in bytes (a power of two) */
  align?: number;
  /** load: sign-extend */
  signed?: boolean;
  /** load, store: must be a sequentially consistent access (volatile, relaxed, acquire, release) */
  ordered?: boolean;
  /** load: memory that no kernel writes while it runs (.const, .param, .nc) */
  invariant?: boolean;
  /** atomic: operation ("add", "cas", …) */
  atomic?: string;
  /** lib: an atomic operation that others than this device's threads may take part in (.sys) */
  system?: boolean;
  /** lib: function of the device library; sreg: register; call: function; host: imported function */
  name?: string;
  /** fault sites: index into the kernel's site table */
  site?: number;
  /** lib: has an effect besides its result */
  effect?: boolean;
  /** check of base + index × scale (SIMD code): bytes from one index to the next */
  scale?: number;
  /** SIMD code: lane mask that the operation reads (−1: all lanes), and what it takes of it */
  mask?: number;
  /** mask_move: adds to the target instead of setting it; takes the lanes where cond is false */
  add?: boolean;
  negate?: boolean;
  /** phi_move: the phis, and which are blended under the mask; leave: the block whose end it is */
  phis?: Value[];
  blends?: boolean[];
  block?: Block;
  /** warp: the cut whose operation it is */
  cut?: Cut;
  /** load (SIMD code): of one word that all lanes share, into a vector */
  splat?: boolean;
  /** structures, store_structures: bytes from lane to lane, if all lie in one vector */
  stride?: number;
  /** store_structures of bytes: where in a lane's each one's begins */
  starts?: readonly number[];
  /** any: masks that are looked at together, from `imm` on */
  masks?: number;
  /** any: lanes are taken to be there for a while after there were some */
  often?: boolean;
  /** warp_lanes, warp_constant: four lanes, or words */
  lanes?: readonly number[];
}

let nextId = 0;

/** One operation and its result. */
export class Value {
  readonly id = nextId++;
  op: string;
  type: Type;
  args: Value[];
  /** `const` of I1/I32 (as signed number), F32 (its bits); register index of regread/regwrite. */
  imm: number;
  /** `const` of I64 and F64 (bits). */
  big: bigint;
  aux: Aux;
  /** Number of uses, maintained by passes that need it. */
  uses = 0;
  /** The block that holds the value, once placed. */
  block: Block | undefined = undefined;

  constructor(op: string, type: Type, args: Value[], imm = 0, big = 0n, aux: Aux = NO_AUX) {
    this.op = op;
    this.type = type;
    this.args = args;
    this.imm = imm;
    this.big = big;
    this.aux = aux;
  }
}

export const NO_AUX: Aux = Object.freeze({});

/** How a block ends. */
export type Terminator =
  | { kind: "jump"; target: Block }
  | { kind: "branch"; cond: Value; yes: Block; no: Block }
  | { kind: "switch"; index: Value; targets: Block[] } // the last one is the default
  | { kind: "exit" } // the thread ends
  | { kind: "return" } // a real function returns
  | { kind: "cut"; cut: Cut; state?: CutState };

/** In a region: what a thread leaves behind when it stops at a cut. */
export interface CutState {
  /** Registers that live on and were changed since they were loaded. */
  spills: { register: number; value: Value }[];
  operands: Value[];
  sources: Value[];
}

/**
 * A place where a thread stops and the scheduler decides what runs next.
 * - block: `bar.sync`, `barrier`, `bar.red` — waits for the block's other warps
 * - warp: shuffles, votes, matrix products, `__syncwarp` — waits for the lanes in the member mask
 * - gather: `activemask` and the operations before sm_70 — takes the lanes that arrive together
 * - wait: the back edge of a loop that waits for memory — lets others run
 * - cluster: `barrier.cluster.wait` — waits for the phase in which the thread has arrived
 */
export interface Cut {
  kind: "block" | "warp" | "gather" | "wait" | "cluster";
  /** Entry number of the region that runs after it (1 is the kernel's start). */
  entry: number;
  next: Block;
  /** block: barrier number and thread count (0: all); warp: member mask. Values of the cut block. */
  operands: Value[];
  /** warp, gather: operation executed once per warp when all lanes are there, as a library name. */
  warpOp?: string;
  /** The same with the engine's fused multiply-add, where there is one. */
  relaxedOp?: string | undefined;
  /** Source slots (first, how many) whose 8×8 blocks are turned in front of the operation. */
  turned?: { slot: number; count: number }[];
  /** A third argument of the operation, after the lanes and the frame. */
  argument?: number;
  /** So many sources, the first ones, lie where the destinations will. */
  inPlace?: number;
  /** Frame slots in order: destinations (virtual registers, −1: unused), then sources. */
  destinations: { register: number; type: Type }[];
  sources: Value[];
  /** block: reduction ("popc", "and", "or") of the predicate in `sources[0]` */
  reduction?: string;
  /** Extra bytes of the frame behind the slots. */
  scratchBytes: number;
  line: number;
}

/** The frame slot of a cut's source. */
export function sourceSlot(cut: Cut, k: number): number {
  const inPlace = cut.inPlace ?? 0;
  return k < inPlace ? k : cut.destinations.length + k - inPlace;
}

/** A basic block. */
export class Block {
  readonly id: number;
  values: Value[] = [];
  terminator: Terminator | undefined = undefined;
  preds: Block[] = [];
  /** First source line, for printing and loop diagnostics. */
  line = 0;
  /** A loop's header whose rounds a `fuel` in front of it has counted. */
  paid = false;
  /** Hardly ever run. */
  rare = false;
  /** Set in region graphs: phis are the first values; their args follow `preds`. */
  constructor(id: number) {
    this.id = id;
  }
}

/** Successors of a block inside its graph (a cut has none). */
export function successors(block: Block): Block[] {
  const t = block.terminator;
  if (!t) return [];
  if (t.kind === "jump") return [t.target];
  if (t.kind === "branch") return t.yes === t.no ? [t.yes] : [t.yes, t.no];
  if (t.kind === "switch") return [...new Set(t.targets)];
  return [];
}

/** Has a block lead to other blocks instead. Predecessors are the caller's. */
export function retarget({ terminator: t }: Block, to: (b: Block) => Block): void {
  if (t?.kind === "jump") t.target = to(t.target);
  else if (t?.kind === "branch") {
    t.yes = to(t.yes);
    t.no = to(t.no);
  } else if (t?.kind === "switch") t.targets = t.targets.map(to);
}

/** A virtual register: a PTX register of one inlined function instance, or a call parameter. */
export interface VirtualRegister {
  name: string;
  type: Type;
}

/** Where a fault or a report points to. */
export interface Site {
  /** Line in the PTX source. */
  line: number;
  /** Instruction text. */
  text: string;
  /** `.loc`: source file and line, if the PTX has it. */
  file?: string;
  sourceLine?: number;
}

/** A function in register form: a kernel, or a function that is really called. */
export interface LoweredFunction {
  name: string;
  registers: VirtualRegister[];
  blocks: Block[];
  entry: Block;
  cuts: Cut[];
  sites: Site[];
  /** Bytes of local memory of one thread for `.local` variables and spilled parameters. */
  localBytes: number;
  /** Names of host functions used (printf, assert, …). */
  hosts: Set<string>;
}

/** One region: code from an entry up to the next cuts, in SSA form. */
export interface Region {
  entry: number;
  /** The cut that it starts behind; undefined for the kernel's start. */
  from: Cut | undefined;
  start: Block;
  blocks: Block[]; // reverse postorder
}

/** Operations that compute only from their arguments: they can be moved, shared and dropped. */
export function isPure(value: Value): boolean {
  switch (value.op) {
    case "regwrite":
    case "store":
    case "store_structures":
    case "atomic":
    case "check":
    case "call":
    case "host":
    case "fence":
    case "trap":
    case "arrive":
    case "copy":
    case "nanosleep":
    case "slow":
    case "setresult":
    case "spin":
    case "fuel":
    case "row_put":
    case "regread":
    case "out":
    case "phi":
      return false;
    case "load":
      return value.aux.invariant === true && value.aux.ordered !== true;
    case "sreg":
      return !value.aux.effect;
    case "lib":
      return !value.aux.effect;
    default:
      return !value.op.startsWith("warp"); // what other lanes hold at this place
  }
}

/** Whether an operation is an atomic one of the library on device memory, not on a block's own. */
export function isDeviceAtomic({ op, aux }: Value): boolean {
  const name = op === "lib" ? (aux.name as string) : "";
  return name.startsWith("atom_") && !name.endsWith("_cta");
}

/** Operations that must stay even if nobody uses their result. */
export function hasEffect(value: Value): boolean {
  switch (value.op) {
    case "regwrite":
    case "store":
    case "store_structures":
    case "atomic":
    case "check":
    case "call":
    case "host":
    case "fence":
    case "trap":
    case "arrive":
    case "copy":
    case "nanosleep":
    case "slow":
    case "setresult":
    case "spin":
    case "fuel":
    case "row_put":
      return true;
    case "load":
      return value.aux.ordered === true;
    case "lib":
      return value.aux.effect === true;
    case "warp":
      return value.type === NONE;
    default:
      return false;
  }
}
