/**
 * The place of `at` in the shared window of another block of its cluster.
 * @param cluster address of the first block's window; the others follow 2^shift bytes apart
 */
// @ts-ignore: decorator
@inline
export function inWindow(at: usize, cluster: usize, shift: i32, rank: i32): usize {
  const within = (at - cluster) & (((<usize>1) << shift) - 1);
  return cluster + ((<usize>rank) << shift) + within;
}
