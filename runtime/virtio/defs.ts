// Layouts and numbers of virtio 1.3, written once: TypeScript and AssemblyScript both import this
// file, so it has no imports and holds plain constants only. Offsets and sizes are in bytes.

// ── Descriptor of the split ring (§2.7.5) ──────────────────────────────────────────────────────
//   0        8     12      14     16
//   | addr   | len | flags | next |
export const DESC_SIZE = 16;
export const DESC_ADDR = 0;
export const DESC_LEN = 8;
export const DESC_FLAGS = 12;
export const DESC_NEXT = 14;

export const DESC_F_NEXT = 1;
export const DESC_F_WRITE = 2;
export const DESC_F_INDIRECT = 4;

// ── Available ring (§2.7.6): flags, idx, ring[size], used_event ────────────────────────────────
export const AVAIL_FLAGS = 0;
export const AVAIL_IDX = 2;
export const AVAIL_RING = 4;
export const AVAIL_ENTRY_SIZE = 2;
export const AVAIL_F_NO_INTERRUPT = 1;

// ── Used ring (§2.7.8): flags, idx, { id, len }[size], avail_event ─────────────────────────────
export const USED_FLAGS = 0;
export const USED_IDX = 2;
export const USED_RING = 4;
export const USED_ENTRY_SIZE = 8;
export const USED_ENTRY_LEN = 4;
export const USED_F_NO_NOTIFY = 1;

// ── Descriptor of the packed ring (§2.8.13) ────────────────────────────────────────────────────
//   0        8     12   14      16
//   | addr   | len | id | flags |
export const PACKED_DESC_ID = 12;
export const PACKED_DESC_FLAGS = 14;
export const PACKED_F_AVAIL = 0x80;
export const PACKED_F_USED = 0x8000;

// ── Event suppression structure of the packed ring (§2.8.14): { off:15, wrap:1 }, flags ────────
export const EVENT_SIZE = 4;
export const EVENT_OFF_WRAP = 0;
export const EVENT_FLAGS = 2;
export const EVENT_F_ENABLE = 0;
export const EVENT_F_DISABLE = 1;
export const EVENT_F_DESC = 2;

// ── Alignments and limits (§2.7, §2.8.10) ──────────────────────────────────────────────────────
export const DESC_ALIGN = 16;
export const AVAIL_ALIGN = 2;
export const USED_ALIGN = 4;
export const EVENT_ALIGN = 4;
export const QUEUE_SIZE_MAX = 32768;

// ── Ring features as the core keeps them (a mask of its own, not the device's feature bits) ────
export const RING_INDIRECT = 1;
export const RING_EVENT_IDX = 2;
export const RING_IN_ORDER = 4;
export const RING_NOTIFY_ON_EMPTY = 8;
export const RING_LEGACY = 16;

// ── Workspace of one side of one queue: private bytes outside guest memory ─────────────────────
// The core has no static data, so the few bytes that must be indexed (the iov of the chain that is
// being walked, the order of in-flight buffers, the driver's shadow of its descriptors) lie here.
//   0    WORK_* words            what the last call has to say besides its result
//   64   region table            WORK_REGIONS_MAX × 32 bytes
//   …    iov segments            { address u32, length u32 }
//   …    shadow                  driver: free list and lengths of buffers
//   …    header, response        device: private copies of a request's header and a response
export const WORK_OUT_COUNT = 0;
export const WORK_IN_COUNT = 4;
export const WORK_NDESCS = 8;
export const WORK_FIRST = 12;
export const WORK_LENGTH = 16;
export const WORK_ERROR_DETAIL = 20;
export const WORK_DROPPED = 24;
export const WORK_PARTIAL = 28;
export const WORK_REGIONS = 64;
export const WORK_REGIONS_MAX = 32;

/** Region table entry: guest address u64, size u64, linear address u32, flags u32. */
export const REGION_SIZE = 32;
export const REGION_GUEST = 0;
export const REGION_BYTES = 8;
export const REGION_LINEAR = 16;
export const REGION_FLAGS = 20;
export const REGION_F_READONLY = 1;

export const WORK_SEGMENTS = 1088; // WORK_REGIONS + WORK_REGIONS_MAX * REGION_SIZE
export const SEGMENT_SIZE = 8;
export const SEGMENT_ADDRESS = 0;
export const SEGMENT_LENGTH = 4;

