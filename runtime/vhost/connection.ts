/** One connection of the vhost-user protocol: messages in and out of a socket, with descriptors. */
import { FLAG_REPLY, FLAG_VERSION, FLAG_VERSION_MASK, HEADER_SIZE, MAX_PAYLOAD } from "./defs.ts";
import { EINTR, type Libc, MSG_CMSG_CLOEXEC, MSG_NOSIGNAL } from "./libc.ts";

/** A message of the frontend. Descriptors belong to who receives it. */
export interface Message {
  readonly request: number;
  readonly flags: number;
  readonly payload: DataView<ArrayBuffer>;
  readonly descriptors: readonly number[];
}

/** The peer broke the protocol, or has gone. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
}

/** Most descriptors in one message. */
const MAX_DESCRIPTORS = 8;
/** struct cmsghdr on 64-bit Linux. */
const CMSG_BYTES = 16;
const CONTROL_BYTES = CMSG_BYTES + 4 * MAX_DESCRIPTORS;
/** struct msghdr on 64-bit Linux. */
const MSGHDR_BYTES = 56;
const SOL_SOCKET = 1;
const SHUT_RDWR = 2;
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 8;

/** A connected socket. */
export class Connection {
  readonly fd: number;
  readonly #libc: Libc;
  readonly #bytes = new Uint8Array(new ArrayBuffer(HEADER_SIZE + MAX_PAYLOAD));
  readonly #control = new Uint8Array(new ArrayBuffer(CONTROL_BYTES));
  readonly #iov = new Uint8Array(new ArrayBuffer(16));
  readonly #msghdr = new Uint8Array(new ArrayBuffer(MSGHDR_BYTES));

  /** @param fd of the socket; who opened it closes it */
  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.fd = fd;
  }

  /**
   * Waits for a message.
   * @returns undefined at the end of the stream
   * @throws ConnectionError if it is not one
   */
  receive(): Message | undefined {
    const descriptors: number[] = [];
    try {
      if (!this.#fill(0, HEADER_SIZE, descriptors)) return undefined;
      const header = new DataView(this.#bytes.buffer, 0, HEADER_SIZE);
      const request = header.getUint32(0, true);
      const flags = header.getUint32(4, true);
      const size = header.getUint32(8, true);
      if ((flags & FLAG_VERSION_MASK) !== FLAG_VERSION || flags & FLAG_REPLY) {
        throw new ConnectionError(`message ${request} has flags 0x${flags.toString(16)}`);
      }
      if (size > MAX_PAYLOAD) throw new ConnectionError(`message ${request} of ${size} bytes`);
      if (!this.#fill(HEADER_SIZE, size, descriptors)) {
        throw new ConnectionError("the connection ends inside a message");
      }
      const payload = new DataView(this.#bytes.slice(HEADER_SIZE, HEADER_SIZE + size).buffer);
      return { request, flags, payload, descriptors };
    } catch (error) {
      for (const fd of descriptors) this.#libc.call("close", fd);
      throw error;
    }
  }

  /** Answers a request. @param fd sent with the answer. @throws ConnectionError if the peer has gone */
  reply(request: number, payload: Uint8Array, fd = -1): void {
    const bytes = new Uint8Array(new ArrayBuffer(HEADER_SIZE + payload.length));
    const view = new DataView(bytes.buffer);
    view.setUint32(0, request, true);
    view.setUint32(4, FLAG_VERSION | FLAG_REPLY, true);
    view.setUint32(8, payload.length, true);
    bytes.set(payload, HEADER_SIZE);
    let at = fd < 0 ? 0 : this.#sendWith(bytes, fd);
    while (at < bytes.length) {
      const rest = bytes.slice(at);
      const sent = this.#libc.call("send", this.fd, rest, rest.length, MSG_NOSIGNAL);
      if (sent === -EINTR) continue;
      if (sent <= 0) throw new ConnectionError(`the peer takes no answer (errno ${-sent})`);
      at += sent;
    }
  }

  /** Sends bytes with a descriptor. @returns how many of the bytes went */
  #sendWith(bytes: Uint8Array, fd: number): number {
    const libc = this.#libc;
    const control = new DataView(this.#control.buffer);
    this.#control.fill(0);
    control.setBigUint64(0, BigInt(CMSG_BYTES + 4), true);
    control.setInt32(8, SOL_SOCKET, true);
    control.setInt32(12, SCM_RIGHTS, true);
    control.setInt32(CMSG_BYTES, fd, true);
    const iov = new DataView(this.#iov.buffer);
    iov.setBigUint64(0, libc.addressOf(bytes), true);
    iov.setBigUint64(8, BigInt(bytes.length), true);
    const header = this.#header(CMSG_BYTES + 8);
    for (;;) {
      const sent = libc.call("sendmsg", this.fd, header, MSG_NOSIGNAL);
      if (sent === -EINTR) continue;
      if (sent <= 0) throw new ConnectionError(`the peer takes no answer (errno ${-sent})`);
      return sent;
    }
  }

  /** The message header over #iov and #control. */
  #header(controlBytes: number): Uint8Array {
    const header = new DataView(this.#msghdr.buffer);
    this.#msghdr.fill(0);
    header.setBigUint64(16, this.#libc.addressOf(this.#iov), true);
    header.setBigUint64(24, 1n, true);
    header.setBigUint64(32, this.#libc.addressOf(this.#control), true);
    header.setBigUint64(40, BigInt(controlBytes), true);
    return this.#msghdr;
  }

  /** Ends the conversation: the peer sees the end of the stream. */
  shutdown(): void {
    this.#libc.call("shutdown", this.fd, SHUT_RDWR);
  }

  /** Reads exactly `size` bytes to `at`. @returns false at the end of the stream */
  #fill(at: number, size: number, descriptors: number[]): boolean {
    for (let done = 0; done < size; ) {
      const got = this.#receive(at + done, size - done, descriptors);
      if (got === -EINTR) continue;
      if (got < 0) throw new ConnectionError(`the connection failed (errno ${-got})`);
      if (got === 0) {
        if (done === 0) return false;
        throw new ConnectionError("the connection ends inside a message");
      }
      done += got;
    }
    return true;
  }

  #receive(at: number, size: number, descriptors: number[]): number {
    const libc = this.#libc;
    const iov = new DataView(this.#iov.buffer);
    iov.setBigUint64(0, libc.addressOf(this.#bytes) + BigInt(at), true);
    iov.setBigUint64(8, BigInt(size), true);
    const got = libc.call("recvmsg", this.fd, this.#header(CONTROL_BYTES), MSG_CMSG_CLOEXEC);
    const header = new DataView(this.#msghdr.buffer);
    if (got <= 0) return got;
    const control = new DataView(this.#control.buffer);
    const controlBytes = Number(header.getBigUint64(40, true));
    if (controlBytes >= 16) {
      const length = Number(control.getBigUint64(0, true));
      if (control.getInt32(8, true) === SOL_SOCKET && control.getInt32(12, true) === SCM_RIGHTS) {
        for (let i = 16; i + 4 <= length; i += 4) descriptors.push(control.getInt32(i, true));
      }
    }
    if (header.getInt32(48, true) & MSG_CTRUNC || descriptors.length > MAX_DESCRIPTORS) {
      throw new ConnectionError("too many descriptors in one message");
    }
    return got;
  }
}
