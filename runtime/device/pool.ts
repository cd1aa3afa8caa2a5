/**
 * Memory pools. The device's one heap serves all of them; a pool is an account: what was taken
 * from it, and how much it would keep reserved (its release threshold).
 */
import * as P from "../protocol/pools.ts";
import type { Context } from "./context.ts";

/** A pool; bytes everywhere. */
export class MemoryPool {
  readonly context: Context;
  readonly handle: number;
  /** The most that may be allocated from it; 0 = as much as there is. */
  readonly maxBytes: number;
  /** The device's own pool. */
  readonly isDefault: boolean;
  used = 0;
  usedHigh = 0;
  reserved = 0;
  reservedHigh = 0;
  threshold = 0;
  /** Ordinals of other devices that may use its memory. */
  readonly access = new Set<number>();
  readonly #reuse = new Map<number, number>();

  constructor(context: Context, handle: number, maxBytes: number, isDefault = false) {
    this.context = context;
    this.handle = handle;
    this.maxBytes = maxBytes;
    this.isDefault = isDefault;
  }

  /** May so many more bytes be allocated? */
  hasRoom(bytes: number): boolean {
    return this.maxBytes === 0 || this.used + bytes <= this.maxBytes;
  }

  take(bytes: number): void {
    this.used += bytes;
    this.usedHigh = Math.max(this.usedHigh, this.used);
    this.reserved = Math.max(this.reserved, this.used);
    this.reservedHigh = Math.max(this.reservedHigh, this.reserved);
  }

  give(bytes: number): void {
    this.used -= bytes;
    this.trim(this.threshold);
  }

  /** Lets go of what is reserved beyond `keep` bytes and not used. */
  trim(keep: number): void {
    this.reserved = Math.max(this.used, Math.min(this.reserved, keep));
  }

  /** @returns the value of a cudaMemPoolAttr, or undefined if there is no such attribute */
  get(attribute: number): number | undefined {
    switch (attribute) {
      case P.POOL_REUSE_FOLLOW_EVENT_DEPENDENCIES:
      case P.POOL_REUSE_ALLOW_OPPORTUNISTIC:
      case P.POOL_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
        return this.#reuse.get(attribute) ?? 1;
      case P.POOL_RELEASE_THRESHOLD:
        return this.threshold;
      case P.POOL_RESERVED_CURRENT:
        return this.reserved;
      case P.POOL_RESERVED_HIGH:
        return this.reservedHigh;
      case P.POOL_USED_CURRENT:
        return this.used;
      case P.POOL_USED_HIGH:
        return this.usedHigh;
      default:
        return undefined;
    }
  }

  /** @returns false if the attribute cannot be set to that value */
  set(attribute: number, value: number): boolean {
    switch (attribute) {
      case P.POOL_REUSE_FOLLOW_EVENT_DEPENDENCIES:
      case P.POOL_REUSE_ALLOW_OPPORTUNISTIC:
      case P.POOL_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
        this.#reuse.set(attribute, value === 0 ? 0 : 1);
        return true;
      case P.POOL_RELEASE_THRESHOLD:
        this.threshold = value;
        return true;
      case P.POOL_RESERVED_HIGH:
        if (value !== 0) return false;
        this.reservedHigh = this.reserved;
        return true;
      case P.POOL_USED_HIGH:
        if (value !== 0) return false;
        this.usedHigh = this.used;
        return true;
      default:
        return false;
    }
  }
}
