/**
 * Where the virtual GPU answers otherwise than the H100s that recorded `recorded/`, on purpose: the
 * lines as that GPU printed them, and why.
 */
export const DELIBERATE: readonly (readonly [line: RegExp, why: string])[] = [
  [
    /^fault .*: (cudaMemGetInfo|cudaDeviceGetStreamPriorityRange)\(.* = 7\d\d$/,
    "asks nothing of the context, and is answered",
  ],
  [/^fault .*: cudaDeviceGetDefaultMemPool\(.* = 0$/, "asks the context, which has failed"],
  [
    /^fault .*: cudaEventRecord\(e, s\) = 0$/,
    "the fault may have come before the call that follows",
  ],
  [/^fault .* = 46$/, "a reset mends what a fault has left; that GPU's driver wants a new process"],
  [/^fault shared(-below)?: .* = 715$/, "far outside of shared memory is an illegal address, too"],
  [/^last errors: cudaThreadExchangeStreamCaptureMode.* = 0, last 0$/, "there is no mode 9"],
  [
    /^memory kinds: flags of (managed|registered) 0 2$/,
    "flags are of memory that was made with some",
  ],
  [
    /^memory kinds: registered is .*pointers 1 1$/,
    "registered pages have an address of the device's",
  ],
  [/^memory kinds: device pointer of registered 0 1$/, "as above"],
  [/^peer-less: .* = 700, last 700$/, "kernels reach another device's memory without peer access"],
  [/^memory kinds: cudaHost(Unr|R)egister\((pinned|device).* = 1, last 1$/, "the number says why"],
];
