import assert from "node:assert/strict";
import * as P from "../../runtime/protocol/index.ts";
import { describe, test } from "../harness.ts";
import { Bench } from "./bench.ts";

const INVALID_DEVICE = P.cudaErrorInvalidDevice;

/** A machine of two devices; the client is the first one's. */
function pair(): { bench: Bench; contexts: number[] } {
  const bench = new Bench({ devices: 2, memoryBytes: 8 << 20 });
  const contexts = [0, 1].map((device) => {
    const fields = {
      [P.CONTEXT_CREATE_FLAGS]: P.CONTEXT_PRIMARY,
      [P.CONTEXT_CREATE_DEVICE]: device,
    };
    assert.equal(bench.call(P.COMMAND_CONTEXT_CREATE, fields), 0);
    return bench.get32(P.CONTEXT_CREATE_CONTEXT);
  });
  return { bench, contexts };
}

describe("several devices of one machine", () => {
  test("each ordinal has a primary context; other ordinals are no devices", () => {
    const { bench, contexts } = pair();
    assert.notEqual(contexts[0], contexts[1]);
    assert.equal(contexts[0], bench.context);
    const two = 2;
    const create = { [P.CONTEXT_CREATE_FLAGS]: P.CONTEXT_PRIMARY, [P.CONTEXT_CREATE_DEVICE]: two };
    assert.equal(bench.call(P.COMMAND_CONTEXT_CREATE, create), INVALID_DEVICE);
    const attribute = { [P.DEVICE_ATTRIBUTE_ATTRIBUTE]: P.cudaDevAttrWarpSize };
    assert.equal(
      bench.call(P.COMMAND_DEVICE_ATTRIBUTE, { ...attribute, [P.DEVICE_ATTRIBUTE_DEVICE]: two }),
      INVALID_DEVICE,
    );
    assert.equal(
      bench.call(P.COMMAND_DEVICE_PROPERTIES, { [P.DEVICE_PROPERTIES_DEVICE]: two }),
      INVALID_DEVICE,
    );
    assert.equal(
      bench.call(P.COMMAND_MEMORY_INFO, { [P.MEMORY_INFO_DEVICE]: two }),
      INVALID_DEVICE,
    );
  });

  test("each has half of the memory, and no more", () => {
    const { bench, contexts } = pair();
    const info = (device: number): number[] => {
      assert.equal(bench.call(P.COMMAND_MEMORY_INFO, { [P.MEMORY_INFO_DEVICE]: device }), 0);
      return [bench.get64(P.MEMORY_INFO_FREE), bench.get64(P.MEMORY_INFO_TOTAL)];
    };
    const [free = 0, total = 0] = info(1);
    assert.deepEqual(info(0), [free, total]);
    assert.ok(total >= 3 << 20 && total <= 4 << 20, `${total}`);
    const alloc = (context: number | undefined, bytes: number): number =>
      bench.call(
        P.COMMAND_MEMORY_ALLOC,
        { [P.REQUEST_CONTEXT]: context ?? 0, [P.MEMORY_ALLOC_KIND]: P.MEMORY_DEVICE },
        { [P.MEMORY_ALLOC_BYTES]: bytes },
      );
    assert.equal(alloc(contexts[1], free), 0);
    const address = bench.get64(P.MEMORY_ALLOC_ADDRESS);
    assert.equal(alloc(contexts[1], 256), P.cudaErrorMemoryAllocation);
    assert.equal(alloc(contexts[0], 1 << 20), 0);
    const asked = { [P.POINTER_ATTRIBUTES_ADDRESS]: address };
    assert.equal(bench.call(P.COMMAND_POINTER_ATTRIBUTES, {}, asked), 0);
    assert.equal(bench.get32(P.POINTER_ATTRIBUTES_DEVICE), 1);
    // Freed by a request of the other device.
    assert.equal(bench.free(address), 0);
    assert.deepEqual(info(1), [free, total]);
  });

  test("a stream of the other device is asked in its context", () => {
    const { bench, contexts } = pair();
    const other = { [P.REQUEST_CONTEXT]: contexts[1] ?? 0 };
    assert.equal(bench.call(P.COMMAND_STREAM_CREATE, other), 0);
    const stream = { [P.REQUEST_STREAM]: bench.get32(P.STREAM_CREATE_STREAM) };
    assert.equal(bench.call(P.COMMAND_STREAM_INFO, stream), 0);
    assert.equal(bench.get32(P.STREAM_INFO_DEVICE), 1);
    assert.equal(bench.call(P.COMMAND_EVENT_CREATE), 0);
    const event = bench.get32(P.EVENT_CREATE_EVENT);
    const record = { ...stream, [P.EVENT_RECORD_EVENT]: event };
    assert.equal(bench.call(P.COMMAND_EVENT_RECORD, record), P.cudaErrorInvalidResourceHandle);
    const wait = { ...stream, [P.STREAM_WAIT_EVENT_EVENT]: event };
    assert.equal(bench.call(P.COMMAND_STREAM_WAIT_EVENT, wait), 0);
    assert.equal(bench.call(P.COMMAND_STREAM_DESTROY, stream), 0);
  });

  test("peers", () => {
    const { bench, contexts } = pair();
    const access = (enable: number, peer: number, context = contexts[0] ?? 0): number =>
      bench.call(P.COMMAND_PEER_ACCESS, {
        [P.REQUEST_CONTEXT]: context,
        [P.PEER_ACCESS_DEVICE]: peer,
        [P.PEER_ACCESS_ENABLE]: enable,
      });
    assert.equal(access(0, 1), P.cudaErrorPeerAccessNotEnabled);
    assert.equal(access(1, 1), 0);
    assert.equal(access(1, 1), P.cudaErrorPeerAccessAlreadyEnabled);
    assert.equal(access(1, 0), P.cudaErrorPeerAccessUnsupported);
    assert.equal(access(1, 2), INVALID_DEVICE);
    assert.equal(access(2, 1), P.cudaErrorInvalidValue);
    assert.equal(access(0, 0, contexts[1]), P.cudaErrorPeerAccessNotEnabled);
    const reset = { [P.REQUEST_CONTEXT]: contexts[1] ?? 0 };
    assert.equal(bench.call(P.COMMAND_CONTEXT_RESET, reset), 0);
    assert.equal(access(0, 1), P.cudaErrorPeerAccessNotEnabled, "the peer's context was emptied");
  });
});
