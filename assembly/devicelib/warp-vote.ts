/**
 * Warp-wide votes, matches and elections (PTX ISA 9.7.13.9–9.7.13.15): `vote.sync`, `match.sync`,
 * `elect.sync`. Predicates are 0 or 1 (anything but 0 counts as true); `active` is the set of lanes
 * taking part, and results are written to those lanes only.
 */
import { GROUPS, broadcast, lanes, slot, storeLanes } from "./warp-frame";

/** Bit i is set if lane i takes part and its predicate is true. */
function ballot(active: i32, operand: i32): i32 {
  const zero = i32x4.splat(0);
  let bits = 0;
  for (let g = 0; g < GROUPS; g++) {
    bits |= i32x4.bitmask(i32x4.ne(lanes(operand, g), zero)) << (g << 2);
  }
  return bits & active;
}

/** Lanes of 32 whose 32-bit value equals `value`. */
function equal32(operand: i32, value: i32): i32 {
  const v = i32x4.splat(value);
  let bits = 0;
  for (let g = 0; g < GROUPS; g++) bits |= i32x4.bitmask(i32x4.eq(lanes(operand, g), v)) << (g << 2);
  return bits;
}

/** Lanes of 32 whose 64-bit value equals `value`. */
function equal64(operand: i32, value: i64): i32 {
  const v = i64x2.splat(value);
  let bits = 0;
  for (let pair = 0; pair < 16; pair++) {
    bits |= i64x2.bitmask(i64x2.eq(v128.load(operand + (pair << 4)), v)) << (pair << 1);
  }
  return bits;
}

/** `vote.sync.all.pred p, a`: slots p, a. */
export function vote_sync_all_pred(active: i32, frame: i32): void {
  broadcast(frame, i32(ballot(active, slot(frame, 1)) == active), active);
}

/** `vote.sync.any.pred p, a`: slots p, a. */
export function vote_sync_any_pred(active: i32, frame: i32): void {
  broadcast(frame, i32(ballot(active, slot(frame, 1)) != 0), active);
}

/** `vote.sync.uni.pred p, a`: true if all taking part agree. Slots p, a. */
export function vote_sync_uni_pred(active: i32, frame: i32): void {
  const bits = ballot(active, slot(frame, 1));
  broadcast(frame, i32(bits == 0 || bits == active), active);
}

/** `vote.sync.ballot.b32 d, a`: slots d, a. */
export function vote_sync_ballot_b32(active: i32, frame: i32): void {
  broadcast(frame, ballot(active, slot(frame, 1)), active);
}

/** Writes `peers` to the lanes of `peers`: one turn per distinct value. */
function storePeers(frame: i32, peers: i32): void {
  for (let rest = peers; rest != 0; rest &= rest - 1) {
    store<i32>(frame + (ctz(rest) << 2), peers);
  }
}

/** `match.any.sync.b32 d, a`: d = lanes taking part with the same a. Slots d, a. */
export function match_any_sync_b32(active: i32, frame: i32): void {
  const a = slot(frame, 1);
  let rest = active;
  while (rest != 0) {
    const peers = equal32(a, load<i32>(a + (ctz(rest) << 2))) & active;
    storePeers(frame, peers);
    rest &= ~peers;
  }
}

/** `match.any.sync.b64 d, a`: d = lanes taking part with the same 64-bit a. Slots d, a. */
export function match_any_sync_b64(active: i32, frame: i32): void {
  const a = slot(frame, 1);
  let rest = active;
  while (rest != 0) {
    const peers = equal64(a, load<i64>(a + (ctz(rest) << 3))) & active;
    storePeers(frame, peers);
    rest &= ~peers;
  }
}

/** d = active and p = 1 if all agree, both 0 otherwise. */
function storeAll(active: i32, frame: i32, same: bool): void {
  broadcast(frame, same ? active : 0, active);
  broadcast(slot(frame, 1), i32(same), active);
}

/** `match.all.sync.b32 d|p, a`: slots d, p, a. */
export function match_all_sync_b32(active: i32, frame: i32): void {
  const a = slot(frame, 2);
  const peers = equal32(a, load<i32>(a + (ctz(active) << 2))) & active;
  storeAll(active, frame, peers == active);
}

/** `match.all.sync.b64 d|p, a`: slots d, p, a (64 bits a lane). */
export function match_all_sync_b64(active: i32, frame: i32): void {
  const a = slot(frame, 2);
  const peers = equal64(a, load<i64>(a + (ctz(active) << 3))) & active;
  storeAll(active, frame, peers == active);
}

/** `elect.sync d|p, membermask`: the lowest lane taking part leads. Slots d (its lane), p. */
export function elect_sync(active: i32, frame: i32): void {
  const leader = ctz(active);
  broadcast(frame, leader, active);
  const p = slot(frame, 1);
  for (let g = 0; g < GROUPS; g++) {
    const id = i32x4.add(i32x4.splat(g << 2), i32x4(0, 1, 2, 3));
    storeLanes(p, g, i32x4.neg(i32x4.eq(id, i32x4.splat(leader))), active);
  }
}
