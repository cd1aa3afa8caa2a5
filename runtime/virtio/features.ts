// Feature bits that belong to the rings and the transport (virtio 1.3 §6), and the legacy ones that
// still change how a ring behaves (§6.3). Bits 0 to 23, 41, 42 and 50 to
// 127 belong to device types (§2.2); bit 41 is ADMIN_VQ where the transport is PCI.

import {
  RING_EVENT_IDX,
  RING_IN_ORDER,
  RING_INDIRECT,
  RING_LEGACY,
  RING_NOTIFY_ON_EMPTY,
} from "./defs.ts";

/** Legacy: notify when the device runs out of buffers, even if notifications are suppressed. */
export const VIRTIO_F_NOTIFY_ON_EMPTY = 1n << 24n;
/** Legacy: framing is arbitrary. Our rings never assume any framing (§2.7.4.1). */
export const VIRTIO_F_ANY_LAYOUT = 1n << 27n;
export const VIRTIO_F_INDIRECT_DESC = 1n << 28n;
export const VIRTIO_F_EVENT_IDX = 1n << 29n;
export const VIRTIO_F_VERSION_1 = 1n << 32n;
export const VIRTIO_F_ACCESS_PLATFORM = 1n << 33n;
export const VIRTIO_F_RING_PACKED = 1n << 34n;
export const VIRTIO_F_IN_ORDER = 1n << 35n;
export const VIRTIO_F_ORDER_PLATFORM = 1n << 36n;
export const VIRTIO_F_SR_IOV = 1n << 37n;
export const VIRTIO_F_NOTIFICATION_DATA = 1n << 38n;
export const VIRTIO_F_NOTIF_CONFIG_DATA = 1n << 39n;
export const VIRTIO_F_RING_RESET = 1n << 40n;
/** virtio 1.4 (§3.4 there): the device can be suspended by the SUSPEND status bit. */
export const VIRTIO_F_SUSPEND = 1n << 43n;

/** What our rings and transport implement. SR_IOV, NOTIF_CONFIG_DATA and ADMIN_VQ need PCI. */
export const VIRTIO_SUPPORTED =
  VIRTIO_F_NOTIFY_ON_EMPTY |
  VIRTIO_F_ANY_LAYOUT |
  VIRTIO_F_INDIRECT_DESC |
  VIRTIO_F_EVENT_IDX |
  VIRTIO_F_VERSION_1 |
  VIRTIO_F_ACCESS_PLATFORM |
  VIRTIO_F_RING_PACKED |
  VIRTIO_F_IN_ORDER |
  VIRTIO_F_ORDER_PLATFORM |
  VIRTIO_F_NOTIFICATION_DATA |
  VIRTIO_F_RING_RESET |
  VIRTIO_F_SUSPEND;

/**
 * The mask by which the core knows the features of a ring.
 * @param features negotiated feature bits
 * @returns RING_* bits
 */
export function ringFeatures(features: bigint): number {
  let mask = 0;
  if (features & VIRTIO_F_INDIRECT_DESC) mask |= RING_INDIRECT;
  if (features & VIRTIO_F_EVENT_IDX) mask |= RING_EVENT_IDX;
  if (features & VIRTIO_F_IN_ORDER) mask |= RING_IN_ORDER;
  if (!(features & VIRTIO_F_VERSION_1)) {
    mask |= RING_LEGACY;
    if (features & VIRTIO_F_NOTIFY_ON_EMPTY) mask |= RING_NOTIFY_ON_EMPTY;
  }
  return mask;
}
