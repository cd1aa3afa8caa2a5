// Arrays, texture objects and surface objects of the protocol; see definitions.ts for the
// conventions (requests' fields begin at 24, responses' at 8). Plain numbers without imports.

/**
 * ARRAY_CREATE: a 1-D, 2-D, 3-D or layered array, or a mipmapped one; extents are in elements, 0 = not
 * there.
 */
export const COMMAND_ARRAY_CREATE = 0x70;
export const ARRAY_CREATE_WIDTH = 24;
export const ARRAY_CREATE_HEIGHT = 28; // 0: one-dimensional
export const ARRAY_CREATE_DEPTH = 32; // 0: not three-dimensional; layers with ARRAY_LAYERED
export const ARRAY_CREATE_FLAGS = 36; // ARRAY_*
export const ARRAY_CREATE_FORMAT = 40; // cudaChannelFormatKind: FORMAT_*
export const ARRAY_CREATE_BITS_X = 44; // bits of each channel: 8, 16 or 32, later ones may be 0
export const ARRAY_CREATE_BITS_Y = 48;
export const ARRAY_CREATE_BITS_Z = 52;
export const ARRAY_CREATE_BITS_W = 56;
export const ARRAY_CREATE_LEVELS = 60; // of a mipmapped array, at most; 0: an array
export const ARRAY_CREATE_ARRAY = 8;
export const ARRAY_CREATE_RESPONSE_SIZE = 12;
/** cudaArray* flags. */
export const ARRAY_LAYERED = 1;
export const ARRAY_SURFACE_LOAD_STORE = 2;
export const ARRAY_CUBEMAP = 4;
export const ARRAY_TEXTURE_GATHER = 8;
/** cudaChannelFormatKind numbers. */
export const FORMAT_SIGNED = 0;
export const FORMAT_UNSIGNED = 1;
export const FORMAT_FLOAT = 2;

/** ARRAY_DESTROY, of mipmapped ones too: waits for the context's work, as MEMORY_FREE does. */
export const COMMAND_ARRAY_DESTROY = 0x71;
export const ARRAY_DESTROY_ARRAY = 24;
export const ARRAY_DESTROY_RESPONSE_SIZE = 8;

/** ARRAY_LEVEL: a level of a mipmapped array, which is an array that goes with it. */
export const COMMAND_ARRAY_LEVEL = 0x76;
export const ARRAY_LEVEL_MIPMAPPED = 24;
export const ARRAY_LEVEL_LEVEL = 28;
export const ARRAY_LEVEL_ARRAY = 8;
export const ARRAY_LEVEL_RESPONSE_SIZE = 12;

/** ARRAY_INFO: what was given to ARRAY_CREATE, and where the elements are, for MEMORY_COPY_3D. */
export const COMMAND_ARRAY_INFO = 0x72;
export const ARRAY_INFO_ARRAY = 24;
export const ARRAY_INFO_ADDRESS = 8; // u64, of element 0
export const ARRAY_INFO_PITCH = 16; // u64, bytes from row to row
export const ARRAY_INFO_SLICE = 24; // u64, bytes from slice (or layer) to slice
export const ARRAY_INFO_WIDTH = 32;
export const ARRAY_INFO_HEIGHT = 36;
export const ARRAY_INFO_DEPTH = 40;
export const ARRAY_INFO_FLAGS = 44;
export const ARRAY_INFO_FORMAT = 48;
export const ARRAY_INFO_BITS_X = 52;
export const ARRAY_INFO_BITS_Y = 56;
export const ARRAY_INFO_BITS_Z = 60;
export const ARRAY_INFO_BITS_W = 64;
export const ARRAY_INFO_RESERVED = 68;
export const ARRAY_INFO_RESPONSE_SIZE = 72;

/**
 * TEXTURE_CREATE: a texture object, or a surface object, over an array or over memory; a
 * DESCRIPTOR follows the request. What the object is called in programs and kernels (an opaque
 * 64-bit value) is the CUDA pointer of the device's copy of the descriptor.
 */
