/** Devices among one another: who may use whose memory. */
import * as P from "../../protocol/definitions.ts";
import {
  cudaErrorInvalidDevice,
  cudaErrorInvalidValue,
  cudaErrorPeerAccessAlreadyEnabled,
  cudaErrorPeerAccessNotEnabled,
  cudaErrorPeerAccessUnsupported,
  cudaSuccess,
} from "../../protocol/errors.ts";
import type { Call } from "../call.ts";
import type { Device } from "../device.ts";
import type { Command, CommandFamily } from "../table.ts";

const access: Command = {
  responseBytes: P.PEER_ACCESS_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const { context } = call;
    const peer = call.u32(P.PEER_ACCESS_DEVICE);
    const enable = call.u32(P.PEER_ACCESS_ENABLE);
    if (enable > 1) return cudaErrorInvalidValue;
    if (peer >= device.devices.length) return cudaErrorInvalidDevice;
    if (enable === 0) {
      return context.peers.delete(peer) ? cudaSuccess : cudaErrorPeerAccessNotEnabled;
    }
    // A device is no peer of its own.
    if (peer === context.ordinal) return cudaErrorPeerAccessUnsupported;
    if (context.peers.has(peer)) return cudaErrorPeerAccessAlreadyEnabled;
    context.peers.add(peer);
    return cudaSuccess;
  },
};

/** All devices lie in one memory: any pair of them is alike. */
const ATTRIBUTES: ReadonlyMap<number, number> = new Map([
  [P.PEER_PERFORMANCE_RANK, 0],
  [P.PEER_ACCESS_SUPPORTED, 1],
  [P.PEER_NATIVE_ATOMIC_SUPPORTED, 1],
  [P.PEER_ARRAY_ACCESS_SUPPORTED, 1],
  [P.PEER_PARTIAL_NATIVE_ATOMIC, 0],
]);

const attribute: Command = {
  responseBytes: P.PEER_ATTRIBUTE_RESPONSE_SIZE,
  run(device: Device, call: Call): number {
    const value = ATTRIBUTES.get(call.u32(P.PEER_ATTRIBUTE_ATTRIBUTE));
    if (value === undefined) return cudaErrorInvalidValue;
    const source = call.u32(P.PEER_ATTRIBUTE_SOURCE);
    const target = call.u32(P.PEER_ATTRIBUTE_TARGET);
    const count = device.devices.length;
    if (source >= count || target >= count || source === target) return cudaErrorInvalidDevice;
    call.set32(P.PEER_ATTRIBUTE_VALUE, value);
    return cudaSuccess;
  },
};

/** The family: PEER_*. */
export const peerCommands: CommandFamily = new Map([
  [P.COMMAND_PEER_ACCESS, access],
  [P.COMMAND_PEER_ATTRIBUTE, attribute],
]);
