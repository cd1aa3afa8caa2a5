/** Compiled kernels on disk, for processes that start often: `warpring run`, `serve` and `demo`. */
import { createHash, type Hash } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { CompiledKernel } from "../compiler/index.ts";
import type { KernelCache, KernelSource } from "./types.ts";

/** Largest size of a cache, bytes. */
const MOST_BYTES = 64 << 20;
const DIGEST_BYTES = 32;

const sha256 = (): Hash => createHash("sha256");

/** What the code of a kernel depends on beside its source: this compiler, and its library. */
function compilerIdentity(): string {
  const hash = sha256();
  const add = (url: URL): void => {
    const path = fileURLToPath(url);
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  };
  const folder = new URL("../compiler/", import.meta.url);
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    if (/\.(ts|js)$/.test(name)) add(new URL(name, folder));
  }
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  add(new URL(`./layout.${extension}`, import.meta.url));
  add(new URL("../../build/devicelib.wasm", import.meta.url));
  return hash.digest("hex");
}

/**
 * A folder of compiled kernels, one file each: a SHA-256 digest of the rest, the length of a JSON
 * description (u32), the description, the cut table and the WebAssembly module. The file's name is
 * the digest of everything that the code depends on.
 *
 * Several processes may use one folder: files appear by rename, complete. A file that is damaged is as
 * good as none, and so is a folder that can't be written: kernels are compiled then.
 */
export class DiskCache implements KernelCache {
  readonly #folder: string;
  readonly #most: number;
  readonly #compiler = compilerIdentity();
  /** The module that was asked for last, and its digest. */
  #ptx = "";
  #digest = "";
  #stored = 0;

  /**
   * @param folder is made when the first kernel is stored
   * @param most bytes; beyond them what has not been used for longest goes
   */
  constructor(folder: string, most = MOST_BYTES) {
    this.#folder = folder;
    this.#most = most;
  }

  #path({ ptx, kernel, shape, fma, spills, width, alone }: KernelSource): string {
    if (this.#ptx !== ptx) {
      this.#digest = sha256().update(ptx).digest("hex");
      this.#ptx = ptx;
    }
    const code = [fma, spills, width ?? "any", alone];
    const parts = [this.#compiler, this.#digest, kernel, ...shape, ...code];
    return join(this.#folder, sha256().update(JSON.stringify(parts)).digest("hex"));
  }

  get(source: KernelSource): CompiledKernel | undefined {
    const path = this.#path(source);
    try {
      const kernel = decode(new Uint8Array(readFileSync(path)));
      if (kernel === undefined) return undefined;
      const now = new Date();
      utimesSync(path, now, now);
      return kernel;
    } catch {
      return undefined; // not there, or not for us to read
    }
  }

  put(source: KernelSource, kernel: CompiledKernel): void {
    const path = this.#path(source);
    const own = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      if (this.#stored++ % 64 === 0) this.#prune();
      writeFileSync(own, encode(kernel));
      renameSync(own, path);
    } catch {
      try {
        rmSync(own, { force: true });
      } catch {
        // It can't have been made either.
      }
    }
  }

  /** Removes what was used least recently, down to three quarters of the limit, if it is exceeded. */
  #prune(): void {
    const files = readdirSync(this.#folder).flatMap((name) => {
      const path = join(this.#folder, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats?.isFile() ? [{ path, bytes: stats.size, used: stats.mtimeMs }] : [];
    });
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    if (bytes <= this.#most) return;
    files.sort((a, b) => a.used - b.used);
    for (const file of files) {
      if (bytes <= this.#most * 0.75) break;
      rmSync(file.path, { force: true });
      bytes -= file.bytes;
    }
  }
}

function encode({ wasm, cuts, ...description }: CompiledKernel): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify({ ...description, cuts: cuts.length }));
  const body = new Uint8Array(4 + json.length + cuts.length + wasm.length);
  new DataView(body.buffer).setUint32(0, json.length, true);
  body.set(json, 4);
  body.set(cuts, 4 + json.length);
  body.set(wasm, 4 + json.length + cuts.length);
  const bytes = new Uint8Array(DIGEST_BYTES + body.length);
  bytes.set(sha256().update(body).digest());
  bytes.set(body, DIGEST_BYTES);
  return bytes;
}

/** The kernel in a file's bytes; undefined if they are not what was written. */
function decode(bytes: Uint8Array<ArrayBuffer>): CompiledKernel | undefined {
  const body = bytes.subarray(DIGEST_BYTES);
  const digest = sha256().update(body).digest();
  if (digest.compare(bytes.subarray(0, DIGEST_BYTES)) !== 0) return undefined;
  const length = new DataView(body.buffer, body.byteOffset).getUint32(0, true);
  const text = new TextDecoder().decode(body.subarray(4, 4 + length));
  const { cuts, ...description } = JSON.parse(text);
  const at = 4 + length;
  return { ...description, cuts: body.slice(at, at + cuts), wasm: body.slice(at + cuts) };
}