// Shadow of a buffer (driver): the device can write to the rings, but never to this.
//   0        2       4           8      10     16
//   | count  | last  | in bytes  | next |      |     the first three are one u64
// count: descriptors of the buffer whose head this is, 0 where there is none; last: its last
// descriptor; in bytes: what the device may write; next: next free (or next in chain).
export const SHADOW_SIZE = 16;
export const SHADOW_BUFFER = 0;
export const SHADOW_NEXT = 8;

// ── Results of core calls ──────────────────────────────────────────────────────────────────────
export const RESULT_EMPTY = -1;
export const RESULT_BROKEN = -2;

// Linux's errno numbers, as the driver's API returns them (negated).
export const EIO = 5;
export const ENOMEM = 12;
export const EINVAL = 22;
export const ENOSPC = 28;

// ── Why a queue broke (errors.ts has the texts) ────────────────────────────────────────────────
export const BROKEN_NONE = 0;
export const BROKEN_AVAIL_IDX = 1;
export const BROKEN_HEAD = 2;
export const BROKEN_NEXT = 3;
export const BROKEN_LOOP = 4;
export const BROKEN_INDIRECT_FEATURE = 5;
export const BROKEN_INDIRECT_NEXT = 6;
export const BROKEN_INDIRECT_LENGTH = 7;
export const BROKEN_INDIRECT_NESTED = 8;
export const BROKEN_ADDRESS = 9;
export const BROKEN_ZERO_LENGTH = 10;
export const BROKEN_ORDER = 11;
export const BROKEN_TOO_LONG = 12;
export const BROKEN_IN_USE = 13;
export const BROKEN_READONLY = 14;
export const BROKEN_RING = 15;
export const BROKEN_USED_IDX = 16;
export const BROKEN_USED_ID = 17;
export const BROKEN_USED_LEN = 18;
export const BROKEN_BY_DRIVER = 19;
export const BROKEN_PACKED_ID = 20;
export const BROKEN_PACKED_CHAIN = 21;
export const BROKEN_SEGMENTS = 22;
export const BROKEN_RESET = 23;

// ── Device status (§2.1) ───────────────────────────────────────────────────────────────────────
export const STATUS_ACKNOWLEDGE = 1;
export const STATUS_DRIVER = 2;
export const STATUS_DRIVER_OK = 4;
export const STATUS_FEATURES_OK = 8;
export const STATUS_SUSPEND = 16;
export const STATUS_NEEDS_RESET = 64;
export const STATUS_FAILED = 128;

// ── Registers of virtio-mmio, version 2 (§4.2.2) ───────────────────────────────────────────────
export const MMIO_MAGIC = 0x74726976;
export const MMIO_VERSION = 2;
export const MMIO_MAGIC_VALUE = 0x000;
export const MMIO_VERSION_REG = 0x004;
export const MMIO_DEVICE_ID = 0x008;
export const MMIO_VENDOR_ID = 0x00c;
export const MMIO_DEVICE_FEATURES = 0x010;
export const MMIO_DEVICE_FEATURES_SEL = 0x014;
export const MMIO_DRIVER_FEATURES = 0x020;
export const MMIO_DRIVER_FEATURES_SEL = 0x024;
export const MMIO_QUEUE_SEL = 0x030;
export const MMIO_QUEUE_SIZE_MAX = 0x034;
export const MMIO_QUEUE_SIZE = 0x038;
export const MMIO_QUEUE_READY = 0x044;
export const MMIO_QUEUE_NOTIFY = 0x050;
export const MMIO_INTERRUPT_STATUS = 0x060;
export const MMIO_INTERRUPT_ACK = 0x064;
export const MMIO_STATUS = 0x070;
export const MMIO_QUEUE_DESC_LOW = 0x080;
export const MMIO_QUEUE_DESC_HIGH = 0x084;
export const MMIO_QUEUE_DRIVER_LOW = 0x090;
export const MMIO_QUEUE_DRIVER_HIGH = 0x094;
export const MMIO_QUEUE_DEVICE_LOW = 0x0a0;
export const MMIO_QUEUE_DEVICE_HIGH = 0x0a4;
export const MMIO_SHM_SEL = 0x0ac;
export const MMIO_SHM_LEN_LOW = 0x0b0;
export const MMIO_SHM_LEN_HIGH = 0x0b4;
export const MMIO_SHM_BASE_LOW = 0x0b8;
export const MMIO_SHM_BASE_HIGH = 0x0bc;
export const MMIO_QUEUE_RESET = 0x0c0;
export const MMIO_CONFIG_GENERATION = 0x0fc;
export const MMIO_CONFIG = 0x100;
export const INTERRUPT_USED_BUFFER = 1;
export const INTERRUPT_CONFIG_CHANGE = 2;
