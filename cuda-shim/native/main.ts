/** `npm run build:native`. */
import { fileURLToPath } from "node:url";
import { buildNative } from "./build.ts";

console.log(await buildNative(fileURLToPath(new URL("../../build/native", import.meta.url))));
