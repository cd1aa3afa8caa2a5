/** What the device is and how it is: properties, attributes, memory, faults. */
import * as P from "../../protocol/definitions.ts";
import {
  cudaErrorInvalidDevice,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../../protocol/errors.ts";
import type { Call } from "../call.ts";
import type { Device } from "../device.ts";
import type { Command, CommandFamily } from "../table.ts";

const properties: Command = {
  responseBytes: P.DEVICE_PROPERTIES_RESPONSE_SIZE,
  run(device: Device, call: Call): number {
    const attributes = device.devices[call.u32(P.DEVICE_PROPERTIES_DEVICE)];
    if (attributes === undefined) return cudaErrorInvalidDevice;
    call.set64(P.DEVICE_PROPERTIES_TOTAL_MEMORY, device.allocations.total);
    const name = new TextEncoder().encode(attributes.description.name);
    const bytes = Math.min(name.length, P.DEVICE_PROPERTIES_NAME_SIZE - 1);
    for (let i = 0; i < bytes; i++) call.response.setUint8(P.DEVICE_PROPERTIES_NAME + i, name[i]!);
    attributes.uuid().forEach((byte, i) => {
      call.response.setUint8(P.DEVICE_PROPERTIES_UUID + i, byte);
    });
    for (let i = 1; i < P.DEVICE_ATTRIBUTE_COUNT; i++) {
      const value = attributes.get(i) ?? 0;
      call.response.setInt32(P.DEVICE_PROPERTIES_ATTRIBUTES + 4 * i, value, true);
    }
    return cudaSuccess;
  },
};

const attribute: Command = {
  responseBytes: P.DEVICE_ATTRIBUTE_RESPONSE_SIZE,
  run(device: Device, call: Call): number {
    const attributes = device.devices[call.u32(P.DEVICE_ATTRIBUTE_DEVICE)];
    if (attributes === undefined) return cudaErrorInvalidDevice;
    const value = attributes.get(call.u32(P.DEVICE_ATTRIBUTE_ATTRIBUTE));
    if (value === undefined) return cudaErrorInvalidValue;
    call.response.setInt32(P.DEVICE_ATTRIBUTE_VALUE, value, true);
    return cudaSuccess;
  },
};

const memoryInfo: Command = {
  responseBytes: P.MEMORY_INFO_RESPONSE_SIZE,
  run(device: Device, call: Call): number {
    const ordinal = call.u32(P.MEMORY_INFO_DEVICE);
    if (ordinal >= device.devices.length) return cudaErrorInvalidDevice;
    call.set64(P.MEMORY_INFO_FREE, device.allocations.free(ordinal));
    call.set64(P.MEMORY_INFO_TOTAL, device.allocations.total);
    return cudaSuccess;
  },
};

const faultInfo: Command = {
  responseBytes: P.FAULT_INFO_RESPONSE_SIZE,
  context: true,
  afterFault: true,
  run(_device: Device, call: Call): number {
    const fault = call.context.fault;
    if (fault === undefined) return cudaSuccess;
    call.set32(P.FAULT_INFO_CODE, fault.code);
    call.set32(P.FAULT_INFO_LINE, fault.line);
    call.set64(P.FAULT_INFO_ADDRESS, fault.address);
    for (let i = 0; i < 3; i++) {
      call.set32(P.FAULT_INFO_BLOCK + 4 * i, fault.block[i]!);
      call.set32(P.FAULT_INFO_THREAD + 4 * i, fault.thread[i]!);
    }
    const text = new TextEncoder().encode(fault.message);
    call.set32(P.FAULT_INFO_TEXT_LENGTH, call.writeOutput(text, text.length));
    return cudaSuccess;
  },
};

/** The family: DEVICE_*, MEMORY_INFO, FAULT_INFO. */
export const queryCommands: CommandFamily = new Map([
  [P.COMMAND_DEVICE_PROPERTIES, properties],
  [P.COMMAND_DEVICE_ATTRIBUTE, attribute],
  [P.COMMAND_MEMORY_INFO, memoryInfo],
  [P.COMMAND_FAULT_INFO, faultInfo],
]);
