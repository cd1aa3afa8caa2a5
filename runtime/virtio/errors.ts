import * as defs from "./defs.ts";

/** What BROKEN_* numbers of the core mean, with the section of virtio 1.3 that was violated. */
const REASONS: Readonly<Record<number, string>> = {
  [defs.BROKEN_AVAIL_IDX]: "available index jumped by more than the queue size (§2.7.6.1)",
  [defs.BROKEN_HEAD]: "available ring holds a head that is out of range (§2.7.6)",
  [defs.BROKEN_NEXT]: "next is out of range (§2.7.5)",
  [defs.BROKEN_LOOP]: "descriptor chain is longer than its table: a loop (§2.7.5.2)",
  [defs.BROKEN_INDIRECT_FEATURE]: "indirect descriptor without VIRTIO_F_INDIRECT_DESC (§2.7.5.3.1)",
  [defs.BROKEN_INDIRECT_NEXT]: "INDIRECT and NEXT set together (§2.7.5.3.1)",
  [defs.BROKEN_INDIRECT_LENGTH]: "indirect table length is zero or no multiple of 16 (§2.7.5.3)",
  [defs.BROKEN_INDIRECT_NESTED]: "indirect descriptor inside an indirect table (§2.7.5.3.1)",
  [defs.BROKEN_ADDRESS]: "address range outside guest memory (§2.7.5)",
  [defs.BROKEN_ZERO_LENGTH]: "zero-length buffer (§2.7.5)",
  [defs.BROKEN_ORDER]: "readable descriptor after a writable one (§2.7.4.2)",
  [defs.BROKEN_TOO_LONG]: "descriptor chain of more than 2^32 bytes (§2.7.5.2)",
  [defs.BROKEN_IN_USE]: "more chains in flight than the queue size (§2.7.13)",
  [defs.BROKEN_READONLY]: "writable buffer in read-only memory (§2.7.5)",
  [defs.BROKEN_RING]: "ring not aligned or not wholly in writable guest memory (§2.7, §2.8.10.1)",
  [defs.BROKEN_USED_IDX]: "used index jumped by more than the queue size (§2.7.8)",
  [defs.BROKEN_USED_ID]: "used id that is not in flight (§2.7.8)",
  [defs.BROKEN_USED_LEN]: "used length larger than the writable part of the buffer (§2.7.8.2)",
  [defs.BROKEN_BY_DRIVER]: "broken by the driver",
  [defs.BROKEN_PACKED_ID]: "buffer id that is out of range or in use (§2.8.21.1)",
  [defs.BROKEN_PACKED_CHAIN]: "descriptor list runs into one that is not available (§2.8.17)",
  [defs.BROKEN_SEGMENTS]: "more buffers in one chain than the device takes (§2.7.5.3.1)",
  [defs.BROKEN_RESET]: "the queue was reset (§2.6.1)",
};

/**
 * The text for a BROKEN_* number.
 * @param reason BROKEN_*
 * @param detail the value that was wrong (an index, a length, flags)
 */
export function brokenText(reason: number, detail: number): string {
  const text = REASONS[reason] ?? `reason ${reason}`;
  return `${text}: ${detail}`;
}
