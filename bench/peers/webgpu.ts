/// <reference types="@webgpu/types" />
/**
 * Runs the benchmark's kernels in WGSL on WebGPU, which Deno has: on a machine without a GPU that is
 * lavapipe. Needs `deno run -A --unstable-webgpu` and XDG_RUNTIME_DIR.
 *
 * Usage: webgpu.ts FOLDER NAME N; without NAME: only looks for an adapter, and exits with 4 if there
 * is none. Writes the outputs of the first run to FOLDER/webgpu.NAME, then takes turns
 * (`../turns.ts`). Times are from submit to onSubmittedWorkDone.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { outputBytes, type Problem, problems } from "../problems.ts";
import { takeTurns } from "../turns.ts";
import { shaders } from "./wgsl.ts";

/** Bytes between the parameters of two dispatches: the least alignment of dynamic offsets. */
const PARAMS_STRIDE = 256;
const PARAMS_BINDING = 7;

/** Runs one problem: one run for the outputs, then a timed one for each turn. */
async function runProblem(
  device: GPUDevice,
  problem: Problem,
  n: number,
  file: string,
): Promise<void> {
  const shader = shaders[problem.name];
  if (!shader) throw new Error("no WGSL for this kernel");
  const code = shader.code(n);
  const dispatches = shader.dispatches(n);
  const problemBuffers = problem.make(n);

  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const buffers = problemBuffers.map(({ data }) => {
    const buffer = device.createBuffer({ size: Math.ceil(data.byteLength / 4) * 4, usage });
    device.queue.writeBuffer(buffer, 0, data as BufferSource);
    return buffer;
  });
  const params = device.createBuffer({
    size: PARAMS_STRIDE * dispatches.length,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  const words = new Uint32Array((PARAMS_STRIDE / 4) * dispatches.length);
  dispatches.forEach((d, i) => {
    words.set(d.params ?? [], (i * PARAMS_STRIDE) / 4);
  });
  device.queue.writeBuffer(params, 0, words);

  // The layout is spelt out, since an automatic one leaves out what an entry point does not use.
  const bufferType = (i: number): GPUBufferBindingType =>
    code.includes(`@binding(${i}) var<storage, read_write>`) ? "storage" : "read-only-storage";
  const visibility = GPUShaderStage.COMPUTE;
  const layout = device.createBindGroupLayout({
    entries: [
      ...buffers.map((_, i) => ({ binding: i, visibility, buffer: { type: bufferType(i) } })),
      {
        binding: PARAMS_BINDING,
        visibility,
        buffer: { type: "uniform" as const, hasDynamicOffset: true },
      },
    ],
  });
  const group = device.createBindGroup({
    layout,
    entries: [
      ...buffers.map((buffer, i) => ({ binding: i, resource: { buffer } })),
      { binding: PARAMS_BINDING, resource: { buffer: params, size: 16 } },
    ],
  });
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
  const pipelines = new Map<string, GPUComputePipeline>();
  for (const { entry = "main" } of dispatches) {
    if (pipelines.has(entry)) continue;
    const compute = { module, entryPoint: entry };
    pipelines.set(entry, device.createComputePipeline({ layout: pipelineLayout, compute }));
  }

  const run = async (): Promise<void> => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    dispatches.forEach(({ entry = "main", groups }, i) => {
      pass.setPipeline(pipelines.get(entry)!);
      pass.setBindGroup(0, group, [i * PARAMS_STRIDE]);
      pass.dispatchWorkgroups(groups[0], groups[1]);
    });
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  };

  const invalid = await device.popErrorScope();
  if (invalid) throw new Error(invalid.message);

  device.pushErrorScope("validation");
  await run();
  const error = await device.popErrorScope();
  if (error) throw new Error(error.message);

  const outputs: Uint8Array[] = [];
  for (const [i, { data, output }] of problemBuffers.entries()) {
    if (!output) continue;
    const staging = device.createBuffer({
      size: data.byteLength,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffers[i]!, 0, staging, 0, data.byteLength);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    outputs.push(new Uint8Array(staging.getMappedRange()).slice());
    staging.destroy();
  }
  writeFileSync(file, outputBytes(outputs));

  await takeTurns(async () => {
    for (const [i, { data, reset }] of problemBuffers.entries()) {
      if (reset) device.queue.writeBuffer(buffers[i]!, 0, data as BufferSource);
    }
    await device.queue.onSubmittedWorkDone();
    const start = performance.now();
    await run();
    return performance.now() - start;
  });
}

const [folder = ".", name, size = "0"] = process.argv.slice(2);
const adapter = await navigator.gpu?.requestAdapter();
if (!adapter) {
  console.error("no WebGPU adapter");
  process.exit(4);
}
const device = await adapter.requestDevice({
  requiredLimits: { maxBufferSize: 1 << 28, maxStorageBufferBindingSize: 1 << 27 },
});
if (name !== undefined) {
  const problem = problems.find((p) => p.name === name);
  if (!problem) throw new Error(`no kernel ${name}`);
  await runProblem(device, problem, Number(size), join(folder, `webgpu.${name}`));
}
process.exit(0);
