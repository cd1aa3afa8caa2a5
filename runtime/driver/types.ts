/** Variable data beside an ioctl's argument: any bytes that this thread can see. */
export type IoctlData = Uint8Array;

/** What an open file of the driver tells its opener besides ioctl results. */
export interface DriverOptions {
  /** Receives what kernels print, in order, at synchronisation points. */
  readonly stdout?: (text: Uint8Array) => void;
  /** Receives device-side assertion messages and the like. */
  readonly stderr?: (text: Uint8Array) => void;
  /** The caller's thread id, as gettid() gives it; a number of this machine's own by default. */
  readonly thread?: number;
  /**
   * Calls a function of the host that is next in a stream (HOST_CALL).
   * @param data HOST_CALL_DATA of the request
   * @param error the context's sticky error, for callbacks that are called even then
   * @param stream its handle
   */
  readonly hostCall?: (data: number, error: number, stream: number) => void;
  /** Receives the full text of each kernel fault when it is found out. */
  readonly fault?: (error: number, text: string) => void;
}

/** An open file of the driver. All methods are synchronous; errors are Linux's, negated. */
export interface OpenFile {
  /** The thread id that goes into every request. */
  readonly thread: number;
  /** CUDA pointer of guest physical address 0 (a multiple of 2³²). */
  readonly pointerBase: number;

  /**
   * Makes a request.
   * @param request IOCTL_BASE + command
   * @param arg ARG_SIZE bytes: the request, and at ARG_RESPONSE its response
   * @param out bytes that follow the request
   * @param into receives the bytes that follow the response
   *   (MEMORY_COPY: `out` or `into` is the host side; MEMORY_COPY_3D: `out` is the box and `into`
   *   the host side of either direction, its address an offset in `into`)
   * @returns 0 when the device answered (look at RESPONSE_ERROR), or -ENOTTY (no such request),
   *   -EFAULT (`arg` too small), -ENOMEM (guest RAM exhausted), -EIO (device broken),
   *   -EBADF (released), -EDEADLK (waits for what only this thread could do)
   */
  ioctl(request: number, arg: DataView, out?: IoctlData, into?: IoctlData): number;

  /**
   * A view of device, pinned or managed memory in this thread.
   * @param pointer CUDA pointer inside one allocation
   * @param length bytes
   * @returns the view, or -EFAULT if the range is not inside device memory
   */
  mmap(pointer: number, length: number): Uint8Array | number;

  /**
   * The guest physical address of a view into the guest's memory.
   * @param view any view
   * @returns the address, or -EFAULT if the bytes are not guest memory (an ordinary array)
   */
  virtToPhys(view: ArrayBufferView): number;

  /**
   * Looks at the event queue without blocking and delivers what is there.
   * @returns a mask: POLLIN if something was delivered, POLLERR if the device needs a reset
   */
  poll(): number;

  /** Frees all that this opener left and closes; idempotent. @returns 0 or -errno */
  release(): number;
}

export const POLLIN = 1;
export const POLLERR = 8;
