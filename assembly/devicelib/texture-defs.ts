// Control word of the texture and surface functions, written by the compiler.

/** Bits 0–1: coordinates of a place in one layer or face, 1 to 3. */
export const TEXTURE_DIMENSIONS = 3;
/** The layer index selects a slice. */
export const TEXTURE_LAYERED = 4;
/** Coordinates are a direction; faces are slices. */
export const TEXTURE_CUBE = 8;
/** tld4: which component to gather. */
export const TEXTURE_COMPONENT_SHIFT = 4;
/** Surfaces: places outside are moved to the nearest inside. */
export const SURFACE_CLAMP = 64;
/** Surfaces: x counts elements (`.p`), not bytes (`.b`). */
export const SURFACE_ELEMENTS = 128;

/** What txq and suq ask for. */
export const QUERY_WIDTH = 0;
export const QUERY_HEIGHT = 1;
export const QUERY_DEPTH = 2;
export const QUERY_CHANNEL_DATA_TYPE = 3;
export const QUERY_CHANNEL_ORDER = 4;
export const QUERY_NORMALIZED = 5;
export const QUERY_ARRAY_SIZE = 6;
export const QUERY_FILTER_MODE = 7;
export const QUERY_ADDRESS_MODE_X = 8;
export const QUERY_ADDRESS_MODE_Y = 9;
export const QUERY_ADDRESS_MODE_Z = 10;
export const QUERY_LEVELS = 11;
