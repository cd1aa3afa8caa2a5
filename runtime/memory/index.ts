// Guest physical memory: the map, the memory itself, and heaps in it.
export { GuestMemory } from "./guest-memory.ts";
export { Heap } from "./heap.ts";
export * from "./map.ts";
