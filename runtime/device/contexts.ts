/** Contexts as a device has them: retained, released, emptied. */
import * as P from "../protocol/definitions.ts";
import { cudaSuccess } from "../protocol/errors.ts";
import { Context } from "./context.ts";
import type { Device } from "./device.ts";
import type { QueueGroup } from "./groups.ts";
import { unloadModule } from "./module.ts";

/**
 * CONTEXT_CREATE: the primary context of a device, made if need be, or a new one; counted for the
 * group.
 */
export function retainContext(
  device: Device,
  group: QueueGroup,
  ordinal: number,
  flags: number,
): Context {
  const primary = (flags & P.CONTEXT_PRIMARY) !== 0;
  let context = primary ? device.primaries[ordinal] : undefined;
  if (context === undefined) {
    const own = flags & ~P.CONTEXT_PRIMARY;
    const handle = device.newHandle();
    context = new Context(handle, ordinal, primary, own, device.newStreamId, device.waiters);
    device.contexts.set(context.handle, context);
    if (primary) device.primaries[ordinal] = context;
  }
  context.users++;
  group.retained.set(context.handle, (group.retained.get(context.handle) ?? 0) + 1);
  return context;
}

/** Takes back one of the group's holds; the last one of all destroys the context. */
export function releaseContext(device: Device, group: QueueGroup, context: Context): void {
  const held = group.retained.get(context.handle) ?? 0;
  if (held > 1) group.retained.set(context.handle, held - 1);
  else group.retained.delete(context.handle);
  if (held === 0 || --context.users > 0) return;
  emptyContext(device, context);
  device.contexts.delete(context.handle);
  if (device.primaries[context.ordinal] === context) device.primaries[context.ordinal] = undefined;
}

/** Drops all work, modules and memory of a context and forgets its fault (cudaDeviceReset). */
export function emptyContext(device: Device, context: Context): void {
  context.scheduler.abandon(context.error);
  for (const module of context.modules.values()) unloadModule(module);
  context.modules.clear();
  context.functions.clear();
  context.resources.clear();
  for (const entry of device.allocations.of(context.handle)) device.allocations.release(entry);
  context.textures.clear();
  context.limits.clear();
  for (const capture of device.captures)
    if (capture.leave(context)) device.captures.delete(capture);
  context.peers.clear();
  for (const other of device.contexts.values()) {
    if (context.primary) other.peers.delete(context.ordinal);
  }
  context.graphMemory.clear();
  context.graphAccount = undefined;
  context.defaultPool = undefined;
  context.currentPool = undefined;
  context.output.clear();
  context.fault = undefined;
  context.scheduler.error = cudaSuccess;
}

/** STOP, or the group's queues are gone: releases all that the group holds. */
export function stopGroup(device: Device, group: QueueGroup): void {
  group.started = false;
  // Nobody will call these functions any more; their streams go on.
  for (const stream of group.hostCalls.values()) {
    if (stream.running) stream.context.scheduler.finish(stream);
  }
  group.hostCalls.clear();
  for (const [handle, count] of [...group.retained]) {
    const context = device.contexts.get(handle);
    if (context === undefined) continue;
    if (!group.reset) device.deliver(context, group);
    for (let i = 0; i < count; i++) releaseContext(device, group, context);
  }
  group.retained.clear();
}
