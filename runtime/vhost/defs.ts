// The vhost-user protocol's numbers (QEMU's docs/interop/vhost-user, "Vhost-user Protocol"). All
// fields are little-endian here: the machines that this runs on are.

/** Header: u32 request, u32 flags, u32 size of the payload. */
export const HEADER_SIZE = 12;
export const FLAG_VERSION = 1;
export const FLAG_VERSION_MASK = 3;
export const FLAG_REPLY = 4;
export const FLAG_NEED_REPLY = 8;

export const GET_FEATURES = 1;
export const SET_FEATURES = 2;
export const SET_OWNER = 3;
export const RESET_OWNER = 4;
export const SET_MEM_TABLE = 5;
export const SET_VRING_NUM = 8;
export const SET_VRING_ADDR = 9;
export const SET_VRING_BASE = 10;
export const GET_VRING_BASE = 11;
export const SET_VRING_KICK = 12;
export const SET_VRING_CALL = 13;
export const SET_VRING_ERR = 14;
export const GET_PROTOCOL_FEATURES = 15;
export const SET_PROTOCOL_FEATURES = 16;
export const GET_QUEUE_NUM = 17;
export const SET_VRING_ENABLE = 18;
export const GET_CONFIG = 24;
export const SET_CONFIG = 25;
export const GET_INFLIGHT_FD = 31;
export const SET_INFLIGHT_FD = 32;
export const RESET_DEVICE = 34;
export const SET_STATUS = 39;
export const GET_STATUS = 40;

/** VHOST_USER_F_PROTOCOL_FEATURES: a feature bit of the transport, not of the device. */
export const F_PROTOCOL_FEATURES = 30;

export const PROTOCOL_F_MQ = 0;
export const PROTOCOL_F_REPLY_ACK = 3;
export const PROTOCOL_F_CONFIG = 9;
export const PROTOCOL_F_INFLIGHT_SHMFD = 12;
export const PROTOCOL_F_RESET_DEVICE = 13;
export const PROTOCOL_F_STATUS = 16;

/** Memory table: u32 count, u32 padding, then regions of four u64. */
export const TABLE_HEADER_SIZE = 8;
export const REGION_SIZE = 32;
export const REGION_GUEST = 0;
export const REGION_BYTES = 8;
export const REGION_USER = 16;
export const REGION_OFFSET = 24;
export const MAX_REGIONS = 8;

/** Vring address: u32 index, u32 flags, then four u64 of the frontend's virtual addresses. */
export const VRING_ADDR_SIZE = 40;
export const VRING_ADDR_DESC = 8;
export const VRING_ADDR_USED = 16;
export const VRING_ADDR_AVAIL = 24;

/** SET_VRING_KICK, _CALL, _ERR: index in the low byte, and this bit if no descriptor comes. */
export const VRING_NO_FD = 0x100;

/** GET_CONFIG: u32 offset, u32 size, u32 flags, then the bytes. */
export const CONFIG_HEADER_SIZE = 12;

/** Longest payload that is taken: the memory table with all its regions, and the configuration. */
export const MAX_PAYLOAD = 4096;
