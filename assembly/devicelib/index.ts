// The device library: one function for each PTX instruction (or group of forms) that is more than a
// few WebAssembly instructions. docs: see the header of each file for what it holds.
//
// A function's name is the instruction's, dots turned into underscores, operands in PTX order. f32
// and f64 are themselves; 64-bit integers are i64; everything of at most 32 bits (f16, bf16, packed
// pairs, small integers, predicates) is an i32 whose unused upper bits are zero, on entry and on
// return. `_x4` and `_x2` forms do four or two lanes at once;
// `_lanes` forms of functions with an effect do it for the lanes of a mask.
export * from "./fma";
export * from "./sum";
export * from "./round32";
export * from "./round64";
export * from "./minmax";
export * from "./half";
export * from "./half2";
export * from "./bfloat";
export * from "./bfloat2";
export * from "./cvt-float";
export * from "./cvt-half";
export * from "./cvt-small";
export * from "./cvt-sat";
export * from "./cvt-int-f16";
export * from "./cvt-int-bf16";
export * from "./cvt-int-f32";
export * from "./cvt-int-f64";
export * from "./cvt-float-narrow";
export * from "./cvt-float-word";
export * from "./cvt-float-long";
export * from "./warp";
export * from "./mma";
export * from "./wgmma";
export * from "./integer";
export * from "./bits";
export * from "./fma-simd";
export * from "./approx";
export * from "./approx-other";
export * from "./video";
export * from "./video-simd";
export * from "./atomics";
export * from "./atomics-cta";
export * from "./lanes";
export * from "./minmax-simd";
export * from "./half-simd";
export * from "./integer-simd";
export * from "./packed-integer";
export * from "./cvt-float-sat";
export * from "./shift-simd";
export * from "./mbarrier";
export * from "./wide";
export * from "./copy";
export * from "./texture";
export * from "./texture-lanes";
export * from "./texture-levels";
export * from "./surface";
