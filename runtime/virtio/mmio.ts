// The device's registers as virtio-mmio, version 2, lays them out (virtio 1.3 §4.2.2), so that an
// emulator or a kernel driver can map the device as it is.

import * as defs from "./defs.ts";
import type { DeviceQueue, VirtQueueElement } from "./device-queue.ts";
import type { DeviceState } from "./migrate.ts";
import type { VirtioDevice } from "./transport.ts";
import { CONFIG_CHANGE, type QueueSetup } from "./transport-options.ts";

/** A shared memory region that the device has (§2.10). */
export interface SharedMemory {
  readonly id: number;
  /** Guest physical address. */
  readonly base: bigint;
  readonly bytes: bigint;
}

/** A device behind its registers, saved; plain data, features in hexadecimal. */
export interface MmioState {
  readonly device: DeviceState;
  readonly interruptStatus: number;
  readonly deviceFeaturesSel: number;
  readonly driverFeaturesSel: number;
  readonly driverFeatures: string;
  readonly queueSel: number;
  readonly sharedSel: number;
}

/** Address registers: which part of the set-up, and which half of 64 bits. */
const ADDRESS_REGISTERS: Readonly<Record<number, [keyof QueueSetup, "low" | "high"]>> = {
  [defs.MMIO_QUEUE_DESC_LOW]: ["desc", "low"],
  [defs.MMIO_QUEUE_DESC_HIGH]: ["desc", "high"],
  [defs.MMIO_QUEUE_DRIVER_LOW]: ["driver", "low"],
  [defs.MMIO_QUEUE_DRIVER_HIGH]: ["driver", "high"],
  [defs.MMIO_QUEUE_DEVICE_LOW]: ["device", "low"],
  [defs.MMIO_QUEUE_DEVICE_HIGH]: ["device", "high"],
};

const TWO_32 = 0x100000000;

/** The register block of one device. */
export class VirtioMmio {
  readonly device: VirtioDevice;
  readonly #shared: readonly SharedMemory[];
  readonly #log: (message: string) => void;
  readonly #line: (asserted: boolean) => void;
  #interruptStatus = 0;
  #deviceFeaturesSel = 0;
  #driverFeaturesSel = 0;
  #driverFeatures = 0n;
  #queueSel = 0;
  #sharedSel = 0;

  /**
   * @param device made with `interrupt: (index) => mmio.interrupt(index)`
   * @param line the interrupt line: asserted while InterruptStatus is not 0
   * @param shared shared memory regions (§2.10)
   */
  constructor(
    device: VirtioDevice,
    line: (asserted: boolean) => void,
    shared: readonly SharedMemory[] = [],
  ) {
    this.device = device;
    this.#line = line;
    this.#shared = shared;
    this.#log = device.options.log;
  }

  /** The device notifies the driver (§4.2.3.4): a queue's index, or CONFIG_CHANGE. */
  interrupt(index: number): void {
    const bit = index === CONFIG_CHANGE ? defs.INTERRUPT_CONFIG_CHANGE : defs.INTERRUPT_USED_BUFFER;
    this.#interruptStatus |= bit;
    this.#line(true);
  }

