/**
 * Warp-wide operations: each executes once per warp, `name(active, frame)`; see warp-frame.ts for
 * the frame and runtime/compiler/warp-frames.ts for every operation's slots.
 */
export * from "./warp-shuffle";
export * from "./warp-vote";
export * from "./warp-redux";
