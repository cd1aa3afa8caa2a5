export * from "./warp";
