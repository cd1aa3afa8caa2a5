import type { CudaMemLocation } from "./memory-place.ts";

/** What was said of a range of managed memory. */
export interface Said {
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
  /** Of the allocation. */
  readonly serial: number;
  /** The advice that sets it, or `PREFETCH`. */
  readonly about: number;
  readonly set: boolean;
  readonly location: CudaMemLocation | null;
}

/** Beside the kinds of advice (`cudaMemAdviseSet…`): where a range was last prefetched to. */
export const PREFETCH = 7;

/** What a host thread has said of managed memory, newest first. */
export class Advice {
  #said: Said[] = [];

  /** Remembers something; what it replaces, and what was said of freed memory, is forgotten. */
  say(what: Said): void {
    const stays = (old: Said): boolean => {
      const replaced = old.about === what.about && old.start >= what.start && old.end <= what.end;
      const gone = old.serial !== what.serial && old.start < what.end && old.end > what.start;
      return !replaced && !gone;
    };
    this.#said = [what, ...this.#said.filter(stays)];
  }

  /** What holds for a whole range, if anything does. */
  find(start: number, end: number, serial: number, about: number): Said | undefined {
    const said = this.#said.find(
      (each) =>
        each.serial === serial && each.about === about && each.end > start && each.start < end,
    );
    return said?.set && said.start <= start && said.end >= end ? said : undefined;
  }
}