export const COMMAND_TEXTURE_CREATE = 0x73;
export const TEXTURE_CREATE_RESOURCE = 24; // RESOURCE_*
export const TEXTURE_CREATE_ARRAY = 28; // handle, for all but RESOURCE_LINEAR and RESOURCE_PITCH_2D
export const TEXTURE_CREATE_OBJECT = 8; // u64
export const TEXTURE_CREATE_RESPONSE_SIZE = 16;
export const RESOURCE_ARRAY = 0; // extents, format and address are the array's
export const RESOURCE_MIPMAPPED = 1; // the levels of a mipmapped array
export const RESOURCE_LINEAR = 2; // WIDTH texels at ADDRESS
export const RESOURCE_PITCH_2D = 3; // HEIGHT rows of WIDTH texels at ADDRESS, PITCH bytes apart
export const RESOURCE_SURFACE = 0x100; // a surface object over an array made for it

/** TEXTURE_DESTROY. */
export const COMMAND_TEXTURE_DESTROY = 0x74;
export const TEXTURE_DESTROY_OBJECT = 24; // u64
export const TEXTURE_DESTROY_RESPONSE_SIZE = 8;

/** TEXTURE_INFO: the descriptor follows the response. */
export const COMMAND_TEXTURE_INFO = 0x75;
export const TEXTURE_INFO_OBJECT = 24; // u64
export const TEXTURE_INFO_RESOURCE = 8; // RESOURCE_*
export const TEXTURE_INFO_ARRAY = 12; // handle, or 0
export const TEXTURE_INFO_RESPONSE_SIZE = 16;

/** DESCRIPTOR, as it is sent, and as kernels find it in memory. */
export const DESCRIPTOR_ADDRESS = 0; // u64 CUDA pointer of texel 0
export const DESCRIPTOR_PITCH = 8; // u64, bytes from row to row
export const DESCRIPTOR_SLICE = 16; // u64, bytes from slice or layer to the next
export const DESCRIPTOR_WIDTH = 24; // texels
export const DESCRIPTOR_HEIGHT = 28; // 0 if one-dimensional
export const DESCRIPTOR_DEPTH = 32; // 0 if not three-dimensional; layers if LAYERED
export const DESCRIPTOR_LAYERED = 36; // 0 or 1
export const DESCRIPTOR_FORMAT = 40; // FORMAT_*
export const DESCRIPTOR_CHANNELS = 44; // 1, 2 or 4
export const DESCRIPTOR_CHANNEL_BYTES = 48; // 1, 2 or 4
export const DESCRIPTOR_ADDRESS_MODE_X = 52; // cudaTextureAddressMode: wrap, clamp, mirror, border
export const DESCRIPTOR_ADDRESS_MODE_Y = 56;
export const DESCRIPTOR_ADDRESS_MODE_Z = 60;
export const DESCRIPTOR_FILTER = 64; // cudaTextureFilterMode: 0 point, 1 linear
export const DESCRIPTOR_READ_MODE = 68; // cudaTextureReadMode: 0 element, 1 normalised float
export const DESCRIPTOR_NORMALIZED = 72; // coordinates are 0 … 1
export const DESCRIPTOR_SRGB = 76;
export const DESCRIPTOR_BORDER = 80; // 4 × f32
export const DESCRIPTOR_LEVELS = 96; // in memory: the descriptors of the other levels follow
export const DESCRIPTOR_MIP_FILTER = 100; // between levels: 0 point, 1 linear
export const DESCRIPTOR_MIP_BIAS = 104; // f32, added to the level that is asked for
export const DESCRIPTOR_MIP_LEAST = 108; // f32, which is then kept between these
export const DESCRIPTOR_MIP_MOST = 112;
export const DESCRIPTOR_SIZE = 128;
