// Packed ring: indirect tables (virtio 1.3 §2.8.7, §2.8.19).

import * as defs from "../../../runtime/virtio/defs.ts";
import { A, av, B, I, N, type RingVector, U, W } from "./ring-vector.ts";

const VILLAIN = "virtio-villain tests/packed/";
const QEMU = "QEMU hw/virtio/virtio.c ";

const TABLE = B + 0x8000;
const ON = ["indirect"] as const;

export const PACKED_INDIRECT: readonly RingVector[] = [
  {
    name: "P0005 an indirect descriptor without the feature",
    source: `${VILLAIN}p0005_packed_indirect_no_feature`,
    section: "2.8.19",
    table: [av(TABLE, 16, I, 0)],
    pops: [],
    broken: defs.BROKEN_INDIRECT_FEATURE,
  },
  {
    name: "P0006 other flags in a table are ignored",
    source: `${VILLAIN}p0006_packed_indirect_bad_flags`,
    section: "2.8.7",
    features: ON,
    table: [av(TABLE, 32, I, 3)],
    tables: [
      [
        TABLE,
        [
          [B, 16, N | I, 9],
          [B + 16, 16, W | N, 9],
        ],
      ],
    ],
    pops: [{ id: 3, out: [[B, 16]], in: [[B + 16, 16]] }],
  },
  {
    name: "P0007 an indirect descriptor at the end of a list",
    source: `${VILLAIN}p0007_packed_indirect_mixed`,
    section: "2.8.19",
    features: ON,
    table: [av(B, 16, N, 0), av(TABLE, 16, I | W, 0)],
    pops: [],
    broken: defs.BROKEN_INDIRECT_NEXT,
  },
  {
    name: "P0022 a table and a buffer with one id",
    source: `${VILLAIN}p0022_packed_indirect_reused_id`,
    section: "2.8.7",
    features: ON,
    table: [av(TABLE, 16, I, 0), av(B, 16, 0, 0)],
    tables: [[TABLE, [[B + 16, 4, W, 0]]]],
    pops: [
      { id: 0, in: [[B + 16, 4]] },
      { id: 0, out: [[B, 16]] },
    ],
  },
  {
    name: "P0024 a table in a queue of one",
    source: `${VILLAIN}p0024_packed_single_slot_indirect`,
    section: "2.8.7",
    size: 1,
    segments: 3,
    features: ON,
    table: [av(TABLE, 48, I, 0)],
    tables: [
      [
        TABLE,
        [
          [B, 1, 0, 0],
          [B + 1, 1, 0, 0],
          [B + 2, 1, W, 0],
        ],
      ],
    ],
    pops: [
      {
        id: 0,
        out: [
          [B, 1],
          [B + 1, 1],
        ],
        in: [[B + 2, 1]],
      },
    ],
  },
  {
    name: "P0032 a table at an odd address",
    source: `${VILLAIN}p0032_packed_indirect_unaligned`,
    section: "2.8.7",
    features: ON,
    table: [av(TABLE + 3, 16, I, 0)],
    tables: [[TABLE + 3, [[B, 16, W, 0]]]],
    pops: [{ id: 0, in: [[B, 16]] }],
  },
  {
    name: "P0040 INDIRECT with NEXT",
    source: `${VILLAIN}p0040_indirect_with_next`,
    section: "2.8.19",
    features: ON,
    table: [av(TABLE, 16, I | N, 0), av(B, 16, 0, 0)],
    tables: [[TABLE, [[B, 16, W, 0]]]],
    pops: [],
    broken: defs.BROKEN_INDIRECT_NEXT,
  },
  {
    name: "P0049 state bits in a table's entries are ignored",
    source: `${VILLAIN}p0049_indirect_phase_in_table`,
    section: "2.8.7",
    features: ON,
    table: [av(TABLE, 32, I, 1)],
    tables: [
      [
        TABLE,
        [
          [B, 8, A | U, 0],
          [B + 8, 8, W | U, 0],
        ],
      ],
    ],
    pops: [{ id: 1, out: [[B, 8]], in: [[B + 8, 8]] }],
  },
  {
    name: "P0050 INDIRECT inside a table is no table",
    source: `${VILLAIN}p0050_indirect_nested`,
    section: "2.8.7",
    features: ON,
    table: [av(TABLE, 16, I, 0)],
    tables: [[TABLE, [[B, 16, I, 0]]]],
    pops: [{ id: 0, out: [[B, 16]] }],
  },
  {
    name: "P0062 a table's entry that wraps 64 bits",
    source: `${VILLAIN}p0062_indirect_entry_wrap`,
    section: "2.8.7",
    features: ON,
    table: [av(TABLE, 16, I, 0)],
    tables: [[TABLE, [[0xffff_ffff_ffff_ffffn, 2, W, 0]]]],
    pops: [],
    broken: defs.BROKEN_ADDRESS,
  },
  {
    name: "P0069 a table of length 0",
    source: `${VILLAIN}p0069_indirect_len_zero`,
    section: "2.8.7",
    features: ON,
    table: [av(TABLE, 0, I, 0)],
    pops: [],
    broken: defs.BROKEN_INDIRECT_LENGTH,
  },
  {
    name: "P0073 a split ring's table: next is an id here, and all entries count",
    source: `${VILLAIN}p0073_cross_format_indirect`,
    section: "2.8.7",
    features: ON,
    table: [av(TABLE, 48, I, 0)],
    tables: [
      [
        TABLE,
        [
          [B, 8, N, 2],
          [B + 8, 8, N, 1],
          [B + 16, 8, W, 0],
        ],
      ],
    ],
    pops: [
      {
        id: 0,
        out: [
          [B, 8],
          [B + 8, 8],
        ],
        in: [[B + 16, 8]],
      },
    ],
  },
  {
    name: "P0080 WRITE on the descriptor that refers to a table is ignored",
    source: `${VILLAIN}p0080_write_and_indirect`,
    section: "2.8.7",
    features: ON,
    table: [av(TABLE, 16, I | W, 2)],
    tables: [[TABLE, [[B, 16, 0, 0]]]],
    pops: [{ id: 2, out: [[B, 16]] }],
  },
  {
    name: "P0083 a table whose length is no multiple of 16",
    source: `${VILLAIN}p0083_indirect_len_not_multiple`,
    section: "2.8.7",
    features: ON,
    table: [av(TABLE, 24, I, 0)],
    pops: [],
    broken: defs.BROKEN_INDIRECT_LENGTH,
  },
  {
    name: "P0085 more entries than the device takes",
    source: `${VILLAIN}p0085_indirect_too_many_entries`,
    section: "2.8.18",
    size: 2,
    features: ON,
    table: [av(TABLE, 48, I, 0)],
    tables: [
      [
        TABLE,
        [
          [B, 8, 0, 0],
          [B, 8, 0, 0],
          [B, 8, 0, 0],
        ],
      ],
    ],
    pops: [],
    broken: defs.BROKEN_SEGMENTS,
  },
  {
    name: "P0086 two tables linked by NEXT",
    source: `${VILLAIN}p0086_two_indirects_via_next`,
    section: "2.8.19",
    features: ON,
    table: [av(TABLE, 16, I | N, 0), av(TABLE, 16, I, 0)],
    tables: [[TABLE, [[B, 8, 0, 0]]]],
    pops: [],
    broken: defs.BROKEN_INDIRECT_NEXT,
  },
  {
    name: "readable after writable inside a table",
    source: `${QEMU}virtqueue_map_desc: incorrect order`,
    section: "2.8.17",
    features: ON,
    table: [av(TABLE, 32, I, 0)],
    tables: [
      [
        TABLE,
        [
          [B, 8, W, 0],
          [B, 8, 0, 0],
        ],
      ],
    ],
    pops: [],
    broken: defs.BROKEN_ORDER,
  },
  {
    name: "a table's entry of length 0",
    source: `${QEMU}virtqueue_map_desc: zero sized buffers`,
    section: "2.8.7",
    features: ON,
    table: [av(TABLE, 16, I, 0)],
    tables: [[TABLE, [[B, 0, W, 0]]]],
    pops: [],
    broken: defs.BROKEN_ZERO_LENGTH,
  },
];
