// Statements by which values go to other threads: of the block, of some of its warps, of a part of a warp.

import { type RegisterClass, SHARED_WORDS } from "./dialect.ts";
import { Statements } from "./statements.ts";

export class ExchangeStatements extends Statements {
  /** Registers for an access, none twice where they are loaded into; undefined if that fails. */
  protected names(classes: RegisterClass[], distinct: boolean): string | undefined {
    const names = classes.map((c) => this.register(c));
    if (distinct && new Set(names).size < names.length) return undefined;
    return names.length === 1 ? names[0] : `{${names.join(", ")}}`;
  }

  /** Values go to other threads of the block. */
  protected exchangeMore(): void {
    const { random, block } = this;
    const [r, p] = [this.register("r"), this.register("p")];
    const kind = random.below(7);
    if (kind === 0) {
      // Everybody's vector, read at an index that only run time knows.
      const words = Array.from({ length: 4 }, () => this.register("r")).join(", ");
      const target = this.names(["r", "r", "r", "r"], true);
      this.emit(`st.shared.v4.b32 [%sown], {${words}}; bar.sync 0;`);
      this.emit(`rem.u32 %x0, ${r}, ${block}; mad.lo.u32 %x0, %x0, ${4 * SHARED_WORDS}, %sbase;`);
      this.emit(
        target === undefined
          ? `ld.shared.b64 ${this.register("q")}, [%x0+8];`
          : `ld.shared.v4.b32 ${target}, [%x0];`,
      );
      this.emit("bar.sync 0;");
    } else if (kind === 1) {
      const [op, to] = random.pick([
        ["popc.u32", r],
        ["and.pred", p],
        ["or.pred", p],
      ] as const);
      this.emit(`bar.red.${op} ${to}, 0, ${this.register("p")};`);
    } else if (kind === 2) {
      // The first warps among themselves.
      const warps = Math.floor(block / 32);
      if (warps === 0) return;
      const threads = 32 * (1 + random.below(warps));
      const id = 1 + random.below(3);
      const end = this.label();
      this.emit(`setp.ge.u32 %xp, %t, ${threads}; @%xp bra ${end};`);
      this.emit(`st.shared.b32 [%sown], ${r}; bar.sync ${id}, ${threads};`);
      this.emit(
        `xor.b32 %x0, %t, ${random.below(32)}; mad.lo.u32 %x0, %x0, ${4 * SHARED_WORDS}, %sbase;`,
      );
      this.emit(`ld.shared.b32 ${r}, [%x0]; bar.sync ${id}, ${threads};`);
      this.emit(`${end}: bar.sync 0;`);
    } else if (kind === 3) {
      // A loop over everybody's words, by a constant step and from a place of one's own or of all.
      const [top, sum] = [this.label(), this.register("r")];
      const from = random.pick(["%t", "0"]);
      const rounds = 1 + random.below(8);
      this.emit(`st.shared.b32 [%sown], ${r}; bar.sync 0; mov.u32 %a0, ${from}; mov.u32 %a1, 0;`);
      this.emit(
        `${top}: rem.u32 %x0, %a0, ${block}; mad.lo.u32 %x0, %x0, ${4 * SHARED_WORDS}, %sbase;`,
      );
      this.emit(
        `ld.shared.b32 %x1, [%x0]; add.u32 ${sum}, ${sum}, %x1; add.u32 %a0, %a0, ${random.pick([1, 4, 7])};`,
      );
      this.emit(
        `add.u32 %a1, %a1, 1; setp.lt.u32 %xp, %a1, ${rounds}; @%xp bra ${top}; bar.sync 0;`,
      );
    } else if (kind === 4) this.wholeWarp();
    else if (kind === 5) this.someWarps();
    else {
      const end = this.label();
      // Threads that are sent around arrive at the same barrier later.
      this.emit(
        `@${p} bra ${end}; ${random.pick(["add", "sub"])}.u32 ${r}, ${r}, %t; ${end}: bar.sync 0;`,
      );
    }
  }

