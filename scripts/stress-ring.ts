/**
 * The stress test's long form: `npm run stress:ring -- --requests N`.
 *
 * Sends N requests between a driver and a device in two Workers, over several kinds of queues, and
 * checks each. The last line is `N passed, N failed`.
 */
import { parseArgs } from "node:util";
import { STRESSED, StressPair } from "../tests/virtio/stress/stress.ts";

const { values } = parseArgs({ options: { requests: { type: "string", default: "10000000" } } });
const requests = Number(values.requests);
if (!Number.isSafeInteger(requests) || requests <= 0) {
  console.error("--requests takes a number");
  process.exit(2);
}

const share = Math.ceil(requests / STRESSED.length);
const pair = new StressPair();
let passed = 0;
let failed = 0;
for (const queue of STRESSED) {
  const result = await pair.run(queue, share, (done) => {
    if (process.stdout.isTTY) process.stdout.write(`\r${queue.name}: ${done}`);
  });
  passed += result.done;
  if (result.error !== "") failed += Math.max(1, share - result.done);
  const rate = (result.done / result.seconds / 1e6).toFixed(2);
  const { sleeps, notifications } = result;
  const outcome =
    result.error || `${rate} million/s, ${sleeps} sleeps, ${notifications} notifications`;
  console.log(
    `${process.stdout.isTTY ? "\r" : ""}${queue.name}: ${result.done} requests, ${outcome}`,
  );
  if (result.error !== "") break; // a thread may still wait for the other
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