  /**
   * The driver reads.
   * @param offset from the start of the block, in bytes
   * @param size 4 for registers (§4.2.2.2), 1, 2, 4 for the configuration space
   * @returns the value; 0, and a line in the log, where there is nothing to read
   */
  read(offset: number, size: number): number {
    if (offset >= defs.MMIO_CONFIG) return this.#readConfig(offset - defs.MMIO_CONFIG, size);
    if (!this.#isRegister(offset, size, "read")) return 0;
    const { device } = this;
    switch (offset) {
      case defs.MMIO_MAGIC_VALUE:
        return defs.MMIO_MAGIC;
      case defs.MMIO_VERSION_REG:
        return defs.MMIO_VERSION;
      case defs.MMIO_DEVICE_ID:
        return device.options.deviceId;
      case defs.MMIO_VENDOR_ID:
        return device.options.vendorId;
      case defs.MMIO_DEVICE_FEATURES:
        return word(device.deviceFeatures, this.#deviceFeaturesSel);
      case defs.MMIO_QUEUE_SIZE_MAX:
        return device.queueMaxSize(this.#queueSel);
      case defs.MMIO_QUEUE_READY:
        return device.queueReady(this.#queueSel) ? 1 : 0;
      case defs.MMIO_INTERRUPT_STATUS:
        return this.#interruptStatus;
      case defs.MMIO_STATUS:
        return device.status;
      case defs.MMIO_SHM_LEN_LOW:
        return word(this.#region()?.bytes ?? -1n, 0);
      case defs.MMIO_SHM_LEN_HIGH:
        return word(this.#region()?.bytes ?? -1n, 1);
      case defs.MMIO_SHM_BASE_LOW:
        return word(this.#region()?.base ?? -1n, 0);
      case defs.MMIO_SHM_BASE_HIGH:
        return word(this.#region()?.base ?? -1n, 1);
      case defs.MMIO_QUEUE_RESET:
        return 0; // a reset is complete when the write to QueueReset returns
      case defs.MMIO_CONFIG_GENERATION:
        return device.generation;
      default:
        this.#log(`mmio: read of register 0x${offset.toString(16)}, which cannot be read`);
        return 0;
    }
  }

  /**
   * The driver writes.
   * @param offset from the start of the block, in bytes
   * @param value unsigned
   * @param size 4 for registers (§4.2.2.2), 1, 2, 4 for the configuration space
   */
  write(offset: number, value: number, size: number): void {
    if (offset >= defs.MMIO_CONFIG) {
      this.#writeConfig(offset - defs.MMIO_CONFIG, value, size);
      return;
    }
    if (!this.#isRegister(offset, size, "write")) return;
    const { device } = this;
    const address = ADDRESS_REGISTERS[offset];
    if (address !== undefined) {
      this.#writeAddress(address[0], address[1], value);
      return;
    }
    switch (offset) {
      case defs.MMIO_DEVICE_FEATURES_SEL:
        this.#deviceFeaturesSel = value;
        break;
      case defs.MMIO_DRIVER_FEATURES_SEL:
        this.#driverFeaturesSel = value;
        break;
      case defs.MMIO_DRIVER_FEATURES:
        this.#writeFeatures(value);
        break;
      case defs.MMIO_QUEUE_SEL:
        this.#queueSel = value;
        break;
      case defs.MMIO_QUEUE_SIZE:
        device.setQueue(this.#queueSel, { size: value });
        break;
      case defs.MMIO_QUEUE_READY:
        this.#writeReady(value);
        break;
      case defs.MMIO_QUEUE_NOTIFY:
        device.notify(value);
        break;
      case defs.MMIO_INTERRUPT_ACK:
        this.#interruptStatus &= ~value;
        if (this.#interruptStatus === 0) this.#line(false);
        break;
      case defs.MMIO_STATUS:
        this.#writeStatus(value);
        break;
      case defs.MMIO_SHM_SEL:
        this.#sharedSel = value;
        break;
      case defs.MMIO_QUEUE_RESET:
        if (value === 1) device.resetQueue(this.#queueSel);
        break;
      default:
        this.#log(`mmio: write to register 0x${offset.toString(16)}, which cannot be written`);
    }
  }

  /** Saves the device and its registers, as VirtioDevice.save does; a pending interrupt stays one. */
  save(inFlight?: (vq: DeviceQueue) => readonly VirtQueueElement[]): MmioState {
    return {
      device: this.device.save(inFlight),
      interruptStatus: this.#interruptStatus,
      deviceFeaturesSel: this.#deviceFeaturesSel,
      driverFeaturesSel: this.#driverFeaturesSel,
      driverFeatures: this.#driverFeatures.toString(16),
      queueSel: this.#queueSel,
      sharedSel: this.#sharedSel,
    };
  }

  /** Goes on with a saved device behind these registers, as VirtioDevice.restore does. */
  restore(state: MmioState): VirtQueueElement[][] {
    // What the driver was told before comes with what restoring has to tell it.
    this.#interruptStatus = state.interruptStatus;
    const elements = this.device.restore(state.device);
    this.#deviceFeaturesSel = state.deviceFeaturesSel;
    this.#driverFeaturesSel = state.driverFeaturesSel;
    this.#driverFeatures = BigInt(`0x${state.driverFeatures}`);
    this.#queueSel = state.queueSel;
    this.#sharedSel = state.sharedSel;
    this.#line(this.#interruptStatus !== 0);
    return elements;
  }

  #isRegister(offset: number, size: number, what: string): boolean {
    if (size === 4 && offset % 4 === 0) return true;
    this.#log(`mmio: ${what} of ${size} bytes at 0x${offset.toString(16)} (§4.2.2.2)`);
    return false;
  }

  #region(): SharedMemory | undefined {
    return this.#shared.find(({ id }) => id === this.#sharedSel);
  }

  #writeFeatures(value: number): void {
    if (this.#driverFeaturesSel > 3) return;
    const shift = BigInt(this.#driverFeaturesSel * 32);
    const mask = 0xffffffffn << shift;
    const features = (this.#driverFeatures & ~mask) | (BigInt(value >>> 0) << shift);
    this.device.setDriverFeatures(features);
    if (this.device.driverFeatures === features) this.#driverFeatures = features;
  }

  #writeStatus(value: number): void {
    this.device.writeStatus(value);
    if (value !== 0) return;
    // §4.2.2.1: reset clears InterruptStatus; selectors start over with the device.
    this.#interruptStatus = 0;
    this.#line(false);
    this.#driverFeatures = 0n;
    this.#deviceFeaturesSel = 0;
    this.#driverFeaturesSel = 0;
    this.#queueSel = 0;
    this.#sharedSel = 0;
  }

  #writeReady(value: number): void {
    if (value === 1) this.device.enableQueue(this.#queueSel);
    else if (value === 0) this.device.disableQueue(this.#queueSel);
    else this.#log(`mmio: QueueReady written with ${value}`);
  }

  #writeAddress(part: keyof QueueSetup, half: "low" | "high", value: number): void {
    const setup = this.device.queueSetup(this.#queueSel);
    const old = setup?.[part] ?? 0;
    // Beyond 2⁵³ an address loses its low bits here; no region reaches that far (regions.ts), so
    // that it is refused either way.
    const next =
      half === "low"
        ? Math.floor(old / TWO_32) * TWO_32 + (value >>> 0)
        : (value >>> 0) * TWO_32 + (old % TWO_32);
    this.device.setQueue(this.#queueSel, { [part]: next });
  }

  #readConfig(offset: number, size: number): number {
    if (!this.#isConfigAccess(offset, size)) return 0;
    const bytes = new Uint8Array(4);
    this.device.readConfig(offset, bytes.subarray(0, size));
    return new DataView(bytes.buffer).getUint32(0, true);
  }

  #writeConfig(offset: number, value: number, size: number): void {
    if (!this.#isConfigAccess(offset, size)) return;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value >>> 0, true);
    this.device.writeConfig(offset, bytes.subarray(0, size));
  }

  #isConfigAccess(offset: number, size: number): boolean {
    const { configBytes } = this.device;
    if ((size === 1 || size === 2 || size === 4) && offset + size <= configBytes) return true;
    this.#log(`mmio: ${size} bytes of configuration at ${offset}, of ${configBytes}`);
    return false;
  }
}

/** 32 bits of a 128-bit number; 0 beyond them. */
function word(value: bigint, index: number): number {
  return index > 3 ? 0 : Number((value >> BigInt(index * 32)) & 0xffffffffn);
}
