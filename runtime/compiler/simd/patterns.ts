import type { Value } from "../ir/ir.ts";
import { AFFINE, type Shape, UNIFORM } from "./shapes.ts";

/** How the lanes of a group spread over the memory that they access. */
export interface AccessPattern {
  /** Bytes between neighbouring lanes; 0: all the same; undefined: anywhere. */
  stride: number | undefined;
  /** The stride is only tried at run time. */
  tried: boolean;
}

/** What tells the shape of a value: the analysis, or a writer that has it. */
export type ShapeOf = (v: Value) => Shape;

/**
 * Bytes between the lanes of a checked address: 0 if all lanes have the same, undefined if the
 * lanes go anywhere.
 */
function laneStride(shape: ShapeOf, check: Value): number | undefined {
  if (check.op !== "check") return shape(check).kind === UNIFORM ? 0 : undefined;
  if (check.aux.space === "local") return undefined; // each lane has its own
  const [first, index] = check.args;
  if (index) {
    const s = shape(index);
    return s.kind === AFFINE && s.stride > 0 ? s.stride * (check.aux.scale as number) : undefined;
  }
  const s = shape(first);
  if (s.kind === UNIFORM) return 0;
  return s.kind === AFFINE && s.stride > 0 ? s.stride : undefined;
}

/** What `comesFromLoad` has found out. */
const fromLoads = new WeakMap<Value, boolean>();

/**
 * Whether a value depends on what each lane has loaded: its lanes then have no pattern to hope for.
 * What is found out on the way is kept, so that the questions of a whole kernel take linear time.
 */
export function comesFromLoad(shape: ShapeOf, value: Value): boolean {
  const known = fromLoads.get(value);
  if (known !== undefined) return known;
  const seen = new Set([value]);
  const path = [{ value, next: 0 }];
  for (let top = path.at(-1); top; top = path.at(-1)) {
    if (top.next === top.value.args.length) {
      path.pop();
      continue;
    }
    const v = top.value.args[top.next++];
    if (seen.has(v) || shape(v).kind === UNIFORM) continue;
    if (v.op === "load" || v.op === "structures" || fromLoads.get(v)) {
      for (const { value } of path) fromLoads.set(value, true);
      return true;
    }
    seen.add(v);
    if (fromLoads.get(v) === undefined) path.push({ value: v, next: 0 });
  }
  for (const v of seen) fromLoads.set(v, false);
  return false;
}

/**
 * Bytes between neighbouring lanes that an access of unknown pattern is tried with: most turn out
 * to be contiguous (pointers kept across barriers, computed indices). Undefined if not worth it.
 */
function triedStride(shape: ShapeOf, check: Value): number | undefined {
  if (check.op !== "check" || check.aux.space === "local") return undefined;
  if (comesFromLoad(shape, check)) return undefined;
  const { align = 1, scale } = check.aux;
  if (check.args.length === 2 && align % (scale as number) !== 0) return undefined;
  return align;
}

/** The pattern of an access: what the analysis knows, or what is worth a try. */
export function accessPattern(shape: ShapeOf, check: Value): AccessPattern {
  const stride = laneStride(shape, check);
  if (stride !== undefined) return { stride, tried: false };
  const tried = triedStride(shape, check);
  return { stride: tried, tried: tried !== undefined };
}

/** Whether a store of some lanes can be one vector store of all, with what is there for the others. */
export function isBlendable(shape: ShapeOf, { aux, args: [check] }: Value): boolean {
  const { stride } = accessPattern(shape, check);
  return !aux.ordered && (aux.size as number) >= 4 && stride === aux.size;
}
