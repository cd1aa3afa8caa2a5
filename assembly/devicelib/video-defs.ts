/**
 * Control words of the video instructions (PTX ISA 9.0, "Scalar Video Instructions" and "SIMD Video
 * Instructions"), written once for the library and for the compiler.
 *
 * ```
 *  28  27..24 22..20 19..16 15..14  13   12   11  10 9 8   7   6   5..3  2..0
 * +---+------+------+------+------+----+----+----+-------+---+----+-----+-----+
 * |acc| mask | cmp  |second| scale| po | -c | -ab| b a d |sat|wrap|sel b|sel a|
 * +---+------+------+------+------+----+----+----+-------+---+----+-----+-----+
 *  SIMD only                scalar vmad only      signed      scalar only
 * ```
 *
 * Scalar: `video_<add|sub|absdiff|min|max|shl|shr|set|mad>(control, a, b, c)`. SIMD:
 * `video_<add|sub|avrg|absdiff|min|max|set><2|4>(control, selectors, a, b, c)`, where nibble i of
 * `selectors` names the part of {b, a} (a's parts first) that lane i takes for a, nibble 4 + i for b.
 */

/** Operand selectors: the whole word, a byte or a half. */
export const VIDEO_WORD = 0;
export const VIDEO_B0 = 1;
export const VIDEO_B1 = 2;
export const VIDEO_B2 = 3;
export const VIDEO_B3 = 4;
export const VIDEO_H0 = 5;
export const VIDEO_H1 = 6;

export const VIDEO_SELECT_A_SHIFT = 0;
export const VIDEO_SELECT_B_SHIFT = 3;

/** vshl, vshr: the amount modulo 32 (.wrap), not at most 32 (.clamp). */
export const VIDEO_WRAP = 0x40;
/** Saturate to the destination's type, of the part's size when merging. */
export const VIDEO_SAT = 0x80;

/** Signed types. */
export const VIDEO_SIGNED_D = 0x100;
export const VIDEO_SIGNED_A = 0x200;
export const VIDEO_SIGNED_B = 0x400;

/** vmad: exactly one of a and b is negated; c is negated; `.po`; `.shr7` and `.shr15`. */
export const VIDEO_NEGATE_PRODUCT = 0x800;
export const VIDEO_NEGATE_C = 0x1000;
export const VIDEO_PLUS_ONE = 0x2000;
export const VIDEO_SHR7 = 0x4000;
export const VIDEO_SHR15 = 0x8000;

/** What is done with c: nothing, a second operation, or a merge of the result into a part of it. */
export const VIDEO_SECOND_SHIFT = 16;
export const VIDEO_SECOND_NONE = 0;
export const VIDEO_SECOND_ADD = 1;
export const VIDEO_SECOND_MIN = 2;
export const VIDEO_SECOND_MAX = 3;
/** Plus a selector, VIDEO_B0 to VIDEO_H1. */
export const VIDEO_SECOND_MERGE = 8;

/** Comparison of vset, vset2 and vset4. */
export const VIDEO_COMPARE_SHIFT = 20;
export const VIDEO_EQ = 0;
export const VIDEO_NE = 1;
export const VIDEO_LT = 2;
export const VIDEO_LE = 3;
export const VIDEO_GT = 4;
export const VIDEO_GE = 5;

/** SIMD: lanes that are written (one bit each); the others are c's. */
export const VIDEO_MASK_SHIFT = 24;
/** SIMD `.add`: the sum of the masked lanes' results and c, in place of lanes. */
export const VIDEO_ACCUMULATE = 0x10000000;

/** `selectors` of the SIMD forms when the instruction names none: a's own parts, b's own parts. */
export const VIDEO_SELECTORS_2 = 0x00320010;
export const VIDEO_SELECTORS_4 = 0x76543210;
