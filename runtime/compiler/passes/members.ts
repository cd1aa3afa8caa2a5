import { type Block, hasEffect, I32, NONE, type Region, Value } from "../ir/ir.ts";
import { Writer } from "./writer.ts";

// Members of 8 and 16 bits of an aligned word (uchar4, short2): one access of the word does for all of them, and
// lanes whose words lie side by side access them as a vector.

/** Bytes of the widest word that is made. */
const WORD = 4;

/** A word of memory: what is checked for it, and where behind that address it lies. */
interface Place {
  check: Value;
  offset: number;
  size: number;
}

/** What a member of a loaded word is made of. */
interface Member {
  word: Value;
  /** Its first byte in the word. */
  at: number;
}

/**
 * Loads members as their words, and stores words of which all members are stored. Loads are moved up to the
 * first of a word's, stores down to the last, with nothing in between that could tell.
 */
export function takeWords(region: Region): void {
  for (const block of region.blocks) {
    const members = loadWords(block);
    storeWords(block, members);
  }
}

/** The aligned word that a member is in, if what is checked is all of it. */
function placeOf({ aux, args, op, type }: Value): Place | undefined {
  const [check] = args;
  const at = aux.offset as number;
  const bytes = aux.size as number;
  if (bytes >= WORD || aux.ordered || aux.space === "local" || check?.op !== "check")
    return undefined;
  if ((op === "load" ? type : args[1].type) !== I32) return undefined;
  const from = check.aux.offset as number;
  const size = Math.min(WORD, check.aux.align as number);
  const offset = from + Math.floor((at - from) / size) * size;
  if (bytes >= size || offset < from || offset + size > from + (check.aux.size as number))
    return undefined;
  return at + bytes <= offset + size ? { check, offset, size } : undefined;
}

/** @returns the block's loaded members, whose values are made of their words from now on */
function loadWords(block: Block): Map<Value, Member> {
  const members = new Map<Value, Member>();
  let words = new Map<string, Value>();
  block.values = block.values.flatMap((v) => {
    const place = v.op === "load" ? placeOf(v) : undefined;
    if (!place) {
      if (v.op !== "check" && hasEffect(v)) words = new Map();
      return [v];
    }
    const { check, offset, size } = place;
    const key = `${check.id} ${offset} ${v.aux.invariant}`;
    const made: Value[] = [];
    let word = words.get(key);
    if (!word) {
      word = new Value("load", I32, [check], 0, 0n, { ...v.aux, offset, size });
      words.set(key, word);
      made.push(word);
    }
    const at = (v.aux.offset as number) - offset;
    members.set(v, { word, at });
    made.push(...take(v, word, at, size), v);
    return made;
  });
  return members;
}

/** Makes a load the bytes of a word from `at` on, and returns the operations in front of it. */
function take(v: Value, word: Value, at: number, size: number): Value[] {
  const bytes = v.aux.size as number;
  const w = new Writer();
  const top = at + bytes === size;
  const from = top || at === 0 ? word : w.op("i32_shr_u", word, 8 * at);
  v.op = top ? "i32_shr_u" : "i32_and";
  v.args = [from, w.operand(top ? 8 * at : 2 ** (8 * bytes) - 1)];
  v.aux = {};
  return w.made;
}

function storeWords(block: Block, members: Map<Value, Member>): void {
  const instead = new Map<Value, Value[]>();
  let run: Value[] = [];
  const end = () => {
    for (const [last, made] of wordsOf(run, members)) instead.set(last, made);
    run = [];
  };
  for (const v of block.values) {
    if (v.op === "store" && placeOf(v)) {
      if (run.length > 0 && run[0].args[0] !== v.args[0]) end();
      run.push(v);
    } else if (v.op === "load" || hasEffect(v)) end();
  }
  end();
  if (instead.size > 0) block.values = block.values.flatMap((v) => instead.get(v) ?? [v]);
}

/** What comes instead of stores through one check: a store of each word all of whose bytes are stored once. */
function wordsOf(run: readonly Value[], members: Map<Value, Member>): Map<Value, Value[]> {
  const instead = new Map<Value, Value[]>();
  const words = new Map<number, Value[]>();
  for (const v of run) {
    const { offset } = placeOf(v) as Place;
    words.set(offset, [...(words.get(offset) ?? []), v]);
  }
  for (const [offset, stores] of words) {
    const { size } = placeOf(stores[0]) as Place;
    const sorted = stores.toSorted((a, b) => (a.aux.offset as number) - (b.aux.offset as number));
    let next = offset;
    for (const { aux } of sorted) next = aux.offset === next ? next + (aux.size as number) : NaN;
    if (next !== offset + size) continue;
    for (const v of stores) instead.set(v, []);
    const last = stores[stores.length - 1];
    instead.set(last, storeOf(sorted, offset, size, members));
  }
  return instead;
}

function storeOf(
  stores: readonly Value[],
  offset: number,
  size: number,
  members: Map<Value, Member>,
): Value[] {
  const [first] = stores;
  const w = new Writer();
  const copied = members.get(first.args[1])?.word;
  const isCopy = stores.every(({ args, aux }) => {
    const member = members.get(args[1]);
    return member && member.word === copied && member.at === (aux.offset as number) - offset;
  });
  let word = isCopy && copied?.aux.size === size ? copied : undefined;
  if (!word) {
    for (const { args, aux } of stores) {
      const at = (aux.offset as number) - offset;
      const bytes = aux.size as number;
      let part = args[1];
      if (at + bytes < size) part = w.op("i32_and", part, 2 ** (8 * bytes) - 1);
      if (at > 0) part = w.op("i32_shl", part, 8 * at);
      word = word ? w.op("i32_or", word, part) : part;
    }
  }
  const aux = { ...first.aux, offset, size };
  return [...w.made, new Value("store", NONE, [first.args[0], word as Value], 0, 0n, aux)];
}
