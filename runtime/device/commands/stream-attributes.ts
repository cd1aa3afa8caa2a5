/** STREAM_ATTRIBUTE: what is said of streams. */
import {
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../../protocol/errors.ts";
import * as P from "../../protocol/streams.ts";
import type { Call } from "../call.ts";
import type { Device } from "../device.ts";
import { clampPriority, type Stream } from "../stream.ts";
import type { Command, CommandFamily } from "../table.ts";

/** What hints are before they are given, as on an H100; bytes that are not there are 0. */
const INITIAL: ReadonlyMap<number, readonly number[]> = new Map([
  [P.ATTRIBUTE_ACCESS_POLICY_WINDOW, []],
  [P.ATTRIBUTE_SYNCHRONIZATION_POLICY, [255, 255, 255, 255]],
  [P.ATTRIBUTE_MEM_SYNC_DOMAIN_MAP, [0, 1]],
  [P.ATTRIBUTE_MEM_SYNC_DOMAIN, []],
]);

function isValue(attribute: number, value: DataView): boolean {
  const word = value.getUint32(0, true);
  switch (attribute) {
    case P.ATTRIBUTE_SYNCHRONIZATION_POLICY:
      return word >= 1 && word <= 4;
    case P.ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
      return Math.max(value.getUint8(0), value.getUint8(1)) < P.MEM_SYNC_DOMAINS;
    case P.ATTRIBUTE_MEM_SYNC_DOMAIN:
      return word <= 1;
    default:
      return true;
  }
}

/** @returns undefined if streams have no such attribute */
function attributeOf(stream: Stream, attribute: number): Uint8Array | undefined {
  const bytes = new Uint8Array(P.ATTRIBUTE_BYTES);
  if (attribute === P.ATTRIBUTE_PRIORITY) {
    new DataView(bytes.buffer).setInt32(0, stream.priority, true);
    return bytes;
  }
  const initial = INITIAL.get(attribute);
  if (initial === undefined) return undefined;
  bytes.set(stream.hints.get(attribute) ?? initial);
  return bytes;
}

const attribute: Command = {
  responseBytes: P.STREAM_ATTRIBUTE_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const stream = call.stream();
    if (stream === undefined) return cudaErrorInvalidResourceHandle;
    const number = call.u32(P.STREAM_ATTRIBUTE_NUMBER);
    const what = call.u32(P.STREAM_ATTRIBUTE_WHAT);
    if (what === P.ATTRIBUTE_COPY) {
      const other = device.streamOf(call.context, number, call.thread);
      if (other === undefined) return cudaErrorInvalidResourceHandle;
      if (other.context !== stream.context) return cudaErrorInvalidValue;
      stream.hints = new Map(other.hints);
      return cudaSuccess;
    }
    const current = attributeOf(stream, number);
    if (current === undefined || what > P.ATTRIBUTE_SET) return cudaErrorInvalidValue;
    if (what === P.ATTRIBUTE_GET) {
      for (const [i, byte] of current.entries()) {
        call.response.setUint8(P.STREAM_ATTRIBUTE_CURRENT + i, byte);
      }
      return cudaSuccess;
    }
    const value = new Uint8Array(P.ATTRIBUTE_BYTES);
    for (let at = 0; at < value.length; at += 4) {
      new DataView(value.buffer).setUint32(at, call.u32(P.STREAM_ATTRIBUTE_VALUE + at), true);
    }
    const view = new DataView(value.buffer);
    if (!isValue(number, view)) return cudaErrorInvalidValue;
    if (number === P.ATTRIBUTE_PRIORITY) stream.priority = clampPriority(view.getInt32(0, true));
    else stream.hints.set(number, value);
    return cudaSuccess;
  },
};

/** The family: STREAM_ATTRIBUTE. */
export const streamAttributeCommands: CommandFamily = new Map([
  [P.COMMAND_STREAM_ATTRIBUTE, attribute],
]);
