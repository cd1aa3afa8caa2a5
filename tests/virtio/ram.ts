/** Guest RAM of the rig: rings first, then buffers. */
export const RAM_START = 0x10000;
export const RAM_SIZE = 0x200000;
export const RAM_END = RAM_START + RAM_SIZE;
export const BUFFERS = RAM_START + 0x100000;
