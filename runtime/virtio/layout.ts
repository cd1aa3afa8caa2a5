// Where the parts of a queue lie, and how much room each side needs (virtio 1.3 §2.7, §2.8.10.1).

import {
  AVAIL_RING,
  DESC_SIZE,
  EVENT_SIZE,
  QUEUE_SIZE_MAX,
  SEGMENT_SIZE,
  SHADOW_SIZE,
  USED_ENTRY_SIZE,
  USED_RING,
  WORK_REGIONS,
  WORK_SEGMENTS,
} from "./defs.ts";

/** What the layout of a queue depends on. */
export interface QueueShape {
  /** Descriptors in the ring. */
  readonly size: number;
  /** Packed ring (VIRTIO_F_RING_PACKED); split by default. */
  readonly packed?: boolean;
  /** Descriptors of the indirect table that each buffer gets; 0, the default: no tables. */
  readonly indirect?: number;
}

/** Offsets of a queue's parts from a base that is a multiple of `align`, in bytes. */
export interface QueueLayout {
  readonly align: number;
  readonly bytes: number;
  /** Descriptor area: the table (split) or the descriptor ring (packed). */
  readonly descriptors: number;
  /** Driver area: the available ring (split) or driver event suppression (packed). */
  readonly driver: number;
  /** Device area: the used ring (split) or device event suppression (packed). */
  readonly device: number;
  /** Indirect tables, one after the other. */
  readonly indirect: number;
}

/** The driver's area and the device's lie in cache lines of their own. */
const LINE = 64;

/**
 * Is this a legal queue size? A power of two for a split ring (§2.7), any number up to 32768 for a
 * packed one (§2.8.10.1).
 */
export function isQueueSize(size: number, packed: boolean): boolean {
  if (!Number.isInteger(size) || size < 1 || size > QUEUE_SIZE_MAX) return false;
  return packed || (size & (size - 1)) === 0;
}

/** Bytes of a queue's descriptor area. */
export function descriptorAreaBytes(size: number): number {
  return size * DESC_SIZE;
}

/** Bytes of a queue's driver area; with used_event, whether or not it is negotiated. */
export function driverAreaBytes(size: number, packed: boolean): number {
  return packed ? EVENT_SIZE : AVAIL_RING + 2 * size + 2;
}

/** Bytes of a queue's device area; with avail_event, whether or not it is negotiated. */
export function deviceAreaBytes(size: number, packed: boolean): number {
  return packed ? EVENT_SIZE : USED_RING + USED_ENTRY_SIZE * size + 2;
}

/**
 * Lays out the parts of one queue in guest memory.
 * @throws RangeError if the size is not a legal one
 */
export function queueLayout(shape: QueueShape): QueueLayout {
  const { size, packed = false, indirect = 0 } = shape;
  if (!isQueueSize(size, packed)) throw new RangeError(`queue size ${size} is not a legal one`);
  const driver = align(descriptorAreaBytes(size), LINE);
  const device = driver + align(driverAreaBytes(size, packed), LINE);
  const tables = device + align(deviceAreaBytes(size, packed), LINE);
  const bytes = tables + size * indirect * DESC_SIZE;
  return { align: LINE, bytes, descriptors: 0, driver, device, indirect: tables };
}

/** Where the parts of a workspace lie; offsets from its address, which is a multiple of 16. */
export interface DeviceWorkspace {
  readonly segments: number;
  readonly header: number;
  readonly response: number;
  readonly bytes: number;
}

/** What a device's workspace depends on. */
export interface DeviceWorkspaceShape {
  readonly size: number;
  /** Longest request header and response that are kept as private copies; 256 by default. */
  readonly headerBytes?: number;
  /** Buffers in one chain; at least the queue size, by default as many. */
  readonly segments?: number;
}

/** Lays out the workspace of a device's queue. */
export function deviceWorkspace(shape: DeviceWorkspaceShape): DeviceWorkspace {
  const segments = Math.max(shape.segments ?? 0, shape.size);
  const headerBytes = align(shape.headerBytes ?? 256, 16);
  const header = align(WORK_SEGMENTS + segments * SEGMENT_SIZE, 16);
  const response = header + headerBytes;
  return { segments, header, response, bytes: response + headerBytes };
}

/**
 * Bytes that the device's side of a queue needs outside guest memory, 16-aligned. A device that
 * moves or resizes its queues reserves for the largest size.
 */
export function deviceWorkspaceBytes(shape: DeviceWorkspaceShape): number {
  return deviceWorkspace(shape).bytes;
}

/** Where the parts of a driver's workspace lie. */
export interface DriverWorkspace {
  readonly staging: number;
  readonly shadow: number;
  readonly bytes: number;
  /** The longest scatterlist. */
  readonly elements: number;
}

/** Lays out the workspace of a driver's queue: a scatterlist and a shadow of the descriptors. */
export function driverWorkspace(shape: QueueShape): DriverWorkspace {
  const elements = Math.max(shape.size, shape.indirect ?? 0);
  const staging = WORK_REGIONS;
  const shadow = staging + elements * DESC_SIZE;
  return { staging, shadow, elements, bytes: shadow + shape.size * SHADOW_SIZE };
}

/** Bytes that the driver's side of a queue needs outside the rings, 16-aligned. */
export function driverWorkspaceBytes(shape: QueueShape): number {
  return driverWorkspace(shape).bytes;
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