  /** Some warps' lanes exchange values, several times; the other warps go around. */
  private someWarps(): void {
    const { random } = this;
    if (this.block % 32 !== 0) return;
    const end = this.label();
    this.emit(`shr.u32 %x0, %t, 5; and.b32 %x0, %x0, ${random.pick([1, 2, 3])};`);
    this.emit(`setp.${random.pick(["eq", "ne"])}.u32 %xp, %x0, 0; @%xp bra ${end};`);
    for (let n = random.below(4); n >= 0; n--) {
      if (random.below(2) === 0) this.operation("");
      if (random.below(3) === 0) this.wholeWarp();
      else this.exchangeInWarp(2 + random.below(4));
    }
    this.emit(`${end}:`);
  }

  /** All lanes that a warp has; shuffles only where it has 32. */
  private wholeWarp(): void {
    const { random } = this;
    const [r, p] = [this.register("r"), this.register("p")];
    const full = this.block % 32 === 0;
    const mask = full && random.below(2) === 0 ? "0xffffffff" : "%wmask";
    const kind = random.below(full ? 5 : 3);
    const value = random.below(2) === 0 ? this.register("r") : "%x0";
    if (value === "%x0") this.emit(`and.b32 %x0, ${this.register("r")}, 3;`);
    if (kind === 0) {
      const op = random.pick(["add.s32", "min.u32", "max.s32", "or.b32"]);
      this.emit(`redux.sync.${op} ${r}, ${value}, ${mask};`);
    } else if (kind === 1) this.emit(`match.any.sync.b32 ${r}, ${value}, ${mask};`);
    else if (kind === 2) this.emit(`match.all.sync.b32 ${r}|${p}, ${value}, ${mask};`);
    else if (kind === 3) {
      // Segments of the warp, by a distance that differs from lane to lane.
      const mode = random.pick(["up", "down", "bfly", "idx"]);
      const mask = random.pick([0, 16, 24, 28]) << 8;
      const clamp = mode === "up" ? mask : mask | 31;
      this.emit(`and.b32 %x1, ${this.register("r")}, ${random.pick([3, 15, 31])};`);
      this.emit(`shfl.sync.${mode}.b32 ${r}|${p}, ${value}, %x1, ${clamp}, 0xffffffff;`);
    } else {
      // 64 bits in two halves.
      const q = this.register("q");
      const by = `${random.below(32)}, 31, 0xffffffff`;
      this.emit(
        `mov.b64 {%x0, %x1}, ${this.register("q")}; shfl.sync.bfly.b32 %x0|%xp, %x0, ${by};`,
      );
      this.emit(`shfl.sync.bfly.b32 %x1|%xp, %x1, ${by}; mov.b64 ${q}, {%x0, %x1};`);
    }
  }

  /** Those lanes of a warp for which a predicate holds exchange values; the others go around. */
  protected partOfWarp(): void {
    const { random } = this;
    const end = this.label();
    const [r, p] = [this.register("r"), this.register("p")];
    this.emit(`vote.sync.ballot.b32 %m, ${p}, %wmask; @!${p} bra ${end};`);
    if (random.below(2) === 0) this.operation("");
    const kind = random.below(4);
    if (kind === 0) {
      this.emit(
        `bfind.u32 %x0, %m; shfl.sync.idx.b32 ${r}|%xp, ${this.register("r")}, %x0, 31, %m;`,
      );
    } else if (kind === 1) this.emit(`redux.sync.add.s32 ${r}, ${this.register("r")}, %m;`);
    else if (kind === 2) {
      this.emit(
        `vote.sync.${random.pick(["any", "all", "uni"])}.pred %xp, ${this.register("p")}, %m;`,
      );
      this.emit(`selp.b32 ${r}, ${this.register("r")}, ${r}, %xp;`);
    } else this.emit(`and.b32 %x0, ${r}, 7; match.any.sync.b32 ${r}, %x0, %m;`);
    this.emit(`${end}: bar.warp.sync %wmask;`);
  }
}
