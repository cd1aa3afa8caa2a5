// The protocol in one import for TypeScript; AssemblyScript imports the files by themselves.
export * from "./arrays.ts";
export * from "./attributes.ts";
export * from "./definitions.ts";
export * from "./errno.ts";
export * from "./errors.ts";
export * from "./fields.ts";
export * from "./functions.ts";
export * from "./graphs.ts";
export * from "./pools.ts";
export * from "./streams.ts";
